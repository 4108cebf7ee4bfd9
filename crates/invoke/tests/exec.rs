//! Every row of the protocol of `exec` services, with processes that a test scripts. Real ones are tried
//! where they are run, in `consort-runtime-process`.

mod common;

use common::{failure, invocation, no_log};
use consort_invoke::{Invocation, Invoker, Outcome, Process, Reached, Target};
use consort_runtime::{BoxFuture, Command, Error, Exec, ExecEnd, ExecSpec, LogSink, LogStream};
use consort_types::{ErrorKind, Json};
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Ends as it is told, after it wrote some lines to stderr; with no end it runs until it is cancelled.
struct Script {
    end: Option<Result<ExecEnd, Error>>,
    stderr: &'static [&'static str],
    seen: Mutex<Option<ExecSpec>>,
}

impl Exec for Script {
    fn exec<'a>(
        &'a self,
        spec: ExecSpec,
        log: LogSink,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<ExecEnd, Error>> {
        *self.seen.lock().unwrap() = Some(spec);
        self.stderr.iter().for_each(|line| log(LogStream::Stderr, line));
        Box::pin(async move {
            match self.end.clone() {
                Some(end) => end,
                None => {
                    cancel.cancelled().await;
                    Ok(ExecEnd::Cancelled)
                }
            }
        })
    }
}

fn target() -> Target {
    Target::Exec(Process {
        command: Command::Shell("./check.sh".into()),
        dir: "revision".into(),
        environment: vec![("A".into(), "1".into())],
        secrets: vec![("KEY".into(), "hunter22".into())],
        stop_grace: Duration::from_secs(1),
    })
}

async fn call(
    end: Option<Result<ExecEnd, Error>>,
    stderr: &'static [&'static str],
    invocation: &Invocation,
) -> (Outcome, ExecSpec) {
    let script = Arc::new(Script { end, stderr, seen: Mutex::default() });
    let invoker = Invoker::new(Arc::<Script>::clone(&script));
    let outcome = invoker.invoke(&target(), invocation, &CancellationToken::new(), no_log()).await;
    let spec = script.seen.lock().unwrap().take().unwrap();
    (outcome, spec)
}

fn exited(code: i32, stdout: &'static str) -> Option<Result<ExecEnd, Error>> {
    Some(Ok(ExecEnd::Exited { code: Some(code), signal: None, stdout: stdout.into() }))
}

#[tokio::test]
async fn the_process_learns_what_the_contract_says() {
    let mut call_of = invocation("POST", "/check", json!({"declared": 3}));
    call_of.undoes = Some("account".into());
    let (_, spec) = call(exited(0, "1"), &[], &call_of).await;
    let deadline = call_of.deadline.to_string();
    let expected = [
        ("A", "1"),
        ("CONSORT_OPERATION", "parse"),
        ("CONSORT_RUN", "run_00000000000000000000000000000007"),
        ("CONSORT_STEP", "fields[3]"),
        ("CONSORT_ATTEMPT", "2"),
        ("CONSORT_TOKEN", "att_7_3_2"),
        ("CONSORT_DEADLINE", &deadline),
        ("CONSORT_UNDOES", "account"),
        ("IDEMPOTENCY_KEY", "key-1"),
        ("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ];
    let given: Vec<_> =
        spec.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(given, expected);
    assert_eq!(spec.stdin, r#"{"declared":3}"#);
}

#[tokio::test]
async fn ends_mean_what_the_contract_says() {
    let none: &[&str] = &[];
    let signal = Some(Ok(ExecEnd::Exited { code: None, signal: Some(9), stdout: "1".into() }));
    let missing = Error::NotStarted { command: "./check.sh".into(), problem: "there is none".into() };
    let said = r#"{"error":"bad_page","message":"no text"}"#;
    for (end, stderr, kind, code, retryable, message) in [
        (exited(1, ""), none, ErrorKind::Operation, "E_EXEC_EXIT", false, "the process exited with 1"),
        (
            exited(1, ""),
            &["a", "boom", ""],
            ErrorKind::Operation,
            "E_EXEC_EXIT",
            false,
            "exited with 1: boom",
        ),
        (exited(75, ""), &["later"], ErrorKind::Operation, "E_EXEC_EXIT", true, "exited with 75: later"),
        (exited(2, said), &["x"], ErrorKind::Operation, "bad_page", false, "no text"),
        (exited(0, "plain text"), none, ErrorKind::InvalidOutput, "E_OUTPUT_NOT_JSON", false, "plain text"),
        (signal, none, ErrorKind::Unavailable, "E_EXEC_SIGNAL", true, "signal 9"),
        (Some(Ok(ExecEnd::TooMuchOutput)), none, ErrorKind::Limit, "E_OUTPUT_TOO_LARGE", false, "67108864"),
        (Some(Err(missing)), none, ErrorKind::Unavailable, "E_EXEC_NOT_STARTED", false, "there is none"),
    ] {
        let (outcome, _) = call(end, stderr, &invocation("POST", "/check", json!({}))).await;
        let failure = failure(outcome);
        let error = &failure.error;
        assert_eq!((error.kind, error.code.as_str(), error.retryable), (kind, code, retryable));
        assert!(error.message.contains(message), "{}", error.message);
        let started = code != "E_EXEC_NOT_STARTED";
        assert_eq!(failure.reached, if started { Reached::Maybe } else { Reached::No });
    }
    for (stdout, output) in [("{\"a\":1}\n", json!({"a": 1})), ("", json!(null)), (" \n", json!(null))] {
        let (outcome, _) = call(exited(0, stdout), &[], &invocation("POST", "/check", json!({}))).await;
        assert_eq!(outcome, Outcome::Succeeded(Json::of(&output)));
    }
}

#[tokio::test]
async fn timeout_and_cancellation_end_the_process() {
    let mut slow = invocation("POST", "/check", json!({}));
    slow.timeout = Duration::from_millis(30);
    let (outcome, _) = call(None, &[], &slow).await;
    assert_eq!(failure(outcome).error.code, "E_TIMEOUT");

    let script = Arc::new(Script { end: None, stderr: &[], seen: Mutex::default() });
    let cancel = CancellationToken::new();
    cancel.cancel();
    let endless = invocation("POST", "/check", json!({}));
    let outcome = Invoker::new(script).invoke(&target(), &endless, &cancel, no_log()).await;
    assert_eq!(failure(outcome).error.kind, ErrorKind::Cancelled);
}
