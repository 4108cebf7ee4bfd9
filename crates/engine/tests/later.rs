//! Answers that come later: language.md "A 202 call stays in flight".

mod world;

use consort_engine::{AttemptResult, Command, ProgressNote};
use consort_types::{ErrorKind, Json, RunState, StepState};
use serde_json::json;
use std::time::Duration;
use world::World;

const ONE: &str =
    "steps: { a: { call: s.a, timeout: 5m, undo: { call: s.undo }, retry: { attempts: 2, delay: 1s } } }";

fn answer(world: &mut World, token: consort_types::AttemptToken, output: serde_json::Value) {
    world.finish(token, AttemptResult::Succeeded(Json::from(output)));
}

#[test]
fn a_call_that_is_taken_runs_until_its_answer_comes_also_across_a_crash() {
    let mut world = World::start(ONE);
    let token = world.accept("a");
    assert_eq!((world.state(), world.step("a").state), (RunState::Running, StepState::Running));
    world.crash();
    assert!(world.in_flight().is_empty(), "it is not sent again");
    let progress = Some(ProgressNote { fraction: Some(0.5), message: Some("half".into()) });
    world.apply(Command::AttemptHeartbeat { token, progress }).unwrap();
    assert_eq!(world.step("a").progress.unwrap().0.fraction, Some(0.5));
    answer(&mut world, token, json!(7));
    assert_eq!(world.output(), json!({"a": 7}));
    assert_eq!(world.step("a").attempts[0].replica.as_deref(), Some("s-1"));
    assert!(world.apply(Command::AttemptHeartbeat { token, progress: None }).is_err(), "too late");
}

#[test]
fn a_callee_that_is_silent_is_lost_and_one_that_is_heard_of_is_not() {
    let mut world = World::start(ONE);
    let token = world.accept("a");
    world.pass(Duration::from_secs(20));
    world.apply(Command::AttemptHeartbeat { token, progress: None }).unwrap();
    world.pass(Duration::from_secs(20));
    assert_eq!(world.step("a").state, StepState::Running);
    world.pass(Duration::from_secs(11));
    assert_eq!(world.step("a").attempts[0].error.as_ref().unwrap().kind, ErrorKind::Lost);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.open[0].attempt, 2);
    answer(&mut world, token, json!("old"));
    assert_eq!(world.in_flight(), ["a"], "a late answer with an old token changes nothing");
}

#[test]
fn a_callee_that_only_says_that_it_lives_times_out() {
    let mut world = World::start("steps: { a: { call: s.a, timeout: 1m } }");
    let token = world.accept("a");
    for _ in 0..5 {
        world.apply(Command::AttemptHeartbeat { token, progress: None }).unwrap();
        world.pass(Duration::from_secs(11));
    }
    world.pass(Duration::from_secs(6));
    assert_eq!((world.state(), world.view().error.unwrap().kind), (RunState::Failed, ErrorKind::Timeout));
}

#[test]
fn a_cancel_waits_for_a_taken_call_with_undo_and_then_gives_it_up() {
    let mut world = World::start(ONE);
    world.accept("a");
    world.by_hand(|by| Command::Cancel { by }).unwrap();
    world.pass(Duration::from_secs(30));
    assert_eq!(world.in_flight(), ["a.undo"]);
    world.ok("a.undo", json!(null));
    assert_eq!(world.state(), RunState::Cancelled);
}

#[test]
fn a_call_that_is_taken_while_its_run_is_cancelled_is_given_up_at_once() {
    let mut world = World::start("steps: { a: { call: s.a } }");
    // The cut of the cancel comes to nothing: the connection has brought its 202 already.
    let taken = world.open.pop_front().unwrap();
    world.by_hand(|by| Command::Cancel { by }).unwrap();
    assert_eq!(world.state(), RunState::Cancelling);
    world.open.push_back(taken);
    world.accept("a");
    assert_eq!(world.state(), RunState::Cancelled);
}
