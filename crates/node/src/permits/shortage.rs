//! Runs that stand still because a budget is used up.

use consort_types::{Name, RunId, Timestamp};
use std::collections::BTreeMap;

/// Which budget: the pool of a namespace, whatever its key and its run. Who goes on too early stands still again.
pub(super) type Place = (Name, Name);

#[derive(Debug, Default)]
pub(super) struct Shortages(BTreeMap<Place, BTreeMap<RunId, Option<Timestamp>>>);

impl Shortages {
    pub fn begin(&mut self, place: Place, run: RunId, until: Option<Timestamp>) {
        self.0.entry(place).or_default().insert(run, until);
    }

    /// There is more: who waited for it.
    pub fn end(&mut self, place: &Place) -> Vec<RunId> {
        self.0.remove(place).unwrap_or_default().into_keys().collect()
    }

    pub fn forget(&mut self, run: RunId) {
        self.0.retain(|_, runs| {
            runs.remove(&run);
            !runs.is_empty()
        });
    }

    /// Those whose budget is full again.
    pub fn due(&mut self, now: Timestamp) -> Vec<RunId> {
        let mut due = Vec::new();
        self.0.retain(|_, runs| {
            runs.retain(|run, until| {
                let is_due = until.is_some_and(|until| until <= now);
                due.extend(is_due.then_some(*run));
                !is_due
            });
            !runs.is_empty()
        });
        due
    }

    pub fn next(&self) -> Option<Timestamp> {
        self.0.values().flat_map(BTreeMap::values).copied().flatten().min()
    }
}
