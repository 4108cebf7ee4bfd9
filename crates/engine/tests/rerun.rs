//! Reruns: what a new run takes over from the old one, and what it does again.

mod world;

use consort_engine::Command;
use consort_types::{RunState, StepState, UndoState};
use serde_json::json;
use world::World;

const CHAIN: &str = "on_failure: keep
steps:
  a: { call: s.a }
  b: { call: s.b, with: { x: '${a}' } }
  c: { call: s.c, with: { x: '${b}' } }
  other: { call: s.a }
  last: { call: s.b, with: { x: '${other}' }, after: [c] }";

#[test]
fn what_does_not_depend_on_the_step_is_copied_and_the_rest_runs_again() {
    let mut old = World::start(CHAIN);
    old.ok("a", json!(1)).ok("other", json!(7)).ok("b", json!(2)).bad("c");
    assert_eq!(old.state(), RunState::Failed);
    let mut new = old.rerun(Some("b")).unwrap();
    assert_eq!(new.calls(), ["b"]);
    assert_eq!(new.sent[0].input, json!({"x": 1}));
    let copied = new.step("a");
    assert_eq!((copied.state, copied.copied_from), (StepState::Succeeded, Some(old.run.id())));
    assert!(copied.attempts.is_empty());
    new.ok("b", json!(3)).ok("c", json!(4)).ok("last", json!(5));
    assert_eq!(new.output(), json!({"a": 1, "b": 3, "c": 4, "other": 7, "last": 5}));
    assert_eq!(new.calls(), ["b", "c", "last"]);
}

#[test]
fn a_rerun_from_the_beginning_copies_nothing() {
    let mut old = World::start(CHAIN);
    old.ok("a", json!(1)).ok("other", json!(7)).ok("b", json!(2)).bad("c");
    assert_eq!(old.rerun(None).unwrap().calls(), ["a", "other"]);
}

#[test]
fn of_a_list_the_other_items_are_copied() {
    let mut old = World::start_with(
        "on_failure: keep
input: { xs: [number] }
steps:
  each: { for_each: '${input.xs}', call: s.a, with: { x: '${item}' } }
  sum: { call: s.b, with: { x: '${each}' } }",
        json!({"xs": [1, 2, 3]}),
    );
    for item in 0..3 {
        old.ok(&format!("each[{item}]"), json!(item * 10));
    }
    old.bad("sum");
    let mut new = old.rerun(Some("each[1]")).unwrap();
    assert_eq!(new.calls(), ["each[1]"]);
    new.ok("each[1]", json!(99));
    assert_eq!(new.sent[1].input, json!({"x": [0, 99, 20]}));
    assert_eq!(new.step("each[0]").copied_from, Some(old.run.id()));
    assert_eq!(new.step("each[1]").copied_from, None);
    let error = old.rerun(Some("each[3]")).err().unwrap().to_string();
    assert!(error.contains("had 3 items"), "{error}");
}

#[test]
fn an_item_that_is_about_something_else_runs_again() {
    let old_shape = "on_failure: keep
input: { xs: [number] }
steps:
  each: { for_each: '${input.xs}', call: s.a, with: { x: '${item}' } }
  sum: { call: s.b, with: { x: '${each}' } }";
    let mut old = World::start_with(old_shape, json!({"xs": [1, 2, 3]}));
    for item in 0..3 {
        old.ok(&format!("each[{item}]"), json!(item * 10));
    }
    old.bad("sum");
    let new = old.rerun_with(old_shape, json!({"xs": [1, 5, 3, 4]}), Some("each[2]")).unwrap();
    assert_eq!(new.calls(), ["each[1]", "each[2]", "each[3]"]);
}

#[test]
fn inside_a_group_and_inside_an_item_the_neighbours_are_copied() {
    let mut old = World::start_with(
        "on_failure: keep
input: { xs: [number] }
steps:
  g:
    steps:
      p: { call: s.a }
      q: { call: s.b, with: { x: '${p}' } }
      r: { call: s.c }
  each:
    for_each: '${input.xs}'
    after: [g]
    steps: { m: { call: s.a }, n: { call: s.b, after: [m] } }
  last: { call: s.c, after: [each] }",
        json!({"xs": [1, 2]}),
    );
    old.ok("g.p", json!(1)).ok("g.r", json!(3)).ok("g.q", json!(2));
    old.ok("each[0].m", json!(4))
        .ok("each[1].m", json!(5))
        .ok("each[0].n", json!(6))
        .ok("each[1].n", json!(7));
    old.bad("last");
    let mut new = old.rerun(Some("each[1].n")).unwrap();
    assert_eq!(new.calls(), ["each[1].n"]);
    assert_eq!(new.step("g").copied_from, Some(old.run.id()));
    assert_eq!(new.step("each[1].m").copied_from, Some(old.run.id()));
    new.ok("each[1].n", json!(8));
    assert_eq!(new.calls(), ["each[1].n", "last"]);
    let new = old.rerun(Some("g.q")).unwrap();
    assert_eq!(new.calls(), ["g.q"], "p and r are copied, each waits for the group");
    assert_eq!(new.step("g.p").copied_from, Some(old.run.id()));
}

#[test]
fn a_step_that_names_from_inside_a_group_what_runs_again_runs_again() {
    let mut old = World::start(
        "on_failure: keep
steps:
  a: { call: s.a }
  g: { steps: { p: { call: s.b }, q: { call: s.c, with: { x: '${a}' } } } }
  last: { call: s.c, after: [g] }",
    );
    old.ok("a", json!(1)).ok("g.p", json!(2)).ok("g.q", json!(3)).bad("last");
    let mut new = old.rerun(Some("a")).unwrap();
    assert_eq!(new.calls(), ["a"]);
    assert_eq!(new.step("g.p").copied_from, Some(old.run.id()));
    new.ok("a", json!(1));
    assert_eq!(new.calls(), ["a", "g.q"]);
}

#[test]
fn turns_before_the_one_that_is_meant_are_copied() {
    let mut old = World::start(
        "on_failure: keep
steps:
  l:
    loop:
      carry: { n: 0 }
      max: 5
      steps: { t: { call: s.a, with: { x: '${carry.n}' } }, u: { call: s.b, after: [t] } }
      until: index >= 2
      next: { n: '${t}' }
  last: { call: s.c, after: [l] }",
    );
    for turn in 0..3 {
        old.ok(&format!("l[{turn}].t"), json!(turn + 10)).ok(&format!("l[{turn}].u"), json!(0));
    }
    old.bad("last");
    let mut new = old.rerun(Some("l[1].u")).unwrap();
    assert_eq!(new.calls(), ["l[1].u"]);
    new.ok("l[1].u", json!(0));
    assert_eq!((new.sent[1].step.as_str(), &new.sent[1].input), ("l[2].t", &json!({"x": 11})));
}

#[test]
fn what_was_undone_runs_again_and_what_depends_on_it() {
    let mut old = World::start(
        "steps:
  account: { call: s.a, undo: { call: s.undo } }
  audit: { call: s.b, with: { x: '${account}' } }
  score: { call: s.c }
  notice: { call: s.a, after: [audit, score] }",
    );
    old.ok("account", json!(1)).ok("score", json!(2)).ok("audit", json!(3)).bad("notice");
    old.ok("account.undo", json!(null));
    assert_eq!(old.view().undo, UndoState::Complete);
    let mut new = old.rerun(Some("notice")).unwrap();
    assert_eq!(new.calls(), ["account"]);
    assert_eq!(new.step("score").copied_from, Some(old.run.id()));
    new.ok("account", json!(4)).ok("audit", json!(5)).bad("notice");
    new.ok("account.undo", json!(null));
    assert_eq!((new.state(), new.view().undo), (RunState::Failed, UndoState::Complete));
}

#[test]
fn the_new_run_undoes_only_what_it_ran_itself() {
    let shape = "on_failure: keep
steps:
  a: { call: s.a, undo: { call: s.undo } }
  b: { call: s.b, after: [a], undo: { call: s.undo } }
  c: { call: s.c, after: [b] }";
    let mut old = World::start(shape);
    old.ok("a", json!(1)).ok("b", json!(2)).bad("c");
    let undoing = shape.replace("on_failure: keep", "on_failure: undo");
    let mut new = old.rerun_with(&undoing, json!({}), Some("b")).unwrap();
    new.ok("b", json!(3)).bad("c").ok("b.undo", json!(null));
    assert_eq!((new.state(), new.view().undo), (RunState::Failed, UndoState::Complete));
    assert_eq!(new.calls(), ["b", "c", "b.undo"]);
}

#[test]
fn an_output_that_no_longer_fits_is_computed_anew() {
    let mut old = World::start(
        "on_failure: keep
steps: { a: { value: { n: text } }, b: { call: s.b, with: { x: '${a.n}' } }, c: { call: s.c, after: [b] } }",
    );
    old.ok("b", json!(1)).bad("c");
    let new = old
        .rerun_with(
            "steps: { a: { value: { n: 5 } }, b: { call: s.b, with: { x: '${a.n}' } }, c: { call: s.c, after: [b] } }",
            json!({}),
            Some("c"),
        )
        .unwrap();
    assert_eq!(new.step("a").copied_from, None);
    assert_eq!((new.calls(), &new.sent[0].input), (vec!["b".to_owned()], &json!({"x": 5})));
}

#[test]
fn a_branch_that_was_taken_is_looked_into() {
    let mut old = World::start(
        "on_failure: keep
steps:
  pick: { switch: [ { when: false, call: s.a }, { else: , steps: { p: { call: s.b }, q: { call: s.c, after: [p] } } } ] }
  last: { call: s.a, after: [pick] }",
    );
    old.ok("pick.else.p", json!(1)).ok("pick.else.q", json!(2)).bad("last");
    assert_eq!(old.rerun(Some("pick.else.q")).unwrap().calls(), ["pick.else.q"]);
    assert_eq!(old.rerun(Some("last")).unwrap().calls(), ["last"]);
}

#[test]
fn an_unknown_step_is_answered_with_the_nearest() {
    let mut old = World::start(CHAIN);
    old.bad("a");
    old.ok("other", json!(1));
    for (key, hint) in [
        ("othr", "did you mean `other`?"),
        ("zzzzz", "it has a, b, c, other, last"),
        ("a.x", "did you mean `a`?"),
    ] {
        let error = old.rerun(Some(key)).err().unwrap().to_string();
        assert!(error.contains(hint), "{error}");
    }
    assert!(old.rerun(Some("a.undo")).err().unwrap().to_string().contains("begin from `a`"));
}

#[test]
fn a_clean_rerun_first_undoes_the_step_and_all_after_it() {
    let mut old = World::start(
        "on_failure: keep
steps:
  a: { call: s.a, undo: { call: s.undo } }
  b: { call: s.b, after: [a], undo: { call: s.undo } }
  c: { call: s.c, after: [b], undo: { call: s.undo } }
  d: { call: s.a, after: [c] }",
    );
    old.ok("a", json!(1)).ok("b", json!(2)).ok("c", json!(3)).bad("d");
    let only = old.undoes(Some("b"));
    old.by_hand(|by| Command::Undo { only, by }).unwrap();
    assert_eq!(old.in_flight(), ["c.undo"]);
    old.crash();
    old.ok("c.undo", json!(null)).ok("b.undo", json!(null));
    assert!(old.open.is_empty(), "a stays as it is");
    assert_eq!((old.view().undo, old.step("a").state), (UndoState::Complete, StepState::Succeeded));
    assert!(old.undoes(Some("b")).is_empty());
    assert_eq!(old.rerun(Some("b")).unwrap().calls(), ["b"]);
}

#[test]
fn a_crash_in_the_middle_of_a_rerun_changes_nothing() {
    let mut old = World::start(CHAIN);
    old.ok("a", json!(1)).ok("other", json!(7)).ok("b", json!(2)).bad("c");
    let mut new = old.rerun(Some("c")).unwrap();
    new.crash();
    assert_eq!(new.in_flight(), ["c"]);
    new.ok("c", json!(4));
    new.crash();
    new.ok("last", json!(5));
    assert_eq!(new.output(), json!({"a": 1, "b": 2, "c": 4, "other": 7, "last": 5}));
}
