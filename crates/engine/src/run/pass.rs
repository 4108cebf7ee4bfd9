//! Passes of a run: what failed in one begins again in the next, what completed may stay.

use super::{NodeId, Phase, Role, Run, TOP};
use consort_types::{RunError, StepState, Timestamp};

/// One pass of a run that failed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pass {
    pub began_at: Timestamp,
    pub ended_at: Timestamp,
    pub error: Box<RunError>,
}

impl Run {
    pub(super) fn absorb_pass(&mut self, clean: bool, at: Timestamp) {
        self.phase = Phase::Live;
        self.pass_began_at = at;
        let top = self.node_mut(TOP);
        top.closing = false;
        top.failure = None;
        top.waiting = None;
        if clean {
            // The scope is opened anew by the next entry; the old nodes are history.
            top.opened.clear();
            top.active = 0;
        } else {
            self.reset_failed(TOP);
        }
    }

    /// Makes what failed inside a node pending again; what completed stays.
    pub(crate) fn reset_failed(&mut self, within: NodeId) {
        let mut below = vec![within];
        let mut touched = Vec::new();
        while let Some(id) = below.pop() {
            touched.push(id);
            let children: Vec<NodeId> = self.children(id).collect();
            for child in children {
                match self.node(child).state {
                    StepState::Failed | StepState::Cancelled if self.node(child).can_resume_inside() => {
                        self.revive(child);
                        below.push(child);
                    }
                    StepState::Failed | StepState::Cancelled => self.reset_node(child),
                    StepState::Pending if self.node(child).unmet == 0 => self.runnable.push_back(child),
                    _ => {}
                }
            }
        }
        for id in touched {
            self.recount(id);
        }
    }

    pub(super) fn revive(&mut self, id: NodeId) {
        let node = self.node_mut(id);
        node.state = StepState::Running;
        node.closing = false;
        node.failure = None;
        node.has_enough = false;
        node.error = None;
        node.ended_at = None;
    }

    /// Makes one ended node pending again, from its beginning.
    pub(crate) fn reset_node(&mut self, id: NodeId) {
        if let (Role::Item(index), Some(parent)) = (self.node(id).role, self.node(id).parent) {
            // An item does not wait in `pending`: the whole starts it again.
            if let Some(items) = self.node_mut(parent).items.as_deref_mut() {
                items.forget(index);
            }
            return;
        }
        let node = self.node_mut(id);
        node.state = StepState::Pending;
        node.opened.clear();
        node.items = None;
        node.turns.clear();
        node.active = 0;
        node.closing = false;
        node.failure = None;
        node.has_enough = false;
        node.error = None;
        node.output = None;
        node.ended_at = None;
        if node.unmet == 0 {
            self.runnable.push_back(id);
        }
    }
}
