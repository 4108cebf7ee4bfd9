//! The question what became of a call.

use super::{Node, NodeId, Role, Run};
use consort_types::{Json, RunError, StepState, Timestamp};

impl Run {
    /// The newest question about a node, when one was ever asked.
    pub(crate) fn resolve_node(&self, of: NodeId) -> Option<NodeId> {
        self.resolve_nodes.get(&of).copied()
    }

    pub(super) fn absorb_resolve_started(&mut self, of: NodeId, at: Timestamp) {
        let mut node = Node::new(Some(of), self.node(of).step, Role::Resolve);
        node.state = StepState::Ready;
        node.ready_at = Some(at);
        node.tries = 1;
        node.dispatches = 1;
        self.resolve_nodes.insert(of, NodeId(self.nodes.len() as u32));
        self.nodes.push(node);
    }

    pub(super) fn absorb_resolved(&mut self, of: NodeId, output: &Json, at: Timestamp) {
        self.end_resolve(of, StepState::Succeeded, at);
        if let Some(resolve) = self.resolve_node(of) {
            self.node_mut(resolve).output = Some(output.clone());
        }
        self.node_mut(of).in_doubt = false;
    }

    pub(super) fn absorb_resolve_failed(&mut self, of: NodeId, error: &RunError, at: Timestamp) {
        if let Some(resolve) = self.resolve_node(of) {
            self.node_mut(resolve).error = Some(Box::new(error.clone()));
        }
        self.end_resolve(of, StepState::Failed, at);
    }

    /// A step that has ended needs no answer any more.
    pub(super) fn drop_resolve(&mut self, of: NodeId, at: Timestamp) {
        if !self.resolve_nodes.is_empty() {
            self.end_resolve(of, StepState::Cancelled, at);
        }
    }

    fn end_resolve(&mut self, of: NodeId, state: StepState, at: Timestamp) {
        let Some(resolve) = self.resolve_node(of).filter(|resolve| self.node(*resolve).is_active()) else {
            return;
        };
        let node = self.node_mut(resolve);
        node.state = state;
        node.waiting = None;
        node.accepted = None;
        node.ended_at = Some(at);
    }
}
