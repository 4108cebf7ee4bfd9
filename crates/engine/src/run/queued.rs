//! A run that waits for a place among the live runs of its workflow, and is let in.

use super::{Phase, Run};
use consort_types::{Json, Timestamp};

impl Run {
    pub(super) fn absorb_queued(&mut self, number: u64) {
        self.phase = Phase::Queued { number };
        self.admitted_at = None;
    }

    pub(super) fn absorb_admitted(
        &mut self,
        timeout_at: Option<Timestamp>,
        previous: Option<&Json>,
        at: Timestamp,
    ) {
        self.phase = Phase::Live;
        self.admitted_at = Some(at);
        self.pass_began_at = at;
        self.timeout_at = timeout_at;
        if let Some(previous) = previous {
            self.started.previous = Some(previous.clone());
        }
    }

    /// Its number in line, while it waits for a place.
    pub fn number_in_line(&self) -> Option<u64> {
        match self.phase {
            Phase::Queued { number } => Some(number),
            Phase::Live | Phase::BetweenPasses { .. } | Phase::Ending | Phase::Finally | Phase::Ended => None,
        }
    }

    /// Whether its end is decided: it starts nothing more but undo and `finally`.
    pub fn is_ending(&self) -> bool {
        match self.phase {
            Phase::Ending | Phase::Finally | Phase::Ended => true,
            Phase::Queued { .. } | Phase::Live | Phase::BetweenPasses { .. } => false,
        }
    }

    /// What its workflow's `concurrency.key` gave, as JSON.
    pub fn limit_key(&self) -> Option<&str> {
        self.started.limit_key.as_deref()
    }
}
