//! How calls of services have gone since the server started, in memory of a fixed size for each operation.

use crate::balancer::ServiceKey;
use consort_invoke::Outcome;
use consort_types::ErrorKind;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Parts of each doubling of time: a percentile is off by an eighth at most.
const PARTS: usize = 8;

/// Doublings from a microsecond on: the last is longer than any call.
const DOUBLINGS: usize = 36;

/// Operations that are counted; those that come later are not. Each takes 2.3 KiB.
const OPERATIONS_MAX: usize = 20_000;

/// Calls of one operation, or of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallStats {
    /// Calls that were answered, also with 202; those that were cancelled do not count.
    pub calls: u64,
    /// Those that failed.
    pub failures: u64,
    longest_us: u64,
    times: Box<[u64; PARTS * DOUBLINGS]>,
}

impl Default for CallStats {
    fn default() -> Self {
        Self { calls: 0, failures: 0, longest_us: 0, times: Box::new([0; PARTS * DOUBLINGS]) }
    }
}

impl CallStats {
    /// Counts one call.
    fn note(&mut self, failed: bool, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.calls += 1;
        self.failures += u64::from(failed);
        self.longest_us = self.longest_us.max(us);
        self.times[place(us)] += 1;
    }

    /// Adds the calls of another operation.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.failures += other.failures;
        self.longest_us = self.longest_us.max(other.longest_us);
        self.times.iter_mut().zip(other.times.iter()).for_each(|(all, more)| *all += more);
    }

    /// Of all calls the share that succeeded, 0 to 1; none without calls.
    pub fn success_ratio(&self) -> Option<f64> {
        (self.calls > 0).then(|| (self.calls - self.failures) as f64 / self.calls as f64)
    }

    /// So many of a hundred calls took at most so long, in milliseconds; none without calls.
    pub fn percentile_ms(&self, percent: f64) -> Option<f64> {
        let wanted = ((self.calls as f64 * percent / 100.0).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.times.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Some(end_of(index).min(self.longest_us as f64) / 1_000.0);
            }
        }
        None
    }

    /// The longest call, in milliseconds; none without calls.
    pub fn longest_ms(&self) -> Option<f64> {
        (self.calls > 0).then_some(self.longest_us as f64 / 1_000.0)
    }
}

/// Which part a time belongs to.
fn place(us: u64) -> usize {
    let us = us.max(1);
    let doubling = us.ilog2() as usize;
    // How far into the doubling, in parts.
    let part = ((us as u128 - (1_u128 << doubling)) * PARTS as u128) >> doubling;
    (doubling * PARTS + part as usize).min(PARTS * DOUBLINGS - 1)
}

/// Where a part ends, in microseconds.
fn end_of(index: usize) -> f64 {
    let (doubling, part) = (index / PARTS, index % PARTS);
    2_f64.powi(doubling as i32) * (1.0 + (part + 1) as f64 / PARTS as f64)
}

/// Calls of all services.
#[derive(Debug, Default)]
pub struct Stats {
    services: Mutex<HashMap<ServiceKey, BTreeMap<String, CallStats>>>,
}

impl Stats {
    /// Counts one call.
    pub fn note(&self, key: &ServiceKey, operation: &str, outcome: &Outcome, took: Duration) {
        let failed = match outcome {
            Outcome::Succeeded(_) | Outcome::Accepted => false,
            Outcome::Failed(failure) if failure.error.kind == ErrorKind::Cancelled => return,
            Outcome::Failed(_) => true,
        };
        let mut services = self.services();
        let full = services.values().map(BTreeMap::len).sum::<usize>() >= OPERATIONS_MAX;
        let known = services.get_mut(key).and_then(|operations| operations.get_mut(operation));
        match known {
            Some(stats) => stats.note(failed, took),
            None if full => {}
            None => {
                let operations = services.entry(key.clone()).or_default();
                operations.entry(operation.to_owned()).or_default().note(failed, took);
            }
        }
    }

    /// Calls of a service by operation.
    pub fn of(&self, key: &ServiceKey) -> BTreeMap<String, CallStats> {
        self.services().get(key).cloned().unwrap_or_default()
    }

    /// A service is gone.
    pub fn forget(&self, key: &ServiceKey) {
        self.services().remove(key);
    }

    fn services(&self) -> MutexGuard<'_, HashMap<ServiceKey, BTreeMap<String, CallStats>>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use consort_invoke::Reached;
    use consort_types::{Json, Name, NameKind, RunError};

    #[test]
    fn percentiles_are_within_an_eighth() {
        let mut stats = CallStats::default();
        assert_eq!((stats.percentile_ms(50.0), stats.success_ratio()), (None, None));
        (1..=1_000_u64).for_each(|n| stats.note(n % 10 == 0, Duration::from_millis(n)));
        assert_eq!(stats.success_ratio(), Some(0.9));
        for (percent, expected) in [(50.0, 500.0), (95.0, 950.0), (99.0, 990.0)] {
            let found = stats.percentile_ms(percent).unwrap();
            assert!((expected..=expected * 1.125).contains(&found), "{percent}: {found}");
        }
        assert_eq!(stats.longest_ms(), Some(1_000.0));
        let mut one = CallStats::default();
        one.note(false, Duration::from_micros(1_500));
        assert_eq!(one.percentile_ms(50.0), Some(1.5), "no more than the longest");
        one.note(true, Duration::MAX);
        one.note(false, Duration::ZERO);
        one.add(&stats);
        assert_eq!((one.calls, one.failures), (1_003, 101));
    }

    #[test]
    fn a_call_that_was_cancelled_says_nothing_of_the_service() {
        let name = |text| Name::new(text, NameKind::Kebab).unwrap();
        let key = ServiceKey { namespace: name("n"), service: name("s") };
        let failed = |kind| Outcome::failed(RunError::new("X", kind, ""), Reached::Maybe);
        let stats = Stats::default();
        for outcome in [
            Outcome::Succeeded(Json::null()),
            Outcome::Accepted,
            failed(ErrorKind::Cancelled),
            failed(ErrorKind::Timeout),
        ] {
            stats.note(&key, "op", &outcome, Duration::from_millis(1));
        }
        let all = stats.of(&key);
        assert_eq!((all["op"].calls, all["op"].failures), (3, 1));
        stats.forget(&key);
        assert!(stats.of(&key).is_empty());
    }
}
