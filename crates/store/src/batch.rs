//! What is written, and how.

use crate::{
    BudgetChange, CacheBounds, CachedResult, Error, LastOutput, Notice, OpenRun, Project, RunSummary,
    Service, ServiceRevision, StoredEvent, WorkflowRevision,
};
use bytes::Bytes;
use consort_types::{Digest, Name, RunId, Timestamp};

/// The only way to change a store.
pub trait Writer: Send {
    /// Stores all writes of the batch, in their order, or none of them. When it returns `Ok` they survive
    /// the death of the process and, at full durability, of the machine, and readers see them.
    ///
    /// One call is one transaction and one fsync: put into a batch all that is queued, of all runs.
    ///
    /// # Errors
    /// [`Error::Conflict`] and [`Error::KeyTaken`] as told at each [`Write`]; [`Error::Full`],
    /// [`Error::Corrupt`], [`Error::Io`]. After any of them nothing of the batch is stored, and the writer
    /// can be used again.
    fn commit(&mut self, batch: &Batch) -> Result<(), Error>;
}

/// Writes that belong to one transaction.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    writes: Vec<Write>,
}

impl Batch {
    /// Adds a write after those that are there.
    pub fn push(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// The writes in their order.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// How many writes there are.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Makes it empty and keeps its memory for the next round.
    pub fn clear(&mut self) {
        self.writes.clear();
    }
}

impl From<Vec<Write>> for Batch {
    fn from(writes: Vec<Write>) -> Self {
        Self { writes }
    }
}

impl Extend<Write> for Batch {
    fn extend<T: IntoIterator<Item = Write>>(&mut self, writes: T) {
        self.writes.extend(writes);
    }
}

/// One change.
#[derive(Debug, Clone)]
pub enum Write {
    /// Adds a row to the history of a run. `seq` orders the rows of a run; [`Error::Conflict`] when the run
    /// has a row with this `seq`.
    Append {
        /// The run.
        run: RunId,
        /// The place of the row, growing; gaps are allowed, so it may be the number of the first entry.
        seq: u64,
        /// One or more entries, in bytes that only the engine reads.
        entries: Bytes,
    },
    /// Begins a run: [`Reader::open_runs`](crate::Reader::open_runs) names it from now on, and its key is
    /// taken until it is deleted. [`Error::Conflict`] when the run is known, [`Error::KeyTaken`] when
    /// another run of the workflow has the key.
    OpenRun(OpenRun),
    /// The run has ended and needs no recovery any more. A run that is not open is left as it is.
    ///
    /// Belongs into the batch of the run's last [`Write::Summarize`], not earlier: then a run that had
    /// ended, but not in the lists, when the server died is loaded again and reaches them.
    CloseRun {
        /// The run.
        run: RunId,
        /// When it ended; retention counts from here.
        at: Timestamp,
    },
    /// Opens a closed run again, for another pass. A run that is open or unknown is left as it is.
    ReopenRun {
        /// The run.
        run: RunId,
    },
    /// What lists and pages show of a run; replaces what was there. Written after the history that it
    /// tells of, by a projector that may lag.
    Summarize(Box<RunSummary>),
    /// What of a run waits for a person; replaces what was there.
    SetNotices {
        /// The run.
        run: RunId,
        /// Its namespace.
        namespace: Name,
        /// All of it.
        notices: Vec<Notice>,
    },
    /// What the last run of a workflow gave that succeeded; replaces what was there. It stays when its run is
    /// deleted.
    SetLastOutput(Box<LastOutput>),
    /// Forgets a closed run: history, key, summary, notices. [`Error::Conflict`] while it is open; an unknown run is
    /// left as it is.
    DeleteRun {
        /// The run.
        run: RunId,
    },
    /// Accepts an event. [`Error::Conflict`] when its number or its key is known.
    PutEvent(Box<StoredEvent>),
    /// Forgets old events: those up to a number, and those that were accepted before a time.
    DropEvents {
        /// The last number that is forgotten whatever its age; 0 for none.
        through: u64,
        /// What was accepted before this time is forgotten.
        before: Timestamp,
    },
    /// Keeps a result of a call, in the place of an older one of the same revision. Some that have expired by
    /// [`CachedResult::at`](crate::CachedResult::at) go, and, while there is more than the bounds allow, some
    /// of those that expire first: [`DROPPED_PER_RESULT_MAX`](crate::DROPPED_PER_RESULT_MAX) of each.
    KeepResult(Box<CachedResult>, CacheBounds),
    /// Forgets a result, of every revision, if this run gave it.
    DropResult {
        /// Its namespace.
        namespace: Name,
        /// Its key.
        key: Digest,
        /// The run.
        run: RunId,
    },
    /// Something was spent of a budget, given back, or given on top.
    ChangeBudget(Box<BudgetChange>),
    /// The budgets that a run had for itself are gone with it.
    ForgetBudgets {
        /// The run.
        run: RunId,
    },
    /// Records what an apply was given. [`Error::Conflict`] when the namespace has this sequence.
    PutProject(Box<Project>),
    /// Records a revision of a workflow and makes it the one that new runs start with. Again with the same
    /// digest only the latter; [`Error::Conflict`] with another digest.
    PutWorkflow(Box<WorkflowRevision>),
    /// The project file no longer names the workflow: no new runs; its revisions stay for those that live.
    RemoveWorkflow {
        /// Its namespace.
        namespace: Name,
        /// Its name.
        name: Name,
    },
    /// Records a revision of a service. Which one is wanted, says [`Write::SetService`]. Again with the same
    /// digest nothing happens; [`Error::Conflict`] with another digest.
    PutService(Box<ServiceRevision>),
    /// What is wanted of a service; replaces what was there.
    SetService(Box<Service>),
    /// The service is gone: [`Reader::services`](crate::Reader::services) no longer names it; its revisions
    /// stay.
    RemoveService {
        /// Its namespace.
        namespace: Name,
        /// Its name.
        name: Name,
    },
}
