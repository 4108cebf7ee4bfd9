//! The life of replicas, as real processes.

mod common;

use common::{exit, line, next, python, replica, runtime, script, small_logs};
use consort_runtime::{
    Command, ExitReason, HealthCheck, HealthProbe, LOG_LINE_BYTES_MAX, Observation, Runtime,
    conformance::{self, Case},
};
use std::{fs, time::Duration};

/// Answers HTTP on its port, each path with the status that its name says.
const SERVER: &str = "
import os, http.server
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(open('status').read()) if os.path.exists('status') else 200)
        self.end_headers()
http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), H).serve_forever()
";

const STUBBORN: &str = "
import os, signal, socket, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
s = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))
time.sleep(600)
";

fn check(probe: HealthProbe) -> HealthCheck {
    let interval = Duration::from_millis(50);
    let timeout = Duration::from_secs(5);
    HealthCheck { probe, interval, timeout, retries: 2, start_period: Duration::from_millis(200) }
}

#[tokio::test]
async fn the_process_runtime_conforms() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, seen) = runtime(data.path());
    conformance::run(&runtime, seen, |case, number| {
        let mut spec = match case {
            Case::Serves => python(data.path(), "serves", SERVER),
            Case::Silent => script(data.path(), "silent", "exec sleep 600"),
            Case::NotStarted => replica(data.path(), "missing", Command::Argv(vec!["./not-there".into()])),
            Case::ExitsWith3 => script(data.path(), "exits", "exit 3"),
            Case::Stubborn => python(data.path(), "stubborn", STUBBORN),
        };
        spec.replica = consort_runtime::ReplicaId::new(&spec.service, number);
        spec
    })
    .await;
}

#[tokio::test]
async fn a_replica_gets_its_variables_and_nothing_else_of_the_server() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, mut seen) = runtime(data.path());
    let mut spec = script(data.path(), "env", "env | sort; pwd; echo end");
    spec.environment = vec![("A".into(), "1".into()), ("A".into(), "2".into()), ("PORT".into(), "1".into())];
    spec.secrets = vec![("OCR_KEY".into(), "hunter22".into())];
    runtime.start(spec).unwrap();
    let Observation::Started { address, .. } = next(&mut seen).await else { panic!("not started") };
    let mut lines = Vec::new();
    loop {
        let line = seen.logs.recv().await.unwrap().line;
        if line == "end" {
            break;
        }
        lines.push(line);
    }
    let names: Vec<_> = lines.iter().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let known = "A CONSORT_DATA CONSORT_REPLICA CONSORT_REVISION CONSORT_SERVICE CONSORT_URL OCR_KEY PORT \
                 PATH HOME LANG TZ TMPDIR PWD OLDPWD SHLVL _";
    for name in &names {
        assert!(known.split(' ').any(|known| known == *name), "{name} is inherited");
    }
    for wanted in [
        "A=2".to_owned(),
        format!("PORT={}", address.port()),
        "CONSORT_SERVICE=env".into(),
        "CONSORT_REPLICA=env-1".into(),
        "CONSORT_REVISION=r1".into(),
        "CONSORT_URL=http://127.0.0.1:7878".into(),
        "OCR_KEY=***".into(),
        fs::canonicalize(data.path()).unwrap().display().to_string(),
    ] {
        assert!(lines.contains(&wanted), "{wanted} is not in {lines:?}");
    }
    assert!(data.path().join("service-data/env").is_dir());
    assert_eq!(exit(&mut seen).await.reason, ExitReason::Ended);
}

#[tokio::test]
async fn health_goes_down_and_up() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, mut seen) = runtime(data.path());
    // Renamed into place, so that the server never reads half of it.
    let status = |status: &str| {
        fs::write(data.path().join("next"), status).unwrap();
        fs::rename(data.path().join("next"), data.path().join("status")).unwrap();
    };
    status("503");
    let mut spec = python(data.path(), "web", SERVER);
    let health = check(HealthProbe::Http { path: "/healthz".into() });
    // Long enough for the server to listen on a busy machine: it is told once why a start failed, and that is
    // the answer of the moment in which its time was over.
    spec.health = Some(HealthCheck { start_period: Duration::from_secs(3), ..health });
    let id = spec.replica.clone();
    runtime.start(spec).unwrap();
    assert!(matches!(next(&mut seen).await, Observation::Started { .. }));
    let Observation::Unready { reason, .. } = next(&mut seen).await else { panic!("ready with 503") };
    assert!(reason.starts_with("not ready") && reason.contains("answered 503"), "{reason}");
    status("204");
    assert_eq!(next(&mut seen).await, Observation::Ready { replica: id.clone() });
    status("404");
    let Observation::Unready { reason, .. } = next(&mut seen).await else { panic!("ready with 404") };
    assert_eq!(reason, "the health check fails: GET /healthz answered 404");
    status("302");
    assert_eq!(next(&mut seen).await, Observation::Ready { replica: id });
    runtime.shutdown().await;
}

#[tokio::test]
async fn a_probe_can_be_a_program() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, mut seen) = runtime(data.path());
    let mut spec = script(data.path(), "probed", "exec sleep 600");
    let argv = ["/bin/sh", "-c", "test -n \"$PORT\" && test -e well"].map(str::to_owned);
    spec.health = Some(check(HealthProbe::Test(argv.into())));
    runtime.start(spec).unwrap();
    assert!(matches!(next(&mut seen).await, Observation::Started { .. }));
    let Observation::Unready { reason, .. } = next(&mut seen).await else { panic!("ready") };
    assert!(reason.ends_with("exited with 1"), "{reason}");
    fs::write(data.path().join("well"), "").unwrap();
    assert!(matches!(next(&mut seen).await, Observation::Ready { .. }));
    runtime.shutdown().await;
}

#[tokio::test]
async fn a_port_that_opens_late_is_awaited_and_one_that_never_opens_is_told() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, mut seen) = runtime(data.path());
    let late = format!("import time; time.sleep(0.5)\n{SERVER}");
    let spec = python(data.path(), "late", &late);
    let id = spec.replica.clone();
    runtime.start(spec).unwrap();
    assert!(matches!(next(&mut seen).await, Observation::Started { .. }));
    assert_eq!(next(&mut seen).await, Observation::Ready { replica: id.clone() });
    runtime.kill(&id);
    exit(&mut seen).await;

    let mut never = script(data.path(), "never", "exec sleep 600");
    never.health = Some(check(HealthProbe::Tcp));
    runtime.start(never).unwrap();
    assert!(matches!(next(&mut seen).await, Observation::Started { .. }));
    let Observation::Unready { reason, .. } = next(&mut seen).await else { panic!("ready") };
    assert!(reason.contains("refused"), "{reason}");
    runtime.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_run_is_explained() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, mut seen) = runtime(data.path());
    fs::write(data.path().join("plain.txt"), "no program").unwrap();
    for (command, dir, explanation) in [
        (vec!["no-such-program"], ".", "there is no program \"no-such-program\""),
        (vec!["./plain.txt"], ".", "may not be executed"),
        (vec![], ".", "the command is empty"),
        (vec!["true"], "nowhere", "nowhere is not there"),
    ] {
        let argv = command.iter().map(ToString::to_string).collect();
        let mut spec = replica(data.path(), "bad", Command::Argv(argv));
        spec.dir = data.path().join(dir);
        runtime.start(spec).unwrap();
        let exit = exit(&mut seen).await;
        assert_eq!(exit.reason, ExitReason::NotStarted, "{exit:?}");
        assert!(exit.message.contains(explanation), "{exit:?}");
    }
    runtime.start(replica(data.path(), "shell", Command::Shell("no-such-program --x".into()))).unwrap();
    let exit = exit(&mut seen).await;
    assert_eq!((exit.reason, exit.code), (ExitReason::Ended, Some(127)));
    assert!(exit.message.contains("a command was not found"), "{exit:?}");
}

#[tokio::test]
async fn a_taken_port_leads_to_another() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, mut seen) = runtime(data.path());
    // The first life leaves a stranger on its port: a process of this test, which the runtime cannot know.
    let (to_test, port_file) = (data.path().join("port"), data.path().join("taken"));
    let body = format!(
        "
import os, time, sys
if not os.path.exists({taken:?}):
    open({port:?} + '.new', 'w').write(os.environ['PORT']); os.rename({port:?} + '.new', {port:?})
    while not os.path.exists({taken:?}): time.sleep(0.01)
    sys.exit(98)
{SERVER}",
        port = to_test.display().to_string(),
        taken = port_file.display().to_string(),
    );
    // Only ready over HTTP, so that the stranger's open port does not count.
    let mut spec = python(data.path(), "racer", &body);
    spec.health =
        Some(HealthCheck { start_period: common::PATIENCE, ..check(HealthProbe::Http { path: "/".into() }) });
    runtime.start(spec).unwrap();
    let Observation::Started { address: first, .. } = next(&mut seen).await else { panic!("not started") };
    while !to_test.exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let stranger = std::net::TcpListener::bind(first).unwrap();
    fs::write(&port_file, "").unwrap();
    let Observation::Started { address: second, .. } = next(&mut seen).await else { panic!("given up") };
    assert_ne!(first, second);
    assert!(matches!(next(&mut seen).await, Observation::Ready { .. }));
    drop(stranger);
    runtime.shutdown().await;
}

#[tokio::test]
async fn a_flood_of_log_blocks_nobody_and_stays_bounded() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, mut seen) = small_logs(data.path(), 1024 * 1024);
    // 40 MB, and nobody reads the channel until the end.
    let spec = script(data.path(), "flood", "yes 0123456789abcdef | head -c 40000000; echo; echo last >&2");
    let id = spec.replica.clone();
    runtime.start(spec).unwrap();
    assert_eq!(exit(&mut seen).await.code, Some(0));
    let logs = data.path().join("logs/flood");
    let mut bytes = 0;
    for entry in fs::read_dir(&logs).unwrap() {
        bytes += entry.unwrap().metadata().unwrap().len();
    }
    assert_eq!(fs::read_dir(&logs).unwrap().count(), 3);
    assert!(bytes < 16 * 1024 * 1024, "{bytes}");
    let first = seen.logs.recv().await.unwrap();
    assert_eq!((first.line.as_str(), first.skipped), ("0123456789abcdef", 0));
    let kept = consort_runtime_process::read_log(data.path(), "flood", &id, 1).unwrap();
    assert!(kept.len() <= 1);
}

#[tokio::test]
async fn log_lines_are_bounded_kept_and_masked() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, mut seen) = runtime(data.path());
    let mut spec = script(
        data.path(),
        "talker",
        "head -c 200000 /dev/zero | tr '\\0' x; echo; echo key is $KEY >&2; printf 'no end'",
    );
    spec.secrets = vec![("KEY".into(), "hunter22".into())];
    let id = spec.replica.clone();
    runtime.start(spec).unwrap();
    let long = line(&mut seen, "xxx").await;
    assert!(long.len() < LOG_LINE_BYTES_MAX + 20 && long.ends_with("[…cut]"));
    exit(&mut seen).await;
    let kept = consort_runtime_process::read_log(data.path(), "talker", &id, 10).unwrap();
    let mut texts: Vec<_> =
        kept.iter().map(|line| line.line.as_str()).filter(|line| line.len() < 100).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["key is ***", "no end"]);
}
