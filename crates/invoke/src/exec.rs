//! A call as a process of its own.

use crate::{Invocation, Outcome, Process, Reached, codes::Code, http::TimeLimit, request, response};
use consort_runtime::{Error, Exec, ExecEnd, ExecSpec, LogSink, LogStream};
use consort_types::RunError;
use hyper::StatusCode;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// EX_TEMPFAIL of sysexits.h: come back later.
const EXIT_TEMPFAIL: i32 = 75;

/// The largest output that is read, in bytes: that of a step.
const OUTPUT_BYTES_MAX: usize = 64 * 1024 * 1024;

pub(crate) async fn call(
    exec: &dyn Exec,
    process: &Process,
    call: &Invocation,
    cancel: &CancellationToken,
    log: LogSink,
) -> Outcome {
    if call.input.len() > request::INPUT_BYTES_MAX {
        let message = format!("the input has {} bytes", call.input.len());
        return Outcome::failed(Code::InputTooLarge.error(message), Reached::No);
    }
    let limit = match TimeLimit::of(call) {
        Ok(limit) => limit,
        Err(error) => return Outcome::failed(error, Reached::No),
    };
    let last_words = LastWords::default();
    let ended = run_within(exec, spec(process, call), cancel, last_words.listen(log), &limit).await;
    match ended {
        Ok(ExecEnd::Exited { code: Some(0), stdout, .. }) => {
            response::output(StatusCode::OK, stdout.trim_ascii())
        }
        Ok(ExecEnd::Exited { code: Some(code), stdout, .. }) => {
            Outcome::failed(exit_error(code, &stdout, &last_words), Reached::Maybe)
        }
        Ok(ExecEnd::Exited { code: None, signal, .. }) => {
            let message = format!("the process was killed by signal {}", signal.unwrap_or_default());
            Outcome::failed(Code::ExecSignal.error(message), Reached::Maybe)
        }
        Ok(ExecEnd::TooMuchOutput) => {
            let message = format!("the process wrote more than {OUTPUT_BYTES_MAX} bytes; use a file");
            Outcome::failed(Code::OutputTooLarge.error(message), Reached::Maybe)
        }
        // Only our own limit or the caller ends it this way.
        Ok(ExecEnd::Cancelled) if cancel.is_cancelled() => {
            Outcome::failed(Code::Cancelled.error("the call was cancelled"), Reached::Maybe)
        }
        Ok(ExecEnd::Cancelled) => Outcome::failed(limit.error(), Reached::Maybe),
        Err(error) => Outcome::failed(not_started(&error), Reached::No),
    }
}

/// Cancels the process when its time is over, and still waits for its end: a permit that is given back
/// earlier would let more of them run than the limit allows.
async fn run_within(
    exec: &dyn Exec,
    spec: ExecSpec,
    cancel: &CancellationToken,
    log: LogSink,
    limit: &TimeLimit,
) -> Result<ExecEnd, Error> {
    let over = cancel.child_token();
    let run = exec.exec(spec, log, &over);
    tokio::pin!(run);
    tokio::select! {
        ended = &mut run => return ended,
        () = tokio::time::sleep(limit.duration) => over.cancel(),
    }
    run.await
}

fn spec(process: &Process, call: &Invocation) -> ExecSpec {
    let mut environment = process.environment.clone();
    let mut set = |name: &str, value: String| {
        if !value.is_empty() {
            environment.push((name.to_owned(), value));
        }
    };
    set("CONSORT_OPERATION", call.operation.clone());
    set("CONSORT_RUN", call.run.map(|run| run.to_string()).unwrap_or_default());
    set("CONSORT_STEP", call.step.clone());
    set("CONSORT_ATTEMPT", call.attempt.to_string());
    set("CONSORT_TOKEN", call.token.clone());
    set("CONSORT_DEADLINE", call.deadline.to_string());
    set("CONSORT_UNDOES", call.undoes.clone().unwrap_or_default());
    set("IDEMPOTENCY_KEY", call.idempotency_key.clone());
    set("TRACEPARENT", call.traceparent.clone());
    ExecSpec {
        command: process.command.clone(),
        dir: process.dir.clone(),
        environment,
        secrets: process.secrets.clone(),
        stdin: request::body(&call.input),
        stdout_bytes_max: OUTPUT_BYTES_MAX,
        stop_grace: process.stop_grace,
    }
}

/// What the process said of its failure: an error in JSON on stdout, else its last line on stderr.
fn exit_error(code: i32, stdout: &[u8], last_words: &LastWords) -> RunError {
    let otherwise = || match last_words.take() {
        line if line.is_empty() => format!("the process exited with {code}"),
        line => format!("the process exited with {code}: {line}"),
    };
    let explained = consort_types::Json::from_slice(stdout.trim_ascii()).is_ok();
    let body = if explained { stdout.trim_ascii() } else { b"" };
    let error = response::callees_error(body, Code::ExecExit, otherwise);
    if code == EXIT_TEMPFAIL { error.retryable() } else { error }
}

fn not_started(error: &Error) -> RunError {
    Code::ExecNotStarted.error(error.to_string())
}

/// Remembers the last line that a process wrote to stderr: mostly the reason why it fails.
#[derive(Clone, Default)]
struct LastWords(Arc<Mutex<String>>);

impl LastWords {
    fn listen(&self, log: LogSink) -> LogSink {
        let last = Arc::clone(&self.0);
        Arc::new(move |stream: LogStream, line: &str| {
            if !line.trim().is_empty() {
                line.clone_into(&mut last.lock().unwrap_or_else(PoisonError::into_inner));
            }
            log(stream, line);
        })
    }

    fn take(&self) -> String {
        let mut line = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some((end, _)) = line.char_indices().nth(500) {
            line.truncate(end);
        }
        line
    }
}
