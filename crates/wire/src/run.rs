//! Runs: one execution of a workflow.

use consort_types::{Json, RunError, RunId, RunState, Timestamp, UndoState, WaitingOn};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What `POST /workflows/{w}/runs` takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartRun {
    /// The input; `{}` without it.
    #[serde(default = "empty_object")]
    #[schema(value_type = Value)]
    pub input: Json,
    /// One run per key: the same key gives the same run. The header `Idempotency-Key` says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Added to the tags of the workflow.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Compute every cached step anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_cache: bool,
}

fn empty_object() -> Json {
    Json::of(&serde_json::Map::new())
}

impl StartRun {
    /// A start with nothing but an input.
    pub const fn with_input(input: Json) -> Self {
        Self { input, key: None, tags: BTreeMap::new(), no_cache: false }
    }
}

/// What `POST /runs/{id}/rerun` takes. Answered by a new run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rerun {
    /// Steps that are not downstream of this one are copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// First undo the old run's step and all after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean: Option<bool>,
    /// Takes the place of the old input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub input: Option<Json>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// Its id, `run_…`.
    #[schema(value_type = String)]
    pub id: RunId,
    /// The namespace of its workflow.
    pub namespace: String,
    /// Its workflow.
    pub workflow: String,
    /// The revision of the workflow that it started with and keeps.
    pub revision: String,
    /// Where it stands.
    #[schema(value_type = crate::schema::RunState)]
    pub state: RunState,
    /// What it was started with; null in lists and in the feed when it is large.
    #[schema(value_type = Value)]
    pub input: Option<Json>,
    /// What it gave; null until it has succeeded.
    #[schema(value_type = Value)]
    pub output: Option<Json>,
    /// Why it failed.
    #[schema(value_type = Option<crate::schema::RunError>)]
    pub error: Option<RunError>,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// When the start was acknowledged.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it left the queue.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    /// When it had ended, undo and `finally` included.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// What started it.
    pub trigger: Option<RunTrigger>,
    /// The step of another run that it is a child of.
    pub parent: Option<RunParent>,
    /// How far its undo went.
    #[schema(value_type = crate::schema::UndoState)]
    pub undo: UndoState,
    /// Why it stands still; null while it moves and after its end.
    #[schema(value_type = Option<crate::schema::WaitingOn>)]
    pub waiting_on: Option<WaitingOn>,
    /// Its passes: one, and another for each `retry` of the workflow.
    #[serde(default)]
    pub attempts: Vec<RunPass>,
}

/// The step of another run that a run is a child of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunParent {
    /// The other run.
    #[schema(value_type = String)]
    pub run: RunId,
    /// Key of its step.
    pub step: String,
}

/// What started a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunTrigger {
    /// What it was.
    pub kind: TriggerKind,
    /// Name of the trigger; step key for a child run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The parent of a child run, the original of a rerun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub run: Option<RunId>,
}

/// What kind of thing started a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// A call of the API: a person or a program.
    Api,
    /// A schedule.
    Schedule,
    /// An event.
    Event,
    /// A webhook.
    Webhook,
    /// A file that appeared.
    Files,
    /// A step of another run.
    Run,
    /// A rerun of another run.
    Rerun,
}

/// One pass over the steps of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunPass {
    /// Its number, from 1.
    pub number: u32,
    /// Where it stands, or how it ended.
    #[schema(value_type = crate::schema::RunState)]
    pub state: RunState,
    /// When it began.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    #[schema(value_type = Option<crate::schema::RunError>)]
    pub error: Option<RunError>,
}
