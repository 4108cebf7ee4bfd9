//! One execution of one step.

use super::items::Items;
use crate::{OpenedAs, Outcome, WaitFor, entry::ProgressNote};
use consort_spec::definition::{ScopeId, StepId};
use consort_types::{
    AttemptState, ErrorKind, Json, RunError, RunId, RunState, StepState, Timestamp, UndoState,
};
use serde::{Deserialize, Serialize};

/// A node of a run, numbered from 0 (the top) in the order in which they came into being.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

/// What a node is to its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The run itself.
    Top,
    /// A step of a scope that the parent opened. With `for_each` it is the whole, its items are below it.
    Step,
    /// An item of the parent's `for_each`.
    Item(u32),
    /// The undo of the parent.
    Undo,
    /// The question what became of the parent's call.
    Resolve,
}

/// One try of a step, as it is stored and shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1; tries that Consort itself cut short are not numbered.
    #[serde(rename = "n")]
    pub number: u32,
    /// How it ended.
    #[serde(rename = "s")]
    pub state: AttemptState,
    /// When it was sent.
    #[serde(rename = "at")]
    pub started_at: Timestamp,
    /// When its answer was recorded. Not stored: it is the time of the record.
    #[serde(skip)]
    pub finished_at: Option<Timestamp>,
    /// Which replica took it.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub replica: Option<String>,
    /// Which revision of the service that was.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Why it failed.
    /// Boxed, because most attempts have none and a long `for_each` keeps 100,000 of them.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Box<RunError>>,
    /// It certainly never reached the callee.
    #[serde(rename = "u", default, skip_serializing_if = "std::ops::Not::not")]
    pub unsent: bool,
}

impl Attempt {
    /// Whether the callee may have done its work without that being known. None: it says nothing about that.
    pub(crate) fn is_in_doubt(&self) -> Option<bool> {
        let kind = self.error.as_ref().map(|error| error.kind);
        let no_answer = matches!(kind, Some(ErrorKind::Timeout | ErrorKind::Lost | ErrorKind::Unavailable));
        (!self.unsent).then_some(no_answer || self.state == AttemptState::Cancelled)
    }
}

/// A call that may be made only once, as it is stored when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// When.
    #[serde(rename = "at")]
    pub started_at: Timestamp,
    /// To which replica.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub replica: Option<String>,
    /// Of which revision of the service.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
}

/// A call that was answered 202, as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// When it was sent.
    #[serde(rename = "at")]
    pub started_at: Timestamp,
    /// Which replica took it.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub replica: Option<String>,
    /// Which revision of the service that was.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// When the callee must be heard of next.
    #[serde(rename = "hb")]
    pub heartbeat_at: Timestamp,
    /// When it must have answered.
    #[serde(rename = "dl")]
    pub deadline: Timestamp,
    /// How far it is, and when it said so.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<(ProgressNote, Timestamp)>,
}

/// A scope that was opened inside a node: its steps are nodes in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opened {
    pub scope: ScopeId,
    pub as_: OpenedAs,
    pub base: u32,
    pub len: u32,
}

impl Opened {
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (self.base..self.base + self.len).map(NodeId)
    }

    pub fn holds(&self, id: NodeId) -> bool {
        (self.base..self.base + self.len).contains(&id.0)
    }
}

/// Why a node stands still, and until when.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Waiting {
    pub for_: WaitFor,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
}

/// The newest run that a node started.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Child {
    pub run: RunId,
    /// It was told to end, and what its node fails with then; cut short without it.
    pub stopped: Option<Option<Box<RunError>>>,
    /// How it ended, how far its undo went, and whether something of it can be undone.
    pub ended: Option<(RunState, UndoState, bool)>,
}

/// One execution of one step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub parent: Option<NodeId>,
    pub step: Option<StepId>,
    pub role: Role,
    pub state: StepState,
    /// Dependencies that are not done.
    pub unmet: u32,
    /// Children that have started and not ended.
    pub active: u32,
    /// Steps of the newest scope that have not ended.
    pub remaining: u32,
    /// Nothing new starts in here.
    pub closing: bool,
    /// The child whose failure closed it.
    pub failure: Option<NodeId>,
    /// It is closed because as many have succeeded inside as `first` asks for.
    pub has_enough: bool,
    /// Tries that count.
    pub tries: u32,
    /// Times it was handed out; fences off older attempts.
    pub dispatches: u32,
    /// Its call was taken back while the run was paused; it is handed out again on resume.
    pub held: bool,
    /// New for each execution from a clean slate; part of the `Idempotency-Key`.
    pub epoch: u32,
    pub attempts: Vec<Attempt>,
    /// Its call may be made only once, and is out.
    pub sent: Option<Box<Sending>>,
    /// The callee may have done its work without that being known.
    pub in_doubt: bool,
    /// Its call was answered 202, and the answer is still to come.
    pub accepted: Option<Box<Accepted>>,
    pub ready_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub timeout_at: Option<Timestamp>,
    pub waiting: Option<Waiting>,
    pub output: Option<Json>,
    pub error: Option<Box<RunError>>,
    pub opened: Vec<Opened>,
    pub items: Option<Box<Items>>,
    /// What each turn of a loop sees as `carry`.
    pub turns: Vec<Json>,
    pub child: Option<Box<Child>>,
    /// Decided, but `finally` comes first.
    pub ending: Option<Box<Outcome>>,
}

impl Node {
    pub fn new(parent: Option<NodeId>, step: Option<StepId>, role: Role) -> Self {
        Self {
            parent,
            step,
            role,
            state: StepState::Pending,
            unmet: 0,
            active: 0,
            remaining: 0,
            closing: false,
            failure: None,
            has_enough: false,
            tries: 0,
            dispatches: 0,
            held: false,
            epoch: 0,
            attempts: Vec::new(),
            sent: None,
            in_doubt: false,
            accepted: None,
            ready_at: None,
            ended_at: None,
            timeout_at: None,
            waiting: None,
            output: None,
            error: None,
            opened: Vec::new(),
            items: None,
            turns: Vec::new(),
            child: None,
            ending: None,
        }
    }

    /// The scope that a child of this node stands in.
    pub fn opened_around(&self, child: NodeId) -> Option<&Opened> {
        self.opened.iter().rev().find(|opened| opened.holds(child))
    }

    /// The newest scope opened for a purpose.
    pub fn opened_as(&self, as_: OpenedAs) -> Option<&Opened> {
        self.opened.iter().rev().find(|opened| opened.as_ == as_)
    }

    /// Whether what failed inside can be tried again by itself: a body was begun, and nothing came after it.
    pub fn can_resume_inside(&self) -> bool {
        let is_body = |opened: &Opened| matches!(opened.as_, OpenedAs::Body | OpenedAs::Turn(_));
        let after_body = |opened: &Opened| matches!(opened.as_, OpenedAs::Catch | OpenedAs::Finally);
        let has_body = self.items.is_some() || self.opened.iter().any(is_body);
        has_body && !self.opened.iter().any(after_body)
    }

    /// Whether it is no step itself, but stands beside one: its undo, the question what became of it.
    pub fn is_aside(&self) -> bool {
        matches!(self.role, Role::Undo | Role::Resolve)
    }

    /// Whether it has left `pending` and has not ended.
    pub fn is_active(&self) -> bool {
        matches!(self.state, StepState::Ready | StepState::Running | StepState::Waiting)
    }
}
