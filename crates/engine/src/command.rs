//! What goes into the engine.

use crate::{
    Copies, NodeId, Reading, Recalled,
    entry::ProgressNote,
    family::{FromChild, FromParent, Parent},
};
use consort_spec::definition::Workflow;
use consort_types::{AttemptState, AttemptToken, EventKey, Json, Name, RunError, RunId, Timestamp};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A start, with everything that the outside had to draw or look up: the engine has no clock and no chance.
#[derive(Debug, Clone)]
pub struct Start {
    /// The new run's id.
    pub id: RunId,
    /// Its namespace.
    pub namespace: Name,
    /// The definition that it keeps.
    pub workflow: Arc<Workflow>,
    /// The number of that definition's revision.
    pub revision: u64,
    /// Checked against the workflow's schema, defaults filled in.
    pub input: Json,
    /// Tags by the caller; the workflow's own come on top.
    pub tags: BTreeMap<String, String>,
    /// Idempotency key of the start.
    pub key: Option<String>,
    /// What started it: `api`, `trigger:NAME`, `run:ID`.
    pub trigger: String,
    /// What it takes over from the run that it does again.
    pub copies: Option<Box<Copies>>,
    /// Whether its cached steps may take earlier results.
    pub reading: Reading,
    /// Pools of the run that starts it and of those above, and whose they are.
    pub pools: BTreeMap<Name, RunId>,
    /// What the workflow's `concurrency.key` gave, as JSON.
    pub limit_key: Option<String>,
    /// The output of the last run that succeeded; only for a workflow that names `previous`.
    pub previous: Option<Json>,
    /// Its number in line, when it has to wait for a place.
    pub queued: Option<u64>,
    /// The run whose step it is.
    pub parent: Option<Parent>,
}

/// A step of a run, by its key (`fields[3]`) or by its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepRef {
    /// As users name it.
    Key(String),
    /// As the engine numbers it.
    Node(NodeId),
}

/// What became of an attempt.
#[derive(Debug, Clone)]
pub enum AttemptResult {
    /// The callee's output, not yet checked.
    Succeeded(Json),
    /// The callee failed, was late, or is lost.
    Failed {
        /// `failed`, `timed_out`, `lost` or `cancelled`.
        state: AttemptState,
        /// Why.
        error: RunError,
        /// The callee asked to be left alone for so long.
        retry_after: Option<Duration>,
    },
    /// It certainly never reached the callee: no byte was sent, no process started.
    Unsent {
        /// Why.
        error: RunError,
    },
    /// Never sent, or cut short by Consort itself; does not count as a try.
    Interrupted,
}

/// An event for a step that may wait for it.
#[derive(Debug, Clone)]
pub struct EventOffer {
    /// Which node waits.
    pub node: NodeId,
    /// The number of the event in the store.
    pub seq: u64,
    /// Its key.
    pub key: EventKey,
    /// Its type.
    pub event_type: String,
    /// The whole event, as expressions see it.
    pub document: Json,
}

/// What a run is asked to do or told.
#[derive(Debug, Clone)]
pub enum Command {
    /// An attempt has ended. Refused as stale when a newer one exists.
    AttemptFinished {
        /// Which attempt.
        token: AttemptToken,
        /// When it was sent.
        started_at: Timestamp,
        /// Which replica took it.
        replica: Option<String>,
        /// Which revision of the service that was.
        revision: Option<u64>,
        /// What became of it.
        result: AttemptResult,
    },
    /// A call that may be made only once is about to be sent, which must be committed before. Refused when it may
    /// not be sent any more.
    AttemptSending {
        /// Which attempt.
        token: AttemptToken,
        /// When.
        started_at: Timestamp,
        /// To which replica.
        replica: Option<String>,
        /// Of which revision of the service.
        revision: Option<u64>,
    },
    /// A call was answered 202: the answer comes later, as another `AttemptFinished`.
    AttemptAccepted {
        /// Which attempt.
        token: AttemptToken,
        /// When it was sent.
        started_at: Timestamp,
        /// Which replica took it.
        replica: Option<String>,
        /// Which revision of the service that was.
        revision: Option<u64>,
    },
    /// The callee of such a call lives.
    AttemptHeartbeat {
        /// Which attempt.
        token: AttemptToken,
        /// How far it is.
        progress: Option<ProgressNote>,
    },
    /// What became of a question for an earlier result.
    Recalled {
        /// Which attempt asked.
        token: AttemptToken,
        /// The answer.
        answer: Recalled,
    },
    /// A call was not sent, because a budget is used up and a person is to be asked.
    OutOfBudget {
        /// Which attempt.
        token: AttemptToken,
        /// Whose budget.
        pool: Name,
        /// What the call fails with when the run cannot pause any more.
        error: Box<RunError>,
    },
    /// A timer is due.
    TimerFired {
        /// Whose.
        node: NodeId,
        /// Which.
        kind: crate::TimerKind,
    },
    /// There is a place for a run that waited in line.
    Admit {
        /// What the last run gave that succeeded while this one stood in line; only for a workflow that names
        /// `previous`.
        previous: Option<Json>,
    },
    /// End the run: nothing new starts, what was completed is undone.
    Cancel {
        /// Who asked.
        by: String,
    },
    /// Start nothing new until resumed.
    Pause {
        /// Who asked.
        by: String,
    },
    /// Go on.
    Resume {
        /// Who asked.
        by: String,
    },
    /// Try again now: a step that failed or waits for its next try; without a step, all of them.
    Retry {
        /// Which.
        step: Option<StepRef>,
        /// Who asked.
        by: String,
    },
    /// Give a step up: its output is null. Also ends a parked undo.
    Skip {
        /// Which.
        step: StepRef,
        /// Who asked.
        by: String,
    },
    /// Give a step its output by hand; also answers an approval.
    Complete {
        /// Which.
        step: StepRef,
        /// The output.
        output: Json,
        /// Who asked.
        by: String,
    },
    /// A named message.
    Signal {
        /// Its name.
        name: Name,
        /// Its body.
        body: Json,
        /// Who sent it.
        by: String,
    },
    /// An event that a step may wait for.
    Event(Box<EventOffer>),
    /// The run that this one is a child of says something.
    FromParent(FromParent),
    /// A child of this run says something.
    FromChild(Box<FromChild>),
    /// Undo what was completed: ends a live run, cleans up after a failed one.
    Undo {
        /// These only, of a run that has ended; all of them when there are none.
        only: Vec<NodeId>,
        /// Who asked.
        by: String,
    },
}

/// Why a command was not taken. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The attempt is not the newest one, or its step has ended.
    #[error("the attempt is stale: its step has ended or another attempt took its place")]
    Stale,
    /// The run has ended.
    #[error("the run has ended ({0}); a run that has ended is never reopened, rerun it instead")]
    Ended(consort_types::RunState),
    /// The run is not in a state for this.
    #[error("{0}")]
    NotNow(String),
    /// No such step.
    #[error("the run has no step {0:?}")]
    NoSuchStep(String),
    /// The output given by hand does not fit.
    #[error("the output does not fit the step's schema")]
    InvalidOutput(Vec<consort_types::FieldError>),
    /// A bound was reached.
    #[error("{0}")]
    Limit(String),
}
