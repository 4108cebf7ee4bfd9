//! One process per call.

use crate::{BoxFuture, Command, Error, LogSink};
use bytes::Bytes;
use std::{path::PathBuf, time::Duration};
use tokio_util::sync::CancellationToken;

/// A place where one process can be run for one call.
pub trait Exec: Send + Sync {
    /// Runs a process to its end: the input on its stdin, its stdout gathered, each line of its stderr given
    /// to `log`. It has its own process group and ends, with all that it started, when `cancel` is cancelled
    /// (SIGTERM, then SIGKILL after the grace), when the future is dropped (SIGKILL), and when the server
    /// dies.
    ///
    /// # Errors
    /// [`Error::NotStarted`] when there is no such program, or [`Error::Io`].
    fn exec<'a>(
        &'a self,
        spec: ExecSpec,
        log: LogSink,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<ExecEnd, Error>>;
}

/// One process to run for one call.
#[derive(Debug, Clone)]
pub struct ExecSpec {
    /// What to run.
    pub command: Command,
    /// Where: the revision's folder.
    pub dir: PathBuf,
    /// All variables it gets, beside the few of the server that everything gets.
    pub environment: Vec<(String, String)>,
    /// Variables with values that are masked in the log.
    pub secrets: Vec<(String, String)>,
    /// What it reads.
    pub stdin: Bytes,
    /// How much it may write to stdout before it is killed, in bytes.
    pub stdout_bytes_max: usize,
    /// How long after SIGTERM it may still live.
    pub stop_grace: Duration,
}

/// How such a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecEnd {
    /// By itself.
    Exited {
        /// Its exit code, if it had one.
        code: Option<i32>,
        /// The signal that killed it, if one did.
        signal: Option<i32>,
        /// What it wrote.
        stdout: Bytes,
    },
    /// Killed, because it wrote more than it may.
    TooMuchOutput,
    /// Ended, because the call was cancelled.
    Cancelled,
}
