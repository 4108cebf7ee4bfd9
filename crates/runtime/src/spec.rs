//! What a revision and a replica are made of.

use crate::Command;
use consort_types::{Digest, Name};
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

/// Id of a replica, `SERVICE-NUMBER`: unique on the server among those that live, and safe as a file name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaId(Arc<str>);

impl ReplicaId {
    /// The id of the replica `number` of a service.
    pub fn new(service: &Name, number: u64) -> Self {
        Self(format!("{service}-{number}").into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// What a revision's folder is made of.
#[derive(Debug, Clone)]
pub struct RevisionSpec {
    /// The namespace: services of two namespaces may have the same name.
    pub namespace: Name,
    /// The service.
    pub service: Name,
    /// Names the revision among those of the service: letters, digits, `-`, `_`.
    pub revision: String,
    /// The stored source that the folder begins as.
    pub source: Digest,
    /// Run one after the other by `/bin/sh -c` in the folder; the first failure ends it.
    pub setup: Vec<String>,
    /// Variables for the setup commands, beside the few of the server that everything gets.
    pub environment: Vec<(String, String)>,
    /// Variables with values to be masked in the output.
    pub secrets: Vec<(String, String)>,
}

/// One copy of a service to run.
#[derive(Debug, Clone)]
pub struct ReplicaSpec {
    /// The service.
    pub service: Name,
    /// The revision's name, told to the replica as `CONSORT_REVISION`.
    pub revision: String,
    /// The id, told as `CONSORT_REPLICA`.
    pub replica: ReplicaId,
    /// The revision's folder, where the command runs.
    pub dir: PathBuf,
    /// What to run. It must listen on `127.0.0.1:$PORT`.
    pub command: Command,
    /// `environment` and `env_file`, resolved; a later value of a name wins.
    pub environment: Vec<(String, String)>,
    /// Upper-case variables with values that are masked in the log.
    pub secrets: Vec<(String, String)>,
    /// The folder of the service that outlives revisions, told as `CONSORT_DATA`; made if missing.
    pub data_dir: PathBuf,
    /// The server's address, told as `CONSORT_URL`.
    pub server_url: String,
    /// How to see that it is ready; `None`: ready when the port accepts, and not asked again.
    pub health: Option<HealthCheck>,
    /// How long after SIGTERM it may still live.
    pub stop_grace: Duration,
}

/// How to see whether a replica is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// What to ask.
    pub probe: HealthProbe,
    /// How long between two probes. While it starts the replica is asked more often.
    pub interval: Duration,
    /// How long one probe may take.
    pub timeout: Duration,
    /// How many failures in a row make it unready.
    pub retries: u32,
    /// How long after the start failures do not count.
    pub start_period: Duration,
}

impl Default for HealthCheck {
    /// As in the reference of the project file: every 2 s, within 1 s, 3 times, 30 s to start.
    fn default() -> Self {
        Self {
            probe: HealthProbe::Tcp,
            interval: Duration::from_secs(2),
            timeout: Duration::from_secs(1),
            retries: 3,
            start_period: Duration::from_secs(30),
        }
    }
}

/// What a health check asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthProbe {
    /// `GET path` answers 200 to 399.
    Http {
        /// The path, with its leading slash.
        path: String,
    },
    /// The port accepts a connection.
    Tcp,
    /// The program, run in the replica's folder and environment, exits with 0.
    Test(Vec<String>),
}
