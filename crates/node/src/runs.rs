//! Reads runs from what is committed: rebuilt from their history, kept for those that ask again.

use crate::catalog::Catalog;
use consort_engine::{Entry, Record, Run};
use consort_store::{Error, EventFilter, EventOrder, KeyedRun, Page, PageRequest, Reader, StoredEvent};
use consort_types::{EventKey, Name, RunId};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

/// Rebuilt runs kept for readers that ask again: the few pages that are open.
const KEPT_MAX: usize = 32;

/// Rows read in one piece.
const ROWS_PER_READ: usize = 5_000;

/// Why a run could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] Error),
    /// What is stored makes no sense.
    #[error("run {0} cannot be rebuilt: {1}")]
    Unreadable(RunId, String),
}

/// Reads runs.
pub struct RunReader {
    reader: Arc<dyn Reader>,
    kept: Mutex<VecDeque<(RunId, Arc<Kept>)>>,
}

/// A run as of a row of its history.
pub struct Kept {
    /// The run.
    pub run: Run,
    next_seq: u64,
}

impl RunReader {
    /// Reads through a reader of the store.
    pub fn new(reader: Arc<dyn Reader>) -> Self {
        Self { reader, kept: Mutex::default() }
    }

    /// The run of an idempotency key.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn run_by_key(
        &self,
        namespace: &Name,
        workflow: &Name,
        key: &str,
    ) -> Result<Option<KeyedRun>, Error> {
        self.reader.run_by_key(namespace.as_str(), workflow.as_str(), key)
    }

    /// An event by its key. Blocks on the store.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn event(&self, key: EventKey) -> Result<Option<StoredEvent>, Error> {
        self.reader.event(key)
    }

    /// Events in an order. Blocks on the store.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn events(
        &self,
        filter: &EventFilter,
        order: EventOrder,
        page: &PageRequest,
    ) -> Result<Page<StoredEvent>, Error> {
        self.reader.events(filter, order, page)
    }

    /// Whether there is a run of this id. Blocks on the store.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn is_known(&self, id: RunId) -> Result<bool, Error> {
        Ok(!self.reader.history(id, 0, 1)?.rows.is_empty())
    }

    /// A run as it is committed now; none when there is none. Blocks on the store.
    ///
    /// # Errors
    /// When the store refuses, or what it holds makes no sense.
    pub fn get(&self, id: RunId, catalog: &Catalog) -> Result<Option<Arc<Kept>>, LoadError> {
        let known = self.kept().iter().find(|(run, _)| *run == id).map(|(_, kept)| kept.clone());
        let (run, next_seq) = match known {
            Some(kept) => {
                let records = self.records(id, kept.next_seq)?;
                if records.is_empty() {
                    return Ok(Some(kept));
                }
                let mut run = kept.run.clone();
                let next_seq = kept.next_seq + records.len() as u64;
                run.catch_up(&records);
                (run, next_seq)
            }
            None => match self.load(id, catalog)? {
                Some(loaded) => loaded,
                None => return Ok(None),
            },
        };
        let kept = Arc::new(Kept { run, next_seq });
        let mut all = self.kept();
        all.retain(|(run, _)| *run != id);
        all.push_front((id, kept.clone()));
        all.truncate(KEPT_MAX);
        Ok(Some(kept))
    }

    /// Rebuilds a run, and tells the number of its next row.
    ///
    /// # Errors
    /// When the store refuses, or what it holds makes no sense.
    pub fn load(&self, id: RunId, catalog: &Catalog) -> Result<Option<(Run, u64)>, LoadError> {
        let records = self.records(id, 0)?;
        let Some(first) = records.first() else { return Ok(None) };
        let Some(Entry::RunStarted(started)) = first.entries.first() else {
            return Err(LoadError::Unreadable(id, "it does not begin with its start".to_owned()));
        };
        let workflow = catalog
            .workflow_revision(&started.namespace, &started.workflow, started.revision)?
            .ok_or_else(|| LoadError::Unreadable(id, "its workflow's revision is gone".to_owned()))?;
        let next_seq = records.len() as u64;
        let run =
            Run::replay(workflow, records).map_err(|error| LoadError::Unreadable(id, error.to_string()))?;
        Ok(Some((run, next_seq)))
    }

    /// The records of a run from a row on.
    ///
    /// # Errors
    /// When the store refuses, or a row is no record.
    pub fn records(&self, id: RunId, from_seq: u64) -> Result<Vec<Record>, LoadError> {
        let mut records = Vec::new();
        let mut from = Some(from_seq);
        while let Some(seq) = from {
            let page = self.reader.history(id, seq, ROWS_PER_READ)?;
            for row in &page.rows {
                let record = Record::decode(&row.entries)
                    .map_err(|error| LoadError::Unreadable(id, error.to_string()))?;
                records.push(record);
            }
            from = page.next_seq;
        }
        Ok(records)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, VecDeque<(RunId, Arc<Kept>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
