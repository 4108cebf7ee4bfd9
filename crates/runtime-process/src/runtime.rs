//! The runtime itself: which replicas live, and what may be asked of them.

use crate::{
    logs::LogLimits,
    ports::Ports,
    process,
    replica::{self, Wanted},
    revision::Revisions,
    source::Sources,
};
use consort_runtime::{
    BoxFuture, Error, LogLine, Observation, Observations, ReplicaId, ReplicaSpec, RevisionSpec, Runtime,
};
use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Notify, mpsc, watch};

/// How many observations wait for their reader; a replica has a handful in its life.
const OBSERVATIONS_MAX: usize = 4096;

/// How many log lines wait for their reader before some are left out.
const LOG_LINES_MAX: usize = 8192;

/// How the process runtime is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server's data folder: `sources/`, `revisions/` and `logs/` are kept in it.
    pub data_dir: PathBuf,
    /// The program that becomes a shim when it is called with [`crate::SHIM_ARG`].
    pub shim: PathBuf,
    /// How many replicas may live at once.
    pub replicas_max: usize,
    /// How large the logs of a replica become.
    pub log_limits: LogLimits,
}

impl Config {
    /// The defaults for this data folder: the shim is this program, at most 1,000 replicas.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            shim: process::own_program(),
            replicas_max: 1000,
            log_limits: LogLimits::default(),
        }
    }

    pub(crate) fn logs_dir(&self) -> PathBuf {
        self.data_dir.join("logs")
    }
}

/// Replicas as processes of this machine. Must be made and used inside a Tokio runtime. Dropping it kills
/// them all.
pub struct ProcessRuntime {
    pub(crate) place: Arc<Place>,
    revisions: Revisions,
}

/// What the replicas share.
pub(crate) struct Place {
    pub config: Config,
    pub ports: Ports,
    pub logs: mpsc::Sender<LogLine>,
    observations: mpsc::Sender<Observation>,
    state: Mutex<State>,
    ended: Notify,
}

#[derive(Default)]
struct State {
    replicas: HashMap<ReplicaId, watch::Sender<Wanted>>,
    shut: bool,
}

impl ProcessRuntime {
    /// A runtime, and what will be seen of its replicas.
    ///
    /// # Errors
    /// [`Error::Io`] when the data folder cannot be written.
    pub fn new(config: Config) -> Result<(Self, Observations), Error> {
        let sources = Sources::open(&config.data_dir)?;
        let revisions = Revisions::open(&config.data_dir, config.shim.clone(), sources)?;
        let (observations, seen) = mpsc::channel(OBSERVATIONS_MAX);
        let (logs, lines) = mpsc::channel(LOG_LINES_MAX);
        let place = Place {
            config,
            ports: Ports::default(),
            logs,
            observations,
            state: Mutex::default(),
            ended: Notify::new(),
        };
        Ok((Self { place: Arc::new(place), revisions }, Observations { observations: seen, logs: lines }))
    }

    /// The stored sources.
    pub fn sources(&self) -> &Sources {
        self.revisions.sources()
    }

    /// The server's data folder.
    pub fn data_dir(&self) -> &Path {
        &self.place.config.data_dir
    }
}

impl Place {
    pub(crate) async fn see(&self, observation: Observation) {
        // When nobody listens any more the server is on its way out.
        let _ = self.observations.send(observation).await;
    }

    pub(crate) fn forget(&self, replica: &ReplicaId) {
        self.state().replicas.remove(replica);
        self.ended.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn want(&self, replica: &ReplicaId, wanted: Wanted) {
        if let Some(wants) = self.state().replicas.get(replica) {
            raise(wants, wanted);
        }
    }
}

/// Asks for more than before; never for less, so that a kill stands.
fn raise(wants: &watch::Sender<Wanted>, wanted: Wanted) {
    wants.send_if_modified(|now| {
        let more = wanted > *now;
        *now = wanted.max(*now);
        more
    });
}

impl Runtime for ProcessRuntime {
    fn prepare(&self, revision: RevisionSpec) -> BoxFuture<'_, Result<PathBuf, Error>> {
        Box::pin(self.revisions.prepare(revision))
    }

    fn start(&self, spec: ReplicaSpec) -> Result<(), Error> {
        let mut state = self.place.state();
        if state.shut {
            return Err(Error::ShuttingDown);
        }
        if state.replicas.contains_key(&spec.replica) {
            return Err(Error::AlreadyRunning(spec.replica));
        }
        if state.replicas.len() >= self.place.config.replicas_max {
            return Err(Error::TooManyReplicas(self.place.config.replicas_max));
        }
        let (wants, wanted) = watch::channel(Wanted::Run);
        state.replicas.insert(spec.replica.clone(), wants);
        tokio::spawn(replica::live(Arc::clone(&self.place), spec, wanted));
        Ok(())
    }

    fn stop(&self, replica: &ReplicaId) {
        self.place.want(replica, Wanted::Stop);
    }

    fn kill(&self, replica: &ReplicaId) {
        self.place.want(replica, Wanted::Kill);
    }

    fn shutdown(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            {
                let mut state = self.place.state();
                state.shut = true;
                for wants in state.replicas.values() {
                    raise(wants, Wanted::Stop);
                }
            }
            loop {
                let ended = self.place.ended.notified();
                tokio::pin!(ended);
                ended.as_mut().enable();
                if self.place.state().replicas.is_empty() {
                    return;
                }
                ended.await;
            }
        })
    }
}

impl Drop for ProcessRuntime {
    fn drop(&mut self) {
        let mut state = self.place.state();
        state.shut = true;
        for wants in state.replicas.values() {
            raise(wants, Wanted::Kill);
        }
    }
}

impl fmt::Debug for ProcessRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProcessRuntime({} replicas)", self.place.state().replicas.len())
    }
}
