//! Runs that stood still when something else came: pauses, kills, clocks that are set back.

mod world;

use consort_engine::{AttemptResult, Command, Effect, TimerKind};
use consort_types::{RunState, StepState, UndoState, WaitKind};
use serde_json::json;
use std::time::Duration;
use world::World;

const MINUTE: Duration = Duration::from_secs(60);

/// Pauses while a call waits for a replica: it was not sent and is taken back.
fn pause_and_take_back(world: &mut World, step: &str) {
    world.by_hand(|by| Command::Pause { by }).unwrap();
    let token = world.open.iter().find(|sent| sent.step == step).unwrap().token;
    world.finish(token, AttemptResult::Interrupted);
}

#[test]
fn a_run_that_paused_before_its_call_was_sent_can_be_cancelled() {
    let mut world = World::start("steps: { a: { call: s.a, undo: { call: s.undo } }, b: { call: s.b } }");
    pause_and_take_back(&mut world, "a");
    world.ok("b", json!(1));
    world.by_hand(|by| Command::Cancel { by }).unwrap();
    assert_eq!((world.state(), world.ended), (RunState::Cancelled, 1));
    assert_eq!(world.view().undo, UndoState::None, "it never happened");
}

#[test]
fn a_call_that_was_settled_by_hand_during_a_pause_is_not_made_afterwards() {
    let mut world = World::start("steps: { a: { call: s.a }, b: { call: s.b, after: [a] } }");
    pause_and_take_back(&mut world, "a");
    world.skip("a").unwrap();
    world.by_hand(|by| Command::Resume { by }).unwrap();
    assert_eq!(world.in_flight(), ["b"]);
}

#[test]
fn an_undo_goes_on_during_a_pause_and_is_made_once() {
    let mut world = World::start(
        "steps:
  g:
    retry: { attempts: 2, clean: true, when: 'true' }
    steps:
      a: { call: s.a, undo: { call: s.undo } }
      b: { call: s.b, after: [a] }",
    );
    world.ok("g.a", json!(1)).bad("g.b");
    pause_and_take_back(&mut world, "g.a.undo");
    world.ok("g.a.undo", json!(null));
    world.by_hand(|by| Command::Resume { by }).unwrap();
    assert!(world.in_flight().is_empty(), "{:?}", world.in_flight());
    world.pass(MINUTE).ok("g.a", json!(1)).ok("g.b", json!(1));
    assert_eq!((world.state(), world.view().undo), (RunState::Succeeded, UndoState::None));
}

#[test]
fn what_an_earlier_try_had_completed_is_undone_after_a_kill_too() {
    let mut world = World::start(
        "steps:
  g:
    retry: { attempts: 2, when: 'true', jitter: 0 }
    steps:
      a: { call: s.a, undo: { call: s.undo } }
      b: { call: s.b, after: [a] }",
    );
    world.ok("g.a", json!(1)).bad("g.b").pass(MINUTE).bad("g.a");
    assert_eq!(world.state(), RunState::Undoing);
    world.crash();
    assert_eq!(world.open.len(), 1, "the undo of the first try");
    let undo = world.open[0].token;
    world.finish(undo, AttemptResult::Succeeded(consort_types::Json::null()));
    assert_eq!((world.state(), world.view().undo), (RunState::Failed, UndoState::Complete));
}

#[test]
fn the_timeout_of_a_run_holds_after_a_kill_between_two_passes() {
    let mut world = World::start(
        "timeout: 1h\nretry: { attempts: 2, delay: 10m, max_delay: 10m, when: 'true' }\nsteps: { a: { call: s.a } }",
    );
    world.bad("a");
    world.crash();
    world.pass(20 * MINUTE);
    assert_eq!(world.in_flight(), ["a"]);
    world.pass(45 * MINUTE);
    assert_eq!(world.state(), RunState::TimedOut);
}

#[test]
fn a_doubt_of_an_earlier_pass_is_settled_by_the_newer_outcome() {
    let mut world = World::start(
        "retry: { attempts: 2, when: 'true' }
steps:
  a: { call: s.a, undo: { call: s.undo, with: { x: '${output}' } } }
  b: { call: s.b, after: [a] }",
    );
    world.late("a").pass(2 * MINUTE).ok("a", json!("A")).bad("b");
    assert_eq!(world.open[0].input, json!({"x": "A"}));
    world.bad("a.undo");
    assert_eq!((world.state(), world.view().undo), (RunState::Failed, UndoState::Incomplete));
    assert_eq!(world.sent.iter().filter(|sent| sent.step == "a.undo").count(), 1);
}

#[test]
fn a_timer_that_comes_before_its_time_is_set_again() {
    let mut world = World::start(
        "timeout: 2h\nsteps: { a: { wait: 1h }, g: { timeout: 90m, steps: { s: { wait: 3h } } } }",
    );
    let timers = world.timers.clone();
    for (node, kind) in timers.keys().copied() {
        let early = world.run.apply(Command::TimerFired { node, kind }, world.now).unwrap();
        let again = early.effects.iter().any(
            |effect| matches!(effect, Effect::SetTimer { node: n, kind: k, .. } if (*n, *k) == (node, kind)),
        );
        assert!(again, "{node:?} {kind:?}");
    }
    assert!(timers.keys().any(|(_, kind)| *kind == TimerKind::Wake));
    assert_eq!(world.step("a").state, StepState::Waiting);
}

#[test]
fn an_undo_that_waits_says_why() {
    let mut world =
        World::start("steps: { a: { call: s.a, undo: { call: s.undo } }, b: { call: s.b, after: [a] } }");
    world.ok("a", json!(1)).bad("b").busy("a.undo");
    let view = world.view();
    assert_eq!((view.state, view.waiting_on.unwrap().kind), (RunState::Undoing, WaitKind::Retry));
}
