//! What follows from a fact: the decider records entries until nothing more follows.
//!
//! It never calls itself through the graph: what one decision leads to is put on a list, so that a chain of
//! a hundred thousand steps needs no deeper stack than one.

mod body;
mod cached;
mod call;
mod child;
mod ending;
mod event;
mod failure;
mod for_each;
mod item_plan;
mod permits;
mod race;
mod resolve;
mod scope;
mod turns;
mod undo;

pub use event::{RUN_EVENTS, event_source};

pub(crate) use ending::{CANCEL_GRACE, FINALLY_TIMEOUT};

use crate::{
    Effect, Entry, NodeId, Record, TimerKind, Transition, UndoInput,
    run::{Names, Role, Run},
};
use consort_expr::Template;
use consort_types::{Json, RunError, StepState, Timestamp};
use std::collections::VecDeque;

/// Records what follows, and collects what the outside must do.
pub(crate) struct Decider<'r> {
    pub run: &'r mut Run,
    pub now: Timestamp,
    entries: Vec<Entry>,
    effects: Vec<Effect>,
    ended: VecDeque<NodeId>,
    /// How a child run stood before; its parent hears of what has changed.
    before: Option<child::Standing>,
}

impl<'r> Decider<'r> {
    pub fn new(run: &'r mut Run, now: Timestamp) -> Self {
        let before = child::Standing::of_child(run);
        Self { run, now, entries: Vec::new(), effects: Vec::new(), ended: VecDeque::new(), before }
    }

    /// Decides until nothing more follows.
    pub fn finish(mut self) -> Transition {
        loop {
            if let Some(node) = self.run.runnable.pop_front() {
                self.consider(node);
            } else if let Some(node) = self.ended.pop_front() {
                self.child_ended(node);
            } else {
                break;
            }
        }
        self.news_for_parent();
        Transition { record: Record::new(self.now, self.entries), effects: self.effects }
    }

    /// Takes a fact into the state and puts it into the record.
    pub fn record(&mut self, entry: Entry) {
        self.run.absorb(&entry, self.now);
        match entry {
            // Before all others: a scope must hear of a failure before it is told that its last step is done.
            Entry::Failed { n, .. } => self.ended.push_front(n),
            Entry::Succeeded { n, .. }
            | Entry::Copied { n, .. }
            | Entry::Skipped { n, .. }
            | Entry::Cancelled { n, .. } => self.ended.push_back(n),
            _ => {}
        }
        self.entries.push(entry);
    }

    pub fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub fn set_timer(&mut self, node: NodeId, kind: TimerKind, at: Timestamp) {
        self.effects.push(Effect::SetTimer { node, kind, at });
    }

    /// What an expression of a node gives.
    pub fn evaluate(&self, template: &Template, names: &Names<'_>) -> Result<Json, RunError> {
        template.evaluate(names).map_err(|error| expression_error(&error))
    }

    /// A step whose dependencies are done: starts it, unless it must not.
    fn consider(&mut self, id: NodeId) {
        if self.run.node(id).state != StepState::Pending || !self.run.may_start(id) {
            return;
        }
        match self.is_wanted(id) {
            Ok(true) if self.run.is_copied_over(id) => self.copy_over(id),
            Ok(true) => self.start(id),
            Ok(false) => self.record(Entry::Skipped { n: id, by: None }),
            Err(error) => {
                self.record(Entry::Started { n: id, timeout_at: None });
                self.fail_finally(id, error);
            }
        }
    }

    fn is_wanted(&self, id: NodeId) -> Result<bool, RunError> {
        let Some(when) = &self.run.step_of(id).when else { return Ok(true) };
        when.evaluate_bool(&Names::at(self.run, id)).map_err(|error| expression_error(&error))
    }

    /// A child has ended: its parent goes on.
    fn child_ended(&mut self, child: NodeId) {
        let Some(parent) = self.run.node(child).parent else { return };
        match self.run.node(child).role {
            Role::Top => {}
            Role::Item(_) => self.item_ended(parent, child),
            Role::Step => self.step_ended(parent, child),
            // What stands beside a step is settled where its attempts end.
            Role::Undo | Role::Resolve => {}
        }
    }

    /// The input of a node's undo, with the output that it has.
    pub(crate) fn undo_input(&self, id: NodeId, output: &Json, known: bool) -> Option<UndoInput> {
        let Some(undo) = self.run.step_of(id).undo.as_ref() else { return self.run.undo_of_child(id) };
        let key = self.run.idempotency_key(id).map_or_else(|_| Json::null(), |key| Json::of(&key));
        let names = Names::at(self.run, id).with("output", output.clone()).with("key", key);
        Some(match self.evaluate(&undo.with, &names) {
            Ok(input) if known => UndoInput::Input(input),
            Ok(input) => UndoInput::Unknown(input),
            Err(error) => UndoInput::Error(Box::new(error)),
        })
    }
}

impl Run {
    /// Whether a new step may start in the place of a node.
    pub(crate) fn may_start(&self, id: NodeId) -> bool {
        let live = match self.phase {
            crate::Phase::Live | crate::Phase::Finally => true,
            // A `finally` of a step still runs while the run ends.
            crate::Phase::Ending => self.stands_in_finally(id),
            crate::Phase::Queued { .. } | crate::Phase::BetweenPasses { .. } | crate::Phase::Ended => false,
        };
        live && self.paused.is_none() && !self.is_cut_off(id)
    }

    fn stands_in_finally(&self, id: NodeId) -> bool {
        self.lineage(id).any(|node| self.stands_directly_in_finally(node))
    }

    /// Whether a node is a step of a `finally`.
    pub(crate) fn stands_directly_in_finally(&self, id: NodeId) -> bool {
        let parent = self.node(id).parent;
        let opened = parent.and_then(|parent| self.node(parent).opened_around(id).copied());
        opened.is_some_and(|opened| opened.as_ == crate::OpenedAs::Finally)
    }

    /// Whether something around a node is closed, up to the nearest `finally`, which runs all the same.
    pub(crate) fn is_cut_off(&self, id: NodeId) -> bool {
        let mut id = id;
        loop {
            if self.node(id).closing {
                return true;
            }
            if self.stands_directly_in_finally(id) {
                let parent = self.node(id).parent.expect("a finally child has a parent");
                return self.node(parent).closing;
            }
            match self.node(id).parent {
                Some(parent) => id = parent,
                None => return false,
            }
        }
    }
}

/// An expression's failure as the failure of a step.
fn expression_error(error: &consort_expr::EvalError) -> RunError {
    RunError::new(error.code, error.kind, error.message.clone())
}
