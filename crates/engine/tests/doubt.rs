//! Calls that nobody knows the outcome of: `delivery: at_most_once` and `resolve`.

mod world;

use consort_engine::{AttemptResult, Command};
use consort_types::{Json, RunState, StepState, UndoState};
use serde_json::json;
use std::time::Duration;
use world::World;

const MINUTE: Duration = Duration::from_secs(60);
const ONCE: &str =
    "steps: { a: { call: s.a, delivery: at_most_once }, b: { call: s.b, with: { x: '${a}' } } }";
const CHARGE: &str = "steps:
  charge:
    call: s.a
    RETRY
    undo: { call: s.undo, with: { x: '${output}' } }
    resolve: { call: s.c, with: { x: '${key}' } }
  last: { call: s.b, after: [charge] }";

fn charge(retry: &str) -> World {
    World::start(&CHARGE.replace("RETRY", retry))
}

fn waits_for_a_person(world: &World, step: &str) {
    let shown = world.step(step);
    assert_eq!((world.state(), shown.state), (RunState::Waiting, StepState::Waiting));
    let detail = shown.waiting_on.unwrap().detail;
    assert!(detail.contains("retry, skip or complete"), "{detail}");
    assert!(world.open.is_empty());
}

#[test]
fn an_at_most_once_call_that_is_late_lost_or_broken_waits_for_a_person() {
    for lose in [World::late, World::broken] {
        let mut world = World::start(ONCE);
        lose(&mut world, "a");
        waits_for_a_person(&world, "a");
        world.pass(60 * MINUTE);
        world.crash();
        waits_for_a_person(&world, "a");
        assert!(world.retry(None).is_err(), "all at once is not by name");
        world.retry(Some("a")).unwrap();
        world.ok("a", json!(1)).ok("b", json!(2));
        assert_eq!(world.output(), json!({"a": 1, "b": 2}));
    }
}

#[test]
fn a_person_may_also_skip_or_complete_a_call_in_doubt() {
    let mut world = World::start(ONCE);
    world.late("a").complete("a", json!("it happened")).unwrap();
    assert_eq!(world.open[0].input, json!({"x": "it happened"}));
    let mut world = World::start(ONCE);
    world.late("a").skip("a").unwrap();
    assert_eq!(world.open[0].input, json!({"x": null}));
}

#[test]
fn a_crash_while_an_at_most_once_call_is_out_is_a_doubt_and_one_before_is_none() {
    let mut world = World::start(ONCE);
    let token = world.open[0].token;
    world.crash();
    waits_for_a_person(&world, "a");
    assert_eq!(world.step("a").attempts[0].replica.as_deref(), Some("s-1"));
    world.finish(token, AttemptResult::Succeeded(Json::null()));
    waits_for_a_person(&world, "a");

    let mut world = World::start(&format!("{ONCE}\n"));
    world.late("a");
    world.holds = true;
    world.retry(Some("a")).unwrap();
    world.crash();
    assert_eq!(world.in_flight(), ["a"], "it waited for room and was not sent");
    let token = world.open[0].token;
    world.send(token);
    let again = Command::AttemptSending { token, started_at: world.now, replica: None, revision: None };
    assert!(world.apply(again).is_err(), "never sent twice");
    world.ok("a", json!(1)).ok("b", json!(1));
    assert_eq!(world.state(), RunState::Succeeded);
}

#[test]
fn only_a_refused_connection_is_tried_again_by_itself() {
    let mut world = World::start(ONCE);
    world.refused("a").pass(MINUTE).refused("a").pass(MINUTE).ok("a", json!(1));
    assert_eq!(world.calls(), ["a", "a#2", "a#3", "b"]);
    let mut world = World::start(ONCE);
    world.refused("a").pass(MINUTE).refused("a").pass(MINUTE).refused("a");
    assert_eq!(world.state(), RunState::Failed, "it has certainly not happened");
    let mut world = World::start(ONCE);
    world.busy("a");
    assert_eq!((world.state(), world.sent.len()), (RunState::Failed, 1), "an answer is an answer");
}

#[test]
fn a_call_in_doubt_ends_with_its_scope_and_is_undone() {
    let mut world = World::start(
        "steps: { a: { call: s.a, delivery: at_most_once, undo: { call: s.undo } }, b: { call: s.b } }",
    );
    world.late("a").bad("b");
    assert_eq!(world.in_flight(), ["a.undo"]);
    assert!(world.open[0].undoes.is_some());
    world.ok("a.undo", json!(null));
    assert_eq!((world.state(), world.view().undo), (RunState::Failed, UndoState::Complete));
}

#[test]
fn what_became_of_a_late_call_is_asked_and_an_output_counts() {
    let mut world = charge("");
    world.late("charge");
    assert_eq!(world.in_flight(), ["charge.resolve"]);
    assert_eq!(world.open[0].input, json!({"x": world.sent[0].key}), "`key` is that of the call");
    assert_ne!(world.open[0].key, world.sent[0].key);
    world.crash();
    world.busy("charge.resolve").pass(MINUTE).ok("charge.resolve", json!({"id": 7}));
    assert_eq!(world.step("charge").output.unwrap().to_value(), json!({"id": 7}));
    world.bad("last");
    assert_eq!(world.open[0].input, json!({"x": {"id": 7}}), "the undo knows what there is to undo");
}

#[test]
fn null_means_that_it_did_not_happen() {
    let mut world = charge("retry: { attempts: 2, delay: 1s }");
    world.late("charge").ok("charge.resolve", json!(null)).pass(MINUTE);
    assert_eq!(world.in_flight(), ["charge"]);
    world.broken("charge").ok("charge.resolve", json!(null));
    assert_eq!((world.state(), world.view().undo), (RunState::Failed, UndoState::None), "nothing to undo");
    // The same for a call that may be made only once.
    let mut world = World::start(
        "steps: { a: { call: s.a, delivery: at_most_once, resolve: { call: s.c, with: { x: '${key}' } } } }",
    );
    world.crash();
    world.ok("a.resolve", json!(null)).pass(MINUTE).ok("a", json!(1));
    assert_eq!(world.calls(), ["a", "a.resolve", "a#2"]);
    assert_eq!(world.state(), RunState::Succeeded);
}

#[test]
fn only_when_nobody_can_tell_a_person_must() {
    let mut world = charge("retry: { attempts: 3 }");
    world.late("charge").bad("charge.resolve");
    waits_for_a_person(&world, "charge");
    assert_eq!(world.step("charge.resolve").state, StepState::Failed);
    world.complete("charge", json!("by hand")).unwrap();
    world.ok("last", json!(1));
    assert_eq!(world.state(), RunState::Succeeded);
    // A person may also be faster than the answer.
    let mut world = charge("");
    world.late("charge").skip("charge").unwrap();
    assert_eq!(world.in_flight(), ["last"]);
    assert_eq!(world.step("charge.resolve").state, StepState::Cancelled);
}

#[test]
fn a_charge_that_a_cancel_cuts_is_found_and_refunded_without_a_person() {
    let mut world = charge("");
    world.by_hand(|by| Command::Cancel { by }).unwrap();
    world.pass(MINUTE);
    assert_eq!(world.in_flight(), ["charge.resolve"]);
    world.ok("charge.resolve", json!({"id": 9}));
    assert_eq!(
        (world.open[0].step.as_str(), &world.open[0].input),
        ("charge.undo", &json!({"x": {"id": 9}}))
    );
    assert!(world.open[0].undoes.is_none());
    world.ok("charge.undo", json!(null));
    assert_eq!((world.state(), world.view().undo), (RunState::Cancelled, UndoState::Complete));
    let mut world = charge("");
    world.by_hand(|by| Command::Cancel { by }).unwrap();
    world.pass(MINUTE).ok("charge.resolve", json!(null));
    assert_eq!((world.state(), world.view().undo), (RunState::Cancelled, UndoState::None));
    // Where even that fails, it is undone as what may have happened.
    let mut world = charge("");
    world.by_hand(|by| Command::Cancel { by }).unwrap();
    world.pass(MINUTE).bad("charge.resolve");
    assert_eq!((world.open[0].step.as_str(), world.open[0].undoes.is_some()), ("charge.undo", true));
}

#[test]
fn an_undo_may_go_by_the_key_and_a_refused_call_has_nothing_to_undo() {
    let by_key = "steps: { a: { call: s.a, undo: { call: s.undo, with: { x: '${key}' } } } }";
    let mut world = World::start(by_key);
    world.broken("a");
    assert_eq!(world.open[0].input, json!({"x": world.sent[0].key}));
    let mut world = World::start(by_key);
    world.refused("a");
    assert_eq!((world.state(), world.view().undo), (RunState::Failed, UndoState::None));
    // The first try may have happened, though the second did not.
    let mut world = World::start(&by_key.replace("s.a,", "s.a, retry: { attempts: 2 },"));
    world.late("a").pass(MINUTE).refused("a");
    assert_eq!(world.in_flight(), ["a.undo"]);
}

#[test]
fn a_paused_run_sends_nothing_after_a_restart() {
    let mut world = World::start("steps: { a: { call: s.a }, b: { call: s.b, after: [a] } }");
    world.by_hand(|by| Command::Pause { by }).unwrap();
    world.crash();
    assert!(world.in_flight().is_empty());
    world.crash();
    world.by_hand(|by| Command::Resume { by }).unwrap();
    assert_eq!((world.in_flight(), world.open[0].attempt), (vec!["a"], 1));
    world.ok("a", json!(1)).ok("b", json!(1));
    assert_eq!(world.state(), RunState::Succeeded);
}
