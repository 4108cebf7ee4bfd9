//! Services: what runs, how it is kept healthy, how it grows.

use super::Operation;
use consort_types::{Digest, Name};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

/// A deployable unit.
#[derive(Debug)]
pub struct Service {
    /// Its name.
    pub name: Name,
    /// Content of the definition that changes behaviour: all but `scale`, `rollout`, `description`. The
    /// revision is this together with the content of `source`.
    pub digest: Digest,
    /// What runs.
    pub runs: Runs,
    /// Commands run once per revision, in its folder, before the first replica.
    pub setup: Vec<Command>,
    /// Plain environment.
    pub environment: BTreeMap<String, String>,
    /// File of `KEY=VALUE` lines, relative to the project root.
    pub env_file: Option<PathBuf>,
    /// Names of secrets, given as upper-case variables.
    pub secrets: Vec<Name>,
    /// Extra headers of calls to a `url` service; may hold `${secrets.name}`.
    pub headers: BTreeMap<String, String>,
    /// How health is judged; none: ready when the port accepts.
    pub healthcheck: Option<HealthCheck>,
    /// From SIGTERM to SIGKILL.
    pub stop_grace_period: Duration,
    /// What happens when a replica exits.
    pub restart: Restart,
    /// How many replicas, by what measure.
    pub scale: Scale,
    /// What a replica holds of the pools while it lives.
    pub resources: Resources,
    /// How a new revision comes in.
    pub rollout: Rollout,
    /// Its operations by name.
    pub operations: BTreeMap<Name, Arc<Operation>>,
    /// Operations of its OpenAPI document that cannot be called from here, and why.
    pub left_out: BTreeMap<Name, String>,
    /// For people.
    pub description: Option<String>,
}

/// What a service is.
#[derive(Debug, Clone, PartialEq)]
pub enum Runs {
    /// A long-lived HTTP server in a process.
    Process {
        /// Folder with the code, relative to the project root.
        source: PathBuf,
        /// Started in the revision's folder.
        command: Command,
    },
    /// A process per call.
    Exec {
        /// Folder with the code, relative to the project root.
        source: PathBuf,
        /// Started in the revision's folder.
        command: Command,
    },
    /// A container.
    Image {
        /// Reference of the image.
        image: String,
        /// Replaces the image's command.
        command: Option<Command>,
    },
    /// Someone else's server.
    Url {
        /// Where it listens.
        url: String,
    },
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Run as `/bin/sh -c 'exec …'`.
    Shell(String),
    /// Run as it is.
    Argv(Vec<String>),
}

/// How the health of a replica is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// What is asked.
    pub probe: Probe,
    /// From one probe to the next.
    pub interval: Duration,
    /// Bound of one probe.
    pub timeout: Duration,
    /// Failures in a row until a ready replica counts as unhealthy.
    pub retries: u32,
    /// How long a starting replica may fail its probes.
    pub start_period: Duration,
}

/// What a health check asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// GET; 200 to 399 is healthy.
    Http {
        /// The path.
        path: String,
    },
    /// The port accepts.
    Tcp,
    /// Exit code 0.
    Test(Vec<String>),
}

/// What happens when a replica exits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Restart {
    /// Another takes its place.
    #[default]
    Always,
    /// Another takes its place unless it exited with 0.
    OnFailure,
    /// It stays down.
    No,
}

/// How many replicas, by what measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// At least; 0 scales to zero.
    pub min: u32,
    /// At most.
    pub max: u32,
    /// Calls in flight per replica; 0: as many as the machine has cores (the default of `exec`).
    pub concurrency: u32,
    /// Without calls for so long: down to `min`.
    pub idle: Duration,
    /// Target for the time spent queueing.
    pub wait: Option<Duration>,
}

/// What a replica holds of the pools while it lives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resources {
    /// Thousandths of a CPU.
    pub cpu_millis: Option<u64>,
    /// Bytes of memory.
    pub memory_bytes: Option<u64>,
    /// Amounts of other pools by name.
    pub pools: BTreeMap<Name, f64>,
}

/// How a new revision comes in.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollout {
    /// In which manner.
    pub strategy: Strategy,
    /// Replicas over the wanted number while it lasts.
    pub max_surge: u32,
    /// Replicas under the wanted number while it lasts.
    pub max_unavailable: u32,
    /// How long the new revision is watched.
    pub monitor: Duration,
    /// Without progress for so long: failed.
    pub progress_deadline: Duration,
    /// When the old revision comes back by itself; none: never.
    pub roll_back_when: Option<RollBackWhen>,
}

/// In which manner a new revision comes in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strategy {
    /// New ones start, old ones drain, a few at a time.
    Rolling,
    /// All old ones stop before any new one starts.
    Recreate,
    /// A share of the calls first, in per cent.
    Canary(f64),
}

/// When the old revision comes back by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct RollBackWhen {
    /// Failed calls of all, 0 to 1.
    pub max_failure_ratio: f64,
    /// Judged from so many calls on.
    pub min_calls: u32,
    /// Starts that failed.
    pub failed_starts: u32,
}
