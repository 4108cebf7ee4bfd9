//! The stable codes of what can go wrong in a call, beside those that callees bring along.

use consort_types::{ErrorKind, RunError};
use std::fmt;

/// A code of ours. Each has a page in the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The input lacks what the path needs, or cannot be put there.
    InputPath,
    /// The input is larger than a callee may get.
    InputTooLarge,
    /// The address or a header of the service cannot be used.
    ServiceAddress,
    /// Nobody answers at the address.
    Connect,
    /// The connection broke before the answer was complete.
    ConnectionBroken,
    /// No answer within the timeout.
    Timeout,
    /// The caller's deadline was over.
    Deadline,
    /// The callee answered with a status that is no success.
    HttpStatus,
    /// The callee wants to be asked elsewhere.
    Redirect,
    /// The answer is no JSON.
    OutputNotJson,
    /// The answer is larger than a step may give.
    OutputTooLarge,
    /// The process could not be started.
    ExecNotStarted,
    /// The process ended with a code that is no success.
    ExecExit,
    /// The process was killed by a signal.
    ExecSignal,
    /// The call was cancelled.
    Cancelled,
}

impl Code {
    /// All of them, for the reference.
    pub const ALL: &[Self] = &[
        Self::InputPath,
        Self::InputTooLarge,
        Self::ServiceAddress,
        Self::Connect,
        Self::ConnectionBroken,
        Self::Timeout,
        Self::Deadline,
        Self::HttpStatus,
        Self::Redirect,
        Self::OutputNotJson,
        Self::OutputTooLarge,
        Self::ExecNotStarted,
        Self::ExecExit,
        Self::ExecSignal,
        Self::Cancelled,
    ];

    /// The word that users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InputPath => "E_INPUT_PATH",
            Self::InputTooLarge => "E_INPUT_TOO_LARGE",
            Self::ServiceAddress => "E_SERVICE_ADDRESS",
            Self::Connect => "E_CONNECT",
            Self::ConnectionBroken => "E_CONNECTION_BROKEN",
            Self::Timeout => "E_TIMEOUT",
            Self::Deadline => "E_DEADLINE",
            Self::HttpStatus => "E_HTTP_STATUS",
            Self::Redirect => "E_REDIRECT",
            Self::OutputNotJson => "E_OUTPUT_NOT_JSON",
            Self::OutputTooLarge => "E_OUTPUT_TOO_LARGE",
            Self::ExecNotStarted => "E_EXEC_NOT_STARTED",
            Self::ExecExit => "E_EXEC_EXIT",
            Self::ExecSignal => "E_EXEC_SIGNAL",
            Self::Cancelled => "E_CANCELLED",
        }
    }

    const fn kind(self) -> ErrorKind {
        match self {
            Self::InputPath => ErrorKind::InvalidInput,
            Self::InputTooLarge | Self::OutputTooLarge => ErrorKind::Limit,
            Self::ServiceAddress
            | Self::Connect
            | Self::ConnectionBroken
            | Self::ExecNotStarted
            | Self::ExecSignal => ErrorKind::Unavailable,
            Self::Timeout | Self::Deadline => ErrorKind::Timeout,
            Self::HttpStatus | Self::Redirect | Self::ExecExit => ErrorKind::Operation,
            Self::OutputNotJson => ErrorKind::InvalidOutput,
            Self::Cancelled => ErrorKind::Cancelled,
        }
    }

    /// The error of this code. Whether another try may help is a property of the code, except for statuses
    /// and exit codes, where the caller says it.
    pub(crate) fn error(self, message: impl Into<String>) -> RunError {
        let error = RunError::new(self.as_str(), self.kind(), message);
        match self {
            Self::Connect | Self::ConnectionBroken | Self::Timeout | Self::ExecSignal => error.retryable(),
            Self::InputPath
            | Self::InputTooLarge
            | Self::ServiceAddress
            | Self::Deadline
            | Self::HttpStatus
            | Self::Redirect
            | Self::OutputNotJson
            | Self::OutputTooLarge
            | Self::ExecNotStarted
            | Self::ExecExit
            | Self::Cancelled => error,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
