//! What outlives the server of a service: where a hand or a failed rollout has brought it.

use super::ServiceSpec;
use crate::balancer::ServiceKey;
use consort_fleet::{Revision, Saved};
use consort_store::Service;
use consort_types::Json;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Acts of steps that are remembered by their keys: more are never in flight for one service, and a key that
/// comes again comes within the retries of its step.
const ACTS_KEPT: usize = 100;

/// What is kept of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The revision that is wanted.
    #[serde(skip)]
    pub active: Option<u64>,
    /// The one that proved itself before the last that did.
    #[serde(skip)]
    pub previous: Option<u64>,
    /// The last revision that proved itself.
    pub good: Option<u64>,
    /// The revision that was rolled back from.
    pub held: Option<u64>,
    /// Replicas that a hand asked for.
    pub by_hand: Option<u32>,
    /// Acts of steps by their `Idempotency-Key`, with the revision that each led to, newest last.
    #[serde(default)]
    acts: VecDeque<(String, u64)>,
}

/// What a service goes on from after a restart.
#[derive(Debug, Clone)]
pub struct Restored {
    /// What was kept.
    pub kept: Kept,
    /// The revisions that it names, beside the newest.
    pub others: Vec<ServiceSpec>,
}

impl Kept {
    /// What the store has.
    pub fn of(stored: &Service) -> Self {
        let kept: Self = serde_json::from_str(stored.state.text()).unwrap_or_default();
        Self { active: stored.active, previous: stored.previous, ..kept }
    }

    /// As the store keeps it.
    pub fn stored(&self, key: &ServiceKey) -> Service {
        Service {
            namespace: key.namespace.clone(),
            name: key.service.clone(),
            active: self.active,
            previous: self.previous,
            state: Json::of(self),
        }
    }

    /// Each revision that is named.
    pub fn revisions(&self) -> impl Iterator<Item = u64> {
        [self.active, self.good, self.previous].into_iter().flatten()
    }

    /// The same after the fleet has decided something.
    #[must_use]
    pub fn with(&self, saved: Saved) -> Self {
        let number = |revision: Revision| revision.0;
        Self {
            active: Some(saved.revision.0),
            previous: saved.previous.map(number),
            good: saved.good.map(number),
            held: saved.held.map(number),
            by_hand: saved.by_hand,
            acts: self.acts.clone(),
        }
    }

    /// Where the fleet goes on from when this revision is wanted. Revisions that are not known any more are
    /// not gone back to.
    pub fn saved(&self, revision: u64, is_known: impl Fn(u64) -> bool) -> Saved {
        let known = |number: Option<u64>| number.filter(|number| is_known(*number)).map(Revision);
        Saved {
            revision: Revision(revision),
            good: known(self.good),
            previous: known(self.previous),
            held: self.held.map(Revision),
            by_hand: self.by_hand,
        }
    }

    /// Where an act led to that was done already.
    pub fn done(&self, key: &str) -> Option<u64> {
        self.acts.iter().find(|(known, _)| known == key).map(|(_, revision)| *revision)
    }

    /// Remembers an act.
    pub fn note(&mut self, key: &str, revision: u64) {
        if self.done(key).is_none() {
            self.acts.push_back((key.to_owned(), revision));
        }
        while self.acts.len() > ACTS_KEPT {
            self.acts.pop_front();
        }
    }
}
