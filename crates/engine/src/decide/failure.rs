//! What follows from a failed try: another one, a catch, or the failure of the step.

use super::Decider;
use crate::{
    Entry, NodeId, OpenedAs, Outcome, TimerKind, UndoPurpose, WaitFor,
    run::{Names, Run},
};
use consort_spec::definition::{Body, CleanFrom, Delivery, Retry};
use consort_types::{Json, RunError, Timestamp};
use std::time::Duration;

/// The longest that a callee may ask to be left alone by `Retry-After`.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(15 * 60);

impl Decider<'_> {
    /// A try of a node has failed: tries again where the rules allow it.
    pub(crate) fn try_failed(&mut self, id: NodeId, mut error: RunError, retry_after: Option<Duration>) {
        error.step.get_or_insert_with(|| self.run.key_of(id));
        let Some(retry) = self.next_try(id, &error) else { return self.fail_finally(id, error) };
        if is_clean(&retry, self.run.node(id).tries) {
            let undo = self.own_undo(id);
            let waiting = WaitFor::Retry;
            self.record(Entry::Waiting { n: id, r#for: waiting, until: None, error: Some(Box::new(error)) });
            self.begin_undo(id, UndoPurpose::Retry, undo);
        } else {
            self.wait_for_try(id, &retry, error, retry_after);
        }
    }

    /// The rule for another try, when there will be one.
    fn next_try(&self, id: NodeId, error: &RunError) -> Option<Retry> {
        let retry = match self.run.step_of(id).delivery {
            Delivery::AtLeastOnce => self.run.retry_of(id)?,
            // What may have happened is never sent twice; what certainly has not may be.
            Delivery::AtMostOnce if self.run.node(id).in_doubt || !self.run.never_happened(id) => {
                return None;
            }
            Delivery::AtMostOnce => self.run.retry_of(id).unwrap_or_default(),
        };
        let tries_left = self.run.node(id).tries < retry.attempts;
        let goes_on = !self.run.is_cut_off_outside(id) && self.run.node(id).ending.is_none();
        // The time of anything but a call runs from ready to done, over all of its tries.
        let has_time = self.run.node(id).timeout_at.is_none_or(|at| at > self.now);
        (tries_left && goes_on && has_time && self.is_retryable(&retry, error, id)).then_some(retry)
    }

    pub(crate) fn is_retryable(&self, retry: &Retry, error: &RunError, id: NodeId) -> bool {
        match &retry.when {
            None => error.retryable,
            // A test that cannot be evaluated does not hold: trying again would be a guess.
            Some(when) => {
                when.evaluate_bool(&Names::at(self.run, id).with("error", Json::of(error))).unwrap_or(false)
            }
        }
    }

    /// The undo of a call's own failed try.
    fn own_undo(&self, id: NodeId) -> Option<crate::UndoInput> {
        let is_call = matches!(self.run.step_of(id).body, Body::Call(_));
        let of_call = is_call.then(|| self.undo_input(id, &Json::null(), false)).flatten();
        of_call.or_else(|| self.run.undo_of_failed_child(id))
    }

    fn wait_for_try(&mut self, id: NodeId, retry: &Retry, error: RunError, retry_after: Option<Duration>) {
        let seed = (self.run.id().as_uuid().as_u128() as u64) ^ (u64::from(id.0) << 32);
        let at = next_try_at(retry, self.run.node(id).tries, retry_after, seed, self.now);
        let error = Some(Box::new(error));
        self.record(Entry::Waiting { n: id, r#for: WaitFor::Retry, until: Some(at), error });
        self.set_timer(id, TimerKind::Wake, at);
    }

    /// The clean slate for another try is there, or cannot be had.
    pub(crate) fn clean_for_try(&mut self, id: NodeId, parked: bool) {
        let error = self.run.node(id).error.clone();
        let Some(error) = error else { return };
        match self.run.retry_of(id) {
            Some(retry) if !parked && !self.run.is_cut_off_outside(id) => {
                self.wait_for_try(id, &retry, *error, None);
            }
            _ => self.fail_finally(id, *error),
        }
    }

    /// The delay before a try is over.
    pub(crate) fn begin_try(&mut self, id: NodeId) {
        self.record(Entry::Retried { n: id });
        if self.run.node(id).is_aside() {
            self.dispatch(id);
        } else {
            self.begin_body(id);
        }
    }

    /// A node will not be tried again: a catch takes over, or it fails.
    pub(crate) fn fail_finally(&mut self, id: NodeId, mut error: RunError) {
        error.step.get_or_insert_with(|| self.run.key_of(id));
        let error = Box::new(error);
        match self.catching(id, &error) {
            Some(scope) => {
                self.record(Entry::Caught { n: id, error });
                self.open(id, scope, OpenedAs::Catch);
            }
            None => self.conclude(id, Outcome::Failed { error }),
        }
    }

    /// The scope of the first catch that matches.
    fn catching(&self, id: NodeId, error: &RunError) -> Option<consort_spec::definition::ScopeId> {
        let node = self.run.node(id);
        if self.run.is_cut_off_outside(id)
            || node.opened_as(OpenedAs::Catch).is_some()
            || node.ending.is_some()
        {
            return None;
        }
        let matches = |catch: &&consort_spec::definition::Catch| match &catch.when {
            None => true,
            Some(when) => {
                when.evaluate_bool(&Names::at(self.run, id).with("error", Json::of(error))).unwrap_or(false)
            }
        };
        self.run.step_of(id).catch.iter().find(matches).map(|catch| catch.scope)
    }
}

impl Run {
    /// The retry that holds for a node: its step's, else its operation's.
    pub(crate) fn retry_of(&self, id: NodeId) -> Option<Retry> {
        let step = self.step_of(id);
        match (&step.retry, &step.body) {
            (Some(retry), _) => Some(retry.clone()),
            (None, Body::Call(call)) => call.operation.retry.clone(),
            (None, _) => None,
        }
    }

    /// Whether the newest attempt of a call certainly had no effect: it never left, or its `resolve` said so.
    fn never_happened(&self, id: NodeId) -> bool {
        let last = self.node(id).attempts.last();
        last.is_some_and(|attempt| attempt.unsent || attempt.is_in_doubt() == Some(true))
    }

    /// Whether something around a node, itself left out, is closed.
    fn is_cut_off_outside(&self, id: NodeId) -> bool {
        match self.node(id).parent {
            Some(parent) if !self.stands_directly_in_finally(id) => self.is_cut_off(parent),
            _ => false,
        }
    }
}

/// Whether the next try, after so many, begins from a clean slate.
pub(crate) fn is_clean(retry: &Retry, tries: u32) -> bool {
    match retry.clean {
        CleanFrom::Never => false,
        CleanFrom::Try(from) => tries >= from,
    }
}

/// When the next try begins: the callee's own wish first, else exponential back-off with jitter.
pub(crate) fn next_try_at(
    retry: &Retry,
    tries: u32,
    retry_after: Option<Duration>,
    seed: u64,
    now: Timestamp,
) -> Timestamp {
    if let Some(asked) = retry_after {
        return now.plus(asked.min(RETRY_AFTER_MAX));
    }
    let exponent = i32::try_from(tries.saturating_sub(1)).unwrap_or(i32::MAX);
    let plain = retry.delay.as_secs_f64() * retry.backoff.powi(exponent);
    let bounded = plain.min(retry.max_delay.as_secs_f64());
    let jittered = bounded * (1.0 + retry.jitter * (2.0 * unit_hash(seed ^ u64::from(tries)) - 1.0));
    now.plus(Duration::try_from_secs_f64(jittered.max(0.0)).unwrap_or(retry.max_delay))
}

/// A number from 0 to 1 that depends on nothing but its argument: chance without randomness.
///
/// SplitMix64's finalizer (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
fn unit_hash(seed: u64) -> f64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry() -> Retry {
        Retry { jitter: 0.0, ..Retry::default() }
    }

    fn delay_ms(retry: &Retry, tries: u32, asked: Option<u64>) -> i64 {
        let asked = asked.map(Duration::from_secs);
        next_try_at(retry, tries, asked, 7, Timestamp::from_millis(0)).as_millis()
    }

    #[test]
    fn delays_double_up_to_the_longest() {
        let delays: Vec<i64> = (1..=8).map(|tries| delay_ms(&retry(), tries, None)).collect();
        assert_eq!(delays, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    }

    #[test]
    fn the_callee_is_left_alone_as_it_asked_but_not_for_ever() {
        assert_eq!(delay_ms(&retry(), 1, Some(30)), 30_000);
        assert_eq!(delay_ms(&retry(), 1, Some(86_400)), 900_000);
    }

    #[test]
    fn jitter_stays_within_its_share_and_is_the_same_each_time() {
        let retry = Retry { jitter: 0.2, ..Retry::default() };
        for tries in 1..100 {
            let delay = delay_ms(&retry, 1, None);
            assert!((800..=1_200).contains(&delay), "{delay}");
            assert_eq!(delay_ms(&retry, tries, None), delay_ms(&retry, tries, None));
        }
    }
}
