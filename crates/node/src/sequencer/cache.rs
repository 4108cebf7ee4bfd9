//! Earlier results of calls: asked for, kept, and dropped.

use super::{Message, Sequencer};
use crate::{balancer::ServiceKey, cache::Lookup, committer::After, services::Views};
use consort_engine::{
    Command, Effect, Hit, Keep, NodeId, Recall,
    flights::{Act, FlightKey},
};
use consort_store::{CacheBounds, CachedResult, Write};
use consort_types::{Name, RunId, WaitKind, WaitingOn};
use std::sync::{PoisonError, mpsc};

impl Sequencer {
    /// Says whom to ask for earlier results, and where the revisions of services stand.
    #[must_use]
    pub fn with_cache(mut self, lookups: mpsc::Sender<Lookup>, views: Views) -> Self {
        self.lookups = lookups;
        self.views = views;
        self
    }

    /// Carries out what a transition asks of the cache; gives back what it asks of others.
    pub(super) fn take_cache_effects(
        &mut self,
        id: RunId,
        effects: Vec<Effect>,
        writes: &mut Vec<Write>,
        after: &mut Vec<After>,
    ) -> Vec<Effect> {
        let is_its =
            |effect: &Effect| matches!(effect, Effect::Recall(_) | Effect::Keep(_) | Effect::Drop(_));
        if self.flights.is_empty() && !effects.iter().any(is_its) {
            return effects;
        }
        let Some(live) = self.runs.get(&id) else { return effects };
        let namespace = live.run.namespace().clone();
        let (mut others, mut asks) = (Vec::with_capacity(effects.len()), Vec::new());
        for effect in effects {
            match effect {
                Effect::Keep(keep) => self.keep(&namespace, id, *keep, writes, after),
                Effect::Drop(key) => {
                    writes.push(Write::DropResult { namespace: namespace.clone(), key, run: id });
                }
                Effect::Recall(recall) => asks.push(*recall),
                other => others.push(other),
            }
        }
        // Who neither asks nor calls any more makes room before it asks anew.
        self.settle_flights(id);
        asks.into_iter().for_each(|recall| self.ask(&namespace, recall));
        others
    }

    fn keep(
        &mut self,
        namespace: &Name,
        run: RunId,
        keep: Keep,
        writes: &mut Vec<Write>,
        after: &mut Vec<After>,
    ) {
        let Keep { token, step, key, revision, keep, output } = keep;
        let (namespace, at) = (namespace.clone(), self.clock.now());
        let expires_at = at.plus(keep);
        let flight = FlightKey { namespace: namespace.clone(), key };
        let hit = Hit { run, step: step.clone(), at, expires_at, output: output.clone() };
        let acts = self.flights.landed(&flight, token, revision, &hit);
        self.acts.extend(acts);
        let result = CachedResult { namespace, key, revision, run, step, at, expires_at, output };
        writes.push(Write::KeepResult(Box::new(result), CacheBounds::DEFAULT));
        let inbox = self.inbox.clone();
        after.push(After::Call(Box::new(move || inbox.send(Message::ResultStored(flight, token)))));
    }

    pub(super) fn ask(&mut self, namespace: &Name, recall: Recall) {
        let revision = self.revision_of(namespace, &recall.service);
        let acts = self.flights.ask(namespace, recall, revision);
        self.acts.extend(acts);
    }

    /// The revision of a service that a call would meet: none yet is 0, of which nothing is kept.
    fn revision_of(&self, namespace: &Name, service: &Name) -> u64 {
        let key = ServiceKey { namespace: namespace.clone(), service: service.clone() };
        let views = self.views.read().unwrap_or_else(PoisonError::into_inner);
        let deployed = || {
            let deployed = self.catalog.deployed(namespace.as_str())?;
            deployed.services.get(service).copied()
        };
        views.get(&key).map(|view| view.revision).or_else(deployed).unwrap_or(0)
    }

    /// Takes out of the flights what neither asks nor calls any more.
    fn settle_flights(&mut self, id: RunId) {
        for token in self.flights.of(id) {
            if !self.runs.get(&id).is_some_and(|live| live.run.is_under_way(token)) {
                self.admissions.waits_no_more(token);
                let acts = self.flights.gone(token);
                self.acts.extend(acts);
            }
        }
    }

    /// Does what the flights lead to. One after the other, not inside each other: what is answered may ask anew.
    pub(super) fn fly(&mut self) {
        while let Some(act) = self.acts.pop_front() {
            match act {
                Act::Look(key, recall, revision) => {
                    let _ = self.lookups.send(Lookup { key, revision, token: recall.token });
                }
                Act::Wait(token) => {
                    let detail = "another step makes the same call now; its result will do".to_owned();
                    let (name, since) = ("cache".to_owned(), self.clock.now());
                    let kind = WaitKind::Cache;
                    let waiting = WaitingOn { kind, name, since, until: None, ahead: None, detail };
                    self.admissions.waits(token, waiting);
                    self.dirty.insert(token.run);
                    self.show(token.run, &[NodeId(token.node)]);
                }
                Act::Answer(token, answer) => {
                    self.admissions.waits_no_more(token);
                    if self.runs.get(&token.run).is_some_and(|live| !live.is_leaving) {
                        self.apply(token.run, Command::Recalled { token, answer }, Vec::new(), None);
                    }
                    // It may not have been asking any more.
                    self.settle_flights(token.run);
                }
            }
        }
    }
}
