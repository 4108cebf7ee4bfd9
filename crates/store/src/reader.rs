//! What a store can be asked.

use crate::{
    BudgetState, CachedResult, Error, EventFilter, EventOrder, HistoryPage, KeyedRun, NoticeKind,
    NoticeOfRun, OpenRun, Page, PageRequest, Project, RunCount, RunFilter, RunSummary, Service,
    ServiceRevision, StoredEvent, WorkflowRevision,
};
use consort_types::{Digest, EventKey, Json, Name, RunId, Timestamp};

/// Answers questions from what was committed. Blocks: call it from a thread that may.
///
/// # Errors
/// Every question can end in [`Error::Corrupt`] or [`Error::Io`], and one with a page in
/// [`Error::BadCursor`]. What is not there is `None` or an empty list, never an error.
pub trait Reader: Send + Sync {
    /// Every run that was opened and not closed, oldest first: what a server loads when it starts.
    fn open_runs(&self) -> Result<Vec<OpenRun>, Error>;

    /// Rows of a history with `seq >= from_seq`, oldest first, at most `limit` rows and
    /// [`HISTORY_PAGE_BYTES_MAX`](crate::HISTORY_PAGE_BYTES_MAX) bytes.
    fn history(&self, run: RunId, from_seq: u64, limit: usize) -> Result<HistoryPage, Error>;

    /// The run that has this key among the runs of a workflow.
    fn run_by_key(&self, namespace: &str, workflow: &str, key: &str) -> Result<Option<KeyedRun>, Error>;

    /// Runs that were closed before a time, longest ago first: what retention deletes.
    fn closed_before(&self, before: Timestamp, limit: usize) -> Result<Vec<RunId>, Error>;

    /// One run.
    fn run(&self, run: RunId) -> Result<Option<RunSummary>, Error>;

    /// Runs that match, newest first.
    fn runs(&self, filter: &RunFilter, page: &PageRequest) -> Result<Page<RunSummary>, Error>;

    /// What of the runs of a namespace waits for a person, the longest wait first.
    fn notices(
        &self,
        namespace: &str,
        kind: NoticeKind,
        page: &PageRequest,
    ) -> Result<Page<NoticeOfRun>, Error>;

    /// What the last run of a workflow gave that succeeded: with this `limit_key`, or of all.
    fn last_output(
        &self,
        namespace: &str,
        workflow: &str,
        limit_key: Option<&str>,
    ) -> Result<Option<Json>, Error>;

    /// How many runs of a namespace are in which state, by workflow.
    fn run_counts(&self, namespace: &str) -> Result<Vec<RunCount>, Error>;

    /// An event by its key.
    fn event(&self, key: EventKey) -> Result<Option<StoredEvent>, Error>;

    /// Events that match, in an order. A filtered list may give a short or empty page with a cursor.
    fn events(
        &self,
        filter: &EventFilter,
        order: EventOrder,
        page: &PageRequest,
    ) -> Result<Page<StoredEvent>, Error>;

    /// The number of the newest event; 0 when there is none.
    fn newest_event(&self) -> Result<u64, Error>;
    /// The result of a call that a revision of its service gave. Whether it still counts, says its end.
    fn cached(&self, namespace: &str, key: Digest, revision: u64) -> Result<Option<CachedResult>, Error>;

    /// Whether any revision gave a result of a call.
    fn is_cached(&self, namespace: &str, key: Digest) -> Result<bool, Error>;
    /// What was spent of every budget: what a server loads when it starts.
    fn budgets(&self) -> Result<Vec<BudgetState>, Error>;

    /// Every namespace that a project was applied to, by name.
    fn namespaces(&self) -> Result<Vec<Name>, Error>;

    /// The newest project of a namespace.
    fn project(&self, namespace: &str) -> Result<Option<Project>, Error>;

    /// The project of one apply: what runs that live on an older definition read theirs from.
    fn project_at(&self, namespace: &str, sequence: u64) -> Result<Option<Project>, Error>;

    /// The workflows that new runs can start, each in its current revision, by name.
    fn workflows(&self, namespace: &str, page: &PageRequest) -> Result<Page<WorkflowRevision>, Error>;

    /// The current revision of a workflow; none when it was removed.
    fn workflow(&self, namespace: &str, name: &str) -> Result<Option<WorkflowRevision>, Error>;

    /// One revision of a workflow, be it current, old or removed.
    fn workflow_revision(
        &self,
        namespace: &str,
        name: &str,
        number: u64,
    ) -> Result<Option<WorkflowRevision>, Error>;

    /// All revisions of a workflow, newest first. They are kept when the workflow is removed.
    fn workflow_revisions(
        &self,
        namespace: &str,
        name: &str,
        page: &PageRequest,
    ) -> Result<Page<WorkflowRevision>, Error>;

    /// The services of a namespace, by name.
    fn services(&self, namespace: &str, page: &PageRequest) -> Result<Page<Service>, Error>;

    /// What is wanted of a service; none when it was removed.
    fn service(&self, namespace: &str, name: &str) -> Result<Option<Service>, Error>;

    /// One revision of a service, be it active, old or removed.
    fn service_revision(
        &self,
        namespace: &str,
        name: &str,
        number: u64,
    ) -> Result<Option<ServiceRevision>, Error>;

    /// All revisions of a service, newest first. They are kept when the service is removed.
    fn service_revisions(
        &self,
        namespace: &str,
        name: &str,
        page: &PageRequest,
    ) -> Result<Page<ServiceRevision>, Error>;
}
