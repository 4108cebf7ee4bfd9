//! `first`: a group or a `for_each` is done when so many have succeeded inside; the others are cancelled.

use super::Decider;
use crate::{
    Entry, NodeId, UndoPurpose,
    run::{Role, Run},
};
use consort_spec::definition::Body;
use consort_types::{ErrorKind, RunError, StepState};

impl Decider<'_> {
    /// A step or an item of a race has ended: the race is decided, lost, or goes on.
    pub(crate) fn contender_ended(&mut self, race: NodeId, child: NodeId, first: u32) {
        let goes_on = !self.run.is_cut_off(race) || self.run.node(race).has_enough;
        let has_lost = self.run.node(child).state != StepState::Succeeded;
        if goes_on && has_lost && self.run.has_undo_within(child) {
            self.begin_undo(child, UndoPurpose::OutOfRace, None);
        }
        if self.run.node(race).closing {
            return;
        }
        if self.run.succeeded_inside(race) >= first {
            self.record(Entry::Enough { n: race });
            self.quiet(race);
            self.abort_within(race);
            self.cancel_pending(race);
        } else {
            self.ask_race(race);
        }
    }

    /// Looks whether a race can still be won. What could not start may have been settled by hand.
    pub(crate) fn ask_race(&mut self, race: NodeId) {
        if let Some(first) = self.run.first_of(race)
            && !self.run.is_cut_off(race)
            && !self.run.can_still_win(race)
        {
            self.lose(race, first);
        }
    }

    /// Too few can succeed: the race fails as the first that failed.
    fn lose(&mut self, race: NodeId, first: u32) {
        match self.run.first_failed(race) {
            Some(failed) => self.close(race, Some(failed)),
            None => {
                let message = format!(
                    "`first: {first}` can no longer be reached: only {} could succeed",
                    self.run.contenders_left(race)
                );
                let error = RunError::new("E_FIRST_OUT_OF_REACH", ErrorKind::Failed, message)
                    .at_step(self.run.key_of(race));
                self.record(Entry::Closed { n: race, by: None, error: Some(Box::new(error)) });
                self.quiet(race);
            }
        }
    }

    /// What has not started will not: it was beaten.
    fn cancel_pending(&mut self, race: NodeId) {
        let pending = |id: &NodeId| self.run.node(*id).state == StepState::Pending;
        for id in self.run.children(race).filter(pending).collect::<Vec<_>>() {
            self.record(Entry::Cancelled { n: id, undo: None });
        }
    }
}

impl Run {
    /// How many must succeed inside a node, where that is not all.
    pub(crate) fn first_of(&self, id: NodeId) -> Option<u32> {
        let node = self.node(id);
        let step = self.workflow.step(node.step?);
        match (&step.for_each, node.role) {
            (Some(each), Role::Step) => each.first,
            _ => match step.body {
                Body::Group { first, .. } => first,
                _ => None,
            },
        }
    }

    /// Whether a node stands right in a race that was decided without it.
    pub(crate) fn is_out_of_race(&self, id: NodeId) -> bool {
        let role = self.node(id).role;
        matches!(role, Role::Step | Role::Item(_))
            && self.node(id).parent.is_some_and(|race| self.node(race).has_enough)
    }

    /// Whether failures inside a node are borne: of items that are tolerated, of contenders while enough are left.
    pub(crate) fn tolerates_failures(&self, id: NodeId) -> bool {
        match (self.first_of(id), self.node(id).items.is_some()) {
            (Some(_), _) => self.can_still_win(id),
            (None, true) => self.tolerates(id),
            (None, false) => false,
        }
    }

    /// Whether a node is a race that is closed because too many failed.
    pub(crate) fn was_lost_as_a_race(&self, id: NodeId) -> bool {
        self.first_of(id).is_some() && self.node(id).failure.is_some()
    }

    fn succeeded_inside(&self, race: NodeId) -> u32 {
        match self.node(race).items.as_deref() {
            Some(items) => items.succeeded,
            None => self.count_contenders(race, |state| state == StepState::Succeeded),
        }
    }

    /// Whether enough can still succeed.
    pub(crate) fn can_still_win(&self, race: NodeId) -> bool {
        let borne = self.node(race).items.is_none() || self.tolerates(race);
        borne && self.first_of(race).is_none_or(|first| self.contenders_left(race) >= first)
    }

    /// How many have succeeded or still may: a step behind one that failed may not.
    fn contenders_left(&self, race: NodeId) -> u32 {
        if let Some(items) = self.node(race).items.as_deref() {
            return items.count - (items.ended - items.succeeded);
        }
        let contenders: Vec<NodeId> = self.children(race).collect();
        let ended_badly =
            |id: NodeId| matches!(self.node(id).state, StepState::Failed | StepState::Cancelled);
        let mut out: Vec<NodeId> = contenders.iter().copied().filter(|id| ended_badly(*id)).collect();
        loop {
            let behind = |id: &NodeId| {
                let waits_for = &self.step_of(*id).waits_for;
                self.node(*id).state == StepState::Pending
                    && !out.contains(id)
                    && waits_for.iter().any(|on| self.resolve(*id, *on).is_some_and(|on| out.contains(&on)))
            };
            let Some(next) = contenders.iter().copied().find(behind) else { break };
            out.push(next);
        }
        let skipped = self.count_contenders(race, |state| state == StepState::Skipped);
        contenders.len() as u32 - skipped - out.len() as u32
    }

    fn count_contenders(&self, race: NodeId, is: impl Fn(StepState) -> bool) -> u32 {
        self.children(race).filter(|child| is(self.node(*child).state)).count() as u32
    }

    fn first_failed(&self, race: NodeId) -> Option<NodeId> {
        if let Some(items) = self.node(race).items.as_deref() {
            return items.first_failed;
        }
        let failed = self.children(race).filter(|child| self.node(*child).state == StepState::Failed);
        failed.min_by_key(|child| self.node(*child).ended_at)
    }
}
