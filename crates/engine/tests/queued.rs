//! Runs that wait for a place among the live runs of their workflow.

mod world;

use consort_engine::Command;
use consort_types::{RunState, UndoState, WaitKind};
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
    world.apply(Command::Admit).unwrap();
    let view = world.view();
    assert_eq!((view.state, view.started_at), (RunState::Running, Some(world.now)));
    world.pass(Duration::from_secs(599));
    assert_eq!(world.state(), RunState::Running);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.view().error.unwrap().code, "E_RUN_TIMEOUT");
    assert!(world.apply(Command::Admit).is_err(), "it has had its place");
}

#[test]
fn a_run_that_is_cancelled_in_line_ends_at_once_and_runs_nothing() {
    for command in [|by| Command::Cancel { by }, |by| Command::Undo { by }] {
        let mut world = World::in_line(CALLS);
        world.by_hand(command).unwrap();
        assert_eq!(world.state(), RunState::Cancelled);
        let view = world.view();
        assert_eq!((view.undo, view.started_at), (UndoState::None, None));
        assert!(world.sent.is_empty(), "no `finally` of what never began");
        assert!(world.apply(Command::Admit).is_err());
    }
}

#[test]
fn a_pause_keeps_the_turn_and_stands_still_in_its_place() {
    let mut world = World::in_line(CALLS);
    world.by_hand(|by| Command::Pause { by }).unwrap();
    assert_eq!(world.state(), RunState::Paused);
    world.pass(Duration::from_secs(600));
    world.apply(Command::Admit).unwrap();
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
    let (name, body) = (world::kebab("go"), consort_types::Json::of(&json!(7)));
    world.by_hand(|by| Command::Signal { name, body, by }).unwrap();
    world.apply(Command::Admit).unwrap();
    assert_eq!(world.output(), json!({ "go": 7 }));
}
