//! What can be undone, and the undoing of it.

use super::{Node, Run};
use crate::{NodeId, UndoInput, UndoPurpose};
use consort_types::{RunError, StepState, Timestamp};

/// A completed step that can be undone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct UndoItem {
    /// The step's node.
    pub of: NodeId,
    /// What its undo is called with.
    pub input: UndoInput,
    /// It waits for a person.
    pub parked: Option<Box<RunError>>,
}

/// The undoing of all that was completed inside a node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct UndoTask {
    /// Inside which node.
    pub within: NodeId,
    /// Why, which says what comes after.
    pub why: UndoPurpose,
}

impl Run {
    /// An undo of a step's own replaces those of the steps inside.
    pub(super) fn drop_undos_inside(&mut self, id: NodeId) {
        let node = self.node(id);
        // Most steps are calls: a look through the whole list for each would make a long `for_each` quadratic.
        if !node.opened.is_empty() || node.items.is_some() {
            self.undo_list.retain(|item| !within(&self.nodes, item.of, id));
        }
    }

    pub(super) fn push_undo(&mut self, of: NodeId, input: &UndoInput) {
        let node = self.node(of);
        let in_doubt_before =
            node.dispatches > 1 || node.attempts.last().is_some_and(|last| last.error.is_some());
        if in_doubt_before {
            // A newer outcome of the same execution takes the place of the doubt that an older try left.
            self.undo_list.retain(|item| item.of != of);
        }
        self.undo_list.push(UndoItem { of, input: input.clone(), parked: None });
    }

    pub(super) fn absorb_undone(&mut self, of: NodeId, at: Timestamp) {
        if let Some(position) = self.undo_list.iter().rposition(|item| item.of == of) {
            self.undo_list.remove(position);
        }
        let node = self.node_mut(of);
        if node.state == StepState::Succeeded {
            node.state = StepState::Undone;
        }
        // After an undo a new execution has a new key.
        node.epoch += 1;
        node.in_doubt = false;
        if let Some(undo) = self.undo_node(of) {
            let undo = self.node_mut(undo);
            undo.waiting = None;
            if undo.state.is_terminal() {
                return;
            }
            undo.state = StepState::Succeeded;
            undo.ended_at = Some(at);
        }
    }

    pub(super) fn absorb_parked(&mut self, of: NodeId, error: &RunError, at: Timestamp) {
        self.undo_asked = true;
        if let Some(item) = self.undo_list.iter_mut().rfind(|item| item.of == of) {
            item.parked = Some(Box::new(error.clone()));
        }
        if let Some(undo) = self.undo_node(of) {
            let undo = self.node_mut(undo);
            undo.state = StepState::Failed;
            undo.error = Some(Box::new(error.clone()));
            undo.waiting = None;
            undo.ended_at = Some(at);
        }
    }
}

fn within(nodes: &[Node], mut id: NodeId, outer: NodeId) -> bool {
    while let Some(parent) = nodes[id.0 as usize].parent {
        if parent == outer {
            return true;
        }
        id = parent;
    }
    false
}
