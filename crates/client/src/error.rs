//! Why a call of the API did not give what was asked for.

use consort_wire::Problem;
use std::{path::PathBuf, time::Duration};

/// Why a call of the API did not give what was asked for. Each variant is another exit code, or another
/// thing to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is no address of a server that this client can reach.
    #[error("{address:?} is not a server's address: {reason}")]
    Address {
        /// As it was given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody answered.
    #[error("no server at {server}: {reason}")]
    NoServer {
        /// Where one was looked for.
        server: String,
        /// The deepest cause, in the words of the system.
        reason: String,
    },
    /// Somebody answered something that no Consort of this kind answers.
    #[error("{url} answered what this version cannot read: {reason}")]
    Unreadable {
        /// What was asked for.
        url: String,
        /// What was wrong with the answer.
        reason: String,
    },
    /// 404: there is no such thing.
    #[error("{0}")]
    NotFound(Box<Problem>),
    /// 401, 403: not for this caller.
    #[error("{0}")]
    NotAllowed(Box<Problem>),
    /// 413, 429, 507: a limit is reached.
    #[error("{problem}")]
    Limit {
        /// What the server says.
        problem: Box<Problem>,
        /// When it is worth another try.
        retry_after: Option<Duration>,
    },
    /// Any other refusal: a bad input (422), too late (409).
    #[error("{0}")]
    Refused(Box<Problem>),
    /// 5xx: the server could not do it.
    #[error("{0}")]
    Failed(Box<Problem>),
    /// A local file could not be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Error {
    /// What the server said, where it said something.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::NotFound(problem)
            | Self::NotAllowed(problem)
            | Self::Limit { problem, .. }
            | Self::Refused(problem)
            | Self::Failed(problem) => Some(problem),
            Self::Address { .. } | Self::NoServer { .. } | Self::Unreadable { .. } | Self::File { .. } => {
                None
            }
        }
    }

    /// Whether the same call may succeed a little later without anybody doing anything.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NoServer { .. } | Self::Failed(_) => true,
            Self::Limit { problem, .. } => problem.status == 429,
            Self::Address { .. }
            | Self::Unreadable { .. }
            | Self::NotFound(_)
            | Self::NotAllowed(_)
            | Self::Refused(_)
            | Self::File { .. } => false,
        }
    }

    pub(crate) fn of_problem(problem: Problem, retry_after: Option<Duration>) -> Self {
        let problem = Box::new(problem);
        match problem.status {
            404 => Self::NotFound(problem),
            401 | 403 => Self::NotAllowed(problem),
            413 | 429 | 507 => Self::Limit { problem, retry_after },
            500..=599 => Self::Failed(problem),
            _ => Self::Refused(problem),
        }
    }
}
