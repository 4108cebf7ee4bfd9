//! One process per call, as real processes.

mod common;

use bytes::Bytes;
use common::{lives, runtime, until_dead};
use consort_runtime::{Command, Exec, ExecEnd, ExecSpec, LogSink, LogStream};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

fn spec(dir: &Path, script: &str) -> ExecSpec {
    ExecSpec {
        command: Command::Argv(["/bin/sh", "-c", script].map(str::to_owned).into()),
        dir: dir.to_owned(),
        environment: vec![("CONSORT_STEP".into(), "check".into())],
        secrets: vec![("KEY".into(), "hunter22".into())],
        stdin: Bytes::from_static(b"{\"a\":1}"),
        stdout_bytes_max: 1024 * 1024,
        stop_grace: Duration::from_millis(200),
    }
}

fn listen() -> (LogSink, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::<Mutex<Vec<String>>>::default();
    let seen = Arc::clone(&lines);
    (Arc::new(move |_: LogStream, line: &str| seen.lock().unwrap().push(line.to_owned())), lines)
}

fn exited(code: i32, stdout: &'static str) -> ExecEnd {
    ExecEnd::Exited { code: Some(code), signal: None, stdout: Bytes::from_static(stdout.as_bytes()) }
}

#[tokio::test]
async fn input_output_log_and_code_come_through() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, _seen) = runtime(data.path());
    let script = "read x; echo \"$x $CONSORT_STEP\"; echo \"key $KEY\" >&2; echo two >&2; exit 75";
    let (log, lines) = listen();
    let end = runtime.exec(spec(data.path(), script), log, &CancellationToken::new()).await.unwrap();
    assert_eq!(end, exited(75, "{\"a\":1} check\n"));
    assert_eq!(*lines.lock().unwrap(), ["key ***", "two"]);
}

#[tokio::test]
async fn large_input_and_output_do_not_block_each_other() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, _seen) = runtime(data.path());
    let mut echo = spec(data.path(), "cat");
    echo.stdin = Bytes::from(vec![b'x'; 16 * 1024 * 1024]);
    echo.stdout_bytes_max = 16 * 1024 * 1024;
    let input = echo.stdin.clone();
    let end = runtime.exec(echo, listen().0, &CancellationToken::new()).await.unwrap();
    assert_eq!(end, ExecEnd::Exited { code: Some(0), signal: None, stdout: input.clone() });
    // One that reads nothing of it is free not to.
    let mut deaf = spec(data.path(), "echo 1");
    deaf.stdin = input;
    let end = runtime.exec(deaf, listen().0, &CancellationToken::new()).await.unwrap();
    assert_eq!(end, exited(0, "1\n"));
}

#[tokio::test]
async fn too_much_output_is_cut_off() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, _seen) = runtime(data.path());
    let end = runtime.exec(spec(data.path(), "yes"), listen().0, &CancellationToken::new()).await.unwrap();
    assert_eq!(end, ExecEnd::TooMuchOutput);
}

#[tokio::test]
async fn a_process_that_leaves_others_behind_ends_all_the_same() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, _seen) = runtime(data.path());
    let script = "setsid sleep 600 & echo $!";
    let end = runtime.exec(spec(data.path(), script), listen().0, &CancellationToken::new()).await.unwrap();
    let ExecEnd::Exited { code: Some(0), stdout, .. } = end else { panic!("{end:?}") };
    let pid: u32 = std::str::from_utf8(&stdout).unwrap().trim().parse().unwrap();
    assert!(!lives(pid));
}

/// Runs until its ids are known, then ends it: by cancelling, or by dropping the call.
async fn ended_by(drop_it: bool) -> Option<ExecEnd> {
    let data = tempfile::tempdir().unwrap();
    let (runtime, _seen) = runtime(data.path());
    let (log, lines) = listen();
    let cancel = CancellationToken::new();
    let script = "trap '' TERM; setsid sleep 600 & echo $! >&2; echo $$ >&2; while :; do sleep 600; done";
    let call = runtime.exec(spec(data.path(), script), log, &cancel);
    let known = async {
        while lines.lock().unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let mut call = call;
    tokio::select! {
        end = &mut call => panic!("it ended: {end:?}"),
        () = known => {}
    }
    let pids: Vec<u32> = lines.lock().unwrap().iter().map(|line| line.parse().unwrap()).collect();
    let end = if drop_it {
        drop(call);
        None
    } else {
        cancel.cancel();
        Some(call.await.unwrap())
    };
    until_dead(&pids).await;
    end
}

#[tokio::test]
async fn a_cancelled_call_is_asked_and_then_killed() {
    assert_eq!(ended_by(false).await, Some(ExecEnd::Cancelled));
}

#[tokio::test]
async fn a_dropped_call_is_killed() {
    assert_eq!(ended_by(true).await, None);
}
