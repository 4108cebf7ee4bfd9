//! What goes wrong with an expression, before and while it runs.

use consort_types::{ErrorKind, RunError};

/// A text that is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// Where, in bytes from the start of the text that was given.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl ParseError {
    pub(crate) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn moved_by(mut self, offset: usize) -> Self {
        self.offset += offset;
        self
    }
}

/// An expression that could not be evaluated. The same expression over the same values fails the same way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct EvalError {
    /// `Limit` when a bound was reached, else `Expression`.
    pub kind: ErrorKind,
    /// A stable code, `E_EXPR_…`; the constants of [`code`].
    pub code: &'static str,
    /// A sentence a person understands.
    pub message: String,
}

impl EvalError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        let kind = match code {
            code::COST | code::SIZE | code::DEPTH => ErrorKind::Limit,
            _ => ErrorKind::Expression,
        };
        Self { kind, code, message: message.into() }
    }

    /// A bound was reached: no `||` or `default` may hide that.
    pub(crate) fn is_limit(&self) -> bool {
        self.kind == ErrorKind::Limit
    }
}

impl From<EvalError> for RunError {
    fn from(error: EvalError) -> Self {
        Self::new(error.code, error.kind, error.message)
    }
}

/// The codes of [`EvalError`] and [`TypeProblem`](crate::TypeProblem).
pub mod code {
    /// A value has a type that the operation does not take.
    pub const TYPE: &str = "E_EXPR_TYPE";
    /// A value is null, or may be, where one is required.
    pub const NULL: &str = "E_EXPR_NULL";
    /// An object has no such field.
    pub const NO_FIELD: &str = "E_EXPR_NO_FIELD";
    /// A list has no such index.
    pub const INDEX: &str = "E_EXPR_INDEX";
    /// A name that is not in scope, while running.
    pub const NAME: &str = "E_EXPR_NAME";
    /// A name that is not in scope, found by the check.
    pub const UNKNOWN_NAME: &str = "E_UNKNOWN_NAME";
    /// A number too large for its kind, or no number (division by zero, infinity, NaN).
    pub const NUMBER: &str = "E_EXPR_NUMBER";
    /// A text that cannot be read as what was asked for: a number, a time, a duration, JSON, a regular expression.
    pub const FORMAT: &str = "E_EXPR_FORMAT";
    /// The expression takes more steps than its budget has.
    pub const COST: &str = "E_EXPR_COST";
    /// A value would become larger than one value may be.
    pub const SIZE: &str = "E_EXPR_SIZE";
    /// A value is nested deeper than one value may be.
    pub const DEPTH: &str = "E_EXPR_DEPTH";
}
