//! `key` and `item_after`: items with names, and a graph that is known only at run time.

#![allow(clippy::needless_pass_by_value)]

mod world;

use consort_types::{RunState, StepState};
use serde_json::{Value, json};
use world::World;

const TABLES: &str = "input: { tables: [{ name: string, needs?: [string] }] }
on_failure: keep
steps:
  tables:
    for_each: '${input.tables}'
    key: '${item.name}'
    item_after: '${item.?needs.orValue([])}'
    call: s.a
    with: { x: '${item.name}' }
    TOLERATE";

fn tables(more: &str, tables: Value) -> World {
    World::start_with(&TABLES.replace("TOLERATE", more), json!({ "tables": tables }))
}

fn failed_with(tables_: Value) -> (String, String) {
    let world = tables("", tables_);
    assert_eq!((world.state(), world.sent.len()), (RunState::Failed, 0));
    let error = world.view().error.unwrap();
    assert_eq!(error.step.as_deref(), Some("tables"));
    (error.code, error.message)
}

#[test]
fn items_have_names_and_begin_after_those_that_they_name() {
    let mut world = tables(
        "",
        json!([
            {"name": "orders", "needs": ["users", "goods"]},
            {"name": "users"},
            {"name": "bills", "needs": ["orders"]},
            {"name": "goods", "needs": ["users"]},
        ]),
    );
    assert_eq!(world.in_flight(), ["tables[users]"]);
    world.ok("tables[users]", json!("U"));
    world.crash();
    assert_eq!(world.in_flight(), ["tables[goods]"]);
    world.ok("tables[goods]", json!("G")).ok("tables[orders]", json!("O")).ok("tables[bills]", json!("B"));
    assert_eq!(world.output(), json!({"tables": ["O", "U", "B", "G"]}), "in the order of the list");
    let step = world.step("tables[goods]");
    assert_eq!((step.index, step.input.unwrap().to_value()), (Some(3), json!({"x": "goods"})));
}

#[test]
fn a_wrong_order_is_told_before_anything_begins() {
    let (code, message) = failed_with(json!([{"name": "a", "needs": ["b"]}]));
    assert_eq!((code.as_str(), message.contains("\"b\"")), ("E_ITEM_AFTER", true), "{message}");
    let (code, message) = failed_with(json!([
        {"name": "x"}, {"name": "a", "needs": ["c", "x"]}, {"name": "b", "needs": ["a"]}, {"name": "c", "needs": ["b"]},
    ]));
    assert_eq!(code, "E_ITEM_CIRCLE");
    assert!(message.contains("a → c → b → a"), "{message}");
    let (code, message) = failed_with(json!([{"name": "a", "needs": ["a"]}]));
    assert_eq!((code.as_str(), message.contains("a → a")), ("E_ITEM_CIRCLE", true), "{message}");
    let (code, message) = failed_with(json!([{"name": "a"}, {"name": "b"}, {"name": "a"}]));
    assert_eq!((code.as_str(), message.contains("items 0 and 2")), ("E_ITEM_KEY", true), "{message}");
    assert_eq!(failed_with(json!([{"name": ""}])).0, "E_ITEM_KEY");
    assert_eq!(failed_with(json!([{"name": "a]"}])).0, "E_ITEM_KEY");
}

#[test]
fn what_comes_after_a_failed_item_has_failed_with_it() {
    let chain = json!([
        {"name": "a"}, {"name": "b", "needs": ["a"]}, {"name": "c", "needs": ["b"]}, {"name": "d"},
    ]);
    let mut world = tables("tolerate: 3", chain.clone());
    world.bad("tables[a]").ok("tables[d]", json!("D"));
    assert_eq!(world.output(), json!({"tables": [null, null, null, "D"]}));
    assert_eq!(world.step("tables[c]").error.unwrap().code, "E_ITEM_BEFORE_FAILED");
    let mut world = tables("tolerate: 2", chain);
    world.bad("tables[a]").ok("tables[d]", json!("D"));
    assert_eq!((world.state(), world.step("tables[b]").state), (RunState::Failed, StepState::Failed));
}

#[test]
fn a_failed_item_that_is_tried_again_lets_the_others_begin() {
    let mut world = World::start_with(
        &TABLES.replace("keep", "pause").replace("TOLERATE", ""),
        json!({"tables": [{"name": "a"}, {"name": "b", "needs": ["a"]}]}),
    );
    world.bad("tables[a]");
    assert_eq!(world.state(), RunState::Paused);
    world.crash();
    world.retry(None).unwrap();
    world.ok("tables[a]", json!(1)).ok("tables[b]", json!(2));
    assert_eq!(world.output(), json!({"tables": [1, 2]}));
}

/// Were anything in it quadratic, this would not come to its end.
#[test]
fn an_order_of_very_many_items_is_found_out_at_once() {
    let names: Vec<Value> = (0..30_000)
        .map(|n| json!({"name": format!("t{n}"), "needs": if n == 0 { vec![] } else { vec![format!("t{}", n / 2)] }}))
        .collect();
    let world = World::start_with(&TABLES.replace("TOLERATE", ""), json!({ "tables": names }));
    assert_eq!(world.in_flight(), ["tables[t0]"]);
}
