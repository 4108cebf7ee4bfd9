//! A call in doubt: nobody knows whether it happened. Its `resolve` is asked, else a person.

use super::{Decider, undo::ASIDE_TRIES};
use crate::{
    Entry, NodeId, Outcome, TimerKind, WaitFor,
    run::{Role, Run},
};
use consort_spec::definition::{Delivery, Retry};
use consort_types::{AttemptState, Json, RunError};
use std::time::Duration;

impl Decider<'_> {
    /// An attempt has ended without a word of what became of the call: asks, where the step says how.
    pub(crate) fn doubt(&mut self, id: NodeId, error: RunError) {
        if self.run.step_of(id).resolve.is_none() {
            return self.ask_a_person(id, error);
        }
        let error = Some(Box::new(error));
        self.record(Entry::Waiting { n: id, r#for: WaitFor::Resolve, until: None, error });
        let resolve = NodeId(self.run.nodes.len() as u32);
        self.record(Entry::ResolveStarted { n: id });
        self.dispatch(resolve);
    }

    /// An incident, unless its scope is ending: then it counts as failed, and is undone as what may have happened.
    fn ask_a_person(&mut self, id: NodeId, error: RunError) {
        if self.run.was_cut(id) {
            return self.conclude(id, Outcome::Cancelled);
        }
        if self.run.is_cut_off(id) {
            return self.fail_finally(id, error);
        }
        let error = Some(Box::new(error));
        self.record(Entry::Waiting { n: id, r#for: WaitFor::InDoubt, until: None, error });
    }

    /// The question was answered.
    pub(crate) fn resolve_succeeded(&mut self, resolve: NodeId, output: Json) {
        let of = self.run.node(resolve).parent.expect("a question has a parent");
        let happened = !output.is_null();
        if happened && let Err(error) = self.run.check_output(of, &output) {
            return self.resolve_gave_up(of, error);
        }
        self.record(Entry::Resolved { n: of, o: output.clone() });
        let error = self.run.node(of).error.as_deref().cloned();
        match error {
            _ if happened => self.body_succeeded(of, output),
            Some(error) if !self.run.was_cut(of) => self.try_failed(of, error, None),
            _ => self.conclude(of, Outcome::Cancelled),
        }
    }

    /// A try to ask has failed: again, or a person must say it.
    pub(crate) fn resolve_failed(&mut self, resolve: NodeId, error: RunError, retry_after: Option<Duration>) {
        let of = self.run.node(resolve).parent.expect("a question has a parent");
        let tries = self.run.node(resolve).tries;
        if !error.retryable || tries >= ASIDE_TRIES {
            return self.resolve_gave_up(of, error);
        }
        let seed = (self.run.id().as_uuid().as_u128() as u64) ^ u64::from(resolve.0);
        let at = super::failure::next_try_at(&Retry::default(), tries, retry_after, seed, self.now);
        let error = Some(Box::new(error));
        self.record(Entry::Waiting { n: resolve, r#for: WaitFor::Retry, until: Some(at), error });
        self.set_timer(resolve, TimerKind::Wake, at);
    }

    fn resolve_gave_up(&mut self, of: NodeId, error: RunError) {
        self.record(Entry::ResolveFailed { n: of, error: Box::new(error) });
        if let Some(error) = self.run.node(of).error.as_deref().cloned() {
            self.ask_a_person(of, error);
        }
    }
}

impl Run {
    /// Whether what became of a failed attempt must be found out before anything else.
    pub(crate) fn must_be_resolved(&self, id: NodeId, state: AttemptState) -> bool {
        let step = self.step_of(id);
        let in_doubt = self.node(id).in_doubt && !self.node(id).is_aside();
        match state {
            // A call that was cut matters only where it would be undone.
            AttemptState::Cancelled => in_doubt && step.resolve.is_some() && step.undo.is_some(),
            _ => in_doubt && (step.resolve.is_some() || step.delivery == Delivery::AtMostOnce),
        }
    }

    /// Whether the newest attempt of a call was cut.
    pub(crate) fn was_cut(&self, id: NodeId) -> bool {
        let last = self.node(id).attempts.last();
        last.is_some_and(|attempt| attempt.state == AttemptState::Cancelled)
    }

    /// Whether a node is a question what became of a call.
    pub(crate) fn is_resolve(&self, id: NodeId) -> bool {
        self.node(id).role == Role::Resolve
    }
}
