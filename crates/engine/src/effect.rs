//! What the engine asks the outside to do after the commit. By value: nothing is read back.

use crate::{Command, Keep, NodeId, Recall, family::ChildStart};
use consort_events::Event;
use consort_spec::definition::{Delivery, Operation};
use consort_types::{Amount, AttemptToken, Digest, Json, Name, RunId, RunState, Timestamp};
use std::{sync::Arc, time::Duration};

/// One call to make.
#[derive(Debug, Clone)]
pub struct Dispatch {
    /// Names the attempt and fences off older ones.
    pub token: AttemptToken,
    /// The workflow of the run, and the key of its limit: on whose account the call waits among others.
    pub workflow: Name,
    /// That key.
    pub limit_key: Option<String>,
    /// Key of the step.
    pub step: String,
    /// Number of the try, from 1.
    pub attempt: u32,
    /// What is called.
    pub operation: Arc<Operation>,
    /// With what; fits the operation's schema.
    pub input: Json,
    /// Stable over the tries of one execution of the step.
    pub idempotency_key: String,
    /// Bound of this try, from sending.
    pub timeout: Duration,
    /// -100 to 100.
    pub priority: i32,
    /// What its result will be kept under.
    pub cache: Option<Digest>,
    /// Whether it may be sent before that is recorded.
    pub delivery: Delivery,
    /// On an undo whose call's outcome is unknown: the `Idempotency-Key` of that call.
    pub undoes: Option<String>,
    /// What it holds of the pools while it is in flight.
    pub wants: Vec<PermitWant>,
}

/// So much of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermitWant {
    /// The pool.
    pub pool: Name,
    /// The run that has it for itself; none: it is of the project.
    pub run: Option<RunId>,
    /// Which of the pools of that name.
    pub key: Option<String>,
    /// How much; over 0.
    pub amount: Amount,
    /// Whether [`Effect::Settle`] tells the true amount.
    pub settles: bool,
}

/// What a call holds that was answered 202.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPermits {
    /// Which attempt.
    pub token: AttemptToken,
    /// The service that took it.
    pub service: Name,
    /// Key of the step.
    pub step: String,
    /// -100 to 100.
    pub priority: i32,
    /// What it holds.
    pub wants: Vec<PermitWant>,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// Which timer of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerKind {
    /// The end of a wait or of the delay before a try.
    Wake,
    /// The node has taken too long.
    Timeout,
    /// Calls that were let finish after a cancel are cut.
    Grace,
    /// The callee of a call that was answered 202 must have been heard of.
    Heartbeat,
}

/// What to do after the commit.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Make a call, when admission allows.
    Dispatch(Box<Dispatch>),
    /// Look for an earlier result of a call, and answer with `Recalled`.
    Recall(Box<Recall>),
    /// Keep a result, in the commit that records it.
    Keep(Box<Keep>),
    /// The step of a result was undone: it must not be taken again.
    Drop(Digest),
    /// If it was not sent yet, do not send it: answer `Interrupted`. A call in flight goes on.
    Withdraw(AttemptToken),
    /// A call with permits that are settled has ended: what it really took, in the order of its wants.
    Settle {
        /// Which attempt.
        token: AttemptToken,
        /// The true amounts; none: what was taken stands.
        amounts: Vec<Option<Amount>>,
    },
    /// Cut the call.
    Abort(AttemptToken),
    /// Send `TimerFired` at a time. Replaces the node's timer of that kind.
    SetTimer {
        /// Whose.
        node: NodeId,
        /// Which.
        kind: TimerKind,
        /// When.
        at: Timestamp,
    },
    /// Start a child run, in the same commit where that is possible; one that was started before only says
    /// how it stands.
    StartChild(Box<ChildStart>),
    /// Give a command to a run: to its parent or a child, or back to itself, where nobody else knows the answer to
    /// a call any more.
    Tell(RunId, Box<Command>),
    /// Accept an event of the run, in the same commit.
    Emit(Box<Event>),
    /// Offer the node the events since the run began, in their order, and from now on all that it may wait for.
    Listen(NodeId),
    /// The run has ended.
    Ended(RunState),
}
