//! What importance is worth against waiting.

use crate::Timestamp;
use std::time::Duration;

/// Waiting so long is worth one step of priority: what is ten steps less important goes first after a minute,
/// and the least important of all (-100) before a newcomer of the most important (100) after 20 minutes.
pub const AGEING: Duration = Duration::from_secs(6);

/// Place in a queue by priority and time of arrival, smaller first. Because all that wait grow more important at
/// one pace, the order of two of them never changes, and a plain sorted queue is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank(i64);

impl Rank {
    /// The place of something of a priority (-100 to 100) that waits since a time.
    pub fn new(priority: i32, since: Timestamp) -> Self {
        let head_start = i64::from(priority) * AGEING.as_millis() as i64;
        Self(since.as_millis().saturating_sub(head_start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn importance_comes_first_and_waiting_makes_up_for_it() {
        let at = |priority, seconds: i64| Rank::new(priority, Timestamp::from_millis(seconds * 1_000));
        assert!(at(10, 0) < at(0, 0));
        assert!(at(0, 0) < at(0, 1));
        assert!(at(10, 59) < at(0, 0), "not yet");
        assert!(at(0, 0) < at(10, 61), "it waited for a minute");
    }
}
