//! The append-only record of a run.

use consort_types::{Json, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One fact in the history of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HistoryEntry {
    /// Its place, from 1, without gaps.
    pub seq: u64,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What happened, in `snake_case`: `run_started`, `step_succeeded`…
    #[serde(rename = "type")]
    pub entry_type: String,
    /// Key of the step that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Number of the attempt that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Who did it, when a person or a trigger did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub data: Option<Json>,
}
