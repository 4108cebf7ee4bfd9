//! The storage contract, its records, an in-memory store that is real, and the suite that any store must
//! pass.
//!
//! A store keeps what it is given and gives it back: the histories of runs, the definitions that they were
//! started with, the lists that people search, the lines that services wrote. It must never know what is in
//! a history, when something is due, or what a state leads to; those are the engine's and the node's. The
//! contract is synchronous: a node writes from its committer's own thread and reads from blocking threads.
//!
//! Start reading at [`Writer`] and [`Write`], then [`Reader`]. To add a noun: a file with its records, a
//! variant of [`Write`], its questions in [`Reader`], both stores, and its cases in [`conformance`].

mod batch;
mod budget;
mod cache;
pub mod conformance;
mod definition;
mod error;
mod event;
mod history;
mod last_output;
mod log;
pub mod memory;
mod notice;
mod page;
mod reader;
mod run;
mod service;

pub use batch::{Batch, Write, Writer};
pub use budget::{BudgetChange, BudgetKey, BudgetState};
pub use cache::{CacheBounds, CachedResult, DROPPED_PER_RESULT_MAX};
pub use definition::{Project, ProjectFile, WorkflowRevision};
pub use error::Error;
pub use event::{EventFilter, EventOrder, EventPlace, StoredEvent, page_of_events};
pub use history::{HISTORY_PAGE_BYTES_MAX, HistoryPage, HistoryRow};
pub use last_output::LastOutput;
pub use log::{
    LOG_BYTES_PER_RUN_MAX, LOG_LINES_PER_RUN_MAX, LOG_PAGE_MAX, LogFilter, LogLine, LogPage, LogReader,
    LogStream, LogWriter, NumberedLine,
};
pub use notice::{Notice, NoticeKind, NoticeOfRun, NoticePlace};
pub use page::{Cursor, LIMIT_MAX, PAGE_BYTES_MAX, Page, PageRequest};
pub use reader::Reader;
pub use run::{
    KeyedRun, OpenRun, RunCount, RunFilter, RunPager, RunSummary, SCANNED_PER_PAGE_MAX, SummaryError,
    Waiting, wait_word,
};
pub use service::{Service, ServiceRevision};

use std::sync::Arc;

/// The handles of one opened store. When all of them are dropped, another process may open it.
pub struct Store {
    /// The only writer: for the committer.
    pub writer: Box<dyn Writer>,
    /// For everybody who asks.
    pub reader: Arc<dyn Reader>,
    /// The only writer of logs: for the thread that collects lines.
    pub log_writer: Box<dyn LogWriter>,
    /// For everybody who reads logs.
    pub log_reader: Arc<dyn LogReader>,
}
