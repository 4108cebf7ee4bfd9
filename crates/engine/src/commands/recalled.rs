//! What became of the question for an earlier result.

use crate::{NodeId, Recalled, Rejected, Transition, decide::Decider};
use consort_types::AttemptToken;

pub(super) fn apply(
    mut decider: Decider<'_>,
    token: AttemptToken,
    answer: Recalled,
) -> Result<Transition, Rejected> {
    let id = NodeId(token.node);
    if !decider.run.is_under_way(token) || !decider.run.asks_now(id) {
        return Err(Rejected::Stale);
    }
    decider.recalled(id, answer);
    Ok(decider.finish())
}
