//! Steps that take the results of earlier calls.

mod world;

use consort_engine::{AttemptResult, Cached, Command, Hit, Miss, Reading, Recalled};
use consort_types::{Json, RunState, StepState, WaitKind};
use serde_json::{Value, json};
use world::{World, project};

const ONE: &str = "steps: { a: { call: s.a, with: { x: 1 }, cache: { for: 1h } } }";

fn hit(world: &World, output: Value) -> Recalled {
    let (run, at) = (world.run.id(), world.now);
    let output = Json::from(output);
    Recalled::Hit(Box::new(Hit { run, step: "of[3]".to_owned(), at, expires_at: at, output }))
}

fn miss() -> Recalled {
    Recalled::Miss(Miss::NoEntry)
}

fn why(world: &World, step: &str) -> Option<Miss> {
    match world.step(step).cached {
        Some(Cached::Miss { why, .. }) => Some(why),
        Some(Cached::Hit { .. }) | None => None,
    }
}

#[test]
fn a_hit_costs_no_call_and_says_whose_result_it_is() {
    let mut world = World::start(ONE);
    let step = world.step("a");
    assert_eq!((step.state, step.waiting_on.unwrap().kind), (StepState::Waiting, WaitKind::Cache));
    world.crash();
    let answer = hit(&world, json!({ "n": 1 }));
    world.recall(answer);
    assert_eq!((world.state(), world.sent.len(), world.kept.len()), (RunState::Succeeded, 0, 0));
    assert_eq!(world.output(), json!({ "a": { "n": 1 } }));
    let step = world.step("a");
    assert!(step.attempts.is_empty());
    assert!(matches!(step.cached, Some(Cached::Hit { step, .. }) if step == "of[3]"));
}

#[test]
fn a_miss_calls_and_keeps_the_result_and_a_failure_is_not_kept() {
    let text =
        "steps: { a: { call: s.a, with: { x: 1 }, cache: { for: 1h }, retry: { attempts: 3, delay: 1s } } }";
    let mut world = World::start(text);
    let key = world.asks[0].key;
    world.recall(miss()).busy("a");
    assert!(world.kept.is_empty());
    assert_eq!(why(&world, "a"), Some(Miss::NoEntry));
    // Before each try it is asked anew: somebody else may have been luckier.
    world.tick();
    assert_eq!((world.asks[0].key, world.open.len()), (key, 0));
    world.recall(Recalled::Miss(Miss::Expired)).ok("a", json!(5));
    assert_eq!(world.state(), RunState::Succeeded);
    let kept = &world.kept[0];
    assert_eq!((kept.key, kept.output.to_value(), kept.step.as_str()), (key, json!(5), "a"));
    assert_eq!(why(&world, "a"), Some(Miss::Expired));
}

#[test]
fn a_crash_between_the_answer_and_the_call_asks_nobody_twice() {
    let mut world = World::start(ONE);
    world.recall(miss());
    world.crash();
    assert_eq!((world.in_flight(), world.asks.len()), (vec!["a"], 0));
    let token = world.open[0].token;
    world.finish(token, AttemptResult::Interrupted);
    assert_eq!(world.asks.len(), 1, "the same try, from its beginning");
    world.recall(miss()).ok("a", json!(1));
    assert_eq!((world.state(), world.kept.len()), (RunState::Succeeded, 1));
}

#[test]
fn a_stale_answer_changes_nothing() {
    let mut world = World::start(ONE);
    let token = world.asks[0].token;
    world.recall(miss());
    let answer = hit(&world, json!(0));
    assert!(world.apply(Command::Recalled { token, answer }).is_err());
    world.ok("a", json!(1));
    assert_eq!(world.output(), json!({ "a": 1 }));
}

#[test]
fn the_output_is_shaped_the_same_for_a_hit_and_kept_as_it_came() {
    let text = "steps: { a: { call: s.a, cache: { for: 1h }, output: '${output.n + 1}' } }";
    let mut world = World::start(text);
    world.recall(miss()).ok("a", json!({ "n": 1 }));
    assert_eq!((world.output(), world.kept[0].output.to_value()), (json!({ "a": 2 }), json!({ "n": 1 })));
    let mut world = World::start(text);
    let answer = hit(&world, json!({ "n": 1 }));
    world.recall(answer);
    assert_eq!(world.output(), json!({ "a": 2 }));
}

#[test]
fn a_result_that_fits_no_longer_is_a_miss() {
    let mut world = World::start("steps: { a: { call: s.typed, with: { n: 1 }, cache: { for: 1h } } }");
    let answer = hit(&world, json!({ "n": "one" }));
    world.recall(answer);
    assert_eq!((why(&world, "a"), world.in_flight()), (Some(Miss::Unfit), vec!["a"]));
}

#[test]
fn each_item_has_its_own_key_and_equal_ones_share_it() {
    let text = "steps: { a: { for_each: [1, 2, 1], call: s.a, with: { x: '${item}' }, cache: { for: 1h } } }";
    let mut world = World::start(text);
    let keys: Vec<_> = world.asks.iter().map(|ask| ask.key).collect();
    assert_eq!((keys.len(), keys[0] == keys[2], keys[0] == keys[1]), (3, true, false));
    for _ in 0..3 {
        world.recall(miss());
    }
    world.ok("a[0]", json!(0)).ok("a[1]", json!(1)).ok("a[2]", json!(2));
    assert_eq!(world.output(), json!({ "a": [0, 1, 2] }));
}

#[test]
fn a_key_of_its_own_takes_the_place_of_the_input() {
    let key = |x: u32, k: &str| {
        let text =
            format!("steps: {{ a: {{ call: s.a, with: {{ x: {x} }}, cache: {{ for: 1h, key: '{k}' }} }} }}");
        World::start(&text).asks[0].key
    };
    assert_eq!(key(1, "k"), key(2, "k"));
    assert_ne!(key(1, "k"), key(1, "l"));
}

#[test]
fn while_the_run_stands_still_nothing_is_called() {
    let mut world = World::start(ONE);
    world.by_hand(|by| Command::Pause { by }).unwrap();
    world.recall(miss());
    world.crash();
    assert!(world.open.is_empty());
    world.by_hand(|by| Command::Resume { by }).unwrap();
    world.recall(miss()).ok("a", json!(1));
    assert_eq!(world.state(), RunState::Succeeded);
}

#[test]
fn a_run_that_is_cancelled_while_it_asks_ends_at_once() {
    let mut world = World::start(ONE);
    world.by_hand(|by| Command::Cancel { by }).unwrap();
    assert_eq!(world.state(), RunState::Cancelled);
    world.recall(miss());
    assert!(world.sent.is_empty());
}

#[test]
fn a_person_may_answer_in_the_place_of_the_cache_and_that_is_not_kept() {
    let mut world = World::start(ONE);
    world.complete("a", json!(9)).unwrap();
    assert_eq!((world.output(), world.kept.len()), (json!({ "a": 9 }), 0));
}

#[test]
fn a_run_without_cache_says_so_and_keeps_what_it_computed() {
    let mut world = World::reading(project(ONE), json!({}), 1, None, Reading::Bypassed);
    assert_eq!(world.asks[0].reading, Reading::Bypassed);
    world.recall(Recalled::Miss(Miss::NoCache)).ok("a", json!(1));
    assert_eq!((why(&world, "a"), world.kept.len()), (Some(Miss::NoCache), 1));
}

#[test]
fn what_was_undone_is_dropped() {
    let inner = "steps: { a: { call: s.a, cache: { for: 1h } }, b: { call: s.b, after: [a] } }";
    let mut clean = World::start(&format!(
        "steps: {{ g: {{ {inner}, retry: {{ attempts: 2, delay: 1s, clean: true }} }} }}"
    ));
    clean.recall(miss()).ok("g.a", json!(1)).busy("g.b");
    assert_eq!(clean.dropped, [clean.kept[0].key], "a new try begins from a clean slate");

    let mut undone = World::start(&format!(
        "steps: {{ g: {{ {inner}, undo: {{ call: s.undo }} }}, z: {{ call: s.c, after: [g] }} }}"
    ));
    undone.recall(miss()).ok("g.a", json!(1)).ok("g.b", json!(1)).bad("z");
    assert!(undone.dropped.is_empty());
    undone.ok("g.undo", json!(null));
    assert_eq!((undone.state(), &undone.dropped), (RunState::Failed, &vec![undone.kept[0].key]));

    let mut failed = World::start(&inner.replace("s.b", "s.c"));
    failed.recall(miss()).ok("a", json!(1)).bad("b");
    assert_eq!((failed.state(), failed.dropped.len()), (RunState::Failed, 0), "it was not undone");

    let mut borrowed = World::start(&format!(
        "steps: {{ g: {{ {inner}, retry: {{ attempts: 2, delay: 1s, clean: true }} }} }}"
    ));
    let answer = hit(&borrowed, json!(1));
    borrowed.recall(answer).busy("g.b");
    assert!(borrowed.dropped.is_empty(), "another run's result is not its own");
}
