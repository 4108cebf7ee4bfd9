//! What is seen of a service: its replicas, those that ended, and its load.

use consort_types::Timestamp;
use std::{fmt, time::Duration};

/// One replica. Ids grow with each start and are never used again; that the services of a node share one
/// sequence keeps services that fail together from coming back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaId(pub u64);

/// One revision of the service, by a number that its owner gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A replica that lives, as it is seen now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// Its id.
    pub id: ReplicaId,
    /// What it runs.
    pub revision: Revision,
    /// Where it stands.
    pub state: ReplicaState,
    /// In this state since.
    pub since: Timestamp,
    /// Calls that it is answering.
    pub in_flight: u32,
}

/// Where a replica stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplicaState {
    /// Started, and not yet healthy.
    Starting,
    /// Healthy: it takes calls.
    Ready,
    /// Its health check fails: it takes no new calls.
    Unready,
    /// Out of the set: it finishes what it has.
    Draining,
}

/// A replica that ended, asked or not. A start that could not even be tried is one, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// Which.
    pub replica: ReplicaId,
    /// What it ran.
    pub revision: Revision,
    /// Whether it ended well (exit code 0).
    pub ok: bool,
    /// How it ended, as a part of a sentence: `exit code 1`, `killed by signal 9`.
    pub cause: String,
    /// Whether it had ever been ready.
    pub was_ready: bool,
    /// From its start to its end.
    pub ran_for: Duration,
}

/// What is seen of a service at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// All that live.
    pub replicas: &'a [Replica],
    /// Calls that are being answered, on all replicas.
    pub in_flight: u32,
    /// Calls that wait for a replica.
    pub queued: u32,
    /// All that ended since the last decision.
    pub exits: &'a [Exit],
}
