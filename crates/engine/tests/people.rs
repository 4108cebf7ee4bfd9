//! What waits for a person: questions and incidents, from when they begin until their cause is gone.

mod world;

use consort_engine::{Command, IncidentKind};
use consort_types::{StepState, UndoState};
use serde_json::json;
use world::World;

fn asked(world: &World) -> Vec<String> {
    world.run.questions().into_iter().map(|question| question.step).collect()
}

fn stuck(world: &World) -> Vec<(String, IncidentKind)> {
    world.run.incidents().into_iter().map(|incident| (incident.step, incident.kind)).collect()
}

#[test]
fn a_question_is_open_from_when_it_is_asked_until_it_is_answered() {
    let mut world = World::start(
        "steps:
  a: { call: s.a }
  ok: { after: [a], await: { approval: { ask: 'Pay ${a}?', show: '${a}', to: ops, form: { yes: boolean } } } }",
    );
    assert!(!world.run.may_need_people() && asked(&world).is_empty());
    world.ok("a", json!(5));
    let question = world.run.questions().remove(0);
    assert_eq!((question.step.as_str(), question.ask.as_str()), ("ok", "Pay 5?"));
    assert_eq!(
        (question.show.unwrap().to_value(), question.to.unwrap().to_value()),
        (json!(5), json!("ops"))
    );
    world.crash();
    assert_eq!(asked(&world), ["ok"]);
    world.complete("ok", json!({"yes": true})).unwrap();
    assert!(asked(&world).is_empty() && !world.run.may_need_people());
}

#[test]
fn a_cancelled_run_asks_nothing_any_more() {
    let mut world = World::start(
        "steps: { a: { await: { approval: { ask: A? } } }, b: { await: { approval: { ask: B? } } } }",
    );
    assert_eq!(asked(&world), ["a", "b"]);
    world.skip("a").unwrap();
    assert_eq!(asked(&world), ["b"]);
    world.by_hand(|by| Command::Cancel { by }).unwrap();
    assert!(asked(&world).is_empty());
}

#[test]
fn a_call_in_doubt_is_an_incident_until_somebody_decides() {
    let mut world = World::start("steps: { a: { call: s.a, delivery: at_most_once } }");
    world.late("a");
    assert_eq!(stuck(&world), [("a".to_owned(), IncidentKind::InDoubt)]);
    world.retry(Some("a")).unwrap();
    assert!(stuck(&world).is_empty());
    world.ok("a", json!(1));
    assert!(stuck(&world).is_empty());
}

#[test]
fn a_failure_that_pauses_is_an_incident_at_the_innermost_step() {
    let mut world = World::start(
        "on_failure: pause
steps: { g: { steps: { a: { call: s.a }, b: { call: s.b } } }, z: { call: s.c, after: [g] } }",
    );
    world.ok("g.b", json!(1)).bad("g.a");
    assert_eq!(stuck(&world), [("g.a".to_owned(), IncidentKind::PausedOnFailure)]);
    world.retry(Some("g.a")).unwrap();
    assert!(stuck(&world).is_empty());
    world.bad("g.a");
    world.complete("g.a", json!(2)).unwrap();
    assert!(stuck(&world).is_empty());
    assert_eq!(world.in_flight(), ["z"]);
}

#[test]
fn a_parked_undo_stays_an_incident_after_the_end_and_is_completed_by_hand() {
    let mut world =
        World::start("steps: { a: { call: s.a, undo: { call: s.undo } }, b: { call: s.b, after: [a] } }");
    world.ok("a", json!(1)).bad("b").bad("a.undo");
    assert_eq!(world.view().undo, UndoState::Incomplete);
    assert_eq!(stuck(&world), [("a.undo".to_owned(), IncidentKind::UndoParked)]);
    world.complete("a.undo", json!(null)).unwrap();
    assert!(stuck(&world).is_empty());
    assert_eq!((world.view().undo, world.step("a").state), (UndoState::Complete, StepState::Undone));
    assert_eq!(world.step("a.undo").state, StepState::Succeeded);
    assert!(world.complete("a.undo", json!(null)).is_err());
}

#[test]
fn an_output_by_hand_must_be_what_the_step_gives() {
    let mut world = World::start(
        "on_failure: pause
steps:
  g: { steps: { n: { call: s.typed, with: { n: 1 } } }, output: { n: '${n.n}' } }
  v: { value: '${g.n + 1.0}' }",
    );
    world.bad("g.n");
    for bad in [json!(5), json!({}), json!({"n": "x"}), json!({"n": 1, "m": 2})] {
        assert!(world.complete("g", bad.clone()).is_err(), "{bad}");
        assert!(world.complete("g.n", bad.clone()).is_err(), "{bad}");
    }
    world.complete("g", json!({"n": 4})).unwrap();
    // A whole double is written without a fraction.
    assert_eq!(world.output()["v"], json!(5));
}
