//! Runs: the index of those that are open, and what lists show.

use crate::{Cursor, PAGE_BYTES_MAX, Page};
use consort_types::{Digest, Json, Name, RunId, RunState, Timestamp, UndoState, WaitKind};
use std::collections::BTreeMap;

/// How many runs a list looks at for one page. A rare `text` in a million runs then costs many short pages
/// instead of one that blocks a reader for seconds.
pub const SCANNED_PER_PAGE_MAX: usize = 10_000;

/// The start of a run, and all that recovery needs to know to load its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRun {
    /// The run.
    pub run: RunId,
    /// Its namespace.
    pub namespace: Name,
    /// Its workflow.
    pub workflow: Name,
    /// Its idempotency key.
    pub key: Option<String>,
    /// What it was started with, to tell the same start from another one with the same key.
    pub input_digest: Digest,
    /// When it was created.
    pub created_at: Timestamp,
}

/// The run that has a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyedRun {
    /// The run.
    pub run: RunId,
    /// What it was started with.
    pub input_digest: Digest,
}

/// What lists and pages show of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// The run.
    pub run: RunId,
    /// Its namespace.
    pub namespace: Name,
    /// Its workflow.
    pub workflow: Name,
    /// The number of the workflow's revision.
    pub revision: u64,
    /// Where it stands.
    pub state: RunState,
    /// When it was created. Must stay the same in every summary of a run, as its place in lists does.
    pub created_at: Timestamp,
    /// When it left the queue.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// What started it, as the API shows it.
    pub trigger: Option<Json>,
    /// What it waits for.
    pub waiting: Option<Waiting>,
    /// Why it failed.
    pub error: Option<SummaryError>,
    /// How far its undo went.
    pub undo: UndoState,
    /// The whole run, as the API shows it.
    pub document: Json,
    /// What a search for text looks at: id, workflow, tags, error. Compared without regard to ASCII case.
    pub search: String,
}

/// What a run waits for, as far as lists filter by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What for.
    pub kind: WaitKind,
    /// Its name.
    pub name: String,
}

/// Why a run failed, as far as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryError {
    /// A stable code.
    pub code: String,
    /// A sentence.
    pub message: String,
}

/// Which runs of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFilter {
    /// The namespace.
    pub namespace: Name,
    /// Of this workflow.
    pub workflow: Option<Name>,
    /// In one of these states; in any when empty.
    pub states: Vec<RunState>,
    /// With this tag: `KEY`, or `KEY=VALUE`.
    pub tag: Option<String>,
    /// Created at this time or later.
    pub since: Option<Timestamp>,
    /// Created before this time.
    pub until: Option<Timestamp>,
    /// Waiting for this kind of thing.
    pub waiting_on: Option<WaitKind>,
    /// Whose [`RunSummary::search`] has this text.
    pub text: Option<String>,
}

impl RunFilter {
    /// All runs of a namespace.
    pub const fn all(namespace: Name) -> Self {
        Self {
            namespace,
            workflow: None,
            states: Vec::new(),
            tag: None,
            since: None,
            until: None,
            waiting_on: None,
            text: None,
        }
    }

    /// Whether a run belongs into the list.
    pub fn matches(&self, run: &RunSummary) -> bool {
        let RunFilter { namespace, workflow, states, tag, since, until, waiting_on, text } = self;
        run.namespace == *namespace
            && workflow.as_ref().is_none_or(|workflow| run.workflow == *workflow)
            && (states.is_empty() || states.contains(&run.state))
            && tag.as_ref().is_none_or(|tag| run.has_tag(tag))
            && since.is_none_or(|since| run.created_at >= since)
            && until.is_none_or(|until| run.created_at < until)
            && waiting_on.is_none_or(|kind| run.waiting.as_ref().is_some_and(|on| on.kind == kind))
            && text.as_ref().is_none_or(|text| run.has_text(text))
    }
}

impl RunSummary {
    /// Whether it has a tag, given as `KEY` or `KEY=VALUE`.
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.contains_key(tag)
            || self.tags.iter().any(|(key, value)| {
                tag.strip_prefix(key.as_str()).and_then(|rest| rest.strip_prefix('=')) == Some(value)
            })
    }

    /// Whether a search for this text finds it.
    pub fn has_text(&self, text: &str) -> bool {
        self.search.to_ascii_lowercase().contains(&text.to_ascii_lowercase())
    }
}

/// Fills one page of a list of runs, for the stores: where a page ends is part of the contract, so it is
/// decided in one place.
#[derive(Debug)]
pub struct RunPager {
    limit: usize,
    looked_at: usize,
    bytes: usize,
    items: Vec<RunSummary>,
    last: Option<(Timestamp, RunId)>,
}

impl RunPager {
    /// A page of at most `limit` runs.
    pub const fn new(limit: usize) -> Self {
        Self { limit, looked_at: 0, bytes: 0, items: Vec::new(), last: None }
    }

    /// Whether the page ends here: if there is another run, it belongs to the next one.
    pub const fn is_full(&self) -> bool {
        self.items.len() >= self.limit
            || self.looked_at >= SCANNED_PER_PAGE_MAX
            || self.bytes >= PAGE_BYTES_MAX
    }

    /// Goes past a run that does not match.
    pub const fn pass(&mut self, created_at: Timestamp, run: RunId) {
        self.looked_at += 1;
        self.last = Some((created_at, run));
    }

    /// Takes a run that matches.
    pub fn take(&mut self, run: RunSummary) {
        self.pass(run.created_at, run.run);
        self.bytes += run.document.len();
        self.items.push(run);
    }

    /// The page, when the list ended before it was full.
    pub fn last_page(self) -> Page<RunSummary> {
        Page { items: self.items, next_cursor: None }
    }

    /// The page, when it was full and there is another run.
    pub fn page(self) -> Page<RunSummary> {
        Page { items: self.items, next_cursor: self.last.map(|place| place.encode()) }
    }
}

/// How many runs of a workflow are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunCount {
    /// The workflow.
    pub workflow: Name,
    /// The state.
    pub state: RunState,
    /// How many; never zero.
    pub runs: u64,
}

/// The word that a kind of waiting is stored as: the one that users read.
pub const fn wait_word(kind: WaitKind) -> &'static str {
    match kind {
        WaitKind::Pool => "pool",
        WaitKind::Limit => "limit",
        WaitKind::Replica => "replica",
        WaitKind::Timer => "timer",
        WaitKind::Event => "event",
        WaitKind::Signal => "signal",
        WaitKind::Approval => "approval",
        WaitKind::Retry => "retry",
        WaitKind::Step => "step",
        WaitKind::Run => "run",
        WaitKind::Cache => "cache",
        WaitKind::Paused => "paused",
        WaitKind::Queue => "queue",
    }
}
