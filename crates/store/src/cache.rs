//! Results of calls, kept for those who would make the same call.

use consort_types::{Digest, Json, Name, RunId, Timestamp};

/// A result that a call gave.
#[derive(Debug, Clone, PartialEq)]
pub struct CachedResult {
    /// Of which namespace.
    pub namespace: Name,
    /// What was called, with what: equal for equal calls.
    pub key: Digest,
    /// The revision of the service that gave it.
    pub revision: u64,
    /// The run that made the call.
    pub run: RunId,
    /// The key of the step that made it.
    pub step: String,
    /// When the answer came.
    pub at: Timestamp,
    /// From when on it does not count any more.
    pub expires_at: Timestamp,
    /// The answer.
    pub output: Json,
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheBounds {
    /// Results.
    pub results: u64,
    /// Bytes of their outputs, together.
    pub bytes: u64,
}

impl CacheBounds {
    /// A million small results, or a gibibyte of larger ones: what a disk beside a server has to spare.
    pub const DEFAULT: Self = Self { results: 1_000_000, bytes: 1 << 30 };
}

/// Results that go with each one that comes, at most: two more than come, so that what is over the bounds or
/// has expired shrinks, in bites that no commit notices.
pub const DROPPED_PER_RESULT_MAX: u32 = 3;
