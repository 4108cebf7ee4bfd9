//! Workflows: definitions and their graphs.

use consort_types::{Json, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A workflow in its newest revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Workflow {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its newest revision.
    pub revision: String,
    /// For people.
    pub description: Option<String>,
    /// JSON Schema of the input. An object with `"format": "file"` is a `file` value.
    #[schema(value_type = Value)]
    pub input: Json,
    /// How many of its runs may be live at once.
    pub concurrency: Option<Concurrency>,
    /// Which of its runs go first, from -100 to 100.
    #[serde(default)]
    pub priority: i32,
    /// When this revision was applied.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// How many runs of a workflow may be live at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Concurrency {
    /// At most so many, for each key.
    pub limit: u32,
    /// The expression that splits the limit.
    pub key: Option<String>,
    /// What happens to one too many: `queue`, `reject`, `cancel_oldest`.
    pub when_full: String,
}

/// A revision of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkflowRevision {
    /// The revision.
    pub revision: String,
    /// When it was applied for the first time.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Whether new runs start with it.
    pub current: bool,
}

/// The graph of a definition, drawn before any run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Graph {
    /// The revision that is drawn.
    pub revision: String,
    /// Every step, inner ones included, outer ones first.
    pub nodes: Vec<GraphNode>,
    /// What waits for what.
    pub edges: Vec<GraphEdge>,
}

/// A step of the definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GraphNode {
    /// Its path: `decision.else`, `fields[].parse`.
    pub id: String,
    /// Its name; for a step without one the last part of its path.
    pub name: String,
    /// What it does: `call steps switch value loop wait await emit run fail`.
    pub kind: String,
    /// `service.operation`, where it calls one.
    pub call: Option<String>,
    /// Whether it runs once for each item of a list.
    pub for_each: bool,
    /// For how long its results are taken by equal calls, as `30d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<String>,
    /// Path of the step that it is inside of.
    pub parent: Option<String>,
    /// What to write on it beside its name: a condition, a duration.
    pub label: Option<String>,
}

/// One step waits for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GraphEdge {
    /// Path of the step that comes first.
    pub from: String,
    /// Path of the step that waits.
    pub to: String,
    /// Why it waits.
    pub kind: EdgeKind,
}

/// Why a step waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// It reads the other's output.
    Data,
    /// `after` says so.
    After,
}
