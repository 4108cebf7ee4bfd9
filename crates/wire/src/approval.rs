//! Questions that wait for a person.

use consort_types::{Json, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A step that waits for a person's answer; answered by `POST /runs/{id}/steps/{key}/complete`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    /// The namespace of the run.
    pub namespace: String,
    /// The run.
    #[schema(value_type = String)]
    pub run: RunId,
    /// Its workflow.
    pub workflow: String,
    /// Key of the step that asks.
    pub step: String,
    /// The question.
    pub ask: String,
    /// What to look at before answering.
    #[schema(value_type = Option<Value>)]
    pub show: Option<Json>,
    /// The JSON Schema of the answer.
    #[schema(value_type = Value)]
    pub form: Json,
    /// Who is asked.
    #[schema(value_type = Option<Value>)]
    pub to: Option<Json>,
    /// Since when it waits.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When the time for an answer is over.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
}
