//! Expressions: `${ … }` is parsed once, tells which names it reads and of which type it is, and is evaluated
//! within a budget that is the same on every machine.
//!
//! The language is CEL over JSON, with the differences that stand in the reference; every function is on one
//! page, [`function_table`]. Values are read lazily: a place like `a.b[0].c` touches only the bytes up to it, and
//! what is put out unchanged is never written anew.
//!
//! This crate must never know: steps, runs, files, clocks, randomness, the environment. What a name means is
//! told by a [`Scope`] (values) and a [`TypeEnv`] (types).
//!
//! Start reading at [`Expr`] (one expression) and [`Template`] (a value with holes). The way of a text is
//! `parse` → `ast` → `check` (types) and `eval` (values).
//!
//! ```
//! use consort_expr::Expr;
//! use consort_types::Json;
//!
//! let expr = Expr::parse("check.confidence >= 0.9")?;
//! let scope = [("check", Json::from_text(r#"{"confidence": 0.95}"#.into())?)];
//! assert!(expr.evaluate_bool(&scope)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ast;
mod check;
mod cost;
mod equality;
mod error;
mod eval;
mod expr;
mod functions;
mod nearest;
mod notes;
mod parse;
mod raw;
mod reference;
mod scope;
mod template;
mod types;
mod value;

pub use cost::{BYTES_MAX, STEPS_BASE, STEPS_MAX, STEPS_PER_ITEM};
pub use equality::Equality;
pub use error::{EvalError, ParseError, code};
pub use expr::Expr;
pub use functions::table as function_table;
pub use nearest::nearest;
pub use reference::Reference;
pub use scope::Scope;
pub use template::Template;
pub use types::{Field, Mismatch, ObjectType, Type, TypeEnv, TypeProblem};

/// Bytes of one expression, at most.
pub const SOURCE_LEN_MAX: usize = 4 << 10;

/// How deep an expression, and a value that it makes, may be nested.
pub const NESTING_MAX: usize = 64;

/// Bytes of one value, at most.
pub const VALUE_LEN_MAX: usize = 64 << 20;
