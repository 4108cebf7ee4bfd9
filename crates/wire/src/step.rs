//! Steps of a run, and the attempts of a step.

use consort_types::{AttemptState, Json, RunError, RunId, StepState, Timestamp, WaitingOn};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What `POST /runs/{id}/steps/{key}/complete` takes: the output by hand, or the answer to an approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteStep {
    /// The output.
    #[schema(value_type = Value)]
    pub output: Json,
}

/// Why a call failed whose answer came later: the shape of an error of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FailAttempt {
    /// The service's own code.
    pub error: String,
    /// What went wrong.
    pub message: String,
    /// Whether another try may succeed.
    #[serde(default)]
    pub retryable: bool,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub details: Option<Json>,
}

/// How far a call is whose answer comes later.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgressAttempt {
    /// From 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fraction: Option<f64>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A step of a run: a node of what really happened, not of the definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// Its path: `fields[3]`, `decision.else`, `account.undo`.
    pub key: String,
    /// What it does: `call steps switch value loop wait await emit run fail`.
    pub kind: String,
    /// `service.operation`, where it calls one.
    pub call: Option<String>,
    /// Where it stands.
    #[schema(value_type = crate::schema::StepState)]
    pub state: StepState,
    /// When its first attempt began.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// Its tries, the oldest first.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// What it took. Of a step that waits for an approval: `{ask, show, form}`.
    #[schema(value_type = Value)]
    pub input: Option<Json>,
    /// What it gave.
    #[schema(value_type = Value)]
    pub output: Option<Json>,
    /// Why it failed; kept when a `catch` took over.
    #[schema(value_type = Option<crate::schema::RunError>)]
    pub error: Option<RunError>,
    /// Whether it took an earlier result, and whose, or why not; null when it has no `cache` or has not asked yet.
    pub cached: Option<Cached>,
    /// The run that its output was copied from, by a rerun; null when it ran itself.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub copied_from: Option<RunId>,
    /// How far it says that it is.
    pub progress: Option<Progress>,
    /// Why it stands still.
    #[schema(value_type = Option<crate::schema::WaitingOn>)]
    pub waiting_on: Option<WaitingOn>,
    /// The run that it started: the newest, when it was tried again.
    #[schema(value_type = Option<String>)]
    pub child: Option<RunId>,
    /// Key of the step that it is inside of.
    pub parent: Option<String>,
    /// Its place among the items of its `for_each` or the turns of its loop, from 0.
    pub index: Option<u64>,
}

/// One try of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// How it went.
    #[schema(value_type = crate::schema::AttemptState)]
    pub state: AttemptState,
    /// When it was sent.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When the answer came, or the time was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// Who was called.
    pub replica: Option<String>,
    /// The revision of who was called.
    pub revision: Option<String>,
    /// Why it failed.
    #[schema(value_type = Option<crate::schema::RunError>)]
    pub error: Option<RunError>,
}

/// Whether a step took the result of an earlier call: `run`, `step`, `at` and `expires_at` say whose; `why` says
/// why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cached {
    /// Whether it took one.
    pub hit: bool,
    /// The run that made the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub run: Option<RunId>,
    /// Key of the step that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// When its answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
    /// Until when it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// Why it made the call itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<CacheMiss>,
}

/// Why a step took no earlier result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CacheMiss {
    /// Nobody has made this call, or its result was dropped.
    NoEntry,
    /// There was one, and its time is over.
    Expired,
    /// There is one of another revision of the service.
    NewRevision,
    /// The run was started with `no_cache`.
    NoCache,
    /// There is one that no longer fits the schema of the output.
    Unfit,
    /// The cache could not be read.
    Unreadable,
}

/// How far a call says that it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// From 0 to 1.
    pub fraction: Option<f64>,
    /// In the words of the service.
    pub message: Option<String>,
    /// When it said so.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}
