//! Rules of time, failure and sharing that steps and workflows carry.

use consort_expr::{Expr, Template};
use std::time::Duration;

/// From which new try on what the failed one had completed is undone first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CleanFrom {
    /// Never (`clean: false`).
    #[default]
    Never,
    /// From the n-th new try on, counted from 1 (`clean: true` is 1).
    Try(u32),
}

/// When and how often to try again.
#[derive(Debug, Clone)]
pub struct Retry {
    /// Tries in all, the first included; at least 1.
    pub attempts: u32,
    /// Before the second try.
    pub delay: Duration,
    /// Factor from one delay to the next; at least 1.
    pub backoff: f64,
    /// The longest delay.
    pub max_delay: Duration,
    /// Share of the delay that is drawn at random on top or off, 0 to 1.
    pub jitter: f64,
    /// Replaces the test "is the error retryable"; sees `error`.
    pub when: Option<Expr>,
    /// Whether to begin from a clean slate.
    pub clean: CleanFrom,
}

impl Default for Retry {
    /// The defaults of the reference: 3 tries, 1 s × 2 up to 1 m, jitter 0.2.
    fn default() -> Self {
        Self {
            attempts: 3,
            delay: Duration::from_secs(1),
            backoff: 2.0,
            max_delay: Duration::from_secs(60),
            jitter: 0.2,
            when: None,
            clean: CleanFrom::Never,
        }
    }
}

/// What becomes of a run whose top scope failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// What was completed is undone, the run fails.
    #[default]
    Undo,
    /// The run fails, nothing is undone.
    Keep,
    /// The run pauses as an incident and waits for a person.
    Pause,
}

/// How many items of a `for_each` may fail.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerate {
    /// So many.
    Count(u32),
    /// So many per cent of all items, rounded down.
    Percent(f64),
}

/// What happens to a start when the limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenFull {
    /// The run waits, in order of arrival.
    #[default]
    Queue,
    /// The start is refused.
    Reject,
    /// The oldest run is cancelled to make room.
    CancelOldest,
}

/// How many runs of a workflow may be live at once.
#[derive(Debug, Clone)]
pub struct Concurrency {
    /// At most so many, for each key.
    pub limit: u32,
    /// Splits the limit; sees `input`.
    pub key: Option<Template>,
    /// What happens at the limit.
    pub when_full: WhenFull,
}
