//! An attempt has ended.

use crate::{Attempt, AttemptResult, NodeId, Rejected, Transition, decide::Decider};
use consort_types::{AttemptState, AttemptToken, StepState, Timestamp};

/// When and where the attempt ran.
type Where = (Timestamp, Option<String>, Option<u64>);

pub(super) fn apply(
    mut decider: Decider<'_>,
    token: AttemptToken,
    (started_at, replica, revision): Where,
    result: AttemptResult,
) -> Result<Transition, Rejected> {
    let id = NodeId(token.node);
    let run = &decider.run;
    let exists = token.run == run.id() && (id.0 as usize) < run.nodes.len() && id.0 > 0;
    // Only the newest attempt of a call that has not ended is heard.
    if !exists || run.node(id).dispatches != token.number || run.node(id).state != StepState::Ready {
        return Err(Rejected::Stale);
    }
    let attempt = Attempt {
        number: run.node(id).tries,
        state: AttemptState::Succeeded,
        started_at,
        finished_at: None,
        replica,
        revision,
        error: None,
    };
    decider.attempt_ended(id, attempt, result);
    Ok(decider.finish())
}
