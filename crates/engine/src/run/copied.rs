//! Steps that take their output over from another run instead of running.

use super::{NodeId, Role, Run};
use crate::{Copied, Entry, decide::Decider};
use consort_types::{Digest, RunId};

impl Decider<'_> {
    /// Gives a step the output that it has in the run that this one does again.
    pub(crate) fn copy_over(&mut self, id: NodeId) {
        let Some(from) = self.run.started.copies.as_ref().map(|copies| copies.from) else { return };
        self.record(Entry::Copied { n: id, from });
    }
}

impl Run {
    /// What is taken over of a node, as long as it is about the same as in the other run.
    pub(crate) fn copy_of(&self, id: NodeId) -> Option<&Copied> {
        let copies = self.started.copies.as_ref()?;
        if self.node(id).role == Role::Undo {
            return None;
        }
        copies.steps.get(&self.key_of(id))
    }

    /// Whether a step that could start has its output already.
    pub(crate) fn is_copied_over(&self, id: NodeId) -> bool {
        let has_output = self.copy_of(id).is_some_and(|copied| copied.output.is_some());
        has_output && self.lineage(id).all(|node| self.is_about_the_same(node))
    }

    fn is_about_the_same(&self, id: NodeId) -> bool {
        let node = self.node(id);
        let Role::Item(index) = node.role else { return true };
        let items = node.parent.and_then(|whole| self.node(whole).items.as_deref());
        let value = items.and_then(|items| items.plan.as_ref()?.values.get(index as usize));
        let now = value.map(|value| Digest::of(value.text().as_bytes()));
        self.copy_of(id).is_some_and(|copied| copied.item == now)
    }

    /// The run that the output of a node was taken over from.
    pub(crate) fn copied_from(&self, id: NodeId) -> Option<RunId> {
        self.started.copies.as_ref().filter(|_| self.node(id).copied).map(|copies| copies.from)
    }
}
