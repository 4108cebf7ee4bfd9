//! Request and response types of the API: the JSON that travels, and its OpenAPI schemas.
//!
//! Every JSON name of the API stands in this crate and nowhere else. It must never know a store, an engine
//! or a socket: who answers turns its own records into these types, who asks reads them.
//!
//! Requests refuse unknown fields by name. Responses always write every field of the contract, null
//! included, and readers ignore fields that they do not know, so that an older client reads a newer server.
//!
//! One file per noun; start reading at [`Run`] and [`Step`].

mod apply;
mod approval;
mod artifact;
mod event;
mod feed;
mod health;
mod history;
mod incident;
mod log;
mod namespace;
mod page;
mod pool;
mod problem;
mod query;
mod run;
pub mod schema;
mod service;
mod step;
mod workflow;

pub use apply::{
    ApplyRequest, ApplyResponse, Change, ChangeAction, ChangeKind, Diagnostic, Severity, SourceFile,
};
pub use approval::Approval;
pub use artifact::Artifact;
pub use event::{Event, EventsAccepted};
pub use feed::{FeedError, FeedEvent, RunLog, RunStep};
pub use health::{Health, HealthState};
pub use history::HistoryEntry;
pub use incident::{Incident, IncidentAction};
pub use log::{LogLine, ServiceLogLine, Stream};
pub use namespace::Namespace;
pub use page::{LIMIT_DEFAULT, LIMIT_MAX, Page};
pub use pool::{AddToBudget, Pool, PoolBudget, PoolHolder, PoolRate, PoolWaiter, WhenEmpty};
pub use problem::{PROBLEM_MEDIA_TYPE, Problem};
pub use query::{
    ApplyQuery, DownloadQuery, EventsQuery, FeedQuery, GraphQuery, ListQuery, NamespaceQuery, RunLogsQuery,
    RunsQuery, ServiceLogsQuery, StartQuery, UploadQuery,
};
pub use run::{Rerun, Run, RunParent, RunPass, RunTrigger, StartRun, TriggerKind};
pub use service::{
    CallStats, Operation, Replica, ReplicaCounts, ReplicaState, Rollback, Rollout, RolloutState, Scale,
    Service, ServiceKind, ServiceRevision, ServiceState, ServiceStats,
};
pub use step::{Attempt, CacheMiss, Cached, CompleteStep, FailAttempt, Progress, ProgressAttempt, Step};
pub use workflow::{Concurrency, EdgeKind, Graph, GraphEdge, GraphNode, Workflow, WorkflowRevision};

/// An empty request body, `{}`: nothing to say, and nothing else may be said.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Empty {}
