//! A call as an HTTP request, over connections that stay open.

use crate::{Invocation, Outcome, Reached, codes::Code, request, response};
use bytes::{Bytes, BytesMut};
use consort_types::{RunError, format_duration};
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode, body::Incoming};
use hyper_util::{
    client::legacy::{Client, Error as SendError, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use std::{
    error::Error as _,
    time::{Duration, SystemTime},
};
use tokio_util::sync::CancellationToken;

/// The largest output that is read, in bytes: that of a step.
const OUTPUT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How much of an answer that is no success is read, in bytes: it only has to explain itself.
const ERROR_BYTES_MAX: usize = 64 * 1024;

/// How long a connection may lie idle. Node and most Python servers close theirs after five seconds; to be
/// first spares calls that meet a connection which is just being closed.
const IDLE: Duration = Duration::from_secs(4);

/// How many idle connections are kept for each replica: its highest sensible concurrency.
const IDLE_CONNECTIONS_MAX: usize = 256;

/// How long a connection may take to stand; on one machine it is there at once or refused.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The HTTP client of all calls. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Http {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(connector);
        Self { client }
    }

    pub(crate) async fn call(&self, base: &str, call: &Invocation, cancel: &CancellationToken) -> Outcome {
        let request = match build(base, call) {
            Ok(request) => request,
            Err(error) => return Outcome::failed(error, Reached::No),
        };
        let limit = match TimeLimit::of(call) {
            Ok(limit) => limit,
            Err(error) => return Outcome::failed(error, Reached::No),
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => {
                Outcome::failed(Code::Cancelled.error("the call was cancelled"), Reached::Maybe)
            }
            outcome = tokio::time::timeout(limit.duration, self.exchange(request)) => {
                outcome.unwrap_or_else(|_| Outcome::failed(limit.error(), Reached::Maybe))
            }
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Outcome {
        let response = match self.client.request(request).await {
            Ok(response) => response,
            Err(error) => return unsent(&error),
        };
        let (head, body) = response.into_parts();
        if head.status.is_success() {
            return match read(body, OUTPUT_BYTES_MAX).await {
                Ok(_) if head.status == StatusCode::ACCEPTED => Outcome::Accepted,
                Ok(bytes) => response::output(head.status, &bytes),
                Err(ReadError::TooLarge) => {
                    let message = format!("the answer is larger than {OUTPUT_BYTES_MAX} bytes; use a file");
                    let mut error = Code::OutputTooLarge.error(message);
                    error.http_status = Some(head.status.as_u16());
                    Outcome::failed(error, Reached::Maybe)
                }
                Err(ReadError::Broken(error)) => {
                    let message = format!("the connection broke in the middle of the answer: {error}");
                    Outcome::failed(Code::ConnectionBroken.error(message), Reached::Maybe)
                }
            };
        }
        // Where the explanation is too long or breaks off, the status still says what matters.
        let bytes = read(body, ERROR_BYTES_MAX).await.unwrap_or_default();
        response::failure(head.status, &head.headers, &bytes, SystemTime::now())
    }
}

fn build(base: &str, call: &Invocation) -> Result<Request<Full<Bytes>>, RunError> {
    let parts = request::request(base, call)?;
    let media_type = (!parts.body.is_empty()).then_some(parts.media_type);
    let headers = request::headers(call, media_type)?;
    let mut request = Request::new(Full::new(parts.body));
    *request.method_mut() = parts.method;
    *request.uri_mut() = parts.uri;
    *request.headers_mut() = headers;
    Ok(request)
}

/// The sooner of an attempt's timeout and its caller's deadline.
pub(crate) struct TimeLimit {
    pub duration: Duration,
    timeout: Duration,
}

impl TimeLimit {
    /// # Errors
    /// When the deadline is over already.
    pub(crate) fn of(call: &Invocation) -> Result<Self, RunError> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let left = u64::try_from(call.deadline.as_millis().saturating_sub(now_ms)).unwrap_or(0);
        if left == 0 {
            return Err(
                Code::Deadline.error(format!("the deadline {} was over before the call", call.deadline))
            );
        }
        let left = Duration::from_millis(left);
        Ok(Self { duration: left.min(call.timeout), timeout: call.timeout })
    }

    /// A timeout also where the deadline came first: it mostly is the timeout, counted from a moment earlier,
    /// and whether there is time for another try is for who set it to say.
    pub(crate) fn error(&self) -> RunError {
        Code::Timeout.error(format!("no answer within {}", format_duration(self.timeout)))
    }
}

/// Why there is no response: nobody there, or a connection that broke.
fn unsent(error: &SendError) -> Outcome {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if error.is_connect() {
        let message = format!("nobody answers there: {cause}");
        return Outcome::failed(Code::Connect.error(message), Reached::No);
    }
    let hyper = error.source().and_then(|source| source.downcast_ref::<hyper::Error>());
    let reached = if hyper.is_some_and(hyper::Error::is_canceled) { Reached::No } else { Reached::Maybe };
    let message = format!("the connection broke before an answer: {cause}");
    Outcome::failed(Code::ConnectionBroken.error(message), reached)
}

enum ReadError {
    TooLarge,
    Broken(hyper::Error),
}

/// Reads a body to its end, and no further than the limit: what is larger is cut off, connection and all.
async fn read(mut body: Incoming, bytes_max: usize) -> Result<Bytes, ReadError> {
    use hyper::body::Body;
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(ReadError::TooLarge);
    }
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(ReadError::Broken)?.into_data() else { continue };
        if first.len() + all.len() + data.len() > bytes_max {
            return Err(ReadError::TooLarge);
        }
        // Most answers come in one piece, which needs no copy.
        if first.is_empty() && all.is_empty() {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&data);
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}
