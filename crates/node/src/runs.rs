//! Reads runs from what is committed: rebuilt from their history, kept for those that ask again.

use crate::{catalog::Catalog, large, record::RunRecord};
use consort_artifacts::Artifacts;
use consort_engine::{Entry, INLINE_BYTES_MAX, Record, Reference, Run};
use consort_store::{
    Error, EventFilter, EventOrder, KeyedRun, Page, PageRequest, Reader, RunFilter, RunSummary, StoredEvent,
};
use consort_types::{EventKey, Json, Name, RunId, RunState};
use serde::{Deserialize, Serialize};
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
    /// What the last run of a workflow left makes no sense.
    #[error("what the last run of `{0}` gave cannot be read: {1}")]
    UnreadableOutput(Name, String),
}

/// Reads runs.
pub struct RunReader {
    reader: Arc<dyn Reader>,
    artifacts: Artifacts,
    kept: Mutex<VecDeque<(RunId, Place)>>,
}

/// Where a rebuilt run is kept; empty until it is rebuilt.
type Place = Arc<Mutex<Option<Arc<Kept>>>>;

/// A run as of a row of its history.
#[derive(Clone)]
pub struct Kept {
    /// The run.
    pub run: Run,
    next_seq: u64,
}

/// Which workflow's last outputs.
#[derive(Debug, Clone, Copy)]
pub struct LastOutputs<'a> {
    /// Of this namespace.
    pub namespace: &'a Name,
    /// By this name.
    pub workflow: &'a Name,
}

/// An output as it is stored apart from its run: a large one stands there as a reference.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptOutput {
    Whole(Json),
    Large(Reference),
}

/// What is stored of an output. A large one is an artifact already, as the history of its run refers to it.
pub fn keep_output(output: &Json) -> Json {
    let is_large = output.len() > INLINE_BYTES_MAX;
    Json::of(&if is_large {
        KeptOutput::Large(Reference::to(output))
    } else {
        KeptOutput::Whole(output.clone())
    })
}

impl RunReader {
    /// Reads through a reader of the store.
    pub fn new(reader: Arc<dyn Reader>, artifacts: Artifacts) -> Self {
        Self { reader, artifacts, kept: Mutex::default() }
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

    /// What the last run of a workflow gave that succeeded: of those with a key, or of all. Blocks on the store.
    ///
    /// # Errors
    /// When the store refuses, or what it holds makes no sense.
    pub fn last_output(
        &self,
        of: &LastOutputs<'_>,
        limit_key: Option<&str>,
    ) -> Result<Option<Json>, LoadError> {
        let (namespace, workflow) = (of.namespace.as_str(), of.workflow.as_str());
        let Some(document) = self.reader.last_output(namespace, workflow, limit_key)? else {
            return Ok(None);
        };
        let unreadable = |error: String| LoadError::UnreadableOutput(of.workflow.clone(), error);
        let kept = document.read::<KeptOutput>().map_err(|error| unreadable(error.to_string()))?;
        Ok(Some(match kept {
            KeptOutput::Whole(output) => output,
            KeptOutput::Large(reference) => {
                large::read(&self.artifacts, reference).map_err(|error| unreadable(error.to_string()))?
            }
        }))
    }

    /// What the newest run in the lists gave that succeeded: for a workflow that asks for the first time, whose
    /// runs have left nothing apart. Blocks on the store.
    ///
    /// # Errors
    /// When the store refuses, or what it holds makes no sense.
    pub fn newest_output(&self, of: &LastOutputs<'_>, catalog: &Catalog) -> Result<Option<Json>, LoadError> {
        let filter = RunFilter {
            workflow: Some(of.workflow.clone()),
            states: vec![RunState::Succeeded],
            ..RunFilter::all(of.namespace.clone())
        };
        let newest = self.reader.runs(&filter, &PageRequest::first(1))?.items.pop();
        let Some(RunSummary { run, document, .. }) = newest else { return Ok(None) };
        match document.read::<RunRecord>() {
            Ok(RunRecord { output: Some(output), .. }) => Ok(Some(output)),
            // The lists leave out what is long.
            _ => Ok(self.load(run, catalog)?.and_then(|(run, _)| run.output().cloned())),
        }
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
        let place = self.place(id);
        // Who asks about the same run waits here: rebuilding it twice at once would take its memory twice.
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = place.as_mut() else {
            let Some((run, next_seq)) = self.load(id, catalog)? else {
                self.forget(id);
                return Ok(None);
            };
            let kept = Arc::new(Kept { run, next_seq });
            *place = Some(kept.clone());
            return Ok(Some(kept));
        };
        let records = self.whole_records(id, kept.next_seq)?;
        if !records.is_empty() {
            // A copy is made only when an earlier reader still looks at it: a run may have 1,000,000 steps.
            let kept = Arc::make_mut(kept);
            kept.run.catch_up(&records);
            kept.next_seq += records.len() as u64;
        }
        Ok(Some(kept.clone()))
    }

    /// Where a rebuilt run is kept, moved to the front.
    fn place(&self, id: RunId) -> Place {
        let mut all = self.kept();
        let known = all.iter().position(|(run, _)| *run == id).and_then(|position| all.remove(position));
        let entry = known.unwrap_or_else(|| (id, Place::default()));
        let place = entry.1.clone();
        all.push_front(entry);
        all.truncate(KEPT_MAX);
        place
    }

    fn forget(&self, id: RunId) {
        self.kept().retain(|(run, _)| *run != id);
    }

    /// Rebuilds a run, and tells the number of its next row.
    ///
    /// # Errors
    /// When the store refuses, or what it holds makes no sense.
    pub fn load(&self, id: RunId, catalog: &Catalog) -> Result<Option<(Run, u64)>, LoadError> {
        let (records, mut from) = self.whole_page(id, 0)?;
        let Some(first) = records.first() else { return Ok(None) };
        let Some(Entry::RunStarted(started)) = first.entries.first() else {
            return Err(LoadError::Unreadable(id, "it does not begin with its start".to_owned()));
        };
        let workflow = catalog
            .workflow_revision(&started.namespace, &started.workflow, started.revision)?
            .ok_or_else(|| LoadError::Unreadable(id, "its workflow's revision is gone".to_owned()))?;
        let mut next_seq = records.len() as u64;
        let mut run =
            Run::replay(workflow, records).map_err(|error| LoadError::Unreadable(id, error.to_string()))?;
        // Page by page: the records of a long run take more memory than the run that they make.
        while let Some(seq) = from {
            let (records, next) = self.whole_page(id, seq)?;
            next_seq += records.len() as u64;
            run.catch_up(&records);
            from = next;
        }
        Ok(Some((run, next_seq)))
    }

    /// The records of a run from a row on, with the large values in their places.
    fn whole_records(&self, id: RunId, from_seq: u64) -> Result<Vec<Record>, LoadError> {
        let mut records = Vec::new();
        let mut from = Some(from_seq);
        while let Some(seq) = from {
            let (mut page, next) = self.whole_page(id, seq)?;
            records.append(&mut page);
            from = next;
        }
        Ok(records)
    }

    fn whole_page(&self, id: RunId, from_seq: u64) -> Result<(Vec<Record>, Option<u64>), LoadError> {
        let (mut records, next) = self.page(id, from_seq)?;
        for record in &mut records {
            let put = record.put_large(|reference| large::read(&self.artifacts, reference));
            put.map_err(|error| LoadError::Unreadable(id, error.to_string()))?;
        }
        Ok((records, next))
    }

    /// The records of a run from a row on, as they are stored: references stand in the place of large values.
    ///
    /// # Errors
    /// When the store refuses, or a row is no record.
    pub fn records(&self, id: RunId, from_seq: u64) -> Result<Vec<Record>, LoadError> {
        let mut records = Vec::new();
        let mut from = Some(from_seq);
        while let Some(seq) = from {
            let (mut page, next) = self.page(id, seq)?;
            records.append(&mut page);
            from = next;
        }
        Ok(records)
    }

    /// Some records of a run from a row on, and the row where the next ones begin.
    fn page(&self, id: RunId, from_seq: u64) -> Result<(Vec<Record>, Option<u64>), LoadError> {
        let page = self.reader.history(id, from_seq, ROWS_PER_READ)?;
        let decode = |row: &consort_store::HistoryRow| {
            Record::decode(&row.entries).map_err(|error| LoadError::Unreadable(id, error.to_string()))
        };
        Ok((page.rows.iter().map(decode).collect::<Result<_, _>>()?, page.next_seq))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, VecDeque<(RunId, Place)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
