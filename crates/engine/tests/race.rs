//! `first`: races, deadlines, escalations: language.md "Order" and "for_each".

mod world;

use consort_engine::{AttemptResult, Command};
use consort_types::{Json, RunState, StepState, UndoState};
use serde_json::json;
use std::time::Duration;
use world::World;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_race_is_done_when_the_first_has_succeeded_and_the_others_are_cut() {
    let mut world = World::start(
        "steps:
  race:
    first: 1
    steps:
      a: { call: s.a }
      b: { call: s.b }
      late: { wait: 1h }
      never: { after: [late], call: s.c }
  next: { call: s.c, with: { x: '${race}' } }",
    );
    world.ok("race.b", json!("B"));
    assert_eq!(world.in_flight(), ["next"], "the call of `a` is cut");
    assert_eq!(world.open[0].input, json!({"x": {"a": null, "b": "B", "late": null, "never": null}}));
    for loser in ["race.a", "race.late", "race.never"] {
        assert_eq!(world.step(loser).state, StepState::Cancelled, "{loser}");
    }
    world.crash();
    world.ok("next", json!(1));
    assert_eq!((world.state(), world.view().undo), (RunState::Succeeded, UndoState::None));
}

#[test]
fn a_deadline_is_a_wait_beside_a_call() {
    let deadline = "steps:
  work:
    first: 1
    steps: { call: { call: s.a, timeout: 1h }, late: { wait: 1m } }
    output: '${default(call, 0)}'";
    let mut world = World::start(deadline);
    world.ok("work.call", json!(7));
    assert_eq!(world.output(), json!({"work": 7}));
    let mut world = World::start(deadline);
    world.pass(MINUTE);
    assert_eq!(world.output(), json!({"work": 0}));
    assert_eq!(world.step("work.call").state, StepState::Cancelled);
    assert!(world.open.is_empty());
}

#[test]
fn an_escalation_asks_the_next_one_when_the_first_is_silent_and_takes_whose_answer_is_first() {
    let escalation = "steps:
  ask:
    first: 1
    steps:
      clerk: { await: { approval: { ask: clerk } } }
      boss: { steps: { patience: { wait: 1h }, answer: { after: [patience], await: { approval: { ask: boss } } } } }";
    let mut world = World::start(escalation);
    world.pass(60 * MINUTE);
    world.complete("ask.clerk", json!({"approved": true})).unwrap();
    assert_eq!(world.output(), json!({"ask": {"clerk": {"approved": true}, "boss": null}}));
    assert_eq!(world.step("ask.boss.answer").state, StepState::Cancelled);
    let mut world = World::start(escalation);
    world.pass(60 * MINUTE);
    world.complete("ask.boss.answer", json!({"approved": false})).unwrap();
    assert_eq!(world.state(), RunState::Succeeded);
}

#[test]
fn a_failure_is_borne_while_enough_can_still_succeed_then_the_first_error_counts() {
    let two_of_three = "on_failure: keep
steps: { q: { first: 2, steps: { a: { call: s.a }, b: { call: s.b }, c: { call: s.c } } } }";
    let mut world = World::start(two_of_three);
    world.bad("q.a").ok("q.b", json!(1)).ok("q.c", json!(2));
    assert_eq!(world.output(), json!({"q": {"a": null, "b": 1, "c": 2}}));
    assert_eq!(world.step("q.a").state, StepState::Failed);
    let mut world = World::start(two_of_three);
    world.bad("q.c").pass(MINUTE).busy("q.a");
    assert_eq!(world.state(), RunState::Running, "`b` finishes");
    world.ok("q.b", json!(1));
    let error = world.view().error.unwrap();
    assert_eq!((world.state(), error.step.as_deref()), (RunState::Failed, Some("q.c")));
}

#[test]
fn a_step_behind_one_that_failed_cannot_win_any_more() {
    let mut world = World::start(
        "on_failure: keep
steps: { q: { first: 2, steps: { a: { call: s.a }, b: { after: [a], call: s.b }, c: { wait: 1h } } } }",
    );
    world.bad("q.a");
    assert_eq!(world.state(), RunState::Failed, "only `c` is left, nobody waits an hour for it");
}

#[test]
fn a_race_that_nobody_runs_is_lost() {
    let mut world = World::start(
        "input: { go?: boolean }
steps: { q: { first: 1, steps: { a: { when: 'has(input.go)', call: s.a } } }, z: { call: s.b } }",
    );
    world.ok("z", json!(1));
    assert_eq!(world.state(), RunState::Failed);
    assert_eq!(world.view().error.unwrap().code, "E_FIRST_OUT_OF_REACH");
}

#[test]
fn what_a_loser_did_is_undone_at_once() {
    let mut world = World::start(
        "steps:
  race:
    first: 1
    steps:
      cheap: { steps: { book: { call: s.a, undo: { call: s.undo, with: { x: '${output}' } } }, pay: { after: [book], wait: 1h } } }
      dear: { call: s.b, undo: { call: s.undo } }
      sure: { call: s.c, undo: { call: s.undo } }
  next: { call: s.a }",
    );
    world.ok("race.cheap.book", json!("B")).ok("race.sure", json!(1));
    assert_eq!(world.in_flight(), ["next", "race.cheap.book.undo", "race.dear.undo"]);
    let undo = |step: &str| world.open.iter().find(|sent| sent.step == step).unwrap();
    assert_eq!(undo("race.cheap.book.undo").input, json!({"x": "B"}));
    assert!(undo("race.cheap.book.undo").undoes.is_none());
    assert!(undo("race.dear.undo").undoes.is_some(), "it was cut: nobody knows whether it happened");
    world.ok("race.cheap.book.undo", json!(null)).ok("next", json!(1));
    assert_eq!(world.state(), RunState::Running, "the run does not end before its undos");
    world.ok("race.dear.undo", json!(null));
    assert_eq!((world.state(), world.view().undo), (RunState::Succeeded, UndoState::None));
    assert_eq!(world.step("race.sure").state, StepState::Succeeded);
}

#[test]
fn an_answer_that_comes_after_the_cut_is_undone_with_its_output() {
    let mut world = World::start(
        "steps:
  race:
    first: 1
    steps:
      a: { call: s.a }
      g: { steps: { b: { call: s.b } }, undo: { call: s.undo, with: { x: '${output.b}' } } }",
    );
    // The answer of `b` was on its way when it was cut.
    world.cuts = false;
    world.ok("race.a", json!("A")).ok("race.g.b", json!("B"));
    assert_eq!(world.in_flight(), ["race.g.undo"]);
    assert_eq!(world.open[0].input, json!({"x": "B"}));
    world.ok("race.g.undo", json!(null));
    assert_eq!(world.output(), json!({"race": {"a": "A", "g": null}}));
}

#[test]
fn the_first_items_of_a_list_end_it() {
    let first = "input: { xs: [number] }
on_failure: keep
steps: { each: { for_each: '${input.xs}', max_parallel: 3, first: 2, call: s.a, undo: { call: s.undo }, finally: { f: { call: s.c } } } }";
    let mut world = World::start_with(first, json!({"xs": [1, 2, 3, 4, 5]}));
    world.bad("each[0]");
    world.ok("each[3]", json!("D")).ok("each[1]", json!("B"));
    assert_eq!(world.in_flight(), ["each.finally.f", "each[2].undo", "each[4].undo"]);
    world.ok("each[2].undo", json!(1)).ok("each[4].undo", json!(1)).ok("each.finally.f", json!(1));
    assert_eq!(world.output(), json!({"each": [null, "B", null, "D", null]}));
    // Three of five failed: two are left, and both must succeed.
    let mut world = World::start_with(first, json!({"xs": [1, 2, 3, 4]}));
    world.bad("each[0]").bad("each[1]").bad("each[2]").ok("each[3]", json!(1));
    world.ok("each.finally.f", json!(1));
    assert_eq!((world.state(), world.calls().len()), (RunState::Failed, 5));
    assert_eq!(world.view().error.unwrap().step.as_deref(), Some("each[0]"));
    let mut world = World::start_with(first, json!({"xs": [1]}));
    world.ok("each.finally.f", json!(1));
    assert_eq!(world.view().error.unwrap().code, "E_FIRST_OUT_OF_REACH");
    assert_eq!(world.calls(), ["each.finally.f"], "nothing is begun in vain");
}

#[test]
fn a_person_brings_a_lost_race_back() {
    let mut world = World::start(
        "on_failure: pause\nsteps: { q: { first: 1, steps: { a: { call: s.a }, b: { call: s.b } } } }",
    );
    world.bad("q.a").bad("q.b");
    assert_eq!(world.state(), RunState::Paused);
    world.complete("q.b", json!("by hand")).unwrap();
    assert_eq!(
        (world.state(), world.output()),
        (RunState::Succeeded, json!({"q": {"a": null, "b": "by hand"}}))
    );
}

#[test]
fn a_cancel_ends_a_race_like_anything_else() {
    let mut world = World::start("steps: { q: { first: 1, steps: { a: { call: s.a }, b: { wait: 1h } } } }");
    world.by_hand(|by| Command::Cancel { by }).unwrap();
    assert_eq!((world.state(), world.step("q").state), (RunState::Cancelled, StepState::Cancelled));
    let token = world.sent[0].token;
    world.finish(token, AttemptResult::Succeeded(Json::null()));
}

#[test]
fn the_finally_of_a_call_that_is_cut_runs() {
    let mut world = World::start(
        "steps: { q: { first: 1, steps: { a: { call: s.a, finally: { f: { call: s.c } } }, b: { call: s.b } } } }",
    );
    world.ok("q.b", json!(1));
    assert_eq!(world.in_flight(), ["q.a.finally.f"]);
    world.ok("q.a.finally.f", json!(1));
    assert_eq!(world.state(), RunState::Succeeded);
}
