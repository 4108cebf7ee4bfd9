//! `consort run` and its exit codes, against a small server that plays one run.

mod support;

use serde_json::{Value, json};
use std::{
    path::Path,
    process::Output,
    sync::atomic::{AtomicBool, Ordering},
};
use support::{Server, json_answer, text};

const RUN: &str = "run_00000000000000000000000000000007";

/// What the server plays.
#[derive(Clone, Copy, PartialEq)]
enum Play {
    /// The run ends in this state, and the feed says so.
    Ends(&'static str),
    /// As before, but there is no feed.
    EndsWithoutFeed(&'static str),
    /// The run never ends.
    Hangs,
    /// The start is answered with this status.
    Refuses(u16),
}

fn play(play: Play) -> Server {
    let ended = AtomicBool::new(false);
    Server::start(move |path| answer(path, play, &ended))
}

fn run_loan(server: &Server, folder: &Path, args: &[&str]) -> Output {
    server.consort(folder, &[&["run", "loan"], args].concat())
}

fn answer(path: &str, play: Play, ended: &AtomicBool) -> String {
    let state = |ended: bool| match play {
        Play::Ends(state) | Play::EndsWithoutFeed(state) if ended => state,
        _ => "running",
    };
    match path {
        "/workflows/loan" => json_answer(200, &workflow()),
        "/workflows/loan/runs" => match play {
            Play::Refuses(status) => json_answer(status, &problem(status)),
            _ => json_answer(201, &run("running")),
        },
        "/artifacts" => json_answer(201, &file()),
        "/feed" => match play {
            Play::Ends(state) => {
                ended.store(true, Ordering::SeqCst);
                let run = run(state);
                format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nid: 1\nevent: step\ndata: {}\n\nid: 2\nevent: run\ndata: {run}\n\n",
                    step()
                )
            }
            Play::EndsWithoutFeed(_) => {
                ended.store(true, Ordering::SeqCst);
                json_answer(404, &problem(404))
            }
            _ => "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_owned(),
        },
        path if path.ends_with("/steps") => {
            json_answer(200, &json!({"items": [step()], "next_cursor": null}))
        }
        _ => json_answer(200, &run(state(ended.load(Ordering::SeqCst)))),
    }
}

fn workflow() -> Value {
    let file = json!({"type": "object", "properties": {"artifact": {}, "name": {}, "type": {}, "size": {}, "url": {}}});
    json!({
        "namespace": "n", "name": "loan", "revision": "r", "description": null, "updated_at": "2026-11-24T09:30:00Z",
        "input": {"type": "object", "additionalProperties": false,
            "properties": {"who": {"type": "string"}, "declared": {"type": "number"}, "document": file}}
    })
}

fn file() -> Value {
    json!({"artifact": format!("sha256:{}", "0".repeat(64)), "name": "a.pdf", "type": "application/pdf", "size": 3, "url": "http://x/y"})
}

fn run(state: &str) -> Value {
    let error = json!({"code": "HTTP_422", "kind": "operation", "message": "not a PDF", "step": "pages", "attempt": 1, "retryable": false});
    json!({
        "id": RUN, "namespace": "n", "workflow": "loan", "revision": "r", "state": state, "input": {},
        "output": if state == "succeeded" { json!({"approved": true}) } else { Value::Null },
        "error": if state == "failed" { error } else { Value::Null },
        "created_at": "2026-11-24T09:30:00Z", "started_at": "2026-11-24T09:30:00Z",
        "finished_at": if state == "running" { Value::Null } else { json!("2026-11-24T09:30:02Z") }, "undo": "none"
    })
}

fn step() -> Value {
    json!({"run": RUN, "key": "pages", "kind": "call", "call": "parser.split", "state": "succeeded",
        "started_at": "2026-11-24T09:30:00Z", "finished_at": "2026-11-24T09:30:01Z", "attempts": []})
}

fn problem(status: u16) -> Value {
    let errors = if status == 422 {
        json!([{"path": "declared", "code": "missing", "message": "is missing"}])
    } else {
        json!([])
    };
    json!({"type": "about:blank", "title": "t", "status": status, "detail": "why", "code": "EX", "errors": errors})
}

#[test]
fn the_exit_code_tells_how_the_run_ended() {
    let folder = tempfile::tempdir().unwrap();
    for (play, args, code) in [
        (Play::Ends("succeeded"), &[][..], 0),
        (Play::Ends("failed"), &[], 1),
        (Play::Ends("cancelled"), &[], 1),
        (Play::Ends("timed_out"), &["--json"], 1),
        (Play::EndsWithoutFeed("succeeded"), &[], 0),
        (Play::Hangs, &["--wait=200ms"], 124),
        (Play::Hangs, &["--wait=200ms", "--json"], 124),
        (Play::Hangs, &["--detach"], 0),
        (Play::Refuses(404), &[], 4),
        (Play::Refuses(403), &[], 5),
        (Play::Refuses(429), &[], 6),
        (Play::Refuses(422), &[], 2),
        (Play::Refuses(409), &[], 2),
        (Play::Ends("succeeded"), &["-i", "whom=x"], 2),
    ] {
        let output = run_loan(&self::play(play), folder.path(), args);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{stdout}\n{stderr}");
        if args.contains(&"--json") {
            let last: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
            assert_eq!(last["id"], RUN);
        }
    }
}

#[test]
fn a_pipe_reads_the_steps_the_verdict_and_the_output() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_loan(&play(Play::Ends("succeeded")), folder.path(), &[]);
    let expected = format!(
        "   1.0s  ✓ pages succeeded 1.0s\n✓ loan {RUN} succeeded after 2.0s\n{{\n  \"approved\": true\n}}\n"
    );
    assert_eq!(text(&output.stdout), expected);
}

#[test]
fn a_failure_names_the_step_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_loan(&play(Play::Ends("failed")), folder.path(), &[]);
    let stdout = text(&output.stdout);
    assert!(stdout.contains("failed after 2.0s at pages: not a PDF (HTTP_422)"), "{stdout}");
    assert_eq!(text(&output.stderr), format!("hint: look at it with `consort runs show {RUN}`\n"));
}

#[test]
fn a_refused_input_names_each_field() {
    let folder = tempfile::tempdir().unwrap();
    let output = run_loan(&play(Play::Refuses(422)), folder.path(), &[]);
    assert_eq!(
        text(&output.stderr),
        "error: why (EX)\n  declared: is missing\nhint: `consort workflows show loan` shows what it takes\n"
    );
}

#[test]
fn values_travel_by_their_type_and_files_as_artifacts() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.pdf"), "pdf").unwrap();
    let server = play(Play::Hangs);
    let args = [
        "-i",
        "who=12",
        "-i",
        "declared=12",
        "-i",
        "document=@a.pdf",
        "--key",
        "k",
        "--no-cache",
        "--detach",
    ];
    let output = run_loan(&server, folder.path(), &args);
    assert_eq!(text(&output.stdout), format!("{RUN}\n"), "{}", text(&output.stderr));
    let start: Value = serde_json::from_slice(&server.body("POST /api/v1/workflows/loan/runs")).unwrap();
    let input = json!({"who": "12", "declared": 12, "document": file()});
    assert_eq!(start, json!({"input": input, "key": "k", "no_cache": true}));
}

#[test]
fn the_namespace_is_that_of_the_project_file_here() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("consort.yaml"), "name: lending\n").unwrap();
    let server = play(Play::Hangs);
    run_loan(&server, folder.path(), &["--detach"]);
    server.body("GET /api/v1/workflows/loan?namespace=lending ");
    run_loan(&server, folder.path(), &["--detach", "-n", "other"]);
    server.body("POST /api/v1/workflows/loan/runs?namespace=other ");
}
