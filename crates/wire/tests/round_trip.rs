//! What is written is what the contract names, and what is written is read back the same.

use consort_types::RunId;
use consort_wire::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use utoipa::PartialSchema;

const RUN: &str = "run_00000000000000000000000000000007";

fn run() -> Value {
    json!({
        "id": RUN, "namespace": "lending", "workflow": "loan-application", "revision": "3f2a", "state": "waiting",
        "input": {"declared": 1.50}, "output": null, "error": null, "tags": {"branch": "north"},
        "created_at": "2026-11-24T09:30:00.000Z", "started_at": "2026-11-24T09:30:00.001Z", "finished_at": null,
        "trigger": {"kind": "api"}, "parent": null, "undo": "none",
        "waiting_on": {"kind": "approval", "name": "decision.else", "since": "2026-11-24T09:31:00.000Z", "detail": "a person must approve"},
        "attempts": [{"number": 1, "state": "running", "started_at": null, "finished_at": null, "error": null}]
    })
}

fn step() -> Value {
    json!({
        "key": "fields[3]", "kind": "call", "call": "parser.parse", "state": "succeeded",
        "started_at": "2026-11-24T09:30:00.000Z", "finished_at": "2026-11-24T09:30:01.000Z",
        "attempts": [{"number": 1, "state": "succeeded", "started_at": "2026-11-24T09:30:00.000Z",
            "finished_at": "2026-11-24T09:30:01.000Z", "replica": "parser-1", "revision": "9c1d", "error": null}],
        "input": {"page": 1}, "output": {"ok": true}, "error": null,
        "cached": {"hit": true, "run": RUN, "step": "fields[3]", "at": "2026-11-23T09:30:00.000Z"},
        "progress": {"fraction": 0.5, "message": "half", "at": "2026-11-24T09:30:00.500Z"},
        "waiting_on": null, "copied_from": null, "child": null, "parent": "fields", "index": 3
    })
}

fn service() -> Value {
    json!({
        "namespace": "lending", "name": "parser", "kind": "process", "revision": "9c1d", "previous_revision": null,
        "state": "degraded", "detail": "1 of 2 replicas is ready",
        "replicas": {"desired": 2, "ready": 1, "starting": 0, "draining": 0, "failed": 1},
        "in_flight": 1, "queued": 0,
        "operations": {"parse": {"input": {"type": "object"}, "output": true, "timeout_ms": 30000, "description": null}},
        "rollout": {"revision": "9c1d", "from": null, "state": "running", "started_at": "2026-11-24T09:30:00.000Z",
            "finished_at": null, "detail": null}
    })
}

#[track_caller]
fn assert_round_trip<T: Serialize + DeserializeOwned>(json: &Value) {
    let value: T = serde_json::from_str(&json.to_string()).expect("reads");
    assert_eq!(&serde_json::to_value(&value).expect("writes"), json);
}

#[test]
fn every_response_is_written_as_it_was_read() {
    assert_round_trip::<Run>(&run());
    assert_round_trip::<Page<Run>>(&json!({"items": [run()], "next_cursor": null}));
    assert_round_trip::<Step>(&step());
    assert_round_trip::<Service>(&service());
    assert_round_trip::<ApplyResponse>(&json!({
        "namespace": "lending",
        "changes": [{"kind": "service", "name": "parser", "action": "update", "revision": "9c1d"}],
        "problems": [{"file": "consort.yaml", "line": 3, "column": 1, "severity": "warning", "code": "E", "message": "m"}]
    }));
    assert_round_trip::<HistoryEntry>(
        &json!({"seq": 1, "at": "2026-11-24T09:30:00.000Z", "type": "run_started", "by": "api"}),
    );
    assert_round_trip::<LogLine>(
        &json!({"at": "2026-11-24T09:30:00.000Z", "step": "a", "attempt": 1, "stream": "stderr", "line": "x"}),
    );
    assert_round_trip::<Problem>(
        &json!({"type": "about:blank", "title": "Bad input", "status": 422, "detail": "d", "code": "EINPUT",
        "errors": [{"path": "declared", "code": "missing", "message": "m"}]}),
    );
    assert_round_trip::<Graph>(
        &json!({"revision": "3f2a", "nodes": [{"id": "fields[].parse", "name": "parse", "kind": "call", "call": "parser.parse",
        "for_each": false, "parent": "fields", "label": null}], "edges": [{"from": "a", "to": "b", "kind": "data"}]}),
    );
}

#[test]
fn a_run_and_a_step_have_the_fields_of_the_contract() {
    let run_fields = "id workflow revision state input output error tags created_at started_at finished_at trigger undo waiting_on attempts";
    let step_fields = "key kind call state started_at finished_at attempts input output error cached progress waiting_on parent index";
    let service_fields = "name revision previous_revision state replicas in_flight queued operations rollout";
    for (fields, written) in [
        (run_fields, serde_json::to_value(serde_json::from_str::<Run>(&run().to_string()).unwrap()).unwrap()),
        (
            step_fields,
            serde_json::to_value(serde_json::from_str::<Step>(&step().to_string()).unwrap()).unwrap(),
        ),
        (
            service_fields,
            serde_json::to_value(serde_json::from_str::<Service>(&service().to_string()).unwrap()).unwrap(),
        ),
    ] {
        for field in fields.split(' ') {
            assert!(written.get(field).is_some(), "{field} is missing in {written}");
        }
    }
}

#[test]
fn numbers_in_payloads_keep_their_spelling() {
    let text = run().to_string().replace("1.5", "1.50000000000000000001");
    let run: Run = serde_json::from_str(&text).unwrap();
    assert_eq!(run.input.unwrap().text(), "{\"declared\":1.50000000000000000001}");
}

#[test]
fn every_event_of_the_feed_reads_back() {
    let read = |name: &str, data: Value| FeedEvent::parse(name, &data.to_string()).unwrap();
    let of_run = |mut value: Value| {
        value["run"] = json!(RUN);
        value
    };
    let log =
        json!({"at": "2026-11-24T09:30:00.000Z", "step": "a", "attempt": 1, "stream": "stdout", "line": "x"});
    let events = [
        read("run", run()),
        read("step", of_run(step())),
        read("service", service()),
        read("log", of_run(log)),
    ];
    for (event, name) in events.iter().zip(FeedEvent::NAMES) {
        assert_eq!(event.name(), *name);
        assert!(!event.data().contains('\n'), "SSE data is one line");
        assert_eq!(&FeedEvent::parse(name, &event.data()).unwrap(), event);
    }
    let FeedEvent::Step(step) = &events[1] else { panic!("a step") };
    assert_eq!(step.run, RUN.parse::<RunId>().unwrap());
    assert!(matches!(FeedEvent::parse("tide", "{}"), Err(FeedError::Unknown(_))));
    assert!(matches!(FeedEvent::parse("run", "{"), Err(FeedError::Malformed(_))));
}

#[test]
fn requests_refuse_unknown_fields_by_name() {
    fn refused<T: DeserializeOwned>(body: &Value) {
        let Err(error) = serde_json::from_value::<T>(body.clone()) else { panic!("{body} was read") };
        assert!(error.to_string().contains("inptu"), "{error}");
    }
    refused::<StartRun>(&json!({"inptu": {}}));
    refused::<Rerun>(&json!({"inptu": {}}));
    refused::<CompleteStep>(&json!({"inptu": {}}));
    refused::<Scale>(&json!({"inptu": {}}));
    refused::<Rollback>(&json!({"inptu": {}}));
    refused::<ApplyRequest>(&json!({"inptu": {}}));
    refused::<RunsQuery>(&json!({"inptu": "x"}));
    refused::<Empty>(&json!({"inptu": {}}));
}

#[test]
fn a_start_needs_nothing() {
    let start: StartRun = serde_json::from_str("{}").unwrap();
    assert_eq!(start, StartRun::with_input(serde_json::from_str("{}").unwrap()));
    assert_eq!(serde_json::to_value(&start).unwrap(), json!({"input": {}}));
}

#[test]
fn payloads_may_be_anything_in_the_schema() {
    let schema = serde_json::to_value(Run::schema()).unwrap();
    assert_eq!(schema["properties"]["input"].get("type"), None, "{schema}");
    assert_eq!(schema["properties"]["created_at"]["format"], "date-time");
}
