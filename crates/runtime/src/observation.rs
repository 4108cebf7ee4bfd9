//! What a runtime sees of its replicas.

use crate::ReplicaId;
use consort_types::Timestamp;
use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// The longest line of a log, in bytes; the rest of a longer one is left out and marked. So a service that
/// never writes a line end cannot grow the server.
pub const LOG_LINE_BYTES_MAX: usize = 64 * 1024;

/// What happened to a replica.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// Its process lives. It does not have to answer yet.
    Started {
        /// Which.
        replica: ReplicaId,
        /// Where it was told to listen.
        address: SocketAddr,
        /// Its process on this machine, where it has one.
        pid: Option<u32>,
    },
    /// It takes calls from now on.
    Ready {
        /// Which.
        replica: ReplicaId,
    },
    /// It must get no new calls: it failed its health checks, or never opened its port in time.
    Unready {
        /// Which.
        replica: ReplicaId,
        /// What the last check saw.
        reason: String,
    },
    /// It has ended, and all that it started with it. Its last log lines were handed over before.
    Exited {
        /// Which.
        replica: ReplicaId,
        /// How.
        exit: Exit,
    },
}

impl Observation {
    /// The replica that this is about.
    pub fn replica(&self) -> &ReplicaId {
        match self {
            Self::Started { replica, .. }
            | Self::Ready { replica }
            | Self::Unready { replica, .. }
            | Self::Exited { replica, .. } => replica,
        }
    }
}

/// How a replica ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// Why.
    pub reason: ExitReason,
    /// Its exit code, if it had one.
    pub code: Option<i32>,
    /// The signal that killed it, if one did.
    pub signal: Option<i32>,
    /// A sentence a person understands: `exited with 1 after 240ms`, `cannot run …: No such file`.
    pub message: String,
    /// How long it lived; zero if it never did.
    pub ran_for: Duration,
}

/// Why a replica ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitReason {
    /// It could not be started.
    NotStarted,
    /// It ended by itself, or something other than the runtime killed it.
    Ended,
    /// It was stopped and ended within its grace.
    Stopped,
    /// It was killed: on request, or because its grace was over.
    Killed,
}

/// Where a line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl LogStream {
    /// The word as users read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// One line of a replica's log, without its line end, masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Who wrote it.
    pub replica: ReplicaId,
    /// Where.
    pub stream: LogStream,
    /// When it was read.
    pub at: Timestamp,
    /// The text; bytes that are no UTF-8 are replaced.
    pub line: String,
    /// How many lines of this replica were left out before this one, because the reader was slow. They are
    /// in the replica's file.
    pub skipped: u64,
}

/// Takes the log lines of a call, one at a time, on the task that reads them: it must not block.
pub type LogSink = Arc<dyn Fn(LogStream, &str) + Send + Sync>;

/// The two streams that come out of a runtime. They are apart so that a flood of log never delays the news
/// that a replica has ended.
pub struct Observations {
    /// What happened, in order for each replica. The runtime waits when it is full.
    pub observations: mpsc::Receiver<Observation>,
    /// What replicas wrote. The runtime never waits: lines are left out and counted when it is full.
    pub logs: mpsc::Receiver<LogLine>,
}

impl fmt::Debug for Observations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observations")
    }
}
