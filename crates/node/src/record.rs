//! What the node tells of a run: the stored record behind lists, and the step as it is now.

use consort_engine::{PassRecord, Run, RunView};
use consort_store::{RunSummary, SummaryError, Waiting};
use consort_types::{Json, Name, RunError, RunId, RunState, Timestamp, UndoState, WaitingOn};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Text of a run that the search looks through, in bytes; the rest of a longer one is not found.
const SEARCH_BYTES_MAX: usize = 2_048;

/// A value that is longer than this is left out where it is not asked for, in bytes.
pub const BRIEF_BYTES_MAX: usize = 16 << 10;

/// A run as it was last seen: kept as the document of its summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its id.
    pub id: RunId,
    /// Its namespace.
    pub namespace: Name,
    /// Its workflow.
    pub workflow: Name,
    /// The number of the workflow's revision.
    pub revision: u64,
    /// Its state.
    pub state: RunState,
    /// What it was given.
    pub input: Json,
    /// What it gave.
    pub output: Option<Json>,
    /// Why it failed.
    pub error: Option<RunError>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// When it was acknowledged.
    pub created_at: Timestamp,
    /// When its first step could start.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What started it.
    pub trigger: String,
    /// The run and the step that it is a child of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<(RunId, String)>,
    /// How far its undo went.
    pub undo: UndoState,
    /// Why it does not move.
    pub waiting_on: Option<WaitingOn>,
    /// Its passes.
    pub attempts: Vec<Pass>,
}

/// One pass of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pass {
    /// From 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<RunError>,
}

impl From<PassRecord> for Pass {
    fn from(pass: PassRecord) -> Self {
        let PassRecord { number, started_at, finished_at, error } = pass;
        Self { number, started_at, finished_at, error }
    }
}

impl RunRecord {
    /// A run with its view.
    pub fn new(run: &Run, view: RunView) -> Self {
        Self {
            id: run.id(),
            namespace: run.namespace().clone(),
            workflow: run.workflow().name.clone(),
            revision: run.revision(),
            state: view.state,
            input: run.input().clone(),
            output: view.output,
            error: view.error,
            tags: run.tags().clone(),
            created_at: view.created_at,
            started_at: view.started_at,
            finished_at: view.finished_at,
            trigger: run.trigger().to_owned(),
            parent: run.parent().map(|parent| (parent.run, parent.step.clone())),
            undo: view.undo,
            waiting_on: view.waiting_on,
            attempts: view.attempts.into_iter().map(Pass::from).collect(),
        }
    }

    /// The same without a large input or output: for lists and the feed, which are read whole and often.
    #[must_use]
    pub fn brief(&self) -> Self {
        let mut brief = self.clone();
        if brief.input.len() > BRIEF_BYTES_MAX {
            brief.input = Json::null();
        }
        brief.output = brief.output.filter(|output| output.len() <= BRIEF_BYTES_MAX);
        brief
    }

    /// The row of the lists.
    pub fn summary(&self) -> RunSummary {
        let mut search = format!("{} {}", self.id, self.workflow);
        for text in [Some(self.input.text()), self.error.as_ref().map(|error| error.message.as_str())] {
            search.push(' ');
            search.push_str(text.unwrap_or_default());
        }
        let mut end = search.len().min(SEARCH_BYTES_MAX);
        while !search.is_char_boundary(end) {
            end -= 1;
        }
        search.truncate(end);
        RunSummary {
            run: self.id,
            namespace: self.namespace.clone(),
            workflow: self.workflow.clone(),
            revision: self.revision,
            state: self.state,
            created_at: self.created_at,
            started_at: self.started_at,
            finished_at: self.finished_at,
            tags: self.tags.clone(),
            trigger: Some(Json::of(&self.trigger)),
            waiting: self.waiting_on.as_ref().map(|on| Waiting { kind: on.kind, name: on.name.clone() }),
            error: self
                .error
                .as_ref()
                .map(|error| SummaryError { code: error.code.clone(), message: error.message.clone() }),
            undo: self.undo,
            document: Json::of(&self.brief()),
            search,
        }
    }
}
