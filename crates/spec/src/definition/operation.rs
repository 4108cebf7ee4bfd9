//! Operations of services, and calls of them.

use super::{Retry, Schema, Use};
use consort_expr::Template;
use consort_types::{Name, Placing};
use std::{fmt, sync::Arc, time::Duration};

/// `service.operation`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationRef {
    /// The service.
    pub service: Name,
    /// Its operation.
    pub operation: Name,
}

impl fmt::Display for OperationRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.service, self.operation)
    }
}

/// How an HTTP operation is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The input without path fields goes to the query.
    Get,
    /// The input without path fields is the body.
    Post,
    /// As `Post`.
    Put,
    /// As `Post`.
    Patch,
    /// As `Get`.
    Delete,
}

impl Method {
    /// The word of HTTP.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One callable entry of a service.
#[derive(Debug)]
pub struct Operation {
    /// Whose and which.
    pub name: OperationRef,
    /// HTTP method, `POST` by default. Without meaning for `exec`.
    pub method: Method,
    /// HTTP path, `/name` by default, with `{field}` for fields of the input.
    pub path: String,
    /// Where the other fields of the input go.
    pub placing: Placing,
    /// What it takes; `{}` when the file names nothing.
    pub input: Schema,
    /// What it gives; anything when the file names nothing.
    pub output: Schema,
    /// Bound of one try, from sending, without queueing.
    pub timeout: Duration,
    /// The retry of calls that have none of their own.
    pub retry: Option<Retry>,
    /// After a 202: how long without a heartbeat until the attempt is lost.
    pub heartbeat: Duration,
    /// Permits held while a call is in flight.
    pub uses: Vec<Use>,
    /// By its own word: whether calling twice is the same as once.
    pub idempotent: Option<bool>,
    /// For people.
    pub description: Option<String>,
    /// By the word of its document: it will go away.
    pub deprecated: bool,
}

/// A call as a step, an undo or a resolve makes it. The operation is pinned: a live run keeps the schemas
/// that it started with.
#[derive(Debug, Clone)]
pub struct Call {
    /// What is called, as it stood when the workflow was compiled.
    pub operation: Arc<Operation>,
    /// The input.
    pub with: Template,
}
