//! Calls one operation once, on one replica: an HTTP request or a process, with its deadline and its
//! cancellation, and tells what came of it in the words of a run.
//!
//! It must never know which replica to choose, when to try again, what a workflow is, or what the schemas
//! of the operation say: the input comes checked, the output goes out as it came. Start reading at
//! [`Invoker::invoke`], then `http.rs` (a request) and `exec.rs` (a process).

mod codes;
mod exec;
mod http;
mod invocation;
mod outcome;
mod query;
mod request;
mod response;

pub use codes::Code;
pub use invocation::{Invocation, Process, Target};
pub use outcome::{Failure, Outcome, Reached};

use consort_runtime::{Exec, LogSink};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Calls operations. One for the whole server: it keeps connections open between calls.
#[derive(Clone)]
pub struct Invoker {
    http: http::Http,
    exec: Arc<dyn Exec>,
}

impl Invoker {
    /// An invoker whose `exec` services run in this place.
    pub fn new(exec: Arc<dyn Exec>) -> Self {
        Self { http: http::Http::new(), exec }
    }

    /// Makes one call and waits for its outcome, at most for the invocation's timeout and never beyond its
    /// deadline. Nothing is tried twice, except that a request of which no byte was sent, because the kept
    /// connection had just been closed, goes out once more on a fresh one.
    ///
    /// When `cancel` is cancelled the connection is closed, or the process told to end and then killed, and
    /// the outcome is of kind `cancelled`. Dropping the future does the same without waiting.
    /// `log` gets what a process writes to stderr; an HTTP service has a log of its own.
    pub async fn invoke(
        &self,
        target: &Target,
        invocation: &Invocation,
        cancel: &CancellationToken,
        log: LogSink,
    ) -> Outcome {
        match target {
            Target::Http { base } => self.http.call(base, invocation, cancel).await,
            Target::Exec(process) => exec::call(&*self.exec, process, invocation, cancel, log).await,
        }
    }
}

impl std::fmt::Debug for Invoker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Invoker")
    }
}
