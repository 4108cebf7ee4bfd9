//! A step is given up: its output is null.

use crate::{Effect, Entry, NodeId, Rejected, StepRef, Transition, decide::Decider};
use consort_types::StepState;

pub(super) fn apply(mut decider: Decider<'_>, step: &StepRef, by: String) -> Result<Transition, Rejected> {
    let id = decider.run.node_named(step)?;
    if let Some(of) = decider.run.parked_of(id) {
        decider.record(Entry::Asked { by: by.clone(), what: "skip".to_owned(), n: Some(id) });
        decider.record(Entry::UndoGivenUp { n: of, by });
        return Ok(decider.finish());
    }
    if decider.run.is_undo_under_way(id) {
        decider.end_undo_by_hand(id, "skip", by, UndoEnd::GivenUp);
        return Ok(decider.finish());
    }
    decider.run.live_or_rejected()?;
    settle(&mut decider, id, "skip", &by)?;
    decider.record(Entry::Skipped { n: id, by: Some(by.clone()) });
    decider.go_on_by_hand(by);
    Ok(decider.finish())
}

/// Checks that a step can be settled by hand, and takes back what it has going on.
pub(super) fn settle(decider: &mut Decider<'_>, id: NodeId, what: &str, by: &str) -> Result<(), Rejected> {
    let node = decider.run.node(id);
    match node.state {
        StepState::Succeeded | StepState::Skipped | StepState::Undone => {
            let message = format!("the step has ended already ({}); the first answer wins", node.state);
            return Err(Rejected::NotNow(message));
        }
        StepState::Running => {
            let message = "the step has steps inside that are going on; act on those".to_owned();
            return Err(Rejected::NotNow(message));
        }
        StepState::Failed | StepState::Cancelled
            if !matches!(decider.run.paused, Some((crate::PauseReason::Failure, _))) =>
        {
            let message =
                "the step has failed and the run is about to follow; pause on failure to mend it by hand";
            return Err(Rejected::NotNow(message.to_owned()));
        }
        StepState::Pending if node.unmet > 0 || decider.run.is_cut_off(id) => {
            return Err(Rejected::NotNow("the step has not started yet".to_owned()));
        }
        _ => {}
    }
    let around = decider.run.lineage(id).skip(1).map(|outer| decider.run.node(outer).state);
    if around.into_iter().any(|state| state.is_terminal() && state != StepState::Failed) {
        return Err(Rejected::NotNow(
            "what the step stands in has ended; nothing in it counts any more".to_owned(),
        ));
    }
    if node.state == StepState::Ready && node.accepted.is_none() {
        let token = decider.run.token(id);
        decider.effect(Effect::Abort(token));
    }
    if let Some(asked) = decider.run.resolve_node(id).filter(|asked| decider.run.node(*asked).is_active()) {
        let token = decider.run.token(asked);
        decider.effect(Effect::Abort(token));
    }
    if let Some(child) = decider.run.awaited_child(id) {
        decider.tell_child(id, child, crate::ParentWord::Cancel);
    }
    decider.record(Entry::Asked { by: by.to_owned(), what: what.to_owned(), n: Some(id) });
    Ok(())
}

/// How a person ends an undo that is under way.
#[derive(Clone, Copy)]
pub(super) enum UndoEnd {
    /// It was done by hand.
    Done,
    /// It will not be done.
    GivenUp,
}

impl Decider<'_> {
    /// Ends an undo that is under way.
    pub(super) fn end_undo_by_hand(&mut self, undo: NodeId, what: &str, by: String, end: UndoEnd) {
        let of = self.run.node(undo).parent.expect("an undo has a parent");
        self.effect(Effect::Abort(self.run.token(undo)));
        self.record(Entry::Asked { by: by.clone(), what: what.to_owned(), n: Some(undo) });
        match end {
            UndoEnd::Done => self.record(Entry::Undone { n: of }),
            UndoEnd::GivenUp => self.record(Entry::UndoGivenUp { n: of, by }),
        }
        self.undo_settled(of);
    }

    /// After a step was settled by hand: a run that paused on failure goes on once nothing failed remains.
    pub(crate) fn go_on_by_hand(&mut self, by: String) {
        let paused_on_failure = matches!(self.run.paused, Some((crate::PauseReason::Failure, _)));
        if paused_on_failure && !self.run.any_failed() {
            self.go_on_after_failure(by);
        } else if self.run.paused.is_none() {
            self.pump();
        }
    }
}

impl crate::Run {
    pub(super) fn is_undo_under_way(&self, id: NodeId) -> bool {
        let node = self.node(id);
        node.role == crate::run::Role::Undo && node.is_active()
    }

    /// Whether something that failed still keeps the run from going on.
    fn any_failed(&self) -> bool {
        let mut below = vec![crate::run::TOP];
        while let Some(id) = below.pop() {
            for child in self.children(id) {
                // A failed step fails its scope, but for a race that can still be won; an item only beyond what
                // is tolerated.
                let counts = !self.tolerates_failures(id);
                match self.node(child).state {
                    StepState::Failed if counts => return true,
                    StepState::Running => below.push(child),
                    _ => {}
                }
            }
        }
        false
    }
}
