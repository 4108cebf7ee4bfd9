//! Events: language.md "An `await: event` takes the first match since the run began that this step has not taken".

#![allow(clippy::needless_pass_by_value)]

mod world;

use consort_engine::{Command, NodeId};
use consort_types::{Json, RunState, StepState, WaitKind};
use serde_json::{Value, json};
use std::time::Duration;
use world::World;

/// Offers an event to whoever asked for one, as the node does it: to all, in the order in which they asked.
fn offer(world: &mut World, seq: u64, event_type: &str, data: Value) {
    let all: Vec<NodeId> = world.listening.clone();
    for node in all {
        world.offer_event(node, seq, event_type, data.clone());
    }
}

const PAID: &str = "input: { id?: string }
steps: { paid: { await: { event: order.paid, where: event.data.id == input.id }, timeout: 1h, on_timeout: late } }";

#[test]
fn a_step_takes_the_event_that_fits_and_no_other() {
    let mut world = World::start_with(PAID, json!({"id": "a"}));
    let on = world.view().waiting_on.unwrap();
    assert_eq!((on.kind, on.name.as_str()), (WaitKind::Event, "order.paid"));
    offer(&mut world, 1, "order.lost", json!({"id": "a"}));
    offer(&mut world, 2, "order.paid", json!({"id": "b"}));
    offer(&mut world, 3, "order.paid", json!({"nothing": true}));
    assert_eq!(world.state(), RunState::Waiting);
    world.crash();
    offer(&mut world, 4, "order.paid", json!({"id": "a", "n": 5}));
    assert_eq!(world.state(), RunState::Succeeded);
    assert_eq!(world.output()["paid"]["data"]["n"], 5);
    let before = world.records.len();
    offer(&mut world, 4, "order.paid", json!({"id": "a"}));
    assert_eq!(world.records.len(), before, "twice changes nothing");
}

#[test]
fn what_a_step_waits_for_is_known_to_an_index() {
    let world = World::start_with(PAID, json!({"id": "a"}));
    let interest = world.run.interest(world.listening[0]).unwrap();
    assert_eq!(interest.tests, [(vec!["data".to_owned(), "id".to_owned()], Json::of(&"a"))]);
    let event = |id: &str| Json::of(&json!({"data": {"id": id}}));
    assert!(interest.may_match("order.paid", &event("a")) && !interest.may_match("order.paid", &event("b")));
    assert_eq!(world.run.awaited_types().collect::<Vec<_>>(), ["order.paid"]);
}

#[test]
fn a_step_whose_event_does_not_come_gives_what_the_file_says() {
    let mut world = World::start(PAID);
    world.pass(Duration::from_secs(3_601));
    assert_eq!(world.output(), json!({"paid": "late"}));
    assert!(world.run.interest(world.listening[0]).is_none(), "nobody waits any more");
}

#[test]
fn the_turns_of_a_loop_take_one_event_after_the_other() {
    let mut world = World::start(
        "steps:
  l:
    loop:
      max: 5
      steps: { next: { await: { event: 'tick.*' } } }
      until: index >= 2
    output: '${next.data}'",
    );
    for seq in [1, 1, 2, 1, 2, 3] {
        let node = *world.listening.last().unwrap();
        world.offer_event(node, seq, "tick.x", json!(seq));
    }
    assert_eq!(world.output(), json!({"l": 3}));
    assert_eq!(world.listening.len(), 3);
}

#[test]
fn the_items_of_a_for_each_share_the_events_and_other_steps_do_not() {
    let mut world = World::start(
        "steps:
  each: { for_each: '${[1, 2]}', await: { event: t } }
  other: { await: { event: t } }",
    );
    offer(&mut world, 1, "t", json!("first"));
    assert_eq!(world.step("other").state, StepState::Succeeded);
    offer(&mut world, 2, "t", json!("second"));
    let taken: Vec<Value> =
        world.output()["each"].as_array().unwrap().iter().map(|it| it["data"].clone()).collect();
    assert_eq!(taken, ["first", "second"]);
}

#[test]
fn an_event_is_sent_once_with_the_end_of_its_step() {
    let mut world = World::start_with(
        "input: { id: string }
steps:
  told: { emit: { type: order.paid, subject: 'orders/${input.id}', data: { id: '${input.id}' } } }
  then: { call: s.a, after: [told] }",
        json!({"id": "a"}),
    );
    world.crash();
    assert_eq!(world.emitted.len(), 1);
    let event = &world.emitted[0];
    assert_eq!(event.source, format!("/runs/{}", world.run.id()));
    assert_eq!((event.event_type.as_str(), event.subject.as_deref()), ("order.paid", Some("orders/a")));
    assert_eq!(event.document.to_value()["data"], json!({"id": "a"}));
    world.ok("then", json!(1));
    assert_eq!(world.output()["told"], Value::Null);
}

#[test]
fn a_cancel_ends_the_wait_for_an_event() {
    let mut world = World::start(PAID);
    world.by_hand(|by| Command::Cancel { by }).unwrap();
    assert_eq!(world.state(), RunState::Cancelled);
    offer(&mut world, 1, "order.paid", json!({}));
    assert_eq!(world.state(), RunState::Cancelled);
}

#[test]
fn what_a_run_becomes_is_told_as_events() {
    let mut world = World::start("steps: { a: { call: s.a } }");
    world.by_hand(|by| Command::Pause { by }).unwrap();
    world.by_hand(|by| Command::Resume { by }).unwrap();
    world.bad("a");
    let all = world.records.iter().zip(0..).flat_map(|(record, number)| world.run.events_of(record, number));
    let all: Vec<_> = all.collect();
    let types: Vec<&str> = all.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(
        types,
        ["consort.run.started", "consort.run.paused", "consort.run.resumed", "consort.run.failed"]
    );
    let failed = all[3].document.to_value();
    assert_eq!((&failed["data"]["error"]["code"], &failed["subject"]), (&json!("BAD"), &json!("w")));
    let mut ids: Vec<&str> = all.iter().map(|event| event.id.as_str()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}
