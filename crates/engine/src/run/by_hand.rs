//! What had ended badly and is settled by a person.

use super::{Node, NodeId, Run};
use consort_types::StepState;

impl Run {
    /// Somebody settles by hand what had ended badly: everything around it can go on.
    pub(super) fn settle_by_hand(&mut self, id: NodeId) {
        if !matches!(self.node(id).state, StepState::Failed | StepState::Cancelled) {
            return;
        }
        self.node_mut(id).state = StepState::Pending;
        self.node_mut(id).error = None;
        let around: Vec<NodeId> = self.lineage(id).skip(1).collect();
        let mut child = id;
        for outer in around {
            self.recount(outer);
            // In a race each failure counts: this one may leave it open again.
            if self.node(outer).failure != Some(child) && !self.was_lost_as_a_race(outer) {
                // It was closed for another reason, which stands.
                return;
            }
            let had_failed = self.node(outer).state == StepState::Failed;
            match self.other_failure(outer) {
                Some(other) => self.node_mut(outer).failure = Some(other),
                None => self.revive(outer),
            }
            if !had_failed {
                return;
            }
            child = outer;
        }
    }

    /// Another child whose failure closes a node just as well.
    fn other_failure(&self, id: NodeId) -> Option<NodeId> {
        if self.tolerates_failures(id) {
            return None;
        }
        self.children(id).find(|child| self.node(*child).state == StepState::Failed)
    }

    /// Counts anew what lives inside a node.
    pub(crate) fn recount(&mut self, id: NodeId) {
        let children: Vec<NodeId> = self.children(id).collect();
        let count = |is: &dyn Fn(&Node) -> bool| {
            children.iter().filter(|child| is(self.node(**child))).count() as u32
        };
        let active = count(&Node::is_active);
        let ended = count(&|node| node.state.is_terminal());
        let failed = count(&|node| node.state == StepState::Failed);
        let succeeded = count(&|node| node.state == StepState::Succeeded);
        let first_failed =
            children.iter().copied().find(|child| self.node(*child).state == StepState::Failed);
        let total = children.len() as u32;
        let node = self.node_mut(id);
        node.active = active;
        match node.items.as_deref_mut() {
            Some(items) => {
                items.ended = ended;
                items.succeeded = succeeded;
                items.failed = failed;
                items.first_failed = first_failed;
            }
            None => node.remaining = total - ended,
        }
    }
}
