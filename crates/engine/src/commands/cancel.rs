//! The run is ended on request.

use crate::{Entry, Rejected, Transition, decide::Decider};
use consort_types::{ErrorKind, RunError, RunState};

pub(super) fn apply(mut decider: Decider<'_>, by: String) -> Result<Transition, Rejected> {
    decider.run.live_or_rejected()?;
    let message = format!("cancelled by {by}");
    decider.record(Entry::Asked { by, what: "cancel".to_owned(), n: None });
    decider.stop_run(RunState::Cancelled, RunError::new("E_CANCELLED", ErrorKind::Cancelled, message));
    Ok(decider.finish())
}
