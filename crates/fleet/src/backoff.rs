//! When a revision whose replicas fail may be started again.

use crate::observed::ReplicaId;
use consort_types::Timestamp;
use std::time::Duration;

/// After the first failure.
pub const BACKOFF_FIRST: Duration = Duration::from_secs(1);

/// After many failures; jitter never goes over it.
pub const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// So long ready without a failure: the failures before are forgotten.
pub const CLEAN_RUN: Duration = Duration::from_secs(60);

/// Failures in a row from which on it is a crash loop. One failure may be bad luck.
const CRASH_LOOP_FAILURES: u32 = 2;

/// Jitter, in thousandths of the delay to either side.
const JITTER: u64 = 200;

/// The failures in a row of one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Backoff {
    /// In a row. Replicas that fail during one pause count as one: what was started together fails together.
    pub failures: u32,
    /// No start before.
    pub until: Timestamp,
    /// The last failure, as a part of a sentence.
    pub cause: String,
}

impl Backoff {
    /// The first failure.
    pub fn first(replica: ReplicaId, cause: &str, now: Timestamp) -> Self {
        Self { failures: 1, until: now.plus(delay(1, replica)), cause: cause.to_owned() }
    }

    /// One more failure.
    pub fn again(&mut self, replica: ReplicaId, cause: &str, now: Timestamp) {
        self.cause = cause.to_owned();
        if now >= self.until {
            self.failures = self.failures.saturating_add(1);
            self.until = now.plus(delay(self.failures, replica));
        }
    }

    /// Whether it is more than bad luck.
    pub fn is_crash_loop(&self) -> bool {
        self.failures >= CRASH_LOOP_FAILURES
    }
}

/// 1 s × 2 for each failure in a row, up to a minute, a fifth more or less by the id of the replica that failed.
fn delay(failures: u32, replica: ReplicaId) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let base_ms = (BACKOFF_FIRST * (1 << doublings)).min(BACKOFF_MAX).as_millis() as u64;
    let thousandths = 1_000 - JITTER + mixed(replica.0 ^ u64::from(failures) << 32) % (2 * JITTER + 1);
    Duration::from_millis(base_ms * thousandths / 1_000).min(BACKOFF_MAX)
}

/// Spreads neighbouring ids over all of `u64` (the finalizer of SplitMix64).
fn mixed(id: u64) -> u64 {
    let mut z = id.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_a_minute_a_fifth_more_or_less() {
        for (failures, base_ms) in
            [(1, 1_000), (2, 2_000), (3, 4_000), (6, 32_000), (7, 60_000), (u32::MAX, 60_000)]
        {
            for id in 0..200 {
                let ms = delay(failures, ReplicaId(id)).as_millis();
                assert!(ms >= base_ms * 8 / 10 && ms <= (base_ms * 12 / 10).min(60_000), "{failures}: {ms}");
            }
        }
    }

    #[test]
    fn services_that_fail_together_do_not_come_back_together() {
        let delays: std::collections::BTreeSet<_> = (0..50).map(|id| delay(5, ReplicaId(id))).collect();
        assert!(delays.len() > 40, "{} different delays of 50", delays.len());
    }

    #[test]
    fn those_that_fail_in_one_pause_count_as_one() {
        let at = Timestamp::from_millis;
        let mut backoff = Backoff::first(ReplicaId(1), "exit code 1", at(0));
        let until = backoff.until;
        backoff.again(ReplicaId(2), "exit code 2", at(10));
        assert_eq!((backoff.failures, backoff.until, backoff.cause.as_str()), (1, until, "exit code 2"));
        backoff.again(ReplicaId(3), "exit code 1", until);
        assert_eq!(backoff.failures, 2);
    }
}
