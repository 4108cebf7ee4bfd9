//! An attempt has ended.

use crate::{Attempt, AttemptResult, Rejected, Transition, decide::Decider};
use consort_types::{AttemptToken, Timestamp};

/// When and where the attempt ran.
type Where = (Timestamp, Option<String>, Option<u64>);

pub(super) fn apply(
    mut decider: Decider<'_>,
    token: AttemptToken,
    (started_at, replica, revision): Where,
    result: AttemptResult,
) -> Result<Transition, Rejected> {
    // Only the newest attempt of a call that has not ended is heard.
    let id = decider.run.newest_attempt(token)?;
    let run = &decider.run;
    let attempt = match &run.node(id).accepted {
        // The answer came by itself: where the call was sent is known from before.
        Some(accepted) => run.accepted_attempt(id, accepted),
        None => Attempt { replica, revision, ..run.attempt_at(id, started_at) },
    };
    decider.attempt_ended(id, attempt, result);
    Ok(decider.finish())
}
