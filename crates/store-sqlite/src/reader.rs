//! Answers, each from a connection of its own, so that readers wait neither for each other nor for commits.

use crate::{
    budget, cache, definition, event, fault::Fault, file::DatabaseFile, history, last_output, list,
    lock::FolderLock, notice, run, service, summary,
};
use consort_store::{
    BudgetState, CachedResult, Error, EventFilter, EventOrder, HistoryPage, KeyedRun, NoticeKind,
    NoticeOfRun, OpenRun, Page, PageRequest, Project, Reader, RunCount, RunFilter, RunSummary, Service,
    ServiceRevision, StoredEvent, WorkflowRevision,
};
use consort_types::{Digest, EventKey, Json, Name, RunId, Timestamp};
use rusqlite::Connection;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections kept for the next reader; one costs up to 4 MiB of cached pages. More at a time are opened
/// as needed and closed after use.
const IDLE_MAX: usize = 4;

/// Connections that only read.
pub(crate) struct Readers {
    file: DatabaseFile,
    idle: Mutex<Vec<Connection>>,
    _lock: Arc<FolderLock>,
}

impl Readers {
    pub(crate) const fn new(file: DatabaseFile, lock: Arc<FolderLock>) -> Self {
        Self { file, idle: Mutex::new(Vec::new()), _lock: lock }
    }

    /// Asks one question in one snapshot of the store.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Error> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => self.file.reader()?,
        };
        let snapshot = connection.unchecked_transaction().map_err(Fault::from)?;
        let answer = question(&snapshot)?;
        drop(snapshot);
        let mut idle = idle();
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
        Ok(answer)
    }
}

pub(crate) struct SqliteReader {
    readers: Readers,
}

impl SqliteReader {
    pub(crate) const fn new(file: DatabaseFile, lock: Arc<FolderLock>) -> Self {
        Self { readers: Readers::new(file, lock) }
    }
}

impl Reader for SqliteReader {
    fn cached(&self, namespace: &str, key: Digest, revision: u64) -> Result<Option<CachedResult>, Error> {
        self.readers.ask(|db| cache::get(db, namespace, key, revision))
    }

    fn is_cached(&self, namespace: &str, key: Digest) -> Result<bool, Error> {
        self.readers.ask(|db| cache::has(db, namespace, key))
    }

    fn open_runs(&self) -> Result<Vec<OpenRun>, Error> {
        self.readers.ask(run::all_open)
    }

    fn budgets(&self) -> Result<Vec<BudgetState>, Error> {
        self.readers.ask(budget::all)
    }

    fn history(&self, run: RunId, from_seq: u64, limit: usize) -> Result<HistoryPage, Error> {
        self.readers.ask(|db| history::page(db, run, from_seq, limit))
    }

    fn run_by_key(&self, namespace: &str, workflow: &str, key: &str) -> Result<Option<KeyedRun>, Error> {
        self.readers.ask(|db| run::by_key(db, namespace, workflow, key))
    }

    fn closed_before(&self, before: Timestamp, limit: usize) -> Result<Vec<RunId>, Error> {
        self.readers.ask(|db| run::closed_before(db, before, limit))
    }

    fn run(&self, run: RunId) -> Result<Option<RunSummary>, Error> {
        self.readers.ask(|db| summary::get(db, run))
    }

    fn runs(&self, filter: &RunFilter, page: &PageRequest) -> Result<Page<RunSummary>, Error> {
        self.readers.ask(|db| list::page(db, filter, page))
    }

    fn notices(
        &self,
        namespace: &str,
        kind: NoticeKind,
        page: &PageRequest,
    ) -> Result<Page<NoticeOfRun>, Error> {
        self.readers.ask(|connection| notice::list(connection, namespace, kind, page))
    }

    fn run_counts(&self, namespace: &str) -> Result<Vec<RunCount>, Error> {
        self.readers.ask(|db| summary::counts(db, namespace))
    }

    fn last_output(
        &self,
        namespace: &str,
        workflow: &str,
        limit_key: Option<&str>,
    ) -> Result<Option<Json>, Error> {
        self.readers.ask(|db| last_output::get(db, namespace, workflow, limit_key))
    }

    fn event(&self, key: EventKey) -> Result<Option<StoredEvent>, Error> {
        self.readers.ask(|db| event::by_key(db, key))
    }

    fn events(
        &self,
        filter: &EventFilter,
        order: EventOrder,
        page: &PageRequest,
    ) -> Result<Page<StoredEvent>, Error> {
        self.readers.ask(|db| event::page(db, filter, order, page))
    }

    fn newest_event(&self) -> Result<u64, Error> {
        self.readers.ask(event::newest)
    }

    fn namespaces(&self) -> Result<Vec<Name>, Error> {
        self.readers.ask(definition::namespaces)
    }

    fn project(&self, namespace: &str) -> Result<Option<Project>, Error> {
        self.readers.ask(|db| definition::newest_project(db, namespace))
    }

    fn project_at(&self, namespace: &str, sequence: u64) -> Result<Option<Project>, Error> {
        self.readers.ask(|db| definition::project_at(db, namespace, sequence))
    }

    fn workflows(&self, namespace: &str, page: &PageRequest) -> Result<Page<WorkflowRevision>, Error> {
        self.readers.ask(|db| definition::workflows(db, namespace, page))
    }

    fn workflow(&self, namespace: &str, name: &str) -> Result<Option<WorkflowRevision>, Error> {
        self.readers.ask(|db| definition::workflow(db, namespace, name))
    }

    fn workflow_revision(
        &self,
        namespace: &str,
        name: &str,
        number: u64,
    ) -> Result<Option<WorkflowRevision>, Error> {
        self.readers.ask(|db| definition::workflow_revision(db, namespace, name, number))
    }

    fn workflow_revisions(
        &self,
        namespace: &str,
        name: &str,
        page: &PageRequest,
    ) -> Result<Page<WorkflowRevision>, Error> {
        self.readers.ask(|db| definition::workflow_revisions(db, namespace, name, page))
    }

    fn services(&self, namespace: &str, page: &PageRequest) -> Result<Page<Service>, Error> {
        self.readers.ask(|db| service::list(db, namespace, page))
    }

    fn service(&self, namespace: &str, name: &str) -> Result<Option<Service>, Error> {
        self.readers.ask(|db| service::get(db, namespace, name))
    }

    fn service_revision(
        &self,
        namespace: &str,
        name: &str,
        number: u64,
    ) -> Result<Option<ServiceRevision>, Error> {
        self.readers.ask(|db| service::revision(db, namespace, name, number))
    }

    fn service_revisions(
        &self,
        namespace: &str,
        name: &str,
        page: &PageRequest,
    ) -> Result<Page<ServiceRevision>, Error> {
        self.readers.ask(|db| service::revisions(db, namespace, name, page))
    }
}
