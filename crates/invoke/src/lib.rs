//! Calls one operation once, on one replica: an HTTP request or a process, with its deadline and its
//! cancellation, and tells what came of it in the words of a run.
//!
//! It must never know which replica to choose, when to try again, what a workflow is, or what the schemas
//! of the operation say: the input comes checked, the output goes out as it came. Start reading at
//! [`Invocation`], then [`Outcome`].

mod invocation;
mod outcome;

pub use invocation::{Invocation, Process, Target};
pub use outcome::{Failure, Outcome, Reached};
