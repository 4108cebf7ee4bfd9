//! A call that may be made only once is about to be sent.

use crate::{Entry, Rejected, Sending, Transition, decide::Decider};
use consort_types::AttemptToken;

pub(super) fn apply(
    mut decider: Decider<'_>,
    token: AttemptToken,
    sending: Sending,
) -> Result<Transition, Rejected> {
    let id = decider.run.newest_attempt(token)?;
    if decider.run.node(id).sent.is_some() {
        return Err(Rejected::Stale);
    }
    decider.record(Entry::Sent { n: id, a: Box::new(sending) });
    Ok(decider.finish())
}
