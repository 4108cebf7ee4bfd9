//! Whether the server is there, and ready.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What `/healthz` and `/readyz` answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// In one word.
    pub state: HealthState,
    /// Version of the server.
    pub version: String,
    /// What is missing, when something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The health of the server in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// It takes requests.
    Ok,
    /// It is loading its open runs.
    Starting,
    /// It is ending.
    Stopping,
    /// It lives, and cannot do its work: `detail` says why.
    Failing,
}
