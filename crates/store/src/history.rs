//! The append-only record of a run, as rows that the store does not look into.

use bytes::Bytes;

/// The most bytes of one page of history, so that a reader's memory is bounded. A row that is larger comes
/// alone.
pub const HISTORY_PAGE_BYTES_MAX: usize = 8 << 20;

/// What one [`Write::Append`](crate::Write::Append) stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// Its place in the run.
    pub seq: u64,
    /// One or more entries, in bytes that only the engine reads.
    pub entries: Bytes,
}

/// Some rows of a history, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryPage {
    /// The rows.
    pub rows: Vec<HistoryRow>,
    /// Where to go on; none when these were the last rows.
    pub next_seq: Option<u64>,
}
