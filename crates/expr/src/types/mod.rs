//! What is known about values before anything runs.

mod env;
mod fit;
mod type_;

pub use env::TypeEnv;
pub use fit::Mismatch;
pub use type_::{Field, ObjectType, Type};

/// Something wrong with an expression that shows without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeProblem {
    /// Which scalar of a [`Template`](crate::Template): the places in lists and maps from the root on. Empty
    /// for an expression or a template that is one scalar.
    pub scalar: Vec<usize>,
    /// Bytes from the start of the source of the expression, or of the scalar in a template.
    pub offset: usize,
    /// Bytes that the problem covers.
    pub length: usize,
    /// A stable code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}
