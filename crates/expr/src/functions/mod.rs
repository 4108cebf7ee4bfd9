//! The functions that an expression may call.
//!
//! Every function can be written both ways: `size(x)` and `x.size()` are the same call. What each one takes
//! and gives stands in [`table`]; what it does, in the file of its kind.

mod apply;
pub(crate) mod convert;
pub(crate) mod list;
pub(crate) mod optional;
pub(crate) mod regex;
pub mod table;
pub(crate) mod text;
pub(crate) mod time;

pub(crate) use table::{Function, named};
