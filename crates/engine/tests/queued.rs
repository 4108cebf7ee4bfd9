//! Runs that wait for a place among the live runs of their workflow.

mod world;

use consort_engine::Command;
use consort_types::{Json, RunState, UndoState, WaitKind};
use serde_json::json;
use std::time::Duration;
use world::World;

const CALLS: &str = "timeout: 10m
steps:
  a: { call: s.a, undo: { call: s.undo } }
finally: { tidy: { call: s.c } }";

#[test]
fn nothing_runs_in_line_and_the_time_counts_from_the_place() {
    let mut world = World::in_line(CALLS);
    let view = world.view();
    assert_eq!((view.state, view.started_at, view.attempts.len()), (RunState::Queued, None, 0));
    assert_eq!(view.waiting_on.unwrap().kind, WaitKind::Limit);
    world.crash();
    world.pass(Duration::from_secs(3_600));
    assert!(world.sent.is_empty());
    world.apply(Command::Admit { previous: None }).unwrap();
    let view = world.view();
    assert_eq!((view.state, view.started_at), (RunState::Running, Some(world.now)));
    world.pass(Duration::from_secs(599));
    assert_eq!(world.state(), RunState::Running);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.view().error.unwrap().code, "E_RUN_TIMEOUT");
    assert!(world.apply(Command::Admit { previous: None }).is_err(), "it has had its place");
}

#[test]
fn a_run_that_is_cancelled_in_line_ends_at_once_and_runs_nothing() {
    for command in [|by| Command::Cancel { by }, |by| Command::Undo { only: Vec::new(), by }] {
        let mut world = World::in_line(CALLS);
        world.by_hand(command).unwrap();
        assert_eq!(world.state(), RunState::Cancelled);
        let view = world.view();
        assert_eq!((view.undo, view.started_at), (UndoState::None, None));
        assert!(world.sent.is_empty(), "no `finally` of what never began");
        assert!(world.apply(Command::Admit { previous: None }).is_err());
    }
}

#[test]
fn a_pause_keeps_the_turn_and_stands_still_in_its_place() {
    let mut world = World::in_line(CALLS);
    world.by_hand(|by| Command::Pause { by }).unwrap();
    assert_eq!(world.state(), RunState::Paused);
    world.pass(Duration::from_secs(600));
    world.apply(Command::Admit { previous: None }).unwrap();
    world.crash();
    world.pass(Duration::from_secs(3_600));
    assert_eq!((world.state(), world.sent.len()), (RunState::Paused, 0));
    world.by_hand(|by| Command::Resume { by }).unwrap();
    // Neither the time in line nor the time that it stood still counts.
    world.pass(Duration::from_secs(599));
    assert_eq!(world.state(), RunState::Running);
    world.ok("a", json!(1)).ok("finally.tidy", json!(1));
    assert_eq!(world.state(), RunState::Succeeded);
}

#[test]
fn what_is_asked_of_a_run_in_line_is_kept_or_refused_with_a_reason() {
    let mut world = World::in_line("steps: { go: { await: { signal: go } } }");
    assert!(world.retry(None).is_err() && world.skip("go").is_err());
    let (name, body) = (world::kebab("go"), Json::of(&json!(7)));
    world.by_hand(|by| Command::Signal { name, body, by }).unwrap();
    world.apply(Command::Admit { previous: None }).unwrap();
    assert_eq!(world.output(), json!({ "go": 7 }));
}

#[test]
fn the_run_before_is_seen_as_of_the_place_and_stays_the_same() {
    let workflow = "steps:
  last: { value: '${default(previous.n, 0)}' }
  told: { await: { signal: go }, after: [last] }
output: { n: '${last + default(previous.n, 0)}' }";
    let seen = |at_start: Option<i32>, at_admission: Option<i32>| {
        let gave = |n: Option<i32>| n.map(|n| Json::from(json!({ "n": n })));
        let mut world = World::in_line_after(workflow, gave(at_start));
        world.apply(Command::Admit { previous: gave(at_admission) }).unwrap();
        world.crash();
        let body = Json::from(json!({}));
        world.apply(Command::Signal { name: world::kebab("go"), body, by: "ann".to_owned() }).unwrap();
        world.view().output.unwrap().to_value()["n"].as_i64()
    };
    assert_eq!(seen(None, None), Some(0));
    assert_eq!(seen(None, Some(2)), Some(4));
    assert_eq!(seen(Some(1), Some(2)), Some(4), "what succeeded while it stood in line counts");
    assert_eq!(seen(Some(1), None), Some(2));
}
