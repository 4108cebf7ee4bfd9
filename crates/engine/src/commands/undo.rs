//! What was completed is undone on request.

use crate::{Entry, Phase, Rejected, Transition, UndoPurpose, decide::Decider, run::TOP};
use consort_types::{ErrorKind, RunError, RunState};

pub(super) fn apply(mut decider: Decider<'_>, by: String) -> Result<Transition, Rejected> {
    match decider.run.phase {
        Phase::Ended if decider.run.undo_list.is_empty() => {
            Err(Rejected::NotNow("there is nothing to undo".to_owned()))
        }
        Phase::Ended if !decider.run.undo_tasks.is_empty() => {
            Err(Rejected::NotNow("the run is being undone already".to_owned()))
        }
        // Its state stays what it was: only its undo moves.
        Phase::Ended => {
            decider.undo_afterwards(by);
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
    /// Undoes what a run that has ended had completed, also what was parked.
    pub(super) fn undo_afterwards(&mut self, by: String) {
        self.record(Entry::Asked { by, what: "undo".to_owned(), n: None });
        self.unpark_all();
        self.begin_undo(TOP, UndoPurpose::Afterwards, None);
    }

    fn unpark_all(&mut self) {
        let parked: Vec<_> =
            self.run.undo_list.iter().filter(|item| item.parked.is_some()).map(|item| item.of).collect();
        for of in parked {
            self.record(Entry::UndoUnparked { n: of });
        }
    }
}
