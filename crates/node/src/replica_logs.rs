//! Lines of replicas that belong to a step: a JSON line that names its run, or the trace that it was handed.
//!
//! Every line is in the replica's own log already. One that says `run` (and `step`), or the `trace_id` of the
//! `traceparent` that came with the call, is put to that step's attempt as well.

use crate::{admissions::Admissions, logs::LogSender};
use consort_runtime::{LogLine, LogStream};
use consort_types::RunId;
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::mpsc;
use uuid::Uuid;

/// What is read of a line.
#[derive(Debug, Deserialize)]
struct Marks {
    #[serde(default)]
    run: Option<String>,
    #[serde(default)]
    step: Option<String>,
    #[serde(default)]
    trace_id: Option<String>,
}

/// Runs until the runtime is gone.
pub async fn run(mut lines: mpsc::Receiver<LogLine>, admissions: Arc<Admissions>, logs: LogSender) {
    while let Some(line) = lines.recv().await {
        let Some((run, step)) = marks(&line.line) else { continue };
        let Some(at) = admissions.attempt_of(run, step.as_deref(), line.replica.as_str()) else { continue };
        let stream = match line.stream {
            LogStream::Stdout => consort_store::LogStream::Stdout,
            LogStream::Stderr => consort_store::LogStream::Stderr,
        };
        let (step, attempt) = (at.step, at.attempt);
        let line = consort_store::LogLine { run, step, attempt, at: line.at, stream, line: line.line };
        logs.send(&at.namespace, line);
    }
}

/// The run, and perhaps the step, that a line names.
fn marks(line: &str) -> Option<(RunId, Option<String>)> {
    // Most lines are no JSON or name no run: they cost a glance.
    if !line.starts_with('{') || !(line.contains("\"run\"") || line.contains("\"trace_id\"")) {
        return None;
    }
    let marks: Marks = serde_json::from_str(line).ok()?;
    let named = marks.run.and_then(|run| run.parse().ok());
    let traced = || marks.trace_id.as_deref().and_then(|id| Uuid::try_parse(id).ok()).map(RunId::from_uuid);
    named.or_else(traced).map(|run| (run, marks.step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_its_run_or_its_trace() {
        let run = RunId::from_uuid(Uuid::from_u128(7));
        let trace = run.as_uuid().simple();
        let both = format!(r#"{{"run":"{run}","step":"a[1]","msg":"x"}}"#);
        assert_eq!(marks(&both), Some((run, Some("a[1]".to_owned()))));
        assert_eq!(marks(&format!(r#"{{"trace_id":"{trace}","level":"info"}}"#)), Some((run, None)));
        for line in
            ["", "plain", "{", r#"{"run":7}"#, r#"{"run":"run_1"}"#, r#"{"trace_id":"zz"}"#, r#"{"a":1}"#]
        {
            assert_eq!(marks(line), None, "{line}");
        }
    }
}
