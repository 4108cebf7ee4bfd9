//! What calls take of pools: language.md "Sharing".

mod world;

use consort_engine::Command;
use consort_types::{Amount, ErrorKind, RunState, StepState, WaitKind};
use serde_json::json;
use world::World;

fn wants(world: &World, step: &str) -> String {
    let sent = world.open.iter().find(|sent| sent.step == step).unwrap();
    let wants = sent.wants.iter().map(|want| {
        let key = want.key.as_ref().map_or_else(String::new, |key| format!("({key})"));
        let settles = if want.settles { "~" } else { "" };
        format!("{}{key}={}{settles}", want.pool, want.amount)
    });
    wants.collect::<Vec<String>>().join(" ")
}

#[test]
fn a_call_takes_what_its_step_says_and_what_its_operation_says_beside_that() {
    let workflow = "
input: { who: string, n: number }
steps:
  a: { call: s.a }
  b: { call: s.a, use: { gpu: '${input.n / 4.0}', tenant: 1 } }
  c: { call: s.paid, use: { gpu: 2 }, undo: { call: s.paid } }
  d: { call: s.c, after: [c] }";
    let mut world = World::start_with(workflow, json!({ "who": "ann", "n": 1 }));
    assert_eq!(wants(&world, "a"), "");
    assert_eq!(wants(&world, "b"), "gpu=0.25 tenant(ann)=1");
    assert_eq!(wants(&world, "c"), "gpu=2 spend=40~");
    world.ok("c", json!({ "cost": 7 })).bad("d").ok("a", json!(1)).ok("b", json!(1));
    assert_eq!(wants(&world, "c.undo"), "gpu=1 spend=40~", "an undo takes what its own operation says");
}

#[test]
fn the_true_cost_is_told_when_the_call_has_ended_however_it_did() {
    let workflow = "steps: { a: { call: s.paid, retry: { attempts: 9, delay: 1s } } }";
    let mut world = World::start(workflow);
    world.busy("a").tick();
    world.ok("a", json!({ "cost": 2.5 }));
    let told: Vec<(u32, Vec<Option<Amount>>)> =
        world.settled.iter().map(|(token, amounts)| (token.number, amounts.clone())).collect();
    let cost = Amount::from_number(2.5).ok();
    assert_eq!(told, [(1, vec![None, None]), (2, vec![None, cost])]);
    let mut silent = World::start(workflow);
    silent.ok("a", json!({ "price": 1 }));
    assert_eq!(silent.settled[0].1, [None, None], "what it took stands");
    assert_eq!(silent.state(), RunState::Succeeded);
}

#[test]
fn an_amount_that_is_no_number_over_nothing_fails_the_step() {
    let workflow = "input: { x: any }\nsteps: { a: { call: s.a, use: { gpu: '${input.x}' } } }";
    for amount in [json!(0), json!(-1), json!("a"), json!(null), json!(1e300)] {
        let world = World::start_with(workflow, json!({ "x": amount }));
        let error = world.view().error.unwrap();
        assert_eq!((error.code.as_str(), error.kind), ("E_POOL_AMOUNT", ErrorKind::Expression), "{amount}");
    }
}

#[test]
fn an_empty_budget_pauses_the_run_and_the_call_is_made_when_it_goes_on() {
    let mut world = World::start("steps: { a: { call: s.paid }, b: { call: s.b } }");
    world.poor("a");
    assert_eq!((world.state(), world.in_flight()), (RunState::Paused, vec!["b"]));
    let reason = world.view().waiting_on.unwrap();
    assert_eq!((reason.kind, reason.name.as_str()), (WaitKind::Paused, "spend"));
    assert!(reason.detail.contains("budget of the pool `spend` is used up"), "{}", reason.detail);
    assert_eq!(world.run.short_of().unwrap().as_str(), "spend");
    world.ok("b", json!(1));
    world.crash();
    assert_eq!((world.state(), world.in_flight()), (RunState::Paused, Vec::<&str>::new()));
    world.by_hand(|by| Command::Resume { by }).unwrap();
    assert_eq!((world.in_flight(), world.run.short_of()), (vec!["a"], None));
    assert_eq!(world.step("a").attempts.len(), 0, "it was no try");
    world.ok("a", json!({ "cost": 1 }));
    assert_eq!(world.state(), RunState::Succeeded);
}

#[test]
fn what_cannot_pause_fails_for_an_empty_budget() {
    let workflow = "steps: { a: { call: s.a, undo: { call: s.paid } }, b: { call: s.b, after: [a] } }";
    let mut world = World::start(workflow);
    world.ok("a", json!(1)).bad("b").poor("a.undo");
    assert_eq!(world.state(), RunState::Failed);
    assert_eq!(world.view().undo, consort_types::UndoState::Incomplete, "it waits for a person");
    let mut tidying = World::start("steps: { a: { call: s.a } }\nfinally: { tidy: { call: s.paid } }");
    tidying.ok("a", json!(1)).poor("finally.tidy");
    assert_eq!((tidying.state(), tidying.step("finally.tidy").state), (RunState::Failed, StepState::Failed));
}

#[test]
fn a_call_that_was_answered_202_is_known_to_hold_what_it_took() {
    let mut world = World::start("steps: { a: { call: s.paid } }");
    let token = world.accept("a");
    world.crash();
    let held = world.run.held_permits();
    assert_eq!((held.len(), held[0].token, held[0].wants.len()), (1, token, 2));
    assert!(world.run.is_in_flight(token));
    world.skip("a").unwrap();
    assert!(!world.run.is_in_flight(token) && world.run.held_permits().is_empty());
}

#[test]
fn the_pools_of_a_workflow_belong_to_the_run_and_are_shared_by_its_children() {
    let workflow = "pools: { tokens: { budget: 10 } }\nsteps: { a: { call: s.a, use: { tokens: 1 } } }";
    let world = World::start(workflow);
    assert_eq!(world.open[0].wants[0].run, Some(world.run.id()));
    assert_eq!(world.run.shared_pools().into_values().collect::<Vec<_>>(), [world.run.id()]);
}
