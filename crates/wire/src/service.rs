//! Services: what is deployed, and how it does.

use consort_types::{Digest, Json, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A service as it stands now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Service {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ServiceKind,
    /// The revision that is wanted; null while the first is not yet built.
    pub revision: Option<String>,
    /// The revision before it, which a roll back restores.
    pub previous_revision: Option<String>,
    /// How it does, in one word.
    pub state: ServiceState,
    /// How it does, in a sentence: why it is not ready, what is done about it.
    pub detail: Option<String>,
    /// Its replicas by state; all zero for `exec` and `url`.
    pub replicas: ReplicaCounts,
    /// Calls that are being answered.
    pub in_flight: u64,
    /// Calls that wait for a replica.
    pub queued: u64,
    /// What can be called, by name.
    pub operations: BTreeMap<String, Operation>,
    /// The newest rollout; null before the first.
    pub rollout: Option<Rollout>,
}

/// What a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceKind {
    /// Long-lived processes.
    Process,
    /// A process per call.
    Exec,
    /// Containers.
    Image,
    /// Someone else's server.
    Url,
}

/// How a service does, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// Its setup or its first replicas are under way.
    Starting,
    /// It takes calls.
    Ready,
    /// Scaled to zero; the next call starts a replica.
    Idle,
    /// It takes calls, with fewer replicas than wanted.
    Degraded,
    /// It cannot take calls; `detail` says why.
    Failed,
    /// No longer wanted, and finishing what it has.
    Stopping,
}

impl ServiceState {
    /// The word that travels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Idle => "idle",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
            Self::Stopping => "stopping",
        }
    }
}

/// Replicas of a service, counted by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct ReplicaCounts {
    /// Wanted now.
    pub desired: u32,
    /// Take calls.
    pub ready: u32,
    /// Not yet healthy.
    pub starting: u32,
    /// Finishing what they have.
    pub draining: u32,
    /// Exited or unhealthy, waiting for their next start.
    pub failed: u32,
}

/// One callable entry of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Operation {
    /// JSON Schema of the input.
    #[schema(value_type = Value)]
    pub input: Json,
    /// JSON Schema of the output.
    #[schema(value_type = Value)]
    pub output: Json,
    /// Bound of one call, in milliseconds.
    pub timeout_ms: u64,
    /// For people.
    pub description: Option<String>,
}

/// One move of a service to a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rollout {
    /// Where it goes.
    pub revision: String,
    /// Where it comes from; null for the first.
    pub from: Option<String>,
    /// How far it is.
    pub state: RolloutState,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// What it does now, or why it failed: the last lines of a setup, of a replica that exited.
    pub detail: Option<String>,
}

/// How far a rollout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RolloutState {
    /// The setup of the revision runs.
    SettingUp,
    /// Replicas are being replaced.
    Running,
    /// All replaced; the new revision is being watched.
    Monitoring,
    /// Done.
    Succeeded,
    /// Given up; the old revision still serves, if there is one.
    Failed,
    /// The old revision is back.
    RolledBack,
}

impl RolloutState {
    /// The word that travels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SettingUp => "setting_up",
            Self::Running => "running",
            Self::Monitoring => "monitoring",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
        }
    }
}

/// One running copy of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Replica {
    /// Its id.
    pub id: String,
    /// Its revision.
    pub revision: String,
    /// Where it stands.
    pub state: ReplicaState,
    /// Where it listens, `127.0.0.1:PORT`.
    pub address: Option<String>,
    /// Its process.
    pub pid: Option<u32>,
    /// When it was started.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// Starts before this one.
    pub restarts: u32,
    /// Calls that it is answering.
    pub in_flight: u64,
    /// Why it is not ready, and what is done about it.
    pub detail: Option<String>,
}

/// Where a replica stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaState {
    /// Not yet healthy.
    Starting,
    /// Takes calls.
    Ready,
    /// Finishing what it has.
    Draining,
    /// Exited or unhealthy; waiting for its next start.
    Failed,
}

impl ReplicaState {
    /// The word that travels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Failed => "failed",
        }
    }
}

/// A revision of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceRevision {
    /// The revision.
    pub revision: String,
    /// When it was applied for the first time.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Whether it is the one that is wanted.
    pub current: bool,
    /// Its code as a tar; null for `url`.
    #[schema(value_type = Option<String>)]
    pub source: Option<Digest>,
    /// Replicas that run it.
    pub replicas: u32,
}

/// Calls of a service, counted since the server started.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct ServiceStats {
    /// All operations together.
    #[serde(flatten)]
    pub all: CallStats,
    /// Calls that are being answered.
    pub in_flight: u64,
    /// Calls that wait for a replica.
    pub queued: u64,
    /// Each operation that was called, by name.
    pub operations: BTreeMap<String, CallStats>,
}

/// Calls, counted since the server started. Times are those from sending to the answer, without queueing, to
/// within an eighth.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct CallStats {
    /// Calls that were answered, also with 202; those that were cancelled do not count.
    pub calls: u64,
    /// Those that failed.
    pub failures: u64,
    /// The share that succeeded, 0 to 1; null without calls.
    pub success_ratio: Option<f64>,
    /// Median time, in milliseconds; null without calls.
    pub p50_ms: Option<f64>,
    /// 95 of 100 took at most so long, in milliseconds.
    pub p95_ms: Option<f64>,
    /// 99 of 100 took at most so long, in milliseconds.
    pub p99_ms: Option<f64>,
    /// The longest, in milliseconds.
    pub max_ms: Option<f64>,
}

/// What `POST /services/{s}/scale` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Replicas wanted; holds until the definition changes.
    pub replicas: u32,
}

/// What `POST /services/{s}/rollback` takes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The revision to go back to; the previous one without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}
