//! The contract of a place where replicas live, a fake that keeps it in memory, and the suite that any
//! implementation must pass.
//!
//! A [`Runtime`] is told what to do and returns at once; what became of it arrives as an [`Observation`].
//! It must never know workflows, runs, scaling or back-off: it reports that a replica has ended, and
//! `consort-fleet` decides what follows. Start reading at [`Runtime`], then [`ReplicaSpec`].

mod command;
pub mod conformance;
mod exec;
mod fake;
mod mask;
mod observation;
mod spec;

pub use command::Command;
pub use exec::{Exec, ExecEnd, ExecSpec};
pub use fake::{FakeBehaviour, FakeRuntime};
pub use mask::Masker;
pub use observation::{
    Exit, ExitReason, LOG_LINE_BYTES_MAX, LogLine, LogSink, LogStream, Observation, Observations,
};
pub use spec::{HealthCheck, HealthProbe, ReplicaId, ReplicaSpec, RevisionSpec};

use std::{future::Future, path::PathBuf, pin::Pin, sync::Arc};

/// A future on the heap, so that a [`Runtime`] can be chosen when the server starts.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A place where replicas live.
///
/// `start`, `stop` and `kill` only ask, and never wait. Each replica that `start` took is reported by
/// [`Observation::Started`] (once more, with another address, if its port was taken before it could listen),
/// then [`Observation::Ready`] and [`Observation::Unready`] in turns, and exactly one
/// [`Observation::Exited`] at the end, after which its id may be used again.
pub trait Runtime: Send + Sync {
    /// Makes the folder of a revision ready to run: its source, and what its `setup` commands made of it.
    /// Done once per revision; callers at the same time wait for the same work; after a crash in the
    /// middle it begins anew from the pristine source. Returns the folder.
    ///
    /// # Errors
    /// [`Error::SetupFailed`] with the end of the output, [`Error::NoSource`], or [`Error::Io`].
    fn prepare(&self, revision: RevisionSpec) -> BoxFuture<'_, Result<PathBuf, Error>>;

    /// Starts a replica. A command that cannot be run is an [`Observation::Exited`], not an error here.
    ///
    /// # Errors
    /// [`Error::AlreadyRunning`], [`Error::TooManyReplicas`], [`Error::ShuttingDown`].
    fn start(&self, replica: ReplicaSpec) -> Result<(), Error>;

    /// Asks a replica to finish what is in flight and end; after its `stop_grace` it is killed. Unknown or
    /// twice: nothing happens.
    fn stop(&self, replica: &ReplicaId);

    /// Ends a replica and all that it started, now. Unknown or twice: nothing happens.
    fn kill(&self, replica: &ReplicaId);

    /// Stops every replica as [`Runtime::stop`] does, starts no more, and returns when all have ended.
    fn shutdown(&self) -> BoxFuture<'_, ()>;
}

/// What a caller of a runtime can do something about.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A replica of this id lives.
    #[error("replica {0} runs already")]
    AlreadyRunning(ReplicaId),
    /// The bound of the runtime is reached.
    #[error("no more than {0} replicas run on one server; stop some or lower `scale.max`")]
    TooManyReplicas(usize),
    /// [`Runtime::shutdown`] was called.
    #[error("the runtime is shutting down and starts nothing more")]
    ShuttingDown,
    /// A `setup` command failed.
    #[error("setup of {service} failed: `{command}` {status}\n{output}")]
    SetupFailed {
        /// The service.
        service: String,
        /// The command, as it stands in the project file.
        command: String,
        /// How it ended: `exited with 1`, `was killed by signal 9`, `took longer than 30m`.
        status: String,
        /// The last lines that it wrote, masked.
        output: String,
    },
    /// The source of a revision is not on this machine.
    #[error("the source {digest} of {service} is not stored here; apply the project again")]
    NoSource {
        /// The service.
        service: String,
        /// What was looked for.
        digest: String,
    },
    /// The source folder cannot become a revision.
    #[error("source folder {}: {problem}", path.display())]
    BadSource {
        /// The file or folder at fault.
        path: PathBuf,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// A command that cannot be started.
    #[error("cannot run `{command}`: {problem}")]
    NotStarted {
        /// The command.
        command: String,
        /// Why, and what to do.
        problem: String,
    },
    /// The file system refused.
    #[error("{what} {}: {source}", path.display())]
    Io {
        /// What was tried: `cannot write`.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: Arc<std::io::Error>,
    },
}

impl Error {
    /// Wraps an error of the file system with what was tried and where.
    pub fn io(what: &'static str, path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { what, path: path.into(), source: Arc::new(source) }
    }
}
