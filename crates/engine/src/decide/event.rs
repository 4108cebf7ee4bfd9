//! Events: sent by steps, awaited by steps, and those that tell of the run itself.

use super::Decider;
use crate::{
    Effect, Entry, EventOffer, NodeId, Record, WaitFor,
    run::{Names, Run},
};
use consort_events::{Draft, Event, Interest};
use consort_expr::{Expr, Template};
use consort_spec::definition::{AwaitKind, Body};
use consort_types::{Json, RunError, RunId, StepState, TypePattern};
use serde_json::json;

/// What the types of events begin with that tell what becomes of a run.
pub const RUN_EVENTS: &str = "consort.run.";

/// The source of all events of a run.
pub fn event_source(run: RunId) -> String {
    format!("/runs/{run}")
}

impl Decider<'_> {
    /// Sends the event of a step: once, as it is one fact with the step's end.
    pub(crate) fn emit(&mut self, id: NodeId, event_type: &str, subject: Option<&Template>, data: &Template) {
        match self.event_of(id, event_type, subject, data) {
            Ok(event) => {
                self.effect(Effect::Emit(Box::new(event)));
                self.body_succeeded(id, Json::null());
            }
            Err(error) => self.try_failed(id, error, None),
        }
    }

    fn event_of(
        &self,
        id: NodeId,
        event_type: &str,
        subject: Option<&Template>,
        data: &Template,
    ) -> Result<Event, RunError> {
        let names = Names::at(self.run, id);
        let subject = subject.map(|subject| self.evaluate(subject, &names)).transpose()?;
        let text = |value: Json| value.read::<String>().unwrap_or_else(|_| value.to_string());
        let draft = Draft {
            // A node sends its event once; a step that is tried anew from a clean slate is another node.
            id: format!("{}-{}", self.run.id(), id.0),
            source: event_source(self.run.id()),
            event_type: event_type.to_owned(),
            subject: subject.filter(|subject| !subject.is_null()).map(text).filter(|text| !text.is_empty()),
            time: self.now,
            data: self.evaluate(data, &names)?,
        };
        Ok(Event::of(draft))
    }

    /// Waits for an event, which may have come already.
    pub(crate) fn begin_await_event(&mut self, id: NodeId, event_type: &str) {
        let until = self.run.node(id).timeout_at;
        let waits = WaitFor::Event(event_type.to_owned());
        self.record(Entry::Waiting { n: id, r#for: waits, until, error: None });
        self.effect(Effect::Listen(id));
    }
}

impl Run {
    /// What a node waits for, when that is an event.
    pub fn interest(&self, id: NodeId) -> Option<Interest> {
        let node = self.nodes.get(id.0 as usize)?;
        let waits = node.waiting.as_ref().map(|waiting| &waiting.for_);
        let Some(WaitFor::Event(event_type)) = waits.filter(|_| node.state == StepState::Waiting) else {
            return None;
        };
        let tests = self.filter_of(id).map_or_else(Vec::new, |filter| {
            let known = filter.equalities("event", &Names::at(self, id));
            known.into_iter().map(|test| (test.path, test.value)).collect()
        });
        Some(Interest { types: TypePattern::new(event_type), tests })
    }

    /// The types of events that steps of this run wait for or will wait for.
    pub fn awaited_types(&self) -> impl Iterator<Item = &str> {
        self.workflow.steps.iter().filter_map(|step| match &step.body {
            Body::Await(awaited) => match &awaited.kind {
                AwaitKind::Event { event_type, .. } => Some(event_type.as_str()),
                AwaitKind::Signal { .. } | AwaitKind::Approval { .. } => None,
            },
            _ => None,
        })
    }

    /// Whether a node waits for an event: it fits, and no execution of this step has taken it.
    pub(crate) fn wants_event(&self, offer: &EventOffer) -> bool {
        let Some(interest) = self.interest(offer.node) else { return false };
        let step = self.node(offer.node).step;
        let taken = step.and_then(|step| self.events_taken.get(&step));
        if !interest.types.matches(&offer.event_type) || taken.is_some_and(|all| all.contains(&offer.seq)) {
            return false;
        }
        self.filter_of(offer.node).is_none_or(|filter| {
            let names = Names::at(self, offer.node).with("event", offer.document.clone());
            // A test that cannot be evaluated does not hold: the event has another shape.
            filter.evaluate_bool(&names).unwrap_or(false)
        })
    }

    fn filter_of(&self, id: NodeId) -> Option<&Expr> {
        match &self.step_of(id).body {
            Body::Await(awaited) => match &awaited.kind {
                AwaitKind::Event { filter, .. } => filter.as_ref(),
                AwaitKind::Signal { .. } | AwaitKind::Approval { .. } => None,
            },
            _ => None,
        }
    }

    /// What a record tells of the run, as events. `number` is that of the record in the history.
    pub fn events_of(&self, record: &Record, number: u64) -> Vec<Event> {
        let told = record.entries.iter().filter_map(|entry| match entry {
            Entry::RunStarted(_) => Some(("started", "running")),
            Entry::Paused { .. } => Some(("paused", "paused")),
            Entry::Resumed { .. } => Some(("resumed", "running")),
            Entry::RunEnded { state } => Some((state.as_str(), state.as_str())),
            _ => None,
        });
        let event = |(word, state): (&str, &str)| {
            let error = self.end.as_ref().and_then(|end| end.error.as_deref());
            let data = json!({
                "run": self.id(),
                "workflow": self.workflow.name,
                "revision": self.started.revision,
                "state": state,
                "tags": self.started.tags,
                "error": error.filter(|_| word == state && word != "paused"),
            });
            Event::of(Draft {
                id: format!("{}-{word}-{number}", self.id()),
                source: event_source(self.id()),
                event_type: format!("{RUN_EVENTS}{word}"),
                subject: Some(self.workflow.name.to_string()),
                time: record.at,
                data: Json::of(&data),
            })
        };
        told.map(event).collect()
    }
}
