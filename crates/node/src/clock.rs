//! The one place that reads a clock.

use consort_types::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the loops get the time from; tests bring their own.
pub trait Clock: Send + Sync {
    /// The time now. May jump in either direction, as the clock of a machine may.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
