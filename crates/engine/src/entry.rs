//! The facts of a run's history.
//!
//! An entry says what became true, never what to do. Field names are short because every step writes some.

use crate::{
    Cached, NodeId, RunStarted,
    run::{Accepted, Attempt, Sending},
};
use consort_spec::definition::ScopeId;
use consort_types::{EventKey, Json, Name, RunError, RunId, RunState, Timestamp, UndoState};
use serde::{Deserialize, Serialize};

/// A field that is there has a value, also when that is null.
pub(crate) fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

/// Why a scope was opened inside a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenedAs {
    /// It is the node's body.
    Body,
    /// A turn of a loop, from 0.
    Turn(u32),
    /// It takes over after a failure.
    Catch,
    /// It runs because the node ends.
    Finally,
}

/// How a node ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With an output.
    Succeeded {
        /// The output.
        output: Json,
    },
    /// With an error.
    Failed {
        /// The error.
        error: Box<RunError>,
    },
    /// Cut short.
    Cancelled,
}

/// The input of an undo, computed when its step completed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoInput {
    /// Ready to be sent.
    Input(Json),
    /// The call's outcome is unknown; `output` was null when this was computed.
    Unknown(Json),
    /// It could not be computed: an incident once it is needed.
    Error(Box<RunError>),
    /// The child run undoes itself.
    Child(RunId),
}

/// Why something is undone, which says what comes after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoPurpose {
    /// The run ends.
    RunEnds,
    /// The run begins anew.
    Pass,
    /// The node is tried again from a clean slate.
    Retry,
    /// The item failed and is tolerated.
    Tolerated,
    /// The step or item is out of a race: it failed, or as many as `first` asks for have succeeded without it.
    OutOfRace,
    /// By hand, after the end of the run.
    Afterwards,
}

/// What a node waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// A time.
    Timer,
    /// Its next try.
    Retry,
    /// A signal.
    Signal(Name),
    /// Whether there is an earlier result, or another step that makes the same call.
    Cache,
    /// The answer to what became of its call.
    Resolve,
    /// A person who says what became of its call: nobody else knows.
    InDoubt,
    /// A person.
    Approval {
        /// The question.
        ask: String,
        /// What to look at.
        show: Option<Json>,
    },
    /// Another run.
    Run(RunId),
    /// An event of a type, which may have wildcards.
    Event(String),
}

/// How far a call is, by its own word.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ProgressNote {
    /// From 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fraction: Option<f64>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Why a run stands still on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// A person asked.
    Asked,
    /// It failed, and `on_failure: pause`.
    Failure,
    /// A budget is used up, and `when_empty: pause`.
    Budget,
    /// The run that it is a child of is paused.
    Parent,
}

/// One fact.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The run exists.
    RunStarted(Box<RunStarted>),
    /// It waits for a place among the live runs of its workflow.
    Queued {
        /// Its number in line.
        number: u64,
    },
    /// It has its place, and begins.
    Admitted {
        /// When it has taken too long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_at: Option<Timestamp>,
        /// What the last run gave that succeeded while this one stood in line; none where nobody asks.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        previous: Option<Json>,
    },
    /// A step left `pending`.
    Started {
        /// Which node.
        n: NodeId,
        /// When it has taken too long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_at: Option<Timestamp>,
    },
    /// A scope was opened inside a node; its steps are the next nodes.
    Opened {
        /// In which node.
        n: NodeId,
        /// Which scope.
        s: ScopeRef,
        /// What for.
        r#as: OpenedAs,
    },
    /// The list of a `for_each` has so many items.
    Counted {
        /// Which node.
        n: NodeId,
        /// How many.
        count: u32,
    },
    /// An item began; it is the next node.
    ItemStarted {
        /// Of which `for_each`.
        n: NodeId,
        /// Which item.
        i: u32,
        /// When it has taken too long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timeout_at: Option<Timestamp>,
    },
    /// A turn of a loop began; its scope is opened next.
    TurnBegan {
        /// Of which loop.
        n: NodeId,
        /// What it sees as `carry`.
        carry: Json,
    },
    /// What became of the question for an earlier result.
    Recalled {
        /// Of which node.
        n: NodeId,
        /// The answer.
        c: Box<Cached>,
    },
    /// An attempt ended.
    Attempted {
        /// Of which node.
        n: NodeId,
        /// How.
        a: Box<Attempt>,
    },
    /// A call that may be made only once is about to be sent. Until its answer is recorded nobody knows whether
    /// it happened.
    Sent {
        /// Of which node.
        n: NodeId,
        /// When and where.
        a: Box<Sending>,
    },
    /// What became of a call is being asked; the question is the next node.
    ResolveStarted {
        /// Of which node.
        n: NodeId,
    },
    /// It is known what became of a call.
    Resolved {
        /// Of which node.
        n: NodeId,
        /// Its output; null: it did not happen.
        o: Json,
    },
    /// It could not be found out what became of a call.
    ResolveFailed {
        /// Of which node.
        n: NodeId,
        /// Why.
        error: Box<RunError>,
    },
    /// A call was answered 202.
    Accepted {
        /// Of which node.
        n: NodeId,
        /// Where it is, and until when it may be silent.
        a: Box<Accepted>,
    },
    /// The callee of such a call was heard of.
    Heartbeat {
        /// Of which node.
        n: NodeId,
        /// When it must be heard of next.
        at: Timestamp,
        /// How far it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        p: Option<ProgressNote>,
    },
    /// An attempt ended that does not count; the same try is made again.
    Interrupted {
        /// Of which node.
        n: NodeId,
    },
    /// The node waits.
    Waiting {
        /// Which.
        n: NodeId,
        /// For what.
        r#for: WaitFor,
        /// Until when at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Between two tries: why the last one failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Box<RunError>>,
    },
    /// A new try begins.
    Retried {
        /// Of which node.
        n: NodeId,
    },
    /// Nothing new starts in the node any more.
    Closed {
        /// Which.
        n: NodeId,
        /// Because this child failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<NodeId>,
        /// Or for a reason of its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Box<RunError>>,
    },
    /// As many have succeeded inside as `first` asks for: nothing else in there counts any more.
    Enough {
        /// Inside which.
        n: NodeId,
    },
    /// A catch takes over.
    Caught {
        /// Which node.
        n: NodeId,
        /// What was caught.
        error: Box<RunError>,
    },
    /// The node's end is decided; its `finally` comes first.
    Ending {
        /// Which node.
        n: NodeId,
        /// How it will end.
        outcome: Outcome,
    },
    /// The node has its output.
    Succeeded {
        /// Which.
        n: NodeId,
        /// The output.
        o: Json,
        /// How to undo it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undo: Option<UndoInput>,
    },
    /// The step took its output over from the run that this one does again; it never ran here.
    Copied {
        /// Which.
        n: NodeId,
        /// From which run.
        from: RunId,
    },
    /// The node has its error.
    Failed {
        /// Which.
        n: NodeId,
        /// The error.
        error: Box<RunError>,
        /// Its outcome is unknown, so that it is undone too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undo: Option<UndoInput>,
    },
    /// The node will not run.
    Skipped {
        /// Which.
        n: NodeId,
        /// Who asked, when somebody did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// The node was cut short.
    Cancelled {
        /// Which.
        n: NodeId,
        /// A call was in flight, so that it is undone too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undo: Option<UndoInput>,
    },
    /// What was completed inside a node is being undone.
    UndoBegan {
        /// Inside which.
        n: NodeId,
        /// Why.
        why: UndoPurpose,
        /// These only; all of them when there are none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        only: Vec<NodeId>,
        /// The undo of the node itself, when its call failed and is tried again from a clean slate.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undo: Option<UndoInput>,
    },
    /// The undo of a step began; it is the next node.
    UndoStarted {
        /// Of which.
        n: NodeId,
    },
    /// A step was undone.
    Undone {
        /// Which.
        n: NodeId,
    },
    /// The undo of a step waits for a person.
    UndoParked {
        /// Of which.
        n: NodeId,
        /// Why.
        error: Box<RunError>,
    },
    /// A parked undo is tried again.
    UndoUnparked {
        /// Of which.
        n: NodeId,
    },
    /// A parked undo will not be tried again.
    UndoGivenUp {
        /// Of which.
        n: NodeId,
        /// Who decided.
        by: String,
    },
    /// Nothing is left to undo inside a node, but what is parked.
    UndoEnded {
        /// Inside which.
        n: NodeId,
    },
    /// A pass of the run failed and another will follow.
    PassEnded {
        /// Why.
        error: Box<RunError>,
        /// When the next begins.
        until: Timestamp,
    },
    /// A new pass began.
    PassBegan {
        /// Everything from the start, or only what failed.
        clean: bool,
    },
    /// A child run was asked for.
    ChildStarted {
        /// Of which node.
        n: NodeId,
        /// Its id.
        run: RunId,
    },
    /// The child run of a node is told to end.
    ChildStopped {
        /// Of which node.
        n: NodeId,
        /// What the node fails with once the child has ended; without it the node is cut short.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Box<RunError>>,
    },
    /// The child run of a node has ended.
    ChildEnded {
        /// Of which node.
        n: NodeId,
        /// How.
        state: RunState,
        /// How far its undo went.
        undo: UndoState,
        /// Whether something of it can be undone.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        can_undo: bool,
    },
    /// An event was taken by a step that waited for it.
    EventTaken {
        /// By which node.
        n: NodeId,
        /// Its number in the store.
        seq: u64,
        /// Its key.
        key: EventKey,
    },
    /// A message came.
    Signalled {
        /// Its name.
        name: Name,
        /// Its body.
        body: Json,
        /// Who sent it.
        by: String,
    },
    /// The oldest message of that name was taken.
    SignalTaken {
        /// Its name.
        name: Name,
    },
    /// Somebody did something by hand; what follows from it stands in the entries after this one.
    Asked {
        /// Who.
        by: String,
        /// What: `cancel`, `retry`, `skip`, `complete`, `undo`.
        what: String,
        /// To which node.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        n: Option<NodeId>,
    },
    /// The run starts nothing new.
    Paused {
        /// Why.
        why: PauseReason,
        /// Who asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// Whose budget is used up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pool: Option<Name>,
    },
    /// The run goes on.
    Resumed {
        /// Who asked.
        by: String,
    },
    /// The run's end is decided; calls in flight, undo and `finally` come first.
    RunEnding {
        /// As what.
        state: RunState,
        /// Its output. A null is one.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
        output: Option<Json>,
        /// Its error.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Box<RunError>>,
    },
    /// The run has ended.
    RunEnded {
        /// As what.
        state: RunState,
    },
}

impl Entry {
    /// The node that the fact is about, where it is about one.
    pub const fn node(&self) -> Option<NodeId> {
        match self {
            Self::Started { n, .. }
            | Self::Opened { n, .. }
            | Self::Counted { n, .. }
            | Self::ItemStarted { n, .. }
            | Self::TurnBegan { n, .. }
            | Self::Recalled { n, .. }
            | Self::Attempted { n, .. }
            | Self::Sent { n, .. }
            | Self::ResolveStarted { n }
            | Self::Resolved { n, .. }
            | Self::ResolveFailed { n, .. }
            | Self::Accepted { n, .. }
            | Self::Heartbeat { n, .. }
            | Self::Interrupted { n }
            | Self::Waiting { n, .. }
            | Self::Retried { n }
            | Self::Closed { n, .. }
            | Self::Enough { n }
            | Self::Caught { n, .. }
            | Self::Ending { n, .. }
            | Self::Succeeded { n, .. }
            | Self::Copied { n, .. }
            | Self::Failed { n, .. }
            | Self::Skipped { n, .. }
            | Self::Cancelled { n, .. }
            | Self::UndoBegan { n, .. }
            | Self::UndoStarted { n }
            | Self::Undone { n }
            | Self::UndoParked { n, .. }
            | Self::UndoUnparked { n }
            | Self::UndoGivenUp { n, .. }
            | Self::UndoEnded { n }
            | Self::ChildStarted { n, .. }
            | Self::ChildStopped { n, .. }
            | Self::ChildEnded { n, .. }
            | Self::EventTaken { n, .. } => Some(*n),
            Self::Asked { n, .. } => *n,
            Self::RunStarted(_)
            | Self::Queued { .. }
            | Self::Admitted { .. }
            | Self::PassEnded { .. }
            | Self::PassBegan { .. }
            | Self::Signalled { .. }
            | Self::SignalTaken { .. }
            | Self::Paused { .. }
            | Self::Resumed { .. }
            | Self::RunEnding { .. }
            | Self::RunEnded { .. } => None,
        }
    }
}

/// A scope by its number, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScopeRef(pub u32);

impl From<ScopeId> for ScopeRef {
    fn from(id: ScopeId) -> Self {
        Self(id.0)
    }
}
