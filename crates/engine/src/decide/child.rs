//! Child runs: asking for them, hearing of their end, and telling the run's own parent.

use super::Decider;
use crate::{
    ChildEnd, ChildStart, ChildWord, Command, Effect, Entry, FromChild, FromParent, NodeId, Outcome, Parent,
    ParentWord, UndoInput, WaitFor,
    run::{Names, Role, Run},
};
use consort_spec::definition::Body;
use consort_types::{AttemptState, ErrorKind, Json, RunError, RunId, RunState, StepState, UndoState};

/// Runs around a run, at most. A workflow that runs itself without an end fails here instead of filling the
/// disk; real trees are a few runs deep.
const DEPTH_MAX: u32 = 64;

impl Decider<'_> {
    /// Asks for the child run of a step.
    pub(crate) fn begin_child(&mut self, id: NodeId) {
        let number = self.run.node(id).dispatches + 1;
        let child = self.run.id().of_child(id.0, number, self.now);
        match self.run.child_start(id, child) {
            Ok(start) => {
                self.record(Entry::ChildStarted { n: id, run: child });
                let until = self.run.node(id).timeout_at;
                self.record(Entry::Waiting { n: id, r#for: WaitFor::Run(child), until, error: None });
                self.effect(Effect::StartChild(Box::new(start)));
            }
            Err(error) => self.try_failed(id, error, None),
        }
    }

    /// Tells the child run of a step to end. The step waits for that, then fails with the error; without one it
    /// is cut short.
    pub(crate) fn stop_child(&mut self, id: NodeId, error: Option<RunError>) {
        let Some(child) = self.run.node(id).child.as_deref() else { return };
        if child.stopped.is_some() {
            return;
        }
        let run = child.run;
        self.record(Entry::ChildStopped { n: id, error: error.map(Box::new) });
        self.tell_child(id, run, ParentWord::Cancel);
    }

    pub(crate) fn tell_child(&mut self, node: NodeId, child: RunId, word: ParentWord) {
        let effect = self.run.word_to_child(node, child, word);
        self.effect(effect);
    }

    /// Says something to every child that a step waits for.
    pub(crate) fn tell_children(&mut self, word: ParentWord) {
        let waits = |id: &NodeId| self.run.awaited_child(*id).is_some();
        let nodes: Vec<NodeId> = (0..self.run.nodes.len() as u32).map(NodeId).filter(waits).collect();
        for id in nodes {
            if let Some(child) = self.run.awaited_child(id) {
                self.tell_child(id, child, word);
            }
        }
    }

    /// The child run that a step waits for has ended.
    pub(crate) fn child_run_ended(&mut self, id: NodeId, end: ChildEnd) {
        let ChildEnd { state, output, error, undo, can_undo } = end;
        let stopped = self.run.node(id).child.as_deref().and_then(|child| child.stopped.clone());
        self.record(Entry::ChildEnded { n: id, state, undo, can_undo });
        let error = (state != RunState::Succeeded).then(|| self.run.error_of_child(id, state, error));
        let attempt = self.run.attempt_of_child(id, state, error.clone());
        self.record(Entry::Attempted { n: id, a: Box::new(attempt) });
        match (error, stopped) {
            (None, _) => self.body_succeeded(id, output.unwrap_or_else(Json::null)),
            (Some(_), Some(Some(reason))) => self.try_failed(id, *reason, None),
            (Some(_), Some(None)) if state == RunState::Cancelled => self.conclude(id, Outcome::Cancelled),
            (Some(error), _) => self.try_failed(id, error, None),
        }
    }

    /// The child run of a step could not be started.
    pub(crate) fn child_refused(&mut self, id: NodeId, error: RunError) {
        let error = error.at_step(self.run.key_of(id));
        let attempt = self.run.attempt_of_child(id, RunState::Failed, Some(error.clone()));
        self.record(Entry::Attempted { n: id, a: Box::new(attempt) });
        match self.run.node(id).child.as_deref().and_then(|child| child.stopped.clone()) {
            Some(None) => self.conclude(id, Outcome::Cancelled),
            Some(Some(reason)) => self.try_failed(id, *reason, None),
            None => self.try_failed(id, error, None),
        }
    }

    /// The undo of a child waits for the child, which undoes itself.
    pub(crate) fn begin_child_undo(&mut self, of: NodeId, undo: NodeId, child: RunId) {
        self.record(Entry::Waiting { n: undo, r#for: WaitFor::Run(child), until: None, error: None });
        self.tell_child(of, child, ParentWord::Undo);
    }

    /// What the parent hears of this transition: that the run has ended, or that its undo has.
    pub(crate) fn news_for_parent(&mut self) {
        let Some(before) = self.before else { return };
        let now = Standing::of(self.run);
        let word = match (before.ended, now.ended) {
            (false, true) => ChildWord::Ended(Box::new(self.run.end_for_parent())),
            (true, true) if before.undo != now.undo && now.undo != UndoState::Running => {
                ChildWord::Undone(now.undo)
            }
            _ => return,
        };
        self.tell_parent(word);
    }

    /// Tells the parent something, where there is one that waits.
    pub(crate) fn tell_parent(&mut self, word: ChildWord) {
        let Some(parent) = self.run.parent() else { return };
        let from = FromChild { child: self.run.id(), node: parent.node, word };
        self.effect(Effect::Tell(parent.run, Box::new(Command::FromChild(Box::new(from)))));
    }
}

/// What of a child its parent wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    ended: bool,
    undo: UndoState,
}

impl Standing {
    /// None for a run that nobody waits for.
    pub(super) fn of_child(run: &Run) -> Option<Self> {
        run.parent().filter(|parent| !parent.detached).map(|_| Self::of(run))
    }

    fn of(run: &Run) -> Self {
        Self { ended: run.is_ended(), undo: run.undo_state() }
    }
}

impl Run {
    /// The start of a node's child run.
    ///
    /// # Errors
    /// When its input cannot be computed, or too many runs stand around it.
    pub(crate) fn child_start(&self, id: NodeId, child: RunId) -> Result<ChildStart, RunError> {
        let Body::Run { workflow, with, detach } = &self.step_of(id).body else {
            return Err(RunError::new("E_NOT_A_RUN", ErrorKind::Failed, "the step starts no run"));
        };
        let depth = self.parent().map_or(0, |parent| parent.depth) + 1;
        if depth > DEPTH_MAX {
            let message = format!(
                "{DEPTH_MAX} runs stand around this step already: does `{workflow}` run itself without an end?"
            );
            return Err(RunError::new("E_RUN_DEPTH", ErrorKind::Limit, message));
        }
        let input = with.evaluate(&Names::at(self, id)).map_err(|error| super::expression_error(&error))?;
        let parent = Parent { run: self.id(), node: id, step: self.key_of(id), depth, detached: *detach };
        let pools = self.shared_pools();
        Ok(ChildStart { id: child, workflow: workflow.clone(), input, parent, pools })
    }

    pub(crate) fn word_to_child(&self, node: NodeId, child: RunId, word: ParentWord) -> Effect {
        let from = FromParent { parent: self.id(), node, word };
        Effect::Tell(child, Box::new(Command::FromParent(from)))
    }

    /// The child run that a node waits for; of an undo, the one that undoes itself.
    pub(crate) fn awaited_child(&self, id: NodeId) -> Option<RunId> {
        let node = self.node(id);
        match node.waiting.as_ref().map(|waiting| &waiting.for_) {
            Some(WaitFor::Run(child)) if node.state == StepState::Waiting => Some(*child),
            _ => None,
        }
    }

    /// What must be said again after a restart, because the answer was not recorded.
    pub(crate) fn words_to_child_again(&self, id: NodeId) -> Vec<Effect> {
        let Some(child) = self.awaited_child(id) else { return Vec::new() };
        if self.node(id).role == Role::Undo {
            let of = self.node(id).parent.expect("an undo has a parent");
            return vec![self.word_to_child(of, child, ParentWord::Undo)];
        }
        let mut effects: Vec<Effect> = self
            .child_start(id, child)
            .ok()
            .map(|start| Effect::StartChild(Box::new(start)))
            .into_iter()
            .collect();
        let stopped = self.node(id).child.as_deref().is_some_and(|child| child.stopped.is_some());
        let word = match (stopped, self.paused) {
            (true, _) => ParentWord::Cancel,
            (false, Some(_)) => ParentWord::Pause,
            (false, None) => ParentWord::Resume,
        };
        effects.push(self.word_to_child(id, child, word));
        effects
    }

    /// How the completed child of a node is undone: by itself.
    pub(crate) fn undo_of_child(&self, id: NodeId) -> Option<UndoInput> {
        self.child_with(id, |state, _, can_undo| state == RunState::Succeeded && can_undo)
    }

    /// What a child that did not succeed left behind, for a try from a clean slate.
    pub(crate) fn undo_of_failed_child(&self, id: NodeId) -> Option<UndoInput> {
        self.child_with(id, |_, _, can_undo| can_undo)
    }

    /// A child whose own undo waits for a person keeps the undo of its parent from being complete.
    pub(crate) fn undo_left_by_child(&self, id: NodeId) -> Option<UndoInput> {
        self.child_with(id, |_, undo, _| undo == UndoState::Incomplete)
    }

    fn child_with(&self, id: NodeId, is: impl Fn(RunState, UndoState, bool) -> bool) -> Option<UndoInput> {
        let Body::Run { detach: false, .. } = self.step_of(id).body else { return None };
        let child = self.node(id).child.as_deref()?;
        let (state, undo, can_undo) = child.ended?;
        is(state, undo, can_undo).then_some(UndoInput::Child(child.run))
    }

    /// The child that is undone in the place of a node.
    pub(crate) fn child_to_undo(&self, of: NodeId) -> Option<RunId> {
        let item = self.undo_list.iter().rfind(|item| item.of == of)?;
        match item.input {
            UndoInput::Child(child) => Some(child),
            UndoInput::Input(_) | UndoInput::Unknown(_) | UndoInput::Error(_) => None,
        }
    }

    /// How the run ended, for its parent.
    pub(crate) fn end_for_parent(&self) -> ChildEnd {
        let end = self.end.as_ref();
        ChildEnd {
            state: end.map_or(RunState::Failed, |end| end.state),
            output: end.and_then(|end| end.output.clone()),
            error: end.and_then(|end| end.error.as_deref()).cloned(),
            undo: self.undo_state(),
            can_undo: !self.undo_list.is_empty(),
        }
    }

    /// The child's error as the error of the step that ran it: its place is told from here.
    fn error_of_child(&self, id: NodeId, state: RunState, error: Option<RunError>) -> RunError {
        let key = self.key_of(id);
        let mut error = error.unwrap_or_else(|| {
            RunError::new("E_CHILD_FAILED", ErrorKind::Failed, format!("the run ended as {state}"))
        });
        error.step = Some(match error.step.filter(|inner| !inner.is_empty()) {
            Some(inner) => format!("{key}.{inner}"),
            None => key,
        });
        error
    }

    fn attempt_of_child(&self, id: NodeId, state: RunState, error: Option<RunError>) -> crate::Attempt {
        let node = self.node(id);
        let since = node.waiting.as_ref().map_or(self.created_at, |waiting| waiting.since);
        crate::Attempt {
            number: node.tries,
            state: match state {
                RunState::Succeeded => AttemptState::Succeeded,
                RunState::Cancelled => AttemptState::Cancelled,
                RunState::TimedOut => AttemptState::TimedOut,
                _ => AttemptState::Failed,
            },
            started_at: since,
            finished_at: None,
            replica: None,
            revision: None,
            error: error.map(Box::new),
            unsent: false,
        }
    }
}
