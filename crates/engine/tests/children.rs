//! Child runs: language.md "`run: WORKFLOW` + `with` (gives its output; `detach: true` gives its id at once)".

#![expect(clippy::print_stdout, reason = "the number of a failing seed is what one needs to see")]

mod world;

use consort_engine::{AttemptResult, Command, StepRef};
use consort_types::{AttemptState, ErrorKind, Json, RunError, RunState, StepState, UndoState, WaitKind};
use serde_json::json;
use std::time::Duration;
use world::{family::Family, project_of};

const PAY: &str = "
pay:
  input: { n: number }
  steps:
    charge: { call: s.a, with: { x: '${input.n}' }, undo: { call: s.undo } }
    note: { call: s.b, after: [charge] }
  output: { paid: '${input.n}' }
";

fn family(w: &str) -> Family {
    let mut family = Family::start(&format!("{PAY}\nw:\n{w}"));
    family.talk();
    family
}

#[test]
fn a_step_gives_the_output_of_its_child() {
    let mut family = family("  steps: { p: { run: pay, with: { n: 5 } }, q: { value: '${p.paid + 1}' } }");
    let child = family.children()[0];
    let waiting = family.top_view();
    assert_eq!(waiting.state, RunState::Waiting);
    let on = waiting.waiting_on.unwrap();
    assert_eq!((on.kind, on.name.as_str()), (WaitKind::Run, child.to_string().as_str()));
    assert_eq!(family.step("p").run, Some(child));
    let run = &family.runs[&child].run;
    assert_eq!(run.trigger(), format!("run:{}", family.top));
    assert_eq!((run.parent().unwrap().run, run.parent().unwrap().step.as_str()), (family.top, "p"));
    family.ok("charge", json!(1)).ok("note", json!(2));
    assert_eq!(family.top_view().state, RunState::Succeeded);
    assert_eq!(family.top_view().output.unwrap().to_value(), json!({"p": {"paid": 5}, "q": 6}));
    assert_eq!(family.step("p").attempts.len(), 1);
}

#[test]
fn the_failure_of_a_child_comes_up_with_its_place() {
    let mut family = family("  steps: { g: { steps: { p: { run: pay, with: { n: 5 } } } } }");
    family.ok("charge", json!(1)).bad("note").ok("charge.undo", json!(1));
    let error = family.top_view().error.unwrap();
    assert_eq!((error.code.as_str(), error.step.as_deref()), ("BAD", Some("g.p.note")));
    assert_eq!(family.step("g.p").state, StepState::Failed);
    assert_eq!(family.top_view().undo, UndoState::None, "it has undone itself");
}

#[test]
fn a_cancel_goes_down_and_waits_for_the_child() {
    let mut family = family("  steps: { p: { run: pay, with: { n: 5 } } }");
    let (top, child) = (family.top, family.children()[0]);
    family.ok("charge", json!(1));
    family.by_hand(top, |by| Command::Cancel { by }).unwrap();
    assert_eq!(family.view(child).state, RunState::Undoing);
    assert_eq!(family.top_view().state, RunState::Cancelling);
    family.ok("charge.undo", json!(1));
    assert_eq!(family.view(child).state, RunState::Cancelled);
    assert_eq!(
        (family.top_view().state, family.step("p").state),
        (RunState::Cancelled, StepState::Cancelled)
    );
}

#[test]
fn a_step_whose_time_is_over_cancels_its_child() {
    let mut family = family("  steps: { p: { run: pay, with: { n: 5 }, timeout: 5s } }");
    let child = family.children()[0];
    family.ok("charge", json!(1)).pass(Duration::from_secs(6));
    assert_eq!(family.step("p").state, StepState::Waiting, "it waits for the child to be undone");
    family.ok("charge.undo", json!(1));
    assert_eq!(family.view(child).state, RunState::Cancelled);
    assert_eq!(family.top_view().error.unwrap().code, "E_STEP_TIMEOUT");
}

#[test]
fn a_child_beside_a_failure_is_cancelled() {
    let mut family = family("  steps: { p: { run: pay, with: { n: 5 } }, x: { call: s.c } }");
    let child = family.children()[0];
    family.ok("charge", json!(1)).bad("x");
    assert_eq!(family.top_view().state, RunState::Waiting, "it waits for the child");
    family.ok("charge.undo", json!(1));
    assert_eq!((family.view(child).state, family.top_view().state), (RunState::Cancelled, RunState::Failed));
    assert_eq!(family.top_view().error.unwrap().step.as_deref(), Some("x"));
}

#[test]
fn a_child_is_undone_at_its_place() {
    let mut family = family(
        "  steps:
    a: { call: s.a, undo: { call: s.undo } }
    p: { run: pay, with: { n: 5 }, after: [a] }
    b: { call: s.b, after: [p], undo: { call: s.undo } }
    x: { call: s.c, after: [b] }",
    );
    family.ok("a", json!(1)).ok("charge", json!(1)).ok("note", json!(1)).ok("b", json!(1)).bad("x");
    family.ok("b.undo", json!(1));
    assert_eq!(family.step("p.undo").waiting_on.unwrap().kind, WaitKind::Run);
    family.ok("charge.undo", json!(1)).ok("a.undo", json!(1));
    assert_eq!(&family.calls[5..], ["w:b.undo", "pay:charge.undo", "w:a.undo"]);
    assert_eq!((family.top_view().state, family.top_view().undo), (RunState::Failed, UndoState::Complete));
    assert_eq!(family.step("p").state, StepState::Undone);
}

#[test]
fn a_child_whose_undo_waits_for_a_person_keeps_its_parent_incomplete() {
    let mut family = family("  steps: { p: { run: pay, with: { n: 5 } }, x: { call: s.c, after: [p] } }");
    let child = family.children()[0];
    family.ok("charge", json!(1)).ok("note", json!(1)).bad("x").bad("charge.undo");
    assert_eq!((family.top_view().state, family.top_view().undo), (RunState::Failed, UndoState::Incomplete));
    assert_eq!(family.step("p.undo").error.unwrap().code, "E_CHILD_UNDO");
    // Whoever mends it in the child has mended it here.
    let step = Some(StepRef::Key("charge".to_owned()));
    family.by_hand(child, |by| Command::Retry { step, by }).unwrap();
    family.ok("charge.undo", json!(1));
    assert_eq!((family.view(child).undo, family.top_view().undo), (UndoState::Complete, UndoState::Complete));
    // From above it is tried again, too.
}

#[test]
fn a_parked_undo_of_a_child_can_be_tried_again_from_its_parent() {
    let mut family = family("  steps: { p: { run: pay, with: { n: 5 } }, x: { call: s.c, after: [p] } }");
    let top = family.top;
    family.ok("charge", json!(1)).ok("note", json!(1)).bad("x").bad("charge.undo");
    let again = || Some(StepRef::Key("p".to_owned()));
    family.by_hand(top, |by| Command::Retry { step: again(), by }).unwrap();
    family.bad("charge.undo");
    assert_eq!(family.top_view().undo, UndoState::Incomplete, "parked again");
    family.by_hand(top, |by| Command::Retry { step: again(), by }).unwrap();
    family.ok("charge.undo", json!(1));
    assert_eq!(family.top_view().undo, UndoState::Complete);
}

#[test]
fn a_child_that_could_not_undo_itself_is_an_incident_of_its_parent() {
    let mut family = family("  steps: { p: { run: pay, with: { n: 5 } } }");
    family.ok("charge", json!(1)).bad("note").bad("charge.undo");
    // The parent asks for the undo once more; it is parked again.
    family.bad("charge.undo");
    assert_eq!((family.top_view().state, family.top_view().undo), (RunState::Failed, UndoState::Incomplete));
}

#[test]
fn a_detached_child_gives_its_id_at_once_and_goes_its_own_way() {
    let mut family =
        family("  steps: { p: { run: pay, with: { n: 5 }, detach: true }, x: { call: s.c, after: [p] } }");
    let child = family.children()[0];
    assert_eq!(family.step("p").output.unwrap().to_value(), json!(child.to_string()));
    family.bad("x");
    assert_eq!((family.top_view().state, family.view(child).state), (RunState::Failed, RunState::Running));
    family.ok("charge", json!(1)).ok("note", json!(1));
    assert_eq!(family.view(child).state, RunState::Succeeded);
}

#[test]
fn a_retry_makes_a_new_child() {
    let mut family = family(
        "  steps: { p: { run: pay, with: { n: 5 }, retry: { attempts: 2, delay: 1s, when: error.code == 'BAD' } } }",
    );
    family.bad("charge").pass(Duration::from_secs(2));
    assert_eq!(family.children().len(), 2);
    family.ok("charge", json!(1)).ok("note", json!(1));
    assert_eq!(family.top_view().state, RunState::Succeeded);
    let attempts: Vec<_> = family.step("p").attempts.iter().map(|attempt| attempt.state).collect();
    assert_eq!(attempts, [AttemptState::Failed, AttemptState::Succeeded]);
}

#[test]
fn a_workflow_that_runs_itself_ends() {
    let mut family = Family::start("w: { steps: { again: { run: w } } }");
    family.talk();
    assert_eq!(family.runs.len(), 65);
    let error = family.top_view().error.unwrap();
    assert_eq!((error.code.as_str(), error.kind), ("E_RUN_DEPTH", ErrorKind::Limit));
}

#[test]
fn a_child_that_is_refused_fails_its_step() {
    let mut family = family("  input: { n?: any }\n  steps: { p: { run: pay, with: { n: '${input.n}' } } }");
    let error = family.top_view().error.unwrap();
    assert_eq!((error.code.as_str(), error.step.as_deref()), ("E_INVALID_INPUT", Some("p")));
    assert!(!family.tick(), "nothing is left to do");
}

#[test]
fn a_pause_goes_down_and_so_does_the_resume() {
    let mut family = family("  steps: { p: { run: pay, with: { n: 5 } } }");
    let (top, child) = (family.top, family.children()[0]);
    family.by_hand(top, |by| Command::Pause { by }).unwrap();
    assert_eq!(family.view(child).state, RunState::Paused);
    let refused = family.by_hand(child, |by| Command::Resume { by }).unwrap_err();
    assert!(refused.to_string().contains(&top.to_string()), "{refused}");
    family.by_hand(top, |by| Command::Resume { by }).unwrap();
    family.ok("charge", json!(1));
    // A child that a person paused stays paused.
    family.by_hand(child, |by| Command::Pause { by }).unwrap();
    family.by_hand(top, |by| Command::Pause { by }).unwrap();
    family.by_hand(top, |by| Command::Resume { by }).unwrap();
    assert_eq!(family.view(child).state, RunState::Paused);
    family.by_hand(child, |by| Command::Resume { by }).unwrap();
    family.ok("note", json!(1));
    assert_eq!(family.top_view().state, RunState::Succeeded);
}

#[test]
fn a_step_that_is_settled_by_hand_leaves_no_child_behind() {
    let mut family = family("  steps: { p: { run: pay, with: { n: 5 } } }");
    let (top, child) = (family.top, family.children()[0]);
    let step = StepRef::Key("p".to_owned());
    family.by_hand(top, |by| Command::Complete { step, output: Json::of(&json!({"paid": 7})), by }).unwrap();
    assert_eq!(family.top_view().output.unwrap().to_value(), json!({"p": {"paid": 7}}));
    family.ok("charge", json!(1)).ok("charge.undo", json!(1));
    assert_eq!(family.view(child).state, RunState::Cancelled);
}

#[test]
fn every_item_has_a_child_of_its_own() {
    let mut family = family(
        "  steps: { each: { for_each: '${[1, 2, 3]}', max_parallel: 2, run: pay, with: { n: '${item}' } } }",
    );
    assert_eq!(family.children().len(), 2);
    for _ in 0..3 {
        family.ok("charge", json!(1)).ok("note", json!(1));
    }
    let output = family.top_view().output.unwrap().to_value();
    assert_eq!(output, json!({"each": [{"paid": 1}, {"paid": 2}, {"paid": 3}]}));
}

const SHAPE: &str = "
leaf:
  input: { x?: any }
  retry: { attempts: 2, delay: 1s }
  steps:
    a: { call: s.a, undo: { call: s.undo } }
    b: { call: s.b, after: [a] }
mid:
  input: { xs: [number] }
  steps:
    each: { for_each: '${input.xs}', max_parallel: 2, tolerate: 1, run: leaf, with: { x: '${item}' } }
    c: { call: s.c, after: [each], undo: { call: s.undo } }
w:
  input: { xs: [number] }
  steps:
    first: { run: leaf, retry: { attempts: 2, delay: 1s, clean: true } }
    free: { run: leaf, detach: true }
    many: { run: mid, with: { xs: '${input.xs}' }, timeout: 5m, after: [first] }
    last: { call: s.c, after: [many], undo: { call: s.undo } }
";

/// SplitMix64: small, seeded, the same on every machine.
struct Chance(u64);

impl Chance {
    fn draw(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// Each word is replayed, which takes most of the time.
const SEEDS: u64 = 300;

#[test]
fn families_come_to_their_end_whatever_is_lost() {
    let project = project_of(SHAPE);
    let mut ends = std::collections::BTreeMap::<String, u32>::new();
    for seed in 0..SEEDS {
        let mut chance = Chance(seed);
        let xs: Vec<u64> = (0..chance.draw(4)).collect();
        let mut family = Family::of(project.clone(), json!({ "xs": xs }), u128::from(seed) + 1);
        let live = std::panic::AssertUnwindSafe(|| live(&mut family, &mut chance));
        if let Err(panic) = std::panic::catch_unwind(live) {
            println!("seed {seed} failed");
            for (id, member) in &family.runs {
                println!("{id} {:?} {:#?}", member.run.view(&|_| None), family.last_records(*id, 4));
            }
            std::panic::resume_unwind(panic);
        }
        *ends.entry(family.top_view().state.to_string()).or_default() += 1;
    }
    for state in ["succeeded", "failed", "cancelled"] {
        assert!(ends.get(state).is_some_and(|count| *count > 5), "{ends:?}");
    }
}

fn live(family: &mut Family, chance: &mut Chance) {
    for round in 0..5_000 {
        let faults = round < 80;
        match chance.draw(100) {
            0..5 if faults => family.crash(),
            5..7 if faults => act(family, chance, |by| Command::Pause { by }),
            7..8 if faults && chance.draw(3) == 0 => act(family, chance, |by| Command::Cancel { by }),
            8..20 => act(family, chance, |by| Command::Resume { by }),
            20..70 => drop(family.deliver()),
            _ if family.open.is_empty() || chance.draw(10) == 0 => drop(family.tick()),
            _ => answer(family, chance, faults),
        }
        if family.runs.values().all(|member| member.run.is_at_rest()) && !family.deliver() {
            return check_end(family);
        }
    }
    panic!("it did not end");
}

fn act(family: &mut Family, chance: &mut Chance, command: impl FnOnce(String) -> Command) {
    let ids: Vec<_> = family.runs.keys().copied().collect();
    let id = ids[chance.draw(ids.len() as u64) as usize];
    drop(family.apply(id, command("ann".to_owned())));
}

fn answer(family: &mut Family, chance: &mut Chance, faults: bool) {
    let (_, sent) = &family.open[chance.draw(family.open.len() as u64) as usize];
    let token = sent.token;
    let result = match chance.draw(if faults { 8 } else { 30 }) {
        0 => {
            let error = RunError::new("BAD", ErrorKind::Operation, "bad");
            AttemptResult::Failed { state: AttemptState::Failed, error, retry_after: None }
        }
        1 => {
            let error = RunError::new("BUSY", ErrorKind::Operation, "busy").retryable();
            AttemptResult::Failed { state: AttemptState::Failed, error, retry_after: None }
        }
        _ => AttemptResult::Succeeded(Json::of(&1)),
    };
    family.finish(token, result);
}

fn check_end(family: &Family) {
    for (id, member) in &family.runs {
        let view = member.run.view(&|_| None);
        assert!(view.state.is_terminal());
        assert_eq!(member.ended, 1, "{id} ended {} times", member.ended);
        let states = family.states(*id);
        if let Some(parent) = member.run.parent().filter(|parent| !parent.detached) {
            let above = &family.runs[&parent.run].run.view(&|_| None);
            let undone = above.state != RunState::Succeeded && above.undo == UndoState::Complete;
            let left = view.state == RunState::Succeeded && states.get("a") == Some(&StepState::Succeeded);
            assert!(!(undone && left), "{id} was left behind by {}", parent.run);
        }
    }
}
