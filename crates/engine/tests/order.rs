//! Order, data and branches: language.md "Order", "Steps", "for_each".

mod world;

use consort_types::{RunState, StepState, WaitKind};
use serde_json::json;
use std::time::Duration;
use world::World;

#[test]
fn a_step_waits_for_what_its_expressions_name_and_independent_ones_run_at_once() {
    let mut world = World::start(
        "steps:
  a: { call: s.a }
  b: { call: s.b }
  c: { call: s.c, with: { x: '${a.n + b.n}' } }",
    );
    assert_eq!(world.in_flight(), ["a", "b"]);
    world.ok("b", json!({"n": 2}));
    let waits = world.step("c").waiting_on.unwrap();
    assert_eq!((waits.kind, waits.name.as_str()), (WaitKind::Step, "a"));
    world.ok("a", json!({"n": 1}));
    assert_eq!(world.open[0].input, json!({"x": 3}));
    world.ok("c", json!("done"));
    assert_eq!(world.state(), RunState::Succeeded);
    assert_eq!(world.output(), json!({"a": {"n": 1}, "b": {"n": 2}, "c": "done"}));
    assert_eq!(world.ended, 1);
}

#[test]
fn order_in_the_file_means_nothing_and_after_orders_without_data() {
    let mut world = World::start("steps: { last: { call: s.b, after: [first] }, first: { call: s.a } }");
    assert_eq!(world.in_flight(), ["first"]);
    world.ok("first", json!(1)).ok("last", json!(2));
    assert_eq!(world.state(), RunState::Succeeded);
}

#[test]
fn steps_in_a_group_may_name_steps_outside_and_wait_for_them() {
    let mut world = World::start(
        "steps:
  slow: { call: s.a }
  group:
    steps:
      now: { call: s.b }
      then: { call: s.c, with: { x: '${slow}' } }
    output: '${ {\"t\": then} }'
output: '${group.t}'",
    );
    assert_eq!(world.in_flight(), ["group.now", "slow"]);
    world.ok("group.now", json!(1));
    assert_eq!(world.in_flight(), ["slow"]);
    world.ok("slow", json!("s"));
    assert_eq!(world.open[0].input, json!({"x": "s"}));
    world.ok("group.then", json!("t"));
    assert_eq!(world.output(), json!("t"));
}

#[test]
fn when_false_skips_only_that_step_and_those_that_name_it_run() {
    let mut world = World::start_with(
        "input: { go: boolean }
steps:
  a: { call: s.a, when: input.go, undo: { call: s.undo } }
  b: { call: s.b, with: { x: '${a}' } }",
        json!({"go": false}),
    );
    assert_eq!(world.step("a").state, StepState::Skipped);
    assert_eq!(world.open[0].input, json!({"x": null}));
    world.bad("b");
    assert_eq!(world.state(), RunState::Failed);
    assert_eq!(world.calls(), ["b"], "what was skipped has no undo");
}

#[test]
fn a_switch_takes_the_first_branch_that_holds_and_null_when_none_does() {
    let text = "input: { n: number }
steps:
  pick:
    switch:
      - when: input.n > 10
        value: big
      - when: input.n > 5
        call: s.a
      - when: input.n > 3
        steps: { inner: { call: s.b } }
output: '${pick}'";
    let big = World::start_with(text, json!({"n": 11}));
    assert_eq!(big.output(), json!("big"));
    assert_eq!(big.step("pick[0]").state, StepState::Succeeded);
    let mut middle = World::start_with(text, json!({"n": 6}));
    middle.ok("pick[1]", json!("m"));
    assert_eq!(middle.output(), json!("m"));
    let mut inner = World::start_with(text, json!({"n": 4}));
    inner.ok("pick[2].inner", json!(7));
    assert_eq!(inner.output(), json!({"inner": 7}));
    assert_eq!(World::start_with(text, json!({"n": 1})).output(), json!(null));
}

#[test]
fn for_each_keeps_the_order_of_its_items_and_its_bound() {
    let mut world = World::start_with(
        "input: { xs: [number] }
steps:
  each: { for_each: '${input.xs}', max_parallel: 2, call: s.a, with: { x: '${[item, index]}' } }
output: '${each}'",
        json!({"xs": [7, 8, 9]}),
    );
    assert_eq!(world.in_flight(), ["each[0]", "each[1]"]);
    assert_eq!(world.open[1].input, json!({"x": [8, 1]}));
    world.ok("each[1]", json!("b"));
    assert_eq!(world.in_flight(), ["each[0]", "each[2]"]);
    world.ok("each[2]", json!("c")).ok("each[0]", json!("a"));
    assert_eq!(world.output(), json!(["a", "b", "c"]));
}

#[test]
fn an_empty_list_is_done_at_once_and_a_null_is_no_list() {
    let text = "input: { xs: any }\nsteps: { each: { for_each: '${input.xs}', call: s.a } }";
    assert_eq!(World::start_with(text, json!({"xs": []})).output(), json!({"each": []}));
    let world = World::start_with(text, json!({"xs": null}));
    assert_eq!(world.state(), RunState::Failed);
    assert_eq!(world.view().error.unwrap().step.as_deref(), Some("each"));
}

#[test]
fn for_each_inside_for_each_with_groups_as_bodies() {
    let mut world = World::start_with(
        "input: { rows: [[number]] }
steps:
  rows:
    for_each: '${input.rows}'
    as: row
    steps:
      cells: { for_each: '${row}', call: s.a, with: { x: '${[row_index, index, item]}' } }
      sum: { value: '${sum(cells)}' }
    output: '${sum}'
output: '${rows}'",
        json!({"rows": [[1, 2], [3]]}),
    );
    assert_eq!(world.in_flight(), ["rows[0].cells[0]", "rows[0].cells[1]", "rows[1].cells[0]"]);
    assert_eq!(
        world.open.iter().find(|sent| sent.step == "rows[0].cells[1]").unwrap().input["x"],
        json!([0, 1, 2])
    );
    world.ok("rows[0].cells[0]", json!(1)).ok("rows[1].cells[0]", json!(3)).ok("rows[0].cells[1]", json!(2));
    assert_eq!(world.output(), json!([3, 3]));
}

#[test]
fn twenty_thousand_values_need_no_deep_stack() {
    let xs: Vec<u32> = (0..20_000).collect();
    let world = World::start_with(
        "input: { xs: [number] }\nsteps: { each: { for_each: '${input.xs}', value: '${item + 1}' } }\noutput: '${size(each)}'",
        json!({"xs": xs}),
    );
    assert_eq!(world.output(), json!(20_000));
}

#[test]
fn a_wait_holds_no_slot_and_ends_at_its_time() {
    let mut world = World::start("steps: { pause: { wait: 2h }, then: { call: s.a, after: [pause] } }");
    assert_eq!(world.state(), RunState::Waiting);
    let on = world.view().waiting_on.unwrap();
    assert_eq!((on.kind, on.until.unwrap().since(world.now)), (WaitKind::Timer, Duration::from_secs(7_200)));
    world.pass(Duration::from_secs(7_199));
    assert!(world.in_flight().is_empty());
    world.pass(Duration::from_secs(1));
    assert_eq!(world.in_flight(), ["then"]);
}

#[test]
fn an_approval_is_answered_by_hand_checked_and_only_once() {
    let text = "steps:
  ok: { await: { approval: { ask: 'Go on?', form: { approved: boolean } } }, timeout: 1h, on_timeout: { approved: false } }
output: '${ok.approved}'";
    let mut world = World::start(text);
    assert_eq!(world.view().waiting_on.unwrap().kind, WaitKind::Approval);
    assert!(world.complete("ok", json!({"approved": "yes"})).is_err());
    world.complete("ok", json!({"approved": true})).unwrap();
    assert_eq!(world.output(), json!(true));
    assert!(world.complete("ok", json!({"approved": false})).is_err());
    let mut late = World::start(text);
    late.pass(Duration::from_secs(3_600));
    assert_eq!(late.output(), json!(false));
}

#[test]
fn signals_are_kept_in_order_and_each_await_takes_the_oldest() {
    use consort_engine::Command;
    use consort_types::{Json, Name, NameKind};
    let mut world = World::start(
        "steps:
  a: { call: s.a }
  first: { await: { signal: go }, after: [a] }
  second: { await: { signal: go }, after: [first] }
output: '${[first, second]}'",
    );
    for body in [1, 2] {
        let name = Name::new("go", NameKind::Snake).unwrap();
        world.apply(Command::Signal { name, body: Json::of(&body), by: "ann".into() }).unwrap();
    }
    world.ok("a", json!(null));
    assert_eq!(world.output(), json!([1, 2]));
}

#[test]
fn an_input_that_does_not_fit_never_reaches_the_service() {
    let mut world = World::start_with(
        "input: { n: any }\nsteps: { t: { call: s.typed, with: '${input}' } }",
        json!({"n": "seven"}),
    );
    assert!(world.sent.is_empty());
    assert_eq!(world.view().error.unwrap().kind, consort_types::ErrorKind::InvalidInput);
    world = World::start_with(
        "input: { n: any }\nsteps: { t: { call: s.typed, with: '${input}' } }",
        json!({"n": 7}),
    );
    world.ok("t", json!({"n": "x"}));
    let error = world.view().error.unwrap();
    assert_eq!(error.kind, consort_types::ErrorKind::InvalidOutput);
    assert!(error.message.contains('n'), "{}", error.message);
}

#[test]
fn a_loop_hands_on_what_it_carries_until_it_is_done() {
    let mut world = World::start(
        "steps:
  agent:
    loop:
      carry: { n: 0, seen: [], note: kept }
      max: 400
      steps:
        ask: { call: s.a, with: { x: '${[index, carry.n]}' } }
        use: { value: '${ask.n + 1}' }
      until: use >= 300
      next: { n: '${use}' }
    output: '${ {\"n\": use, \"note\": carry.note} }'
output: '${agent}'",
    );
    for turn in 0..300 {
        assert_eq!(world.open[0].input, json!({"x": [turn, turn]}));
        world.ok(&format!("agent[{turn}].ask"), json!({"n": turn}));
    }
    assert_eq!(world.output(), json!({"n": 300, "note": "kept"}));
    assert_eq!(world.step("agent[7].ask").input.unwrap().to_value(), json!({"x": [7, 7]}), "as it was then");
    let keys: std::collections::BTreeSet<_> = world.sent.iter().map(|sent| &sent.key).collect();
    assert_eq!(keys.len(), 300, "each turn has keys of its own");
}

#[test]
fn a_loop_waits_between_turns_and_fails_at_its_bound() {
    let mut world = World::start(
        "steps: { l: { loop: { max: 2, delay: 10s, until: 'false', steps: { a: { call: s.a } } } } }",
    );
    world.ok("l[0].a", json!(1));
    assert_eq!(world.step("l").state, StepState::Waiting);
    world.crash();
    world.pass(Duration::from_secs(10)).ok("l[1].a", json!(2));
    let error = world.view().error.unwrap();
    assert_eq!((world.state(), error.kind), (RunState::Failed, consort_types::ErrorKind::Limit));
}

#[test]
fn a_batch_gives_lists_and_one_output_each() {
    let mut world = World::start_with(
        "input: { xs: [number] }
steps: { each: { for_each: '${input.xs}', batch: 2, call: s.a, with: { x: '${item}' } } }
output: '${each}'",
        json!({"xs": [1, 2, 3]}),
    );
    assert_eq!(world.open[1].input, json!({"x": [3]}));
    world.ok("each[1]", json!("b")).ok("each[0]", json!("a"));
    assert_eq!(world.output(), json!(["a", "b"]));
}
