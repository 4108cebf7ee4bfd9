//! Nothing that a replica starts is left behind, however anything ends.

mod common;

use common::{exit, line, lives, runtime, script, until_dead};
use consort_runtime::{ExitReason, Runtime};
use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
    time::Duration,
};

/// A tree of all the kinds that like to escape: a child, one in a session of its own, an orphan of it, one
/// that ignores SIGTERM; it prints their ids.
const TREE: &str = "
trap '' TERM
sleep 600 & echo pid $!
setsid sh -c 'sleep 600 & echo pid $!; exec sleep 600' & echo pid $!
sh -c '(setsid sleep 600 & echo pid $!) &'
echo pid $$
sleep 0.1
echo ready
while :; do sleep 600; done
";

async fn tree(seen: &mut consort_runtime::Observations) -> Vec<u32> {
    let mut pids = Vec::new();
    while pids.len() < 5 {
        pids.push(line(seen, "pid ").await["pid ".len()..].parse().unwrap());
    }
    assert!(pids.iter().all(|pid| lives(*pid)), "{pids:?}");
    pids
}

#[tokio::test]
async fn a_stubborn_tree_is_killed_after_its_grace() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, mut seen) = runtime(data.path());
    let spec = script(data.path(), "tree", TREE);
    let id = spec.replica.clone();
    runtime.start(spec).unwrap();
    let pids = tree(&mut seen).await;
    runtime.stop(&id);
    let exit = exit(&mut seen).await;
    assert_eq!(exit.reason, ExitReason::Killed);
    assert!(!pids.iter().any(|pid| lives(*pid)), "the exit is told when all are dead");
}

#[tokio::test]
async fn what_outlives_the_command_dies_with_it() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, mut seen) = runtime(data.path());
    runtime.start(script(data.path(), "daemon", "setsid sleep 600 & echo pid $!; exit 0")).unwrap();
    let pid: u32 = line(&mut seen, "pid ").await["pid ".len()..].parse().unwrap();
    let exit = exit(&mut seen).await;
    assert_eq!((exit.reason, exit.code), (ExitReason::Ended, Some(0)));
    assert!(!lives(pid));
}

#[tokio::test]
async fn dropping_the_runtime_kills_its_replicas() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, mut seen) = runtime(data.path());
    runtime.start(script(data.path(), "tree", TREE)).unwrap();
    let pids = tree(&mut seen).await;
    drop(runtime);
    until_dead(&pids).await;
}

#[tokio::test]
async fn a_killed_shim_takes_its_command_along() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, mut seen) = runtime(data.path());
    runtime.start(script(data.path(), "orphan", "echo pid $$ $PPID; exec sleep 600")).unwrap();
    let line = line(&mut seen, "pid ").await;
    let pids: Vec<u32> = line["pid ".len()..].split(' ').map(|pid| pid.parse().unwrap()).collect();
    let killed = Command::new("kill").args(["-9", &pids[1].to_string()]).status().unwrap();
    assert!(killed.success());
    let exit = exit(&mut seen).await;
    assert_eq!((exit.reason, exit.signal), (ExitReason::Ended, Some(9)), "{exit:?}");
    until_dead(&pids).await;
}

/// The server of [`nothing_outlives_a_killed_server`]: run as a child of that test, killed by it.
#[tokio::test]
#[ignore = "only a part of another test"]
#[allow(clippy::print_stderr, reason = "it tells the other test which processes to watch")]
async fn a_server_with_a_tree() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, mut seen) = runtime(data.path());
    runtime.start(script(data.path(), "tree", TREE)).unwrap();
    let pids = tree(&mut seen).await;
    eprintln!("tree {}", pids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn nothing_outlives_a_killed_server() {
    let this = std::env::current_exe().unwrap();
    let mut server = Command::new(this)
        .args(["--exact", "a_server_with_a_tree", "--ignored", "--nocapture"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(server.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("tree ") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "the server ended early");
    }
    let pids: Vec<u32> = line["tree ".len()..].split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    assert!(pids.len() == 5 && pids.iter().all(|pid| lives(*pid)), "{pids:?}");
    server.kill().unwrap();
    let took = until_dead(&pids).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    server.wait().unwrap();
    // Nobody holds a pipe of the server any more.
    let _ = said.read_to_string(&mut line);
}
