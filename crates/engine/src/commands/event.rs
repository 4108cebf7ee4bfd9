//! An event is offered to a step that waits for one.

use crate::{Entry, EventOffer, Rejected, Transition, decide::Decider};

/// An event that the step does not want changes nothing.
pub(super) fn apply(mut decider: Decider<'_>, offer: EventOffer) -> Result<Transition, Rejected> {
    if decider.run.wants_event(&offer) {
        let EventOffer { node, seq, key, event_type: _, document } = offer;
        decider.record(Entry::EventTaken { n: node, seq, key });
        decider.body_succeeded(node, document);
    }
    Ok(decider.finish())
}
