//! What calls answer, and the names that go with them.

use consort_engine::AttemptResult;
use consort_invoke::Failure;
use consort_types::{AttemptState, AttemptToken, ErrorKind, RunError, RunId};

/// A call was cut before it was sent.
pub(super) fn cut_in_queue() -> AttemptResult {
    let error = RunError::new("E_CANCELLED", ErrorKind::Cancelled, "cancelled before it was sent");
    AttemptResult::Failed { state: AttemptState::Cancelled, error, retry_after: None }
}

/// Whether a call may have failed only because the server ends.
pub(super) fn is_cut_short(result: &AttemptResult) -> bool {
    match result {
        AttemptResult::Succeeded(_) => false,
        AttemptResult::Interrupted => true,
        AttemptResult::Unsent { error } | AttemptResult::Failed { error, .. } => {
            matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Cancelled | ErrorKind::Lost)
        }
    }
}

/// A failed call as the engine hears of it.
pub(super) fn failed(failure: Failure) -> AttemptResult {
    let Failure { error, retry_after, .. } = failure;
    let state = match error.kind {
        ErrorKind::Timeout => AttemptState::TimedOut,
        ErrorKind::Lost => AttemptState::Lost,
        ErrorKind::Cancelled => AttemptState::Cancelled,
        _ => AttemptState::Failed,
    };
    AttemptResult::Failed { state, error, retry_after }
}

/// W3C trace context: the run is the trace, the attempt is the span.
pub(super) fn trace_of(token: AttemptToken) -> String {
    let span = (u64::from(token.node) << 32 | u64::from(token.number)).max(1);
    format!("00-{}-{span:016x}-01", trace_id(token.run))
}

fn trace_id(run: RunId) -> String {
    run.as_uuid().simple().to_string()
}

/// The same of a call without a run.
pub(super) fn traceparent(seed: &[u8]) -> String {
    let hex = consort_types::Digest::of(seed).hex();
    format!("00-{}-{}-01", &hex[..32], &hex[32..48])
}
