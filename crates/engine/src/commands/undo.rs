//! What was completed is undone on request.

use crate::{Entry, NodeId, Phase, Rejected, Transition, UndoPurpose, decide::Decider, run::TOP};
use consort_types::{ErrorKind, RunError, RunState};

pub(super) fn apply(mut decider: Decider<'_>, only: Vec<NodeId>, by: String) -> Result<Transition, Rejected> {
    match decider.run.phase {
        Phase::Live | Phase::BetweenPasses { .. } if !only.is_empty() => {
            let message = "the run goes on: cancel it or wait for its end before a part of it is undone";
            Err(Rejected::NotNow(message.to_owned()))
        }
        Phase::Ended if decider.run.undo_list.is_empty() => {
            Err(Rejected::NotNow("there is nothing to undo".to_owned()))
        }
        Phase::Ended if !decider.run.undo_tasks.is_empty() => {
            Err(Rejected::NotNow("the run is being undone already".to_owned()))
        }
        // Its state stays what it was: only its undo moves.
        Phase::Ended => {
            decider.undo_afterwards(only, by);
            Ok(decider.finish())
        }
        Phase::Queued { .. } | Phase::Live | Phase::BetweenPasses { .. } => {
            let message = format!("undone by {by}");
            decider.record(Entry::Asked { by, what: "undo".to_owned(), n: None });
            decider
                .stop_run(RunState::Cancelled, RunError::new("E_CANCELLED", ErrorKind::Cancelled, message));
            Ok(decider.finish())
        }
        Phase::Ending | Phase::Finally => {
            Err(Rejected::NotNow("the run is about to end; wait for it".to_owned()))
        }
    }
}

impl Decider<'_> {
    /// Undoes what a run that has ended had completed, also what was parked: all of it, or of these steps only.
    pub(super) fn undo_afterwards(&mut self, only: Vec<NodeId>, by: String) {
        self.record(Entry::Asked { by, what: "undo".to_owned(), n: None });
        self.unpark(&only);
        self.record(Entry::UndoBegan { n: TOP, why: UndoPurpose::Afterwards, only, undo: None });
        self.go_on_undoing(TOP);
    }

    /// Makes the parked undos of these steps, or of all when there are none, ready for another try.
    fn unpark(&mut self, only: &[NodeId]) {
        let parked = self.run.undo_list.iter().filter(|item| item.parked.is_some()).map(|item| item.of);
        let parked: Vec<_> = parked.filter(|of| only.is_empty() || only.contains(of)).collect();
        for of in parked {
            self.record(Entry::UndoUnparked { n: of });
        }
    }
}
