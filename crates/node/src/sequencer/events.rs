//! Events: accepted once, kept in the order of their numbers, offered to the steps that wait for them.
//!
//! An event is written before any run that takes it: a crash between the two leaves a step that asks again. What
//! steps wait for stands in an index, so that an event costs what it concerns, not what there is.

use super::{Message, Sequencer};
use crate::committer::{After, Unit};
use consort_engine::{Command, EventOffer, NodeId, Record, Run};
use consort_events::{Event, Index, Interest};
use consort_store::{EventFilter, EventOrder, PageRequest, StoredEvent, Write};
use consort_types::{EventKey, Name, RunId, Timestamp, TypePattern};
use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
};
use tokio::sync::oneshot;

/// Events kept; the oldest are dropped first.
const EVENTS_KEPT_MAX: u64 = 100_000;

/// How long an event is kept at most: as long as histories.
const EVENTS_KEPT_FOR_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// So many events are accepted between two looks at what is too old.
const EVENTS_PER_DROP: u64 = 1_000;

/// Events that a step which begins to wait looks through, of those since its run began; a bound on how long one
/// step can hold up all runs.
const EVENTS_SEARCHED_MAX: usize = 10_000;

/// Types of events that are remembered, to spare a step that begins to wait a look into the store.
const TYPES_REMEMBERED_MAX: usize = 10_000;

/// Offers made before other messages have their turn.
const OFFERS_PER_TURN_MAX: usize = 1_000;

/// Events from outside, and where the answer goes.
pub struct PostEvents {
    /// Into which namespace.
    pub namespace: Name,
    /// The events.
    pub events: Vec<Event>,
    /// Told after the commit.
    pub reply: oneshot::Sender<Result<Vec<PostedEvent>, consort_store::Error>>,
}

/// An event that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostedEvent {
    /// Its key.
    pub key: EventKey,
    /// Whether it is new, or was accepted before.
    pub new: bool,
}

/// What is known of events.
pub(super) struct Events {
    /// The number of the newest.
    newest: u64,
    waiting: HashMap<Name, Index<(RunId, NodeId)>>,
    /// What steps of live runs wait for or will wait for, and how many such steps there are.
    awaited: HashMap<Name, BTreeMap<String, u32>>,
    /// Accepted and perhaps not yet stored.
    recent: VecDeque<Arc<StoredEvent>>,
    recent_keys: HashSet<EventKey>,
    /// Live runs with a step that waits for events; those that are older than this server.
    watched: HashMap<RunId, Age>,
    /// The types that were seen since the server started.
    types: HashSet<(Name, String)>,
    /// What is to be offered to whom, in order.
    work: VecDeque<Work>,
}

/// Whether a run began under this server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    /// It did: what it may wait for has come since.
    New,
    /// It was open when the server started.
    Old,
}

enum Work {
    /// A new event to all who may wait for it.
    New(Arc<StoredEvent>),
    /// All since the run began to a step that has begun to wait.
    Since(RunId, NodeId),
}

impl Events {
    /// What goes on from a number.
    pub(super) fn after(newest: u64) -> Self {
        Self {
            newest,
            waiting: HashMap::new(),
            awaited: HashMap::new(),
            recent: VecDeque::new(),
            recent_keys: HashSet::new(),
            watched: HashMap::new(),
            types: HashSet::new(),
            work: VecDeque::new(),
        }
    }

    /// A run lives whose steps may wait for events.
    pub(super) fn watch(&mut self, run: &Run, age: Age) {
        if run.awaited_types().next().is_some() {
            self.watched.insert(run.id(), age);
        }
        for types in run.awaited_types() {
            let awaited = self.awaited.entry(run.namespace().clone()).or_default();
            *awaited.entry(types.to_owned()).or_default() += 1;
        }
    }

    /// A run is gone.
    pub(super) fn unwatch(&mut self, run: &Run) {
        if self.watched.remove(&run.id()).is_none() {
            return;
        }
        for types in run.awaited_types() {
            let Some(awaited) = self.awaited.get_mut(run.namespace()) else { break };
            let Some(count) = awaited.get_mut(types) else { continue };
            *count -= 1;
            if *count == 0 {
                awaited.remove(types);
            }
            if awaited.is_empty() {
                self.awaited.remove(run.namespace());
            }
        }
        let Some(index) = self.waiting.get_mut(run.namespace()) else { return };
        let all = (run.id(), NodeId(0))..=(run.id(), NodeId(u32::MAX));
        index.filed(all).iter().for_each(|who| index.remove(who));
    }

    /// Whether a step of a live run may wait for a type.
    fn may_be_awaited(&self, namespace: &Name, event_type: &str) -> bool {
        let awaited = self.awaited.get(namespace);
        awaited.is_some_and(|all| all.keys().any(|types| TypePattern::new(types).matches(event_type)))
    }

    /// Whether an event of a type may have come since the server started.
    fn may_have_come(&self, namespace: &Name, types: &TypePattern) -> bool {
        if self.types.len() >= TYPES_REMEMBERED_MAX {
            return true;
        }
        if types.is_exact() {
            return self.types.contains(&(namespace.clone(), types.as_str().to_owned()));
        }
        self.types.iter().any(|(of, known)| of == namespace && types.matches(known))
    }

    /// Whether nothing is awaited, to be offered, or on its way to the store.
    #[cfg(test)]
    pub(super) fn is_quiet(&self) -> bool {
        self.waiting.values().all(Index::is_empty)
            && self.awaited.is_empty()
            && self.watched.is_empty()
            && self.recent.is_empty()
            && self.recent_keys.is_empty()
            && self.work.is_empty()
    }

    fn stop_waiting(&mut self, namespace: &Name, who: (RunId, NodeId)) {
        let Some(index) = self.waiting.get_mut(namespace) else { return };
        index.remove(&who);
        if index.is_empty() {
            self.waiting.remove(namespace);
        }
    }
}

impl Sequencer {
    /// Takes events from outside. Those that were accepted before are not accepted again.
    pub(super) fn post_events(&mut self, post: PostEvents) {
        let PostEvents { namespace, events, reply } = post;
        let mut writes = Vec::new();
        let mut posted = Vec::with_capacity(events.len());
        let mut refused = None;
        for event in events {
            match self.is_known_event(EventKey::of(&namespace, &event.source, &event.id)) {
                Ok((key, true)) => posted.push(PostedEvent { key, new: false }),
                Ok((key, false)) => {
                    self.accept_event(&namespace, event, &mut writes);
                    posted.push(PostedEvent { key, new: true });
                }
                // Those before it are accepted all the same; whoever sends all of them again does no harm.
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
        }
        let answer = refused.map_or(Ok(posted), Err);
        let mut after = vec![After::Call(Box::new(move || drop(reply.send(answer))))];
        after.extend(self.once_stored());
        self.hand_on(Unit::of(writes, after));
    }

    fn is_known_event(&self, key: EventKey) -> Result<(EventKey, bool), consort_store::Error> {
        Ok((key, self.events.recent_keys.contains(&key) || self.reader.event(key)?.is_some()))
    }

    /// Accepts an event that was not accepted before.
    pub(super) fn accept_event(&mut self, namespace: &Name, event: Event, writes: &mut Vec<Write>) {
        let Event { id, source, event_type, subject, time: _, document } = event;
        self.events.newest += 1;
        let (seq, received_at) = (self.events.newest, self.clock.now());
        let key = EventKey::of(namespace, &source, &id);
        let namespace = namespace.clone();
        let event =
            StoredEvent { seq, namespace, key, id, source, event_type, subject, received_at, document };
        if seq.is_multiple_of(EVENTS_PER_DROP) {
            let before = Timestamp::from_millis(received_at.as_millis() - EVENTS_KEPT_FOR_MS);
            writes.push(Write::DropEvents { through: seq.saturating_sub(EVENTS_KEPT_MAX), before });
        }
        writes.push(Write::PutEvent(Box::new(event.clone())));
        if self.events.types.len() < TYPES_REMEMBERED_MAX {
            self.events.types.insert((event.namespace.clone(), event.event_type.clone()));
        }
        let event = Arc::new(event);
        self.events.recent_keys.insert(key);
        self.events.recent.push_back(event.clone());
        if self.events.waiting.contains_key(&event.namespace) {
            self.events.work.push_back(Work::New(event));
        }
    }

    /// What a record tells of its run, as events, where a step may wait for them.
    pub(super) fn tell_of(&mut self, run: RunId, record: &Record, number: u64, writes: &mut Vec<Write>) {
        let Some(live) = self.runs.get(&run) else { return };
        if !self.events.awaited.contains_key(live.run.namespace()) {
            return;
        }
        let namespace = live.run.namespace().clone();
        for event in live.run.events_of(record, number) {
            if self.events.may_be_awaited(&namespace, &event.event_type) {
                self.accept_event(&namespace, event, writes);
            }
        }
    }

    /// What must follow a commit that stores events.
    pub(super) fn once_stored(&self) -> Option<After> {
        let newest = self.events.recent.back()?.seq;
        let inbox = self.inbox.clone();
        Some(After::Call(Box::new(move || inbox.send(Message::EventsStored(newest)))))
    }

    /// Events up to a number are in the store.
    pub(super) fn events_stored(&mut self, through: u64) {
        while self.events.recent.front().is_some_and(|event| event.seq <= through) {
            if let Some(event) = self.events.recent.pop_front() {
                self.events.recent_keys.remove(&event.key);
            }
        }
    }

    /// A step has begun to wait for an event.
    pub(super) fn listen(&mut self, run: RunId, node: NodeId) {
        self.events.work.push_back(Work::Since(run, node));
    }

    /// Offers events to those who may wait for them, once what they depend on is handed on.
    pub(super) fn offer_events(&mut self) {
        for _ in 0..OFFERS_PER_TURN_MAX {
            match self.events.work.pop_front() {
                Some(Work::New(event)) => self.offer_to_all(&event),
                Some(Work::Since(run, node)) => self.offer_since(run, node),
                None => return,
            }
        }
        // The rest after those who wait meanwhile.
        self.inbox.send(Message::OfferEvents);
    }

    fn offer_to_all(&mut self, event: &StoredEvent) {
        let Some(index) = self.events.waiting.get(&event.namespace) else { return };
        for (run, node) in index.candidates(&event.event_type, &event.document) {
            self.offer(run, node, event);
        }
    }

    /// A step takes the first event that fits, so what came before goes before what comes from now on.
    fn offer_since(&mut self, run: RunId, node: NodeId) {
        let Some(live) = self.runs.get(&run) else { return };
        let Some(interest) = live.run.interest(node) else { return };
        let namespace = live.run.namespace().clone();
        let is_old = self.events.watched.get(&run) == Some(&Age::Old);
        if is_old || self.events.may_have_come(&namespace, &interest.types) {
            self.offer_earlier(run, node, &interest);
        }
        if self.runs.get(&run).is_some_and(|live| live.run.interest(node).is_some()) {
            self.events.waiting.entry(namespace).or_default().add((run, node), interest);
        }
    }

    fn offer_earlier(&mut self, run: RunId, node: NodeId, interest: &Interest) {
        let Some(live) = self.runs.get(&run) else { return };
        let (namespace, since) = (live.run.namespace().clone(), Some(live.run.created_at()));
        let filter = EventFilter { types: Some(interest.types.clone()), since, ..EventFilter::of(namespace) };
        let (mut searched, mut newest, mut cursor) = (0, 0, None);
        while searched < EVENTS_SEARCHED_MAX {
            let request = PageRequest::at(consort_store::LIMIT_MAX, cursor);
            let page = match self.reader.events(&filter, EventOrder::OldestFirst, &request) {
                Ok(page) => page,
                Err(error) => return tracing::error!(%run, %error, "events cannot be looked through"),
            };
            searched += page.items.len();
            for event in &page.items {
                newest = event.seq;
                if interest.may_match(&event.event_type, &event.document) && self.offer(run, node, event) {
                    return;
                }
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        let recent: Vec<Arc<StoredEvent>> = self
            .events
            .recent
            .iter()
            .filter(|event| event.seq > newest && filter.matches(event))
            .cloned()
            .collect();
        for event in recent {
            if self.offer(run, node, &event) {
                return;
            }
        }
    }

    /// Offers an event to a step. True when the step does not wait any more.
    fn offer(&mut self, run: RunId, node: NodeId, event: &StoredEvent) -> bool {
        // What becomes of a run is news to others only.
        if event.event_type.starts_with(consort_engine::RUN_EVENTS)
            && event.source == consort_engine::event_source(run)
        {
            return false;
        }
        let StoredEvent { seq, key, event_type, document, .. } = event.clone();
        let offer = EventOffer { node, seq, key, event_type, document };
        self.command(run, Command::Event(Box::new(offer)), None);
        let waits = self.runs.get(&run).is_some_and(|live| live.run.interest(node).is_some());
        if !waits {
            self.events.stop_waiting(&event.namespace, (run, node));
        }
        !waits
    }
}
