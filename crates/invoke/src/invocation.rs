//! What is called, and where.

use consort_runtime::Command;
use consort_types::{Json, Placing, RunId, Timestamp};
use std::{path::PathBuf, time::Duration};

/// One call of one operation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The service's name, for messages.
    pub service: String,
    /// The operation's name.
    pub operation: String,
    /// `POST`, `GET`, … in capitals.
    pub method: String,
    /// `/parse`, or `/users/{id}` with fields of the input.
    pub path: String,
    /// Where the fields of the input go that the path does not name.
    pub placing: Placing,
    /// The input, checked against the operation's schema.
    pub input: Json,
    /// The run; `None` for a call that belongs to none.
    pub run: Option<RunId>,
    /// Key of the step; empty for a call that belongs to no run.
    pub step: String,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// The fencing token, name of the attempt in `/attempts/{token}`.
    pub token: String,
    /// The same for every try of the step.
    pub idempotency_key: String,
    /// The full URL of `/attempts/{token}`.
    pub callback: String,
    /// When the caller gives up.
    pub deadline: Timestamp,
    /// How long this attempt may take, in all.
    pub timeout: Duration,
    /// W3C trace context.
    pub traceparent: String,
    /// For an undo: key of the step whose call it undoes.
    pub undoes: Option<String>,
    /// `headers:` of a `url` service, resolved.
    pub headers: Vec<(String, String)>,
}

/// Where a call goes.
#[derive(Debug, Clone)]
pub enum Target {
    /// A replica, or someone else's service.
    Http {
        /// `http://127.0.0.1:4001`, with or without a path.
        base: String,
    },
    /// A process of its own.
    Exec(Process),
}

/// The process of an `exec` service.
#[derive(Debug, Clone)]
pub struct Process {
    /// What to run.
    pub command: Command,
    /// The revision's folder.
    pub dir: PathBuf,
    /// `environment`, `env_file` and the `CONSORT_…` of the service; those of the call come on top.
    pub environment: Vec<(String, String)>,
    /// Upper-case variables with values that are masked in the log.
    pub secrets: Vec<(String, String)>,
    /// How long after SIGTERM it may still live.
    pub stop_grace: Duration,
}
