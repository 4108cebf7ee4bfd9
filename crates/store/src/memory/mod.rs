//! The store in memory: the whole contract but its durability. For tests, and for trying things out.

mod event;
mod log;
mod reader;
mod table;
mod writer;

use crate::{
    BudgetKey, BudgetState, CachedResult, Error, Notice, NoticeKind, OpenRun, Project, RunSummary, Service,
    ServiceRevision, Store, StoredEvent, WorkflowRevision,
    memory::{log::Logs, table::Table},
};
use bytes::Bytes;
use consort_types::{Digest, EventKey, Json, Name, RunId, Timestamp};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

/// A store that lives as long as this value and its handles.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Shared>,
    lease: Arc<Mutex<Weak<Lease>>>,
}

/// Held by the handles of one opening, so that there are never two writers.
#[derive(Debug)]
struct Lease;

#[derive(Debug, Default)]
struct Shared {
    tables: RwLock<Tables>,
    logs: RwLock<Logs>,
}

#[derive(Debug, Default)]
struct Tables {
    history: Table<(RunId, u64), Bytes>,
    runs: Table<RunId, IndexedRun>,
    keys: Table<(Name, Name, String), RunId>,
    summaries: Table<(Timestamp, RunId), RunSummary>,
    /// Where a run stands in `summaries`.
    created: Table<RunId, Timestamp>,
    notices: Table<(RunId, NoticeKind, String), (Name, Notice)>,
    last_outputs: Table<(Name, Name, Option<String>), Json>,
    events: Table<u64, StoredEvent>,
    event_keys: Table<EventKey, u64>,
    projects: Table<(Name, u64), Project>,
    workflows: Table<(Name, Name), u64>,
    workflow_revisions: Table<(Name, Name, u64), WorkflowRevision>,
    results: Table<(Name, Digest, u64), CachedResult>,
    services: Table<(Name, Name), Service>,
    service_revisions: Table<(Name, Name, u64), ServiceRevision>,
    budgets: Table<BudgetKey, BudgetState>,
}

#[derive(Debug, Clone)]
struct IndexedRun {
    start: OpenRun,
    closed_at: Option<Timestamp>,
}

/// One handle of an opening.
struct Handle {
    shared: Arc<Shared>,
    _lease: Arc<Lease>,
}

impl MemoryStore {
    /// Opens it. What was committed by an earlier opening is there.
    ///
    /// # Errors
    /// [`Error::Locked`] while handles of another opening live.
    pub fn open(&self) -> Result<Store, Error> {
        let mut current = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        if current.upgrade().is_some() {
            return Err(Error::Locked { path: "memory".into(), pid: Some(std::process::id()) });
        }
        let lease = Arc::new(Lease);
        *current = Arc::downgrade(&lease);
        let handle = || Handle { shared: Arc::clone(&self.shared), _lease: Arc::clone(&lease) };
        Ok(Store {
            writer: Box::new(handle()),
            reader: Arc::new(handle()),
            log_writer: Box::new(handle()),
            log_reader: Arc::new(handle()),
        })
    }
}

// A panic inside a lock can only come from the allocator; a commit that it cut short is undone by the next.
impl Shared {
    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::conformance!({
        let store = MemoryStore::default();
        move || store.open()
    });
}
