//! A run that stood still goes on: its times move by as long as it stood.

use super::{Phase, Run};
use consort_types::Timestamp;

impl Run {
    pub(super) fn absorb_resumed(&mut self, at: Timestamp) {
        let Some((_, since)) = self.paused.take() else { return };
        // The time of a run that was let in while it stood still counts from there.
        let stood = at.since(self.admitted_at.map_or(since, |admitted| admitted.max(since)));
        let later = |time: &mut Option<Timestamp>| *time = time.map(|time| time.plus(stood));
        later(&mut self.timeout_at);
        for node in &mut self.nodes {
            node.held = false;
            if let Some(accepted) = node.accepted.as_deref_mut() {
                accepted.deadline = accepted.deadline.plus(stood);
                accepted.heartbeat_at = accepted.heartbeat_at.plus(stood);
            }
            later(&mut node.timeout_at);
            if let Some(waiting) = &mut node.waiting {
                later(&mut waiting.until);
            }
        }
        if let Phase::BetweenPasses { until } = &mut self.phase {
            *until = until.plus(stood);
        }
    }
}
