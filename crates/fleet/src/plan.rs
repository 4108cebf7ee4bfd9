//! What is to be done.

use crate::observed::{ReplicaId, Revision};
use consort_types::Timestamp;
use std::fmt;

/// What is to be done now, and when to decide again. Carried out before the next decision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// In this order.
    pub actions: Vec<Action>,
    /// Decide again then, even if nothing happens until then. Always later than now.
    pub wake_at: Option<Timestamp>,
    /// Why the number of replicas changed, for people: `1 → 3: 9 waiting, 4 a replica`.
    pub explained: Vec<String>,
    /// Revisions that may take new calls, preferred first; empty only for a service that is removed.
    pub serving: Vec<Revision>,
    /// What has come to pass with this decision, for the record.
    pub events: Vec<FleetEvent>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Start a replica.
    Start {
        /// What it runs.
        revision: Revision,
        /// 1, and one more for each failure in a row before it.
        attempt: u32,
    },
    /// Take a replica out of the set; what is in flight goes on.
    Drain {
        /// Which.
        replica: ReplicaId,
        /// Why.
        reason: Reason,
    },
    /// End a replica that has no call in flight. Its grace period is the owner's to keep.
    Stop {
        /// Which.
        replica: ReplicaId,
        /// Why.
        reason: Reason,
    },
}

/// Why a replica goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Fewer are wanted.
    ScaledDown,
    /// Another revision takes its place, or a restart was asked for.
    Replaced,
    /// Its health check fails.
    Unhealthy,
    /// The service is no longer wanted.
    Removed,
    /// Its owner took it out of the set.
    Drained,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ScaledDown => "fewer replicas are wanted",
            Self::Replaced => "another replica takes its place",
            Self::Unhealthy => "its health check fails",
            Self::Removed => "the service was removed",
            Self::Drained => "it was taken out of the set",
        })
    }
}

/// What has come to pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FleetEvent {
    /// The revision has proved itself.
    RolloutSucceeded {
        /// Which.
        revision: Revision,
    },
    /// The revision has not proved itself, and stays the one that is wanted.
    RolloutFailed {
        /// Which.
        revision: Revision,
        /// Why, as a sentence.
        reason: String,
    },
    /// The revision has not proved itself; the last good one comes back.
    RollingBack {
        /// Which failed.
        from: Revision,
        /// Which comes back.
        to: Revision,
        /// Why, as a sentence.
        reason: String,
    },
    /// The last good revision is back.
    RolledBack {
        /// Which had failed.
        from: Revision,
        /// Which is back.
        to: Revision,
    },
    /// Nothing lives any more of a service that is removed: its fleet may be dropped.
    Removed,
}
