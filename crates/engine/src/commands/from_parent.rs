//! The run that this one is a child of says something. What is said twice or too late changes nothing; what the
//! parent waits for is answered again.

use crate::{
    ChildWord, Entry, FromParent, ParentWord, PauseReason, Phase, Rejected, Transition, decide::Decider,
};
use consort_types::{ErrorKind, RunError, RunState, UndoState};

pub(super) fn apply(mut decider: Decider<'_>, from: &FromParent) -> Result<Transition, Rejected> {
    let known = decider.run.parent().map(|parent| parent.run);
    if known != Some(from.parent) {
        return Err(Rejected::Stale);
    }
    let by = from.parent.to_string();
    // One that goes its own way is only asked whether it is there.
    if decider.run.parent().is_some_and(|parent| parent.detached) {
        if from.word == ParentWord::Report {
            decider.tell_parent(ChildWord::Began);
        }
        return Ok(decider.finish());
    }
    let live = matches!(decider.run.phase, Phase::Queued { .. } | Phase::Live | Phase::BetweenPasses { .. });
    match &from.word {
        ParentWord::Cancel if live => {
            let message = format!("cancelled with {by}");
            decider.record(Entry::Asked { by, what: "cancel".to_owned(), n: None });
            decider
                .stop_run(RunState::Cancelled, RunError::new("E_CANCELLED", ErrorKind::Cancelled, message));
        }
        ParentWord::Pause if live && decider.run.paused.is_none() => {
            decider.pause(PauseReason::Parent, Some(by), None);
        }
        ParentWord::Resume if live && matches!(decider.run.paused, Some((PauseReason::Parent, _))) => {
            decider.go_on_after_pause(by);
        }
        ParentWord::Undo if decider.run.is_ended() => decider.undo_for_parent(by),
        ParentWord::Report | ParentWord::Cancel if decider.run.is_ended() => {
            let end = Box::new(decider.run.end_for_parent());
            decider.tell_parent(ChildWord::Ended(end));
        }
        ParentWord::Report => decider.tell_parent(ChildWord::Began),
        // It is about to end and will say so, or stands as it should.
        ParentWord::Cancel | ParentWord::Pause | ParentWord::Resume | ParentWord::Undo => {}
    }
    Ok(decider.finish())
}

impl Decider<'_> {
    fn undo_for_parent(&mut self, by: String) {
        if self.run.undo_tasks.is_empty() && !self.run.undo_list.is_empty() {
            self.undo_afterwards(Vec::new(), by);
        }
        // The end of an undo that goes on is told when it is there.
        let state = self.run.undo_state();
        if state != UndoState::Running {
            self.tell_parent(ChildWord::Undone(state));
        }
    }
}
