//! What stands behind the `?` of a route. A misspelt name is refused, not passed over: a filter that does
//! nothing would show too much.

use consort_types::{RunState, Timestamp, WaitKind};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

/// Routes that read or act on one thing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NamespaceQuery {
    /// The namespace; needed when the server holds more than one.
    pub namespace: Option<String>,
}

/// Lists without filters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// The namespace; needed when the server holds more than one.
    pub namespace: Option<String>,
    /// Items of one page, 1 to 500.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// `GET /events`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// The namespace; needed when the server holds more than one.
    pub namespace: Option<String>,
    /// Items of one page, 1 to 500.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Events of this type; `*` stands for any text.
    #[serde(rename = "type")]
    pub event_type: Option<String>,
    /// Events with this id.
    pub id: Option<String>,
    /// Events from this source.
    pub source: Option<String>,
    /// Events about this.
    pub subject: Option<String>,
    /// Accepted at this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// Accepted before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
}

/// `GET /runs`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RunsQuery {
    /// The namespace; needed when the server holds more than one.
    pub namespace: Option<String>,
    /// Items of one page, 1 to 500.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Runs of this workflow.
    pub workflow: Option<String>,
    /// Runs in this state.
    #[param(value_type = Option<crate::schema::RunState>, inline)]
    pub state: Option<RunState>,
    /// Runs with this tag, `KEY=VALUE` or `KEY`.
    pub tag: Option<String>,
    /// Created at this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// Created before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// Runs that wait for this kind of thing.
    #[param(value_type = Option<crate::schema::WaitKind>, inline)]
    pub waiting_on: Option<WaitKind>,
    /// Runs whose id, workflow, tags or error hold this text.
    pub q: Option<String>,
}

/// `POST /workflows/{w}/runs`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StartQuery {
    /// The namespace; needed when the server holds more than one.
    pub namespace: Option<String>,
    /// How long to wait for the end of the run, at most `60s`.
    pub wait: Option<String>,
}

/// `GET /workflows/{w}/graph`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GraphQuery {
    /// The namespace; needed when the server holds more than one.
    pub namespace: Option<String>,
    /// The revision; the newest without it.
    pub revision: Option<String>,
}

/// `GET /runs/{id}/logs`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RunLogsQuery {
    /// The namespace; not needed, as run ids are unique.
    pub namespace: Option<String>,
    /// Items of one page, 1 to 500.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Lines of this step.
    pub step: Option<String>,
    /// Keep the response open and send lines as they come, as server-sent events named `log`;
    /// an event named `end` follows the last line of a run that has ended.
    pub follow: Option<bool>,
}

/// `GET /services/{s}/logs`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ServiceLogsQuery {
    /// The namespace; needed when the server holds more than one.
    pub namespace: Option<String>,
    /// Items of one page, 1 to 500.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Lines of this replica.
    pub replica: Option<String>,
    /// Keep the response open and send lines as they come, as server-sent events named `log`.
    pub follow: Option<bool>,
}

/// `POST /apply`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ApplyQuery {
    /// Only say what would change.
    pub dry_run: Option<bool>,
}

/// `POST /artifacts`. The body is the bytes, its `Content-Type` their media type.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// File name for the `file` value; folders before it are cut off.
    pub name: Option<String>,
}

/// `GET /artifacts/{digest}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DownloadQuery {
    /// File name for the download; the one of the first upload without it.
    pub name: Option<String>,
}

/// `GET /feed`. The server sends a comment at least every 15 s, so that a dead connection is noticed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FeedQuery {
    /// Events of this namespace; of all without it.
    pub namespace: Option<String>,
    /// Events of this run, its steps and its log.
    pub run: Option<String>,
    /// Runs of this workflow.
    pub workflow: Option<String>,
    /// Events with these names, separated by commas: `run,step,service,log`. Without it: all but `log`;
    /// with `run` as filter: all.
    pub events: Option<String>,
}
