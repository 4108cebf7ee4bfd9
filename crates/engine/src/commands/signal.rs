//! A named message comes in: kept in order, taken by the step that waits for it.

use crate::{Entry, Rejected, Transition, decide::Decider, run::SIGNALS_PER_NAME_MAX};
use consort_types::{Json, Name};

pub(super) fn apply(
    mut decider: Decider<'_>,
    name: &Name,
    body: Json,
    by: String,
) -> Result<Transition, Rejected> {
    decider.run.live_or_rejected()?;
    if decider.run.signals.get(name).is_some_and(|kept| kept.len() >= SIGNALS_PER_NAME_MAX) {
        let message = format!("{SIGNALS_PER_NAME_MAX} signals `{name}` are kept already and none was taken");
        return Err(Rejected::Limit(message));
    }
    decider.record(Entry::Signalled { name: name.clone(), body, by });
    decider.deliver_signals(name);
    Ok(decider.finish())
}
