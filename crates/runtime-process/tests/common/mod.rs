//! What the tests of the process runtime share.
#![allow(dead_code, reason = "each test file uses its part")]

use consort_runtime::{Command, Exit, Observation, Observations, ReplicaId, ReplicaSpec};
use consort_runtime_process::{Config, LogLimits, ProcessRuntime};
use consort_types::{Name, NameKind};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

pub const PATIENCE: Duration = Duration::from_secs(30);

pub fn config(data: &Path) -> Config {
    let mut config = Config::new(data);
    config.shim = PathBuf::from(env!("CARGO_BIN_EXE_consort-test-shim"));
    config
}

pub fn runtime(data: &Path) -> (ProcessRuntime, Observations) {
    ProcessRuntime::new(config(data)).unwrap()
}

pub fn small_logs(data: &Path, file_bytes_max: u64) -> (ProcessRuntime, Observations) {
    let mut config = config(data);
    config.log_limits = LogLimits { file_bytes_max, files_max: 3 };
    ProcessRuntime::new(config).unwrap()
}

pub fn name(text: &str) -> Name {
    Name::new(text, NameKind::Kebab).unwrap()
}

/// A replica of a shell script.
pub fn script(data: &Path, service: &str, script: &str) -> ReplicaSpec {
    let argv = ["/bin/sh", "-c", script].map(str::to_owned);
    replica(data, service, Command::Argv(argv.into()))
}

/// A replica of a Python program.
pub fn python(data: &Path, service: &str, program: &str) -> ReplicaSpec {
    let argv = ["python3", "-u", "-c", program].map(str::to_owned);
    replica(data, service, Command::Argv(argv.into()))
}

pub fn replica(data: &Path, service: &str, command: Command) -> ReplicaSpec {
    ReplicaSpec {
        service: name(service),
        revision: "r1".into(),
        replica: ReplicaId::new(&name(service), 1),
        dir: data.to_owned(),
        command,
        environment: vec![],
        secrets: vec![],
        data_dir: data.join("service-data").join(service),
        server_url: "http://127.0.0.1:7878".into(),
        health: None,
        stop_grace: Duration::from_millis(300),
    }
}

pub async fn next(seen: &mut Observations) -> Observation {
    let next = tokio::time::timeout(PATIENCE, seen.observations.recv()).await;
    next.expect("an observation in time").expect("the runtime lives")
}

/// The next exit; what comes before it is passed over.
pub async fn exit(seen: &mut Observations) -> Exit {
    loop {
        if let Observation::Exited { exit, .. } = next(seen).await {
            return exit;
        }
    }
}

/// The next log line that begins with this text.
pub async fn line(seen: &mut Observations, start: &str) -> String {
    let find = async {
        loop {
            let line = seen.logs.recv().await.expect("the runtime lives").line;
            if line.starts_with(start) {
                return line;
            }
        }
    };
    tokio::time::timeout(PATIENCE, find).await.unwrap_or_else(|_| panic!("no line {start:?} in time"))
}

/// Whether a process lives; one that is dead and not reaped does not.
pub fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')')
        .is_some_and(|(_, fields)| !matches!(fields.trim_start().chars().next(), Some('Z' | 'X')))
}

/// Waits until none of these processes lives, and tells how long it took.
pub async fn until_dead(pids: &[u32]) -> Duration {
    let began = std::time::Instant::now();
    while pids.iter().any(|pid| lives(*pid)) {
        let left: Vec<_> = pids.iter().filter(|pid| lives(**pid)).collect();
        assert!(began.elapsed() < PATIENCE, "still alive: {left:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
}
