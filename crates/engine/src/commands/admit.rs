//! A run that waited in line has its place.

use crate::{Entry, OpenedAs, Phase, Rejected, TimerKind, Transition, decide::Decider, run::TOP};
use consort_types::Json;

pub(super) fn apply(mut decider: Decider<'_>, previous: Option<Json>) -> Result<Transition, Rejected> {
    if !matches!(decider.run.phase, Phase::Queued { .. }) {
        return Err(Rejected::NotNow("the run does not wait for a place".to_owned()));
    }
    let timeout_at = decider.run.workflow.timeout.map(|timeout| decider.now.plus(timeout));
    decider.record(Entry::Admitted { timeout_at, previous });
    if let Some(at) = timeout_at {
        decider.set_timer(TOP, TimerKind::Timeout, at);
    }
    // One that is paused has its place and stands still.
    decider.open(TOP, decider.run.workflow.top, OpenedAs::Body);
    Ok(decider.finish())
}
