//! What came of a call.

use consort_types::{Json, RunError};
use std::time::Duration;

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The operation's output, not yet checked against its schema.
    Succeeded(Json),
    /// 202: the answer comes later, at the attempt's own address.
    Accepted,
    /// No output.
    Failed(Box<Failure>),
}

/// Why there is no output.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The error as users see it, without step and attempt.
    pub error: RunError,
    /// How long the callee asks to be left alone before the next try; at most 15 minutes.
    pub retry_after: Option<Duration>,
    /// Whether the callee may have begun.
    pub reached: Reached,
}

/// Whether a callee may have seen a call: what an `at_most_once` step asks before it tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Certainly not: no byte was sent, no process started.
    No,
    /// It may have, or it certainly has.
    Maybe,
}

impl Outcome {
    /// A failure that names no time for the next try.
    pub fn failed(error: RunError, reached: Reached) -> Self {
        Self::Failed(Box::new(Failure { error, retry_after: None, reached }))
    }
}
