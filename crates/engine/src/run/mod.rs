//! The state of a run: plain structs, changed only by [`Run::absorb`].

mod absorb;
mod by_hand;
mod cached;
mod copied;
pub mod history;
mod items;
mod key;
mod names;
mod node;
mod pass;
mod pause;
mod people;
mod queued;
mod resolve;
mod undo;
mod view;

pub use node::{Accepted, Attempt, NodeId, Sending};
pub use people::{Incident, IncidentKind, Question};
pub use view::{Admission, PassRecord, RunView, StepView};

pub(crate) use items::{ItemOrder, ItemPlan, Items};
pub(crate) use names::Names;
pub(crate) use node::{Child, Node, Opened, Role};
pub(crate) use pass::Pass;
pub(crate) use undo::{UndoItem, UndoTask};

use crate::{Effect, Entry, PauseReason, Record, RunStarted};
use consort_spec::definition::{Step, StepId, Workflow};
use consort_types::{AttemptToken, Json, Name, RunError, RunId, RunState, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

/// The node at the top of every run.
pub(crate) const TOP: NodeId = NodeId(0);

/// Signals kept for one name; a further one is refused.
pub(crate) const SIGNALS_PER_NAME_MAX: usize = 1_000;

/// What a command led to: commit `record`, then carry out `effects` in their order.
#[derive(Debug)]
pub struct Transition {
    /// The facts. Never empty.
    pub record: Record,
    /// What to do once they are committed.
    pub effects: Vec<Effect>,
}

/// Where a run stands in its life.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// It waits for a place among the live runs of its workflow.
    Queued {
        /// Its number in line.
        number: u64,
    },
    /// Steps run.
    Live,
    /// A pass failed, the next begins at this time.
    BetweenPasses {
        /// When.
        until: Timestamp,
    },
    /// The end is decided; calls in flight and undo come first.
    Ending,
    /// `finally` of the workflow runs.
    Finally,
    /// Nothing moves any more.
    Ended,
}

/// How a run will end or has ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RunEnd {
    pub state: RunState,
    pub output: Option<Json>,
    pub error: Option<Box<RunError>>,
}

/// A run, whole: its definition, its nodes, and what it waits for.
#[derive(Debug, Clone)]
pub struct Run {
    pub(crate) workflow: Arc<Workflow>,
    pub(crate) started: Box<RunStarted>,
    pub(crate) created_at: Timestamp,
    /// When it left the line, or never stood in one; none while it waits.
    pub(crate) admitted_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) phase: Phase,
    pub(crate) end: Option<RunEnd>,
    pub(crate) paused: Option<(PauseReason, Timestamp)>,
    /// Whose budget was used up when it paused for that.
    pub(crate) short_of: Option<Name>,
    pub(crate) nodes: Vec<Node>,
    /// Who must hear when a node is done: the steps that named it.
    pub(crate) waiters: HashMap<NodeId, Vec<NodeId>>,
    /// Completed steps that can be undone, in the order of completion.
    pub(crate) undo_list: Vec<UndoItem>,
    pub(crate) undo_tasks: Vec<UndoTask>,
    /// Steps whose undo waits for a person.
    pub(crate) parked: BTreeSet<NodeId>,
    /// Steps that have asked a person and were not answered; some may ask no more.
    pub(crate) asking: BTreeSet<NodeId>,
    /// The newest undo of each node that was ever undone.
    pub(crate) undo_nodes: HashMap<NodeId, NodeId>,
    /// The newest question what became of the call of a node.
    pub(crate) resolve_nodes: HashMap<NodeId, NodeId>,
    /// Whether anything was ever undone for the end of the run.
    pub(crate) undo_asked: bool,
    pub(crate) signals: BTreeMap<Name, VecDeque<Json>>,
    /// The numbers of the events that each step has taken, over all its executions.
    pub(crate) events_taken: HashMap<StepId, BTreeSet<u64>>,
    pub(crate) passes: Vec<Pass>,
    pub(crate) pass_began_at: Timestamp,
    /// When the run has taken too long; moves on while it is paused.
    pub(crate) timeout_at: Option<Timestamp>,
    /// Nodes whose last dependency was met; drained by the decider, ignored in a replay.
    pub(crate) runnable: VecDeque<NodeId>,
}

impl Run {
    /// The id.
    pub fn id(&self) -> RunId {
        self.started.id
    }

    /// The namespace.
    pub fn namespace(&self) -> &Name {
        &self.started.namespace
    }

    /// The definition that it keeps.
    pub fn workflow(&self) -> &Arc<Workflow> {
        &self.workflow
    }

    /// When it was acknowledged.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// The idempotency key of its start.
    pub fn key(&self) -> Option<&str> {
        self.started.key.as_deref()
    }

    /// The number of the workflow's revision.
    pub fn revision(&self) -> u64 {
        self.started.revision
    }

    /// Its input.
    pub fn input(&self) -> &Json {
        &self.started.input
    }

    /// What it gave, once it has succeeded.
    pub fn output(&self) -> Option<&Json> {
        let succeeded = self.end.as_ref().filter(|end| self.is_ended() && end.state == RunState::Succeeded);
        succeeded.and_then(|end| end.output.as_ref())
    }

    /// Its tags.
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.started.tags
    }

    /// What started it.
    pub fn trigger(&self) -> &str {
        &self.started.trigger
    }

    /// The pool whose budget it stands still for.
    pub fn short_of(&self) -> Option<&Name> {
        let pauses = matches!(self.paused, Some((PauseReason::Budget, _)));
        self.short_of.as_ref().filter(|_| pauses)
    }

    /// The run whose step it is.
    pub fn parent(&self) -> Option<&crate::Parent> {
        self.started.parent.as_deref()
    }

    /// Whether it has ended and nothing of it is being undone: no command but `undo` moves it any more.
    pub fn is_at_rest(&self) -> bool {
        self.is_ended() && self.undo_tasks.is_empty()
    }

    /// Whether it has ended for good.
    pub fn is_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// Rebuilds a run from its history. Decides nothing.
    ///
    /// # Errors
    /// When the history does not begin with the start of a run.
    pub fn replay(
        workflow: Arc<Workflow>,
        records: impl IntoIterator<Item = Record>,
    ) -> Result<Self, ReplayError> {
        let mut records = records.into_iter();
        let first = records.next().ok_or(ReplayError)?;
        let at = first.at;
        let mut entries = first.entries.into_iter();
        let Some(Entry::RunStarted(started)) = entries.next() else { return Err(ReplayError) };
        let mut run = Self::new(workflow, started, at);
        for entry in entries {
            run.absorb(&entry, at);
        }
        for record in records {
            for entry in &record.entries {
                run.absorb(entry, record.at);
            }
        }
        run.runnable.clear();
        run.restore_items();
        Ok(run)
    }

    /// Takes in records that came after those that it was rebuilt of.
    pub fn catch_up(&mut self, records: &[Record]) {
        for record in records {
            for entry in &record.entries {
                self.absorb(entry, record.at);
            }
        }
        self.runnable.clear();
        self.restore_items();
    }

    pub(crate) fn new(workflow: Arc<Workflow>, started: Box<RunStarted>, at: Timestamp) -> Self {
        let timeout_at = started.timeout_at;
        let mut top = Node::new(None, None, Role::Top);
        top.ready_at = Some(at);
        top.state = consort_types::StepState::Running;
        Self {
            workflow,
            started,
            created_at: at,
            admitted_at: Some(at),
            finished_at: None,
            phase: Phase::Live,
            end: None,
            paused: None,
            short_of: None,
            nodes: vec![top],
            waiters: HashMap::new(),
            undo_list: Vec::new(),
            undo_tasks: Vec::new(),
            parked: BTreeSet::new(),
            asking: BTreeSet::new(),
            undo_nodes: HashMap::new(),
            resolve_nodes: HashMap::new(),
            undo_asked: false,
            signals: BTreeMap::new(),
            events_taken: HashMap::new(),
            passes: Vec::new(),
            pass_began_at: at,
            timeout_at,
            runnable: VecDeque::new(),
        }
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    /// The definition of the step that a node executes.
    ///
    /// # Panics
    /// For the top, which executes no step.
    pub(crate) fn step_of(&self, id: NodeId) -> &Step {
        self.workflow.step(self.node(id).step.expect("only the top executes no step"))
    }

    /// The token of a node's newest attempt.
    pub(crate) fn token(&self, id: NodeId) -> AttemptToken {
        AttemptToken { run: self.id(), node: id.0, number: self.node(id).dispatches }
    }

    /// A node and all that it stands in, from the inside out.
    pub(crate) fn lineage(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(Some(id), |node| self.node(*node).parent)
    }

    /// Whether a node is, or stands in, another.
    pub(crate) fn is_within(&self, id: NodeId, outer: NodeId) -> bool {
        self.lineage(id).any(|node| node == outer)
    }

    /// The nodes of a node's scopes and items, newest scopes only where one took another's place.
    pub(crate) fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let node = self.node(id);
        let scoped = node.opened.iter().flat_map(|opened| opened.nodes());
        let items = node.items.iter().flat_map(|items| items.nodes.iter().copied().flatten());
        scoped.chain(items)
    }
}

/// A history that does not begin with the start of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the history does not begin with the start of a run")]
pub struct ReplayError;
