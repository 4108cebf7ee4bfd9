//! What does not go on without a person.

use consort_types::{RunError, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that does not go on without a person. It ends by itself when its cause is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Incident {
    /// `undo_parked`, `paused_on_failure`, `in_doubt`.
    pub kind: String,
    /// The namespace of the run.
    pub namespace: String,
    /// The run.
    #[schema(value_type = String)]
    pub run: RunId,
    /// Its workflow.
    pub workflow: String,
    /// Key of the step: of the undo that is parked, of the step that failed.
    pub step: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// What went wrong.
    #[schema(value_type = crate::schema::RunError)]
    pub error: RunError,
    /// What it means, in a sentence.
    pub detail: String,
    /// What may be done.
    pub actions: Vec<IncidentAction>,
}

/// One thing that may be done about an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentAction {
    /// `retry`, `skip`, `complete`, `cancel`.
    pub name: String,
    /// What it does.
    pub effect: String,
    /// The command that does it.
    pub command: String,
}
