//! Seeded chaos: runs of every shape, with services that succeed, fail, are late or silent, crashes, pauses,
//! cancels and hands that meddle. After every command the replay must agree (the world sees to that); at the
//! end every run must have ended.

#![expect(clippy::print_stdout, reason = "the number of a failing seed is what one needs to see")]

mod world;

use consort_engine::{AttemptResult, Command, Hit, Miss, Recalled};
use consort_types::{AttemptState, ErrorKind, Json, RunError, RunState, StepState};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use world::{World, project};

/// Each run is replayed after every command, which takes most of the time.
const SEEDS: u64 = 1_000;

const SHAPES: &[&str] = &[
    "input: { xs: [number] }
retry: { attempts: 2, delay: 1s, clean: true }
steps:
  a: { call: s.a, undo: { call: s.undo } }
  each:
    for_each: '${input.xs}'
    max_parallel: 3
    tolerate: 1
    steps:
      p: { call: s.b, with: { x: '${item}' }, undo: { call: s.undo }, retry: { attempts: 3, delay: 1s } }
      q: { call: s.c, with: { x: '${a}' }, after: [p] }
    output: '${q}'
  pick:
    switch:
      - when: size(each) > 2
        call: s.a
      - else:
        steps: { deep: { call: s.b, undo: { call: s.undo } }, more: { wait: 5s } }
  last: { call: s.c, with: { x: '${previous}' }, after: [pick] }",
    "input: { xs: [number] }
on_failure: pause
timeout: 1h
steps:
  g:
    timeout: 2m
    retry: { attempts: 2, delay: 1s, clean: true }
    steps:
      a: { call: s.a, undo: { call: s.undo } }
      b: { call: s.b, after: [a], catch: { when: error.code == 'BAD', value: caught } }
  rows:
    for_each: '${input.xs}'
    steps: { cells: { for_each: '${input.xs}', max_parallel: 2, call: s.c, retry: { attempts: 2, delay: 1s } } }
  z: { call: s.a, with: { x: '${g}' }, when: size(rows) > 0 }",
    "input: { xs: [number] }
retry: { attempts: 3, delay: 1s }
steps:
  a: { call: s.a, undo: { call: s.undo }, finally: { t: { call: s.c } } }
  b: { call: s.b, after: [a], catch: { call: s.c } }
  ask: { await: { approval: { ask: ok } }, timeout: 1m, on_timeout: { approved: false } }
  each: { for_each: '${input.xs}', call: s.b, with: { x: '${ask}' }, finally: { u: { call: s.a } } }
finally: { tidy: { call: s.c } }",
    "input: { xs: [number] }
steps:
  agent:
    retry: { attempts: 2, delay: 1s, clean: true }
    loop:
      carry: { n: 0 }
      max: 5
      delay: 2s
      steps:
        think: { call: s.a, with: { x: '${carry.n}' }, undo: { call: s.undo } }
        tools: { for_each: '${input.xs}', batch: 2, call: s.b, after: [think], retry: { attempts: 2, delay: 1s } }
      until: index >= 2
      next: { n: '${carry.n + 1}' }
  last: { call: s.c, after: [agent] }",
    "input: { xs: [number] }
retry: { attempts: 2, delay: 1s, clean: true }
steps:
  g:
    retry: { attempts: 2, delay: 1s, clean: true }
    steps:
      a: { call: s.a, undo: { call: s.undo } }
      each: { for_each: '${input.xs}', max_parallel: 2, call: s.b, with: { x: '${item}' }, cache: { for: 1h } }
      b: { call: s.c, with: { x: '${each}' }, cache: { for: 1h, key: '${a}' }, retry: { attempts: 3, delay: 1s } }
    undo: { call: s.undo }
  last: { call: s.c, after: [g] }",
    "input: { xs: [number] }
steps:
  a: { call: s.paid, retry: { attempts: 2, delay: 1s }, undo: { call: s.paid } }
  each: { for_each: '${input.xs}', call: s.paid, use: { gpu: '${index + 1}' }, after: [a], tolerate: 100% }
finally: { tidy: { call: s.paid } }",
    "input: { xs: [number] }
on_failure: pause
retry: { attempts: 2, delay: 1s }
steps:
  race:
    first: 1
    retry: { attempts: 2, delay: 1s, clean: true }
    steps:
      a: { call: s.a, undo: { call: s.undo }, finally: { t: { call: s.c } } }
      b: { steps: { p: { call: s.b, undo: { call: s.undo } }, q: { call: s.c, after: [p], retry: { attempts: 2, delay: 1s } } }, undo: { call: s.undo } }
      late: { wait: 20s }
  quorum: { for_each: '${input.xs}', first: 2, max_parallel: 2, call: s.a, undo: { call: s.undo }, catch: { when: error.code == 'BAD', value: 1 }, when: size(input.xs) > 2 }
  each: { for_each: '${input.xs}', tolerate: 1, steps: { duel: { first: 1, steps: { x: { call: s.a }, y: { call: s.b, undo: { call: s.undo } } } }, z: { call: s.c, after: [duel] } } }
  last: { call: s.c, after: [race, quorum] }",
    "input: { xs: [number] }
retry: { attempts: 2, delay: 1s }
on_failure: pause
steps:
  tree:
    for_each: '${input.xs}'
    key: '${\"t\" + string(int(item))}'
    item_after: '${item < 1 ? [] : [\"t\" + string(int(item) / 2)]}'
    tolerate: 2
    max_parallel: 2
    steps: { p: { call: s.a, undo: { call: s.undo } }, q: { call: s.b, after: [p], retry: { attempts: 2, delay: 1s } } }
  some: { for_each: '${input.xs}', first: 1, key: '${index}', item_after: '${index == 0 ? [] : [index - 1]}', call: s.c, after: [tree], when: size(input.xs) > 0 }
  last: { call: s.a, after: [some] }",
    "input: { xs: [number] }
retry: { attempts: 2, delay: 1s, clean: 2 }
steps:
  once: { call: s.a, delivery: at_most_once, undo: { call: s.undo } }
  charge:
    call: s.b
    retry: { attempts: 2, delay: 1s }
    undo: { call: s.undo, with: { x: '${key}' } }
    resolve: { call: s.c, with: { x: '${key}' } }
  each: { for_each: '${input.xs}', tolerate: 1, call: s.a, delivery: at_most_once, resolve: { call: s.b }, undo: { call: s.undo } }
  race: { first: 1, steps: { p: { call: s.b, undo: { call: s.undo }, resolve: { call: s.c } }, q: { call: s.c, delivery: at_most_once } } }
  last: { call: s.c, after: [charge, each, once], finally: { f: { call: s.a } } }",
    "input: { xs: [number] }
retry: { attempts: 2, delay: 1s, clean: true }
steps:
  a: { call: s.a, undo: { call: s.undo } }
  told: { emit: { type: t.told, data: { n: '${a}' } } }
  each:
    for_each: '${input.xs}'
    await: { event: 't.*', where: event.data.n > 0 }
    timeout: 30s
    on_timeout: { n: 0 }
  last: { call: s.c, after: [each, told] }",
];

/// Of so many runs one is done again from some step of it.
const RERUN_EVERY: u64 = 5;

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

#[test]
fn every_run_ends_whatever_happens_and_its_history_tells_the_same() {
    let mut endings: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..SEEDS {
        let world = std::panic::catch_unwind(|| live(seed));
        match world {
            Ok(world) => *endings.entry(world.state().to_string()).or_default() += 1,
            Err(panic) => {
                println!("seed {seed} failed");
                std::panic::resume_unwind(panic);
            }
        }
    }
    // A generator that never reaches an end would prove nothing about it.
    for state in ["succeeded", "failed", "cancelled"] {
        assert!(endings.get(state).is_some_and(|count| *count > 5), "{endings:?}");
    }
}

fn live(seed: u64) -> World {
    let mut chance = Chance(seed);
    let shape = SHAPES[chance.draw(SHAPES.len() as u64) as usize];
    let xs: Vec<u64> = (0..chance.draw(6)).collect();
    let in_line = (chance.draw(4) == 0).then_some(seed);
    let mut world = World::begun(project(shape), json!({ "xs": xs }), u128::from(seed), in_line);
    // Faults stop after a while; then every run must come to its end.
    for round in 0..10_000 {
        if world.ended > 0 && world.open.is_empty() {
            check_end(&world);
            if seed.is_multiple_of(RERUN_EVERY) {
                again(&world, &mut chance);
            }
            return world;
        }
        let faults = round < 60;
        step(&mut world, &mut chance, faults);
        check_now(&world);
    }
    panic!("seed {seed} did not end: {:?} {:?} {:#?}", world.view(), world.states(), world.last_records(8));
}

fn step(world: &mut World, chance: &mut Chance, faults: bool) {
    if faults {
        match chance.draw(100) {
            0..4 => return world.crash(),
            4..6 => return drop(world.by_hand(|by| Command::Pause { by })),
            6..7 if chance.draw(3) == 0 => return drop(world.by_hand(|by| Command::Cancel { by })),
            7..9 => return meddle(world, chance),
            9..11 => return stale(world, chance),
            11..17 => return offer(world, chance),
            _ => {}
        }
    }
    if world.run.number_in_line().is_some() && chance.draw(3) > 0 {
        assert!(world.sent.is_empty(), "it has begun without a place");
        return world.apply(Command::Admit { previous: Some(Json::of(&1)) }).unwrap();
    }
    if world.state() == RunState::Paused {
        return wake(world, chance);
    }
    if !world.asks.is_empty() && (world.open.is_empty() || chance.draw(2) == 0) {
        return recall(world, chance, faults);
    }
    let waits = world.open.is_empty() || chance.draw(10) == 0;
    if waits && world.tick() {
        return;
    }
    if !world.open.is_empty() {
        answer(world, chance, faults);
    } else if world.timers.is_empty() {
        settle_doubts(world, chance);
    } else {
        world.pass(Duration::from_secs(1));
    }
}

/// There is an earlier result, or not, or one that is of no use.
fn recall(world: &mut World, chance: &mut Chance, faults: bool) {
    let (run, at) = (world.run.id(), world.now);
    let hit = |output| {
        let hit = Hit { run, step: "a".to_owned(), at, expires_at: at, output: Json::of(&output) };
        Recalled::Hit(Box::new(hit))
    };
    world.recall(match chance.draw(if faults { 4 } else { 2 }) {
        0 => Recalled::Miss(Miss::NoEntry),
        1 => hit(json!({ "n": 7 })),
        2 => Recalled::Miss(Miss::Unreadable),
        _ => hit(json!(null)),
    });
}

/// A paused run is resumed; one that paused on a failure is tried again, and given up in the end.
fn wake(world: &mut World, chance: &mut Chance) {
    if world.by_hand(|by| Command::Resume { by }).is_ok() {
        return;
    }
    if chance.draw(8) == 0 {
        world.by_hand(|by| Command::Cancel { by }).unwrap();
    } else {
        world.retry(None).unwrap();
    }
}

/// Nothing goes on by itself any more: a person says what became of a call.
fn settle_doubts(world: &mut World, chance: &mut Chance) {
    let states = world.states();
    let waits = states.into_iter().find(|(_, state)| *state == StepState::Waiting);
    let Some((key, _)) = waits else {
        world.pass(Duration::from_secs(1));
        return;
    };
    let _ = match chance.draw(3) {
        0 => world.skip(&key),
        1 => world.retry(Some(&key)),
        _ => world.complete(&key, json!({"approved": true})),
    };
}

fn meddle(world: &mut World, chance: &mut Chance) {
    let keys: Vec<String> = world.states().into_keys().collect();
    let Some(key) = keys.get(chance.draw(keys.len().max(1) as u64) as usize).cloned() else { return };
    let _ = match chance.draw(3) {
        0 => world.skip(&key),
        1 => world.retry(Some(&key)),
        _ => world.complete(&key, json!({"approved": true})),
    };
}

/// An event comes to somebody who asked for one, perhaps not the first time, and perhaps too late.
fn offer(world: &mut World, chance: &mut Chance) {
    let Some(node) = world.listening.get(chance.draw(world.listening.len().max(1) as u64) as usize) else {
        return;
    };
    let (node, seq) = (*node, chance.draw(9));
    world.offer_event(node, seq, if seq < 7 { "t.x" } else { "other" }, json!({ "n": seq }));
}

/// An old answer comes late, or one comes twice.
fn stale(world: &mut World, chance: &mut Chance) {
    if world.sent.is_empty() {
        return;
    }
    let sent = &world.sent[chance.draw(world.sent.len() as u64) as usize];
    let token = sent.token;
    // The answer of a call that was taken with 202 is no stale one.
    if !world.open.iter().any(|open| open.token == token) && !world.taken.contains(&token) {
        let before = world.records.len();
        world.finish(token, AttemptResult::Succeeded(Json::null()));
        // After a crash the same token may be open again; then it is no stale one.
        assert_eq!(world.records.len(), before, "a stale answer was taken");
    }
}

fn answer(world: &mut World, chance: &mut Chance, faults: bool) {
    let at = chance.draw(world.open.len() as u64) as usize;
    let token = world.open[at].token;
    let fails = |state, error| AttemptResult::Failed { state, error, retry_after: None };
    let result = match chance.draw(if faults { 14 } else { 4 }) {
        5 => fails(AttemptState::Failed, RunError::new("BAD", ErrorKind::Operation, "bad")),
        6 | 7 => fails(AttemptState::Failed, RunError::new("BUSY", ErrorKind::Operation, "busy").retryable()),
        8 => {
            fails(AttemptState::TimedOut, RunError::new("E_TIMEOUT", ErrorKind::Timeout, "late").retryable())
        }
        11 if !world.open[at].wants.is_empty() && chance.draw(2) == 0 => {
            let step = world.open[at].step.clone();
            world.poor(&step);
            return;
        }
        9 if chance.draw(2) == 0 => AttemptResult::Interrupted,
        9 => AttemptResult::Unsent {
            error: RunError::new("E_CONNECT", ErrorKind::Unavailable, "refused").retryable(),
        },
        11 => fails(
            AttemptState::Failed,
            RunError::new("E_CONNECTION_BROKEN", ErrorKind::Unavailable, "broke").retryable(),
        ),
        10 => {
            // Taken with 202: its answer comes, or it is lost, when its time is over.
            let step = world.open[at].step.clone();
            let token = world.accept(&step);
            if chance.draw(2) == 0 {
                world.finish(token, AttemptResult::Succeeded(Json::of(&json!({ "n": at }))));
            }
            return;
        }
        _ => AttemptResult::Succeeded(Json::of(&json!({ "n": at }))),
    };
    world.finish(token, result);
}

/// The run is done again from one of its steps: it ends like any other, and calls nothing that it copied.
fn again(old: &World, chance: &mut Chance) {
    let keys: Vec<String> = old.states().into_keys().collect();
    let Some(key) = keys.get(chance.draw(keys.len().max(1) as u64) as usize) else { return };
    // Nothing begins from an undo, a catch or a `finally`.
    let Ok(mut world) = old.rerun(Some(key)) else { return };
    for _ in 0..10_000 {
        if world.ended > 0 && world.open.is_empty() {
            check_end(&world);
            for step in world.run.steps(0, 10_000, &|_| None) {
                let was_called = world.sent.iter().any(|sent| sent.step == step.key);
                // A clean pass or a new try of a group copies anew; what is shown is the newest of both.
                assert!(step.copied_from.is_none() || !was_called, "{step:#?} of {}", old.run.id());
            }
            return;
        }
        if chance.draw(30) == 0 {
            world.crash();
        }
        step(&mut world, chance, false);
        check_now(&world);
    }
    panic!("a rerun from {key} did not end: {:?} {:?}", world.view(), world.states());
}

/// What must hold at every moment.
fn check_now(world: &World) {
    let mut tokens: Vec<_> = world.open.iter().map(|sent| sent.token).collect();
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), world.open.len(), "a call is in flight twice");
    let view = world.view();
    if matches!(view.state, RunState::Queued | RunState::Waiting | RunState::Paused) {
        let reason = view.waiting_on.as_ref().unwrap_or_else(|| {
            panic!("stands still without a reason: {:#?} {:#?}", world.states(), world.last_records(6))
        });
        assert!(!reason.detail.is_empty());
    }
    for step in world.run.steps(0, 10_000, &|_| None) {
        let still = matches!(step.state, StepState::Waiting | StepState::Pending);
        assert!(!still || step.waiting_on.is_some(), "stands still without a reason: {step:#?}");
    }
}

fn check_end(world: &World) {
    let view = world.view();
    assert!(view.state.is_terminal());
    assert_eq!(world.ended, 1, "a run ends once");
    assert!(world.run.pending_effects(world.now).is_empty());
    let states = world.states();
    if view.state == RunState::Succeeded {
        let top_failed =
            states.iter().any(|(key, state)| !key.contains(['.', '[']) && *state == StepState::Failed);
        assert!(!top_failed, "{states:?} {:#?}", world.last_records(9));
    }
    if matches!(view.state, RunState::Cancelled) {
        // What completed is undone, unless its undo is parked or a person gave it up.
        let left = states.get("a") == Some(&StepState::Succeeded);
        let given_up = states.get("a.undo") == Some(&StepState::Skipped);
        assert!(!left || given_up || view.undo == consort_types::UndoState::Incomplete, "{states:?}");
    }
}
