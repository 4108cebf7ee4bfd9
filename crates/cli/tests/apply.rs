//! `consort apply` against a small server: what travels, what is waited for.

mod support;

use serde_json::{Value, json};
use std::path::Path;
use support::{Server, json_answer, text};

const PROJECT: &str = "\
name: hello
services:
  greeter:
    source: ./greeter
    command: python3 greeter.py
    env_file: ./greeter.env
    operations: { greet: { input: { name: string } } }
";

/// The rollout of the only service is in this state.
fn server(rollout: &'static str) -> Server {
    let digest = format!("sha256:{}", "0".repeat(64));
    Server::start(move |path| match path {
        "/artifacts" => json_answer(
            201,
            &json!({"artifact": digest, "name": "x.tar", "type": "application/x-tar", "size": 1, "url": "http://x/y"}),
        ),
        "/apply" => json_answer(
            200,
            &json!({
                "namespace": "hello", "problems": [],
                "changes": [{"kind": "service", "name": "greeter", "action": "create", "revision": "r1"}]
            }),
        ),
        _ => json_answer(200, &json!({"items": [service(rollout)], "next_cursor": null})),
    })
}

fn service(rollout: &str) -> Value {
    json!({
        "namespace": "hello", "name": "greeter", "kind": "process", "revision": "r1", "previous_revision": null,
        "state": "starting", "detail": null,
        "replicas": {"desired": 1, "ready": 0, "starting": 1, "draining": 0, "failed": 0},
        "in_flight": 0, "queued": 0, "operations": {},
        "rollout": {"revision": "r1", "from": null, "state": rollout, "started_at": "2026-11-24T09:30:00Z",
            "finished_at": null, "detail": "exit code 1: no such file"}
    })
}

fn project(folder: &Path) {
    std::fs::create_dir(folder.join("greeter")).unwrap();
    std::fs::write(folder.join("greeter/greeter.py"), "print()").unwrap();
    std::fs::write(folder.join("greeter.env"), "GREETING=hello\n").unwrap();
    std::fs::write(folder.join("consort.yaml"), PROJECT).unwrap();
}

#[test]
fn files_and_sources_travel_and_the_rollout_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    let server = server("succeeded");
    let output = server.consort(folder.path(), &["apply"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout),
        "CHANGE  KIND     NAME     REVISION  DETAIL\ncreate  service  greeter  r1\n"
    );

    let request: Value = serde_json::from_slice(&server.body("POST /api/v1/apply ")).unwrap();
    let paths: Vec<_> =
        request["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["consort.yaml", "greeter.env"]);
    assert_eq!(request["sources"]["greeter"], format!("sha256:{}", "0".repeat(64)));
    let tar = server.body("POST /api/v1/artifacts?name=");
    assert!(tar.windows(10).any(|window| window == b"greeter.py"), "the tar holds the service's files");
}

#[test]
fn a_rollout_that_failed_is_exit_code_1_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    for (args, code) in [(&["apply"][..], 1), (&["apply", "--no-wait"], 0), (&["apply", "--dry-run"], 0)] {
        let server = server("failed");
        let output = server.consort(folder.path(), args);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert_eq!(stderr.contains("greeter: failed: exit code 1: no such file"), code == 1, "{stderr}");
        if args.contains(&"--dry-run") {
            server.body("POST /api/v1/apply?dry_run=true ");
            assert!(text(&output.stdout).starts_with("WOULD"), "{}", text(&output.stdout));
        }
    }
}
