//! Lines that attempts wrote. Kept apart from everything else: a flood of lines must not slow a commit, and
//! losing the last of them with the machine's power is no harm.

use crate::Error;
use consort_types::{RunId, Timestamp};

/// The most lines of one run; further ones are counted and dropped. The first lines tell most, and keeping
/// those needs no deleting.
pub const LOG_LINES_PER_RUN_MAX: u64 = 100_000;

/// The most bytes of lines of one run; further ones are counted and dropped.
pub const LOG_BYTES_PER_RUN_MAX: u64 = 64 << 20;

/// The most lines of one page; it also ends at [`PAGE_BYTES_MAX`](crate::PAGE_BYTES_MAX) bytes.
pub const LOG_PAGE_MAX: usize = 1_000;

/// One line of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The run.
    pub run: RunId,
    /// Key of the step.
    pub step: String,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// When it was read.
    pub at: Timestamp,
    /// Where it came from.
    pub stream: LogStream,
    /// The line, without its end.
    pub line: String,
}

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Consort itself.
    System,
}

/// Which lines of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter {
    /// The run.
    pub run: RunId,
    /// Of the step with exactly this key; of all without it.
    pub step: Option<String>,
}

/// A line and its place among the lines of its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedLine {
    /// Grows with each line of the run, from 1.
    pub number: u64,
    /// The line.
    pub line: LogLine,
}

/// Some lines, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogPage {
    /// The lines.
    pub lines: Vec<NumberedLine>,
    /// Pass this as `after` to go on, now or once there is more.
    pub next_after: u64,
    /// Whether more lines are there already.
    pub more: bool,
    /// How many lines of the run were dropped because of its bounds.
    pub dropped: u64,
}

/// The only way to add lines.
pub trait LogWriter: Send {
    /// Adds lines in their order. They survive the death of the process, not always that of the machine.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Corrupt`], [`Error::Io`]; then none of these lines is stored.
    fn append(&mut self, lines: &[LogLine]) -> Result<(), Error>;

    /// Forgets the lines of a run, and how many were dropped.
    ///
    /// # Errors
    /// As [`LogWriter::append`].
    fn delete(&mut self, run: RunId) -> Result<(), Error>;
}

/// Reads lines.
pub trait LogReader: Send + Sync {
    /// Lines with a number over `after` (0: from the first), at most `limit` (1 to [`LOG_PAGE_MAX`];
    /// anything else is put to the nearest).
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    fn lines(&self, filter: &LogFilter, after: u64, limit: usize) -> Result<LogPage, Error>;
}
