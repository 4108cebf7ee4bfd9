//! Why something does not move.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// What a run or a step waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitKind {
    /// Permits of a pool.
    Pool,
    /// A limit: `max_parallel`, concurrency of a workflow.
    Limit,
    /// A replica of a service that can take the call.
    Replica,
    /// A time.
    Timer,
    /// An event.
    Event,
    /// A signal.
    Signal,
    /// A person's answer.
    Approval,
    /// The delay before the next try.
    Retry,
    /// Other steps.
    Step,
    /// A child run.
    Run,
    /// Another call that computes the same cached value.
    Cache,
    /// A pause.
    Paused,
    /// A place in the queue of a workflow.
    Queue,
}

/// The reason why a run or a step stands still. Never empty while it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitingOn {
    /// What for.
    pub kind: WaitKind,
    /// Its name: of the pool, service, step, signal…
    pub name: String,
    /// Since when.
    pub since: Timestamp,
    /// When it ends by itself, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How many are served first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<u64>,
    /// A sentence a person understands.
    pub detail: String,
}
