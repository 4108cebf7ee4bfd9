//! A call was not sent, because a budget is used up and the file says to ask a person.

use crate::{AttemptResult, PauseReason, Phase, Rejected, Transition, decide::Decider};
use consort_types::{AttemptState, AttemptToken, Name, RunError, Timestamp};

pub(super) fn apply(
    mut decider: Decider<'_>,
    token: AttemptToken,
    pool: Name,
    error: RunError,
    at: Timestamp,
) -> Result<Transition, Rejected> {
    let id = decider.run.newest_attempt(token)?;
    let can_pause = decider.run.phase == Phase::Live && !decider.run.node(id).is_aside();
    if !can_pause {
        // An undo or a `finally` does not wait for money: it fails, and the undo is an incident of its own.
        let attempt = decider.run.attempt_at(id, at);
        let result = AttemptResult::Failed { state: AttemptState::Failed, error, retry_after: None };
        decider.attempt_ended(id, attempt, result);
        return Ok(decider.finish());
    }
    if decider.run.paused.is_none() {
        decider.pause(PauseReason::Budget, None, Some(pool));
    }
    // Not a try: it is handed out again when the run goes on.
    decider.attempt_interrupted(id);
    Ok(decider.finish())
}
