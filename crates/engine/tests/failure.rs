//! Failure, retry, catch, undo, finally: language.md "Time and retries", "Failure, catch, undo, finally".

mod world;

use consort_engine::Command;
use consort_types::{ErrorKind, RunState, StepState, UndoState, WaitKind};
use serde_json::json;
use std::time::Duration;
use world::World;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_retryable_failure_is_tried_again_after_its_delay_with_the_same_key() {
    let mut world = World::start("steps: { a: { call: s.a, retry: { attempts: 3, delay: 1s, jitter: 0 } } }");
    world.busy("a");
    let step = world.step("a");
    assert_eq!((step.state, step.waiting_on.unwrap().kind), (StepState::Waiting, WaitKind::Retry));
    assert_eq!(world.state(), RunState::Waiting);
    world.pass(Duration::from_millis(999));
    assert!(world.in_flight().is_empty());
    world.pass(Duration::from_millis(1));
    world.busy("a").pass(Duration::from_secs(2)).ok("a", json!(1));
    assert_eq!(world.calls(), ["a", "a#2", "a#3"]);
    assert!(world.sent.iter().all(|sent| sent.key == world.sent[0].key));
    assert_eq!(world.step("a").attempts.len(), 3);
    assert_eq!(world.state(), RunState::Succeeded);
}

#[test]
fn what_cannot_be_mended_is_not_tried_again_and_tries_have_an_end() {
    let mut world = World::start("steps: { a: { call: s.a, retry: { attempts: 3 } } }");
    world.bad("a");
    assert_eq!((world.state(), world.sent.len()), (RunState::Failed, 1));
    let mut world = World::start("steps: { a: { call: s.a, retry: { attempts: 2 } } }");
    world.busy("a").pass(MINUTE).busy("a");
    assert_eq!((world.state(), world.sent.len()), (RunState::Failed, 2));
    let error = world.view().error.unwrap();
    assert_eq!((error.step.as_deref(), error.attempt), (Some("a"), Some(2)));
}

#[test]
fn retry_when_replaces_the_test() {
    let mut world =
        World::start("steps: { a: { call: s.a, retry: { attempts: 2, when: error.code == 'BAD' } } }");
    world.bad("a").pass(MINUTE).busy("a");
    assert_eq!((world.state(), world.sent.len()), (RunState::Failed, 2));
}

#[test]
fn a_crash_does_not_count_as_a_try() {
    let mut world = World::start("steps: { a: { call: s.a, retry: { attempts: 2 } } }");
    world.crash();
    world.crash();
    assert_eq!(world.open[0].attempt, 1);
    assert_eq!(world.sent[0].key, world.sent[2].key);
    world.busy("a").pass(MINUTE).ok("a", json!(1));
    assert_eq!(world.state(), RunState::Succeeded);
}

#[test]
fn when_a_step_fails_nothing_new_starts_and_calls_in_flight_finish() {
    let mut world = World::start(
        "on_failure: keep
steps:
  a: { call: s.a }
  b: { call: s.b }
  c: { call: s.c, with: { x: '${b}' } }
  w: { wait: 1h }",
    );
    world.bad("a");
    assert_eq!(world.state(), RunState::Running);
    assert_eq!(world.step("w").state, StepState::Cancelled);
    world.ok("b", json!(1));
    assert_eq!(world.state(), RunState::Failed);
    assert_eq!(world.calls(), ["a", "b"]);
    assert_eq!(world.step("b").output.unwrap().to_value(), json!(1), "it is recorded");
    assert_eq!(world.step("c").state, StepState::Skipped);
}

#[test]
fn undo_runs_in_reverse_order_of_completion_one_at_a_time() {
    let mut world = World::start(
        "steps:
  a: { call: s.a, undo: { call: s.undo, with: { x: '${output.id}' } } }
  b: { call: s.b, undo: { call: s.undo, with: { x: '${output.id}' } } }
  c: { call: s.c, after: [a, b] }",
    );
    world.ok("b", json!({"id": "B"})).ok("a", json!({"id": "A"})).bad("c");
    assert_eq!((world.state(), world.view().undo), (RunState::Undoing, UndoState::Running));
    assert_eq!(world.in_flight(), ["a.undo"]);
    assert_eq!(world.open[0].input, json!({"x": "A"}));
    world.ok("a.undo", json!(null));
    assert_eq!(world.in_flight(), ["b.undo"]);
    world.ok("b.undo", json!(null));
    assert_eq!((world.state(), world.view().undo), (RunState::Failed, UndoState::Complete));
    assert_eq!(world.step("a").state, StepState::Undone);
}

#[test]
fn an_undo_is_tried_ten_times_a_4xx_parks_at_once_and_a_parked_one_stops_nobody() {
    let mut world = World::start(
        "steps:
  a: { call: s.a, undo: { call: s.undo } }
  b: { call: s.b, undo: { call: s.undo }, after: [a] }
  c: { call: s.c, after: [b] }",
    );
    world.ok("a", json!(1)).ok("b", json!(2)).bad("c").bad("b.undo");
    for _ in 0..9 {
        world.busy("a.undo").pass(2 * MINUTE);
    }
    world.busy("a.undo");
    assert_eq!((world.state(), world.view().undo), (RunState::Failed, UndoState::Incomplete));
    assert_eq!(world.sent.iter().filter(|sent| sent.step == "a.undo").count(), 10);
    world.retry(Some("b.undo")).unwrap();
    world.ok("b.undo", json!(null));
    assert_eq!(world.view().undo, UndoState::Incomplete);
    world.skip("a.undo").unwrap();
    assert_eq!((world.state(), world.view().undo), (RunState::Failed, UndoState::Complete));
}

#[test]
fn a_late_call_with_an_undo_is_undone_too() {
    let mut world =
        World::start("steps: { a: { call: s.a, undo: { call: s.undo, with: { x: '${output}' } } } }");
    world.late("a");
    let undo = world.open[0].clone();
    assert_eq!((undo.step.as_str(), &undo.input), ("a.undo", &json!({"x": null})));
    assert_eq!(undo.undoes.as_ref(), Some(&world.sent[0].key));
    world.ok("a.undo", json!(null));
    assert_eq!((world.state(), world.view().undo), (RunState::Failed, UndoState::Complete));
}

#[test]
fn on_failure_keep_undoes_nothing() {
    let mut world = World::start(
        "on_failure: keep\nsteps: { a: { call: s.a, undo: { call: s.undo } }, b: { call: s.b, after: [a] } }",
    );
    world.ok("a", json!(1)).bad("b");
    assert_eq!((world.state(), world.view().undo), (RunState::Failed, UndoState::None));
    world.by_hand(|by| Command::Undo { only: Vec::new(), by }).unwrap();
    world.ok("a.undo", json!(null));
    assert_eq!((world.state(), world.view().undo), (RunState::Failed, UndoState::Complete));
}

#[test]
fn a_clean_pass_undoes_all_and_begins_anew_with_new_keys() {
    let mut world = World::start(
        "retry: { attempts: 2, delay: 1s, clean: true }
steps:
  open: { call: s.a, undo: { call: s.undo, with: { x: '${output.id}' } } }
  send: { call: s.b, after: [open] }",
    );
    world.ok("open", json!({"id": 1})).busy("send");
    assert_eq!(world.in_flight(), ["open.undo"]);
    world.ok("open.undo", json!(null));
    let on = world.view().waiting_on.unwrap();
    assert_eq!((world.state(), on.kind), (RunState::Waiting, WaitKind::Retry));
    world.pass(MINUTE);
    world.ok("open", json!({"id": 2})).ok("send", json!(1));
    assert_eq!(world.calls(), ["open", "send", "open.undo", "open", "send"]);
    assert_ne!(world.sent[0].key, world.sent[3].key);
    let view = world.view();
    assert_eq!((view.state, view.undo, view.attempts.len()), (RunState::Succeeded, UndoState::Complete, 2));
}

#[test]
fn a_plain_pass_keeps_what_completed() {
    let mut world = World::start_with(
        "input: { xs: [number] }
retry: { attempts: 2, delay: 1s }
steps:
  a: { call: s.a }
  each: { for_each: '${input.xs}', call: s.b, after: [a] }
  last: { call: s.c, after: [each] }",
        json!({"xs": [1, 2, 3]}),
    );
    world.ok("a", json!(1)).ok("each[0]", json!(0)).busy("each[1]").ok("each[2]", json!(2));
    world.pass(MINUTE);
    assert_eq!(world.in_flight(), ["each[1]"]);
    world.ok("each[1]", json!(1)).ok("last", json!(9));
    assert_eq!(world.output()["each"], json!([0, 1, 2]));
    assert_eq!(world.sent.iter().filter(|sent| sent.step == "a").count(), 1);
}

#[test]
fn a_clean_try_of_a_group_undoes_what_it_had_completed() {
    let mut world = World::start(
        "steps:
  g:
    retry: { attempts: 2, delay: 1s, clean: true }
    steps:
      a: { call: s.a, undo: { call: s.undo } }
      b: { call: s.b, after: [a] }",
    );
    world.ok("g.a", json!(1)).busy("g.b").ok("g.a.undo", json!(null));
    world.pass(MINUTE).ok("g.a", json!(2)).ok("g.b", json!(3));
    assert_eq!(world.state(), RunState::Succeeded);
    assert_eq!(world.calls(), ["g.a", "g.b", "g.a.undo", "g.a", "g.b"]);
}

#[test]
fn without_a_clean_slate_no_new_try_starts() {
    let mut world = World::start(
        "steps: { g: { retry: { attempts: 3, clean: true }, steps: { a: { call: s.a, undo: { call: s.undo } }, b: { call: s.b, after: [a] } } } }",
    );
    world.ok("g.a", json!(1)).busy("g.b").bad("g.a.undo");
    world.pass(MINUTE);
    assert_eq!((world.state(), world.view().undo), (RunState::Failed, UndoState::Incomplete));
}

#[test]
fn a_catch_takes_over_keeps_the_error_and_what_was_completed_stays_on_the_undo_list() {
    let mut world = World::start(
        "steps:
  g:
    steps: { a: { call: s.a, undo: { call: s.undo } }, b: { call: s.b, after: [a] } }
    catch: [ { when: error.code == 'OTHER', value: 1 }, { value: '${error.code}' } ]
  z: { call: s.c, with: { x: '${g}' } }",
    );
    world.ok("g.a", json!(1)).bad("g.b");
    let group = world.step("g");
    assert_eq!((group.state, group.error.unwrap().code), (StepState::Succeeded, "BAD".to_owned()));
    assert_eq!(world.open[0].input, json!({"x": "BAD"}));
    world.bad("z");
    assert_eq!(world.in_flight(), ["g.a.undo"]);
}

#[test]
fn a_catch_may_be_a_call_and_may_fail_itself() {
    let text = "steps: { a: { call: s.a, catch: { call: s.b, with: { x: '${error.message}' } } } }";
    let mut world = World::start(text);
    world.bad("a");
    assert_eq!(world.open[0].input, json!({"x": "bad"}));
    world.ok("a.catch", json!("mended"));
    assert_eq!(world.output(), json!({"a": "mended"}));
    let mut world = World::start(text);
    world.bad("a").bad("a.catch");
    assert_eq!(world.state(), RunState::Failed);
}

#[test]
fn finally_of_a_step_runs_however_it_ends() {
    let text = "steps:
  a: { call: s.a, finally: { tidy: { call: s.c, with: { x: '${error}' } } } }
  b: { call: s.b, after: [a] }";
    let mut world = World::start(text);
    world.ok("a", json!(1));
    assert_eq!(world.in_flight(), ["a.finally.tidy"]);
    assert_eq!(world.open[0].input, json!({"x": null}));
    world.ok("a.finally.tidy", json!(null)).ok("b", json!(2));
    assert_eq!(world.output(), json!({"a": 1, "b": 2}));
    let mut world = World::start(text);
    world.bad("a");
    assert_eq!(world.open[0].input["x"]["code"], json!("BAD"));
    world.ok("a.finally.tidy", json!(null));
    assert_eq!(world.state(), RunState::Failed);
}

#[test]
fn finally_of_the_workflow_runs_last_once_also_after_undo_and_cancel() {
    let text = "steps: { a: { call: s.a, undo: { call: s.undo } }, b: { call: s.b, after: [a] } }
finally: { tidy: { call: s.c, with: { x: '${run.state}' } } }";
    let mut world = World::start(text);
    world.ok("a", json!(1)).bad("b").ok("a.undo", json!(null));
    assert_eq!(world.in_flight(), ["finally.tidy"]);
    assert_eq!(world.open[0].input, json!({"x": "failed"}));
    world.ok("finally.tidy", json!(null));
    assert_eq!((world.state(), world.ended), (RunState::Failed, 1));
    let mut world = World::start(text);
    world.ok("a", json!(1)).ok("b", json!(2)).bad("finally.tidy");
    assert_eq!(world.state(), RunState::Failed, "its failure makes succeeded into failed");
    assert!(!world.calls().contains(&"a.undo".to_owned()), "and undoes nothing");
    let mut world = World::start(text);
    world.by_hand(|by| Command::Cancel { by }).unwrap();
    world.ok("a", json!(1)).ok("a.undo", json!(null)).ok("finally.tidy", json!(null));
    assert_eq!(world.state(), RunState::Cancelled);
}

#[test]
fn tolerated_items_give_null_and_are_undone_at_once() {
    let text = "input: { xs: [number] }
steps:
  each:
    for_each: '${input.xs}'
    tolerate: 1
    steps: { a: { call: s.a, undo: { call: s.undo } }, b: { call: s.b, after: [a] } }
    output: '${b}'
output: '${each}'";
    let mut world = World::start_with(text, json!({"xs": [1, 2]}));
    world.ok("each[0].a", json!(1)).bad("each[0].b");
    assert!(world.in_flight().contains(&"each[0].a.undo"));
    world.ok("each[0].a.undo", json!(null)).ok("each[1].a", json!(1)).ok("each[1].b", json!("B"));
    assert_eq!(world.output(), json!([null, "B"]));
    let mut world = World::start_with(text, json!({"xs": [1, 2, 3]}));
    for item in 0..3 {
        world.ok(&format!("each[{item}].a"), json!(1));
    }
    world.bad("each[0].b").bad("each[1].b").ok("each[2].b", json!(1));
    while let Some(step) = world.open.front().map(|sent| sent.step.clone()) {
        world.ok(&step, json!(null));
    }
    assert_eq!((world.state(), world.view().undo), (RunState::Failed, UndoState::Complete));
}

#[test]
fn cancel_lets_calls_with_undo_finish_cuts_the_others_and_undoes() {
    let mut world = World::start(
        "steps: { a: { call: s.a, undo: { call: s.undo } }, b: { call: s.b }, c: { call: s.c, undo: { call: s.undo } }, w: { wait: 1h } }",
    );
    world.ok("c", json!(1));
    world.by_hand(|by| Command::Cancel { by }).unwrap();
    assert_eq!((world.state(), world.in_flight()), (RunState::Cancelling, vec!["a"]));
    assert_eq!(world.step("b").state, StepState::Cancelled);
    world.ok("a", json!(2));
    assert_eq!(world.in_flight(), ["a.undo"]);
    assert!(world.by_hand(|by| Command::Cancel { by }).is_err(), "cancel during undo is refused");
    world.ok("a.undo", json!(null)).ok("c.undo", json!(null));
    assert_eq!((world.state(), world.view().undo), (RunState::Cancelled, UndoState::Complete));
}

#[test]
fn a_call_that_outlives_the_grace_of_a_cancel_is_cut_and_undone() {
    let mut world = World::start("steps: { a: { call: s.a, undo: { call: s.undo } } }");
    world.by_hand(|by| Command::Cancel { by }).unwrap();
    world.pass(Duration::from_secs(30));
    assert_eq!(world.in_flight(), ["a.undo"]);
    assert!(world.open[0].undoes.is_some());
    world.ok("a.undo", json!(null));
    assert_eq!(world.state(), RunState::Cancelled);
}

#[test]
fn a_run_that_takes_too_long_is_timed_out_and_undone() {
    let mut world = World::start(
        "timeout: 1m\nsteps: { a: { call: s.a, undo: { call: s.undo } }, w: { wait: 1h, after: [a] } }",
    );
    world.ok("a", json!(1)).pass(MINUTE).ok("a.undo", json!(null));
    assert_eq!(world.state(), RunState::TimedOut);
    assert_eq!(world.view().error.unwrap().kind, ErrorKind::Timeout);
}

#[test]
fn a_group_that_takes_too_long_fails_and_cuts_what_is_inside() {
    let mut world = World::start(
        "on_failure: keep\nsteps: { g: { timeout: 5s, steps: { a: { call: s.a }, w: { wait: 1h } }, catch: { value: late } } }\noutput: '${g}'",
    );
    world.pass(Duration::from_secs(5));
    assert!(world.in_flight().is_empty());
    assert_eq!(world.output(), json!("late"));
}

#[test]
fn the_time_of_a_group_runs_over_all_of_its_tries() {
    let mut world = World::start(
        "on_failure: keep\nsteps: { g: { timeout: 5s, retry: { attempts: 3, delay: 1s }, steps: { a: { call: s.a } } } }",
    );
    world.busy("g.a").pass(Duration::from_secs(2));
    assert_eq!(world.in_flight(), ["g.a"]);
    world.pass(Duration::from_secs(3)).pass(MINUTE);
    assert_eq!((world.state(), world.sent.len()), (RunState::Failed, 2));
    assert_eq!(world.view().error.unwrap().kind, ErrorKind::Timeout);
}

#[test]
fn pause_starts_nothing_new_timeouts_stand_still_and_resume_goes_on() {
    let mut world =
        World::start("steps: { a: { call: s.a }, b: { call: s.b, after: [a] }, w: { wait: 10s } }");
    world.by_hand(|by| Command::Pause { by }).unwrap();
    assert_eq!(world.view().waiting_on.unwrap().kind, WaitKind::Paused);
    world.ok("a", json!(1)).pass(MINUTE);
    assert_eq!(world.state(), RunState::Paused);
    assert!(world.in_flight().is_empty());
    world.by_hand(|by| Command::Resume { by }).unwrap();
    assert_eq!(world.in_flight(), ["b"]);
    assert_eq!(world.step("w").state, StepState::Waiting);
    world.ok("b", json!(1)).pass(Duration::from_secs(10));
    assert_eq!(world.state(), RunState::Succeeded);
}

#[test]
fn on_failure_pause_waits_for_a_person_and_goes_on_when_nothing_failed_remains() {
    let text = "on_failure: pause\nsteps: { a: { call: s.a }, b: { call: s.b, with: { x: '${a}' } } }";
    for how in ["retry", "skip", "complete"] {
        let mut world = World::start(text);
        world.bad("a");
        assert_eq!((world.state(), world.view().error.unwrap().code), (RunState::Paused, "BAD".to_owned()));
        assert!(world.by_hand(|by| Command::Resume { by }).is_err());
        match how {
            "retry" => {
                world.retry(Some("a")).unwrap();
                world.ok("a", json!("A"));
            }
            "skip" => world.skip("a").unwrap(),
            _ => world.complete("a", json!("A")).unwrap(),
        }
        let expected = if how == "skip" { json!(null) } else { json!("A") };
        assert_eq!(world.open[0].input, json!({"x": expected}), "{how}");
        world.ok("b", json!(1));
        assert_eq!(world.state(), RunState::Succeeded, "{how}");
    }
}

#[test]
fn a_waiting_try_can_be_made_now_and_a_running_step_can_be_skipped() {
    let mut world =
        World::start("steps: { a: { call: s.a, retry: { attempts: 2, delay: 1h } }, b: { call: s.b } }");
    world.busy("a");
    world.retry(None).unwrap();
    assert_eq!(world.in_flight(), ["a", "b"]);
    world.skip("b").unwrap();
    world.ok("a", json!(1));
    assert_eq!(world.output(), json!({"a": 1, "b": null}));
}

#[test]
fn a_stale_answer_changes_nothing_and_an_ended_run_is_never_reopened() {
    let mut world = World::start("steps: { a: { call: s.a, retry: { attempts: 2, delay: 1s } } }");
    let stale = world.open[0].token;
    world.busy("a").pass(MINUTE);
    let before = world.records.len();
    world.finish(stale, consort_engine::AttemptResult::Succeeded(consort_types::Json::null()));
    assert_eq!(world.records.len(), before);
    world.ok("a", json!(1));
    assert!(world.retry(None).is_err());
    assert!(world.by_hand(|by| Command::Pause { by }).is_err());
}
