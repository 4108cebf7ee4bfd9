//! What went wrong in a run, in the shape that users see.

use crate::Json;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kind of a failure: what a `catch` or a `retry.when` usually asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The callee answered with an error of its own.
    Operation,
    /// A `fail` step.
    Failed,
    /// No answer in time.
    Timeout,
    /// Nothing there that could answer: refused, broken, no replica.
    Unavailable,
    /// The input did not fit the callee's schema.
    InvalidInput,
    /// The output did not fit the callee's schema, or was no JSON.
    InvalidOutput,
    /// An expression could not be evaluated.
    Expression,
    /// A bound was reached: size, cost, turns.
    Limit,
    /// The attempt's fate is unknown.
    Lost,
    /// Stopped on request.
    Cancelled,
}

impl ErrorKind {
    /// The word as users read and write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::InvalidInput => "invalid_input",
            Self::InvalidOutput => "invalid_output",
            Self::Expression => "expression",
            Self::Limit => "limit",
            Self::Lost => "lost",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a run, a step or an attempt failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunError {
    /// A stable code: the callee's own word, or one of ours (`E…`).
    pub code: String,
    /// The kind of failure.
    pub kind: ErrorKind,
    /// A sentence a person understands.
    pub message: String,
    /// Key of the step that failed, where one did.
    #[serde(default)]
    pub step: Option<String>,
    /// Number of the attempt that failed, from 1.
    #[serde(default)]
    pub attempt: Option<u32>,
    /// Whether another try may succeed.
    pub retryable: bool,
    /// The status that the callee answered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// What the callee added, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Json>,
}

impl RunError {
    /// An error that another try cannot mend, with nothing but its code, kind and message.
    pub fn new(code: impl Into<String>, kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            kind,
            message: message.into(),
            step: None,
            attempt: None,
            retryable: false,
            http_status: None,
            details: None,
        }
    }

    /// The same error, worth another try.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// The same error, placed at a step.
    #[must_use]
    pub fn at_step(mut self, key: impl Into<String>) -> Self {
        self.step = Some(key.into());
        self
    }

    /// The same error, with details.
    #[must_use]
    pub fn with_details(mut self, details: Json) -> Self {
        self.details = Some(details);
        self
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

/// One field of an input or output that does not fit, by its path (`incomes[2].amount`; empty: the whole).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where, from the root of the value.
    pub path: String,
    /// A stable code: `missing`, `unknown`, `type`, `null`, `enum`, `range`, `format`, `schema`.
    pub code: String,
    /// What was expected and what was found.
    pub message: String,
}
