//! How a service stands, for everybody who looks.

use crate::balancer::ServiceKey;
use consort_fleet::{ReplicaCounts, RolloutStatus, ServiceState};
use consort_spec::definition::Service;
use consort_types::Timestamp;
use std::{net::SocketAddr, sync::Arc};

/// How a service stands.
#[derive(Debug, Clone)]
pub struct ServiceView {
    /// Which.
    pub key: ServiceKey,
    /// Its definition.
    pub definition: Arc<Service>,
    /// The revision that is wanted.
    pub revision: u64,
    /// The revision before it.
    pub previous_revision: Option<u64>,
    /// How it stands.
    pub state: ServiceState,
    /// That in a sentence.
    pub detail: String,
    /// The newest revision that was asked for.
    pub wanted_revision: u64,
    /// Whether that revision is being set up.
    pub setting_up: bool,
    /// When that revision was asked for.
    pub asked_at: Timestamp,
    /// When its setup failed; `detail` has its words.
    pub setup_failed_at: Option<Timestamp>,
    /// Replicas by state.
    pub counts: ReplicaCounts,
    /// Its replicas.
    pub replicas: Vec<ReplicaView>,
    /// Replicas that have ended lately, oldest first: their logs can still be read.
    pub past_replicas: Vec<PastReplica>,
    /// Calls in flight.
    pub in_flight: u32,
    /// Calls that wait.
    pub queued: u32,
    /// The newest move to a revision.
    pub rollout: Option<RolloutStatus>,
}

/// The definition is the same object or another; everything else is compared by value.
impl PartialEq for ServiceView {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.definition, &other.definition)
            && (self.revision, self.wanted_revision, self.previous_revision, self.setting_up)
                == (other.revision, other.wanted_revision, other.previous_revision, other.setting_up)
            && (self.state, self.counts, self.in_flight, self.queued)
                == (other.state, other.counts, other.in_flight, other.queued)
            && self.setup_failed_at == other.setup_failed_at
            && self.detail == other.detail
            && self.replicas == other.replicas
            && self.past_replicas == other.past_replicas
            && self.rollout == other.rollout
    }
}

/// A replica that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastReplica {
    /// Its id.
    pub id: String,
    /// The revision that it ran.
    pub revision: u64,
}

/// How a replica stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicaView {
    /// Its id.
    pub id: String,
    /// The revision that it runs.
    pub revision: u64,
    /// `starting`, `ready`, `unready`, `draining`.
    pub state: consort_fleet::ReplicaState,
    /// Where it listens.
    pub address: Option<SocketAddr>,
    /// Its process.
    pub pid: Option<u32>,
    /// When it was started.
    pub started_at: Timestamp,
    /// Calls in flight.
    pub in_flight: u32,
    /// What its last health check saw.
    pub detail: Option<String>,
}
