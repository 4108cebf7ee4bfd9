//! Undoing what was completed: one at a time, newest first; items of one `for_each` together.

use super::Decider;
use crate::{
    Entry, NodeId, TimerKind, UndoInput, UndoPurpose, WaitFor,
    run::{Role, Run},
};
use consort_spec::definition::Retry;
use consort_types::{RunError, StepState};
use std::time::Duration;

/// Tries of an undo, or of a question what became of a call, until it waits for a person.
pub(super) const ASIDE_TRIES: u32 = 10;

impl Decider<'_> {
    /// Begins to undo what was completed inside a node.
    pub(crate) fn begin_undo(&mut self, within: NodeId, why: UndoPurpose, own: Option<UndoInput>) {
        self.record(Entry::UndoBegan { n: within, why, undo: own });
        self.go_on_undoing(within);
    }

    /// Starts the next undos inside a node; when none is left, what comes after.
    pub(crate) fn go_on_undoing(&mut self, within: NodeId) {
        let Some(task) = self.run.undo_tasks.iter().find(|task| task.within == within) else { return };
        let why = task.why;
        let next = self.run.next_undos(within);
        if next.is_empty() {
            return self.undo_ended(within, why);
        }
        for of in next {
            if self.run.is_being_undone(of) {
                continue;
            }
            let undo = NodeId(self.run.nodes.len() as u32);
            self.record(Entry::UndoStarted { n: of });
            if let Some(child) = self.run.child_to_undo(of) {
                self.begin_child_undo(of, undo, child);
                continue;
            }
            match self.run.prepare_dispatch(undo) {
                Ok(dispatch) => self.effect(crate::Effect::Dispatch(Box::new(dispatch))),
                Err(error) => return self.park(of, error),
            }
        }
    }

    /// The undo of a step has answered well.
    pub(crate) fn undo_succeeded(&mut self, undo: NodeId) {
        let of = self.run.node(undo).parent.expect("an undo has a parent");
        self.record(Entry::Undone { n: of });
        self.undo_settled(of);
    }

    /// A try of an undo has failed: again, or it is parked.
    pub(crate) fn undo_failed(&mut self, undo: NodeId, error: RunError, retry_after: Option<Duration>) {
        let of = self.run.node(undo).parent.expect("an undo has a parent");
        let tries = self.run.node(undo).tries;
        if !error.retryable || tries >= ASIDE_TRIES {
            return self.park(of, error);
        }
        let rule = Retry::default();
        let seed = (self.run.id().as_uuid().as_u128() as u64) ^ u64::from(undo.0);
        let at = super::failure::next_try_at(&rule, tries, retry_after, seed, self.now);
        let error = Some(Box::new(error));
        self.record(Entry::Waiting { n: undo, r#for: WaitFor::Retry, until: Some(at), error });
        self.set_timer(undo, TimerKind::Wake, at);
    }

    fn park(&mut self, of: NodeId, error: RunError) {
        self.record(Entry::UndoParked { n: of, error: Box::new(error) });
        self.undo_settled(of);
    }

    /// One undo is done, parked or given up: the task that it belongs to goes on.
    pub(crate) fn undo_settled(&mut self, of: NodeId) {
        let within = self.run.undo_tasks.iter().map(|task| task.within);
        // The innermost task: a clean try inside of a run that ends is finished first.
        let innermost = within.filter(|within| self.run.is_within(of, *within)).max();
        if let Some(within) = innermost {
            self.go_on_undoing(within);
        }
    }

    fn undo_ended(&mut self, within: NodeId, why: UndoPurpose) {
        self.record(Entry::UndoEnded { n: within });
        let parked = self.run.undo_list.iter().any(|item| self.run.is_within(item.of, within));
        match why {
            // The node may have been settled otherwise in the meantime.
            UndoPurpose::Retry if self.run.node(within).state == StepState::Waiting => {
                self.clean_for_try(within, parked);
            }
            UndoPurpose::Retry
            | UndoPurpose::Tolerated
            | UndoPurpose::OutOfRace
            | UndoPurpose::Afterwards => {
                // What is undone around it waits for what is undone inside.
                self.undo_settled(within);
                self.top_may_end();
            }
            UndoPurpose::Pass => self.pass_is_clean(parked),
            UndoPurpose::RunEnds => self.run_finally(),
        }
    }
}

impl Run {
    /// Whether anything inside a node is left to undo.
    pub(crate) fn has_undo_within(&self, within: NodeId) -> bool {
        self.undo_list.iter().any(|item| item.parked.is_none() && self.is_within(item.of, within))
    }

    /// The steps to undo now: the newest, and with it its neighbours of the same `for_each`.
    fn next_undos(&self, within: NodeId) -> Vec<NodeId> {
        let open = self.undo_list.iter().rev().filter(|item| item.parked.is_none());
        let mut open = open.map(|item| item.of).filter(|of| self.is_within(*of, within));
        let Some(newest) = open.next() else { return Vec::new() };
        let Some(whole) = self.whole_around(newest) else { return vec![newest] };
        let room = self.step_of(whole).for_each.as_ref().map_or(1, |each| each.max_parallel) as usize;
        let same = open.take_while(|of| self.whole_around(*of) == Some(whole));
        // Steps of one item keep their order: only the newest of each item is undone at once.
        let mut chosen: Vec<NodeId> = vec![newest];
        for of in same {
            if chosen.len() >= room {
                break;
            }
            if chosen.iter().all(|other| self.item_around(*other) != self.item_around(of)) {
                chosen.push(of);
            }
        }
        chosen
    }

    fn item_around(&self, id: NodeId) -> Option<NodeId> {
        self.lineage(id).find(|node| matches!(self.node(*node).role, Role::Item(_)))
    }

    fn whole_around(&self, id: NodeId) -> Option<NodeId> {
        self.item_around(id).and_then(|item| self.node(item).parent)
    }

    fn is_being_undone(&self, of: NodeId) -> bool {
        self.undo_node(of).is_some_and(|undo| {
            matches!(self.node(undo).state, StepState::Ready | StepState::Running | StepState::Waiting)
        })
    }
}
