//! Gates: never over the limit, nobody forgotten, first come first in, and nobody waits for ever.

use consort_engine::gates::{Arrival, GateKey, Gates, Rule, Turn};
use consort_spec::definition::WhenFull;
use consort_types::{Name, NameKind, RunId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

const MINUTE: i64 = 60_000;

fn name(text: &str) -> Name {
    Name::new(text, NameKind::Kebab).unwrap()
}

fn run(number: u128) -> RunId {
    RunId::from_uuid(uuid::Uuid::from_u128(number))
}

fn key(text: &str) -> GateKey {
    GateKey { namespace: name("n"), workflow: name("w"), key: Some(text.into()) }
}

fn arrival(number: u128, priority: i32, minute: i64) -> Arrival {
    let at = Timestamp::from_millis(minute * MINUTE);
    Arrival { run: run(number), gate: key("k"), priority, at }
}

fn gates(limit: u32, when_full: WhenFull) -> Gates {
    let mut gates = Gates::default();
    gates.set_rule(&name("n"), &name("w"), Some(Rule { limit, when_full }));
    gates
}

/// Who is let in, one after the other, when each ends at once.
fn let_all_in(gates: &mut Gates) -> Vec<u128> {
    let mut order = Vec::new();
    while let Some(next) = gates.admit() {
        order.push(next.as_uuid().as_u128());
        gates.leave(next);
    }
    order
}

#[test]
fn as_many_as_the_limit_live_and_the_rest_waits_in_order() {
    let mut gates = gates(2, WhenFull::Queue);
    let turns: Vec<Turn> = (1..=4).map(|n| gates.arrive(arrival(n, 0, 0), |_| false)).collect();
    let queued = |number| Turn::Queued { number, cancel: None };
    assert_eq!(turns, [Turn::Free, Turn::Free, queued(1), queued(2)]);
    assert_eq!(gates.admit(), None);
    let standing = gates.standing(run(4)).unwrap();
    assert_eq!((standing.ahead, standing.live, standing.limit), (1, 2, 2));
    assert_eq!(gates.standing(run(1)), None, "it lives");
    gates.leave(run(1));
    assert_eq!(gates.admit(), Some(run(3)));
    assert_eq!(gates.standing(run(4)).unwrap().ahead, 0);
    // A place that was just left is not for who comes by, but for who waits.
    gates.leave(run(2));
    assert_eq!(gates.arrive(arrival(5, 100, 0), |_| false), queued(3));
}

#[test]
fn what_happens_to_one_too_many() {
    let mut rejecting = gates(1, WhenFull::Reject);
    assert_eq!(rejecting.arrive(arrival(1, 0, 0), |_| false), Turn::Free);
    assert!(matches!(rejecting.arrive(arrival(2, 0, 0), |_| false), Turn::Full(rule) if rule.limit == 1));
    rejecting.leave(run(1));
    assert_eq!(rejecting.arrive(arrival(3, 0, 0), |_| false), Turn::Free);

    let mut replacing = gates(2, WhenFull::CancelOldest);
    for n in [1, 2] {
        assert_eq!(replacing.arrive(arrival(n, 0, n as i64), |_| false), Turn::Free);
    }
    let mut cancelled = BTreeSet::new();
    for n in 3..=6 {
        let turn = replacing.arrive(arrival(n, 0, n as i64), |run| cancelled.contains(&run));
        let Turn::Queued { cancel: Some(oldest), .. } = turn else { panic!("{turn:?}") };
        // The two that live first, then those that wait: the newest two are left.
        assert_eq!(oldest, run(n - 2));
        cancelled.insert(oldest);
        if n - 2 > 2 {
            replacing.leave(oldest);
        }
    }
    assert_eq!(replacing.admit(), None, "the old ones are still being undone");
    replacing.leave(run(1));
    replacing.leave(run(2));
    assert_eq!([replacing.admit(), replacing.admit()], [Some(run(5)), Some(run(6))]);
}

#[test]
fn another_limit_holds_at_once() {
    let mut gates = gates(1, WhenFull::Queue);
    for n in 1..=5 {
        gates.arrive(arrival(n, 0, 0), |_| false);
    }
    gates.set_rule(&name("n"), &name("w"), Some(Rule { limit: 3, when_full: WhenFull::Queue }));
    assert_eq!([gates.admit(), gates.admit(), gates.admit()], [Some(run(2)), Some(run(3)), None]);
    gates.set_rule(&name("n"), &name("w"), Some(Rule { limit: 1, when_full: WhenFull::Queue }));
    gates.leave(run(1));
    gates.leave(run(2));
    assert_eq!(gates.admit(), None, "one still lives");
    gates.set_rule(&name("n"), &name("w"), None);
    assert_eq!([gates.admit(), gates.admit(), gates.admit()], [Some(run(4)), Some(run(5)), None]);
}

#[test]
fn keys_do_not_share_places() {
    let mut gates = gates(1, WhenFull::Queue);
    for (n, of) in [(1, "a"), (2, "b")] {
        assert_eq!(gates.arrive(Arrival { gate: key(of), ..arrival(n, 0, 0) }, |_| false), Turn::Free);
    }
    let whole = GateKey { key: None, ..key("a") };
    assert_eq!(gates.arrive(Arrival { gate: whole, ..arrival(3, 0, 0) }, |_| false), Turn::Free);
}

#[test]
fn priority_goes_first_and_waiting_makes_up_for_it() {
    for (what, first, second, order) in [
        ("more important", (0, 0), (1, 0), [2, 1]),
        ("equal: who came first", (7, 0), (7, 0), [1, 2]),
        ("ten points are ten minutes", (0, 0), (10, 9), [2, 1]),
        ("and no more", (0, 0), (10, 11), [1, 2]),
        ("the least waits behind the most for 200 minutes", (-100, 0), (100, 199), [2, 1]),
        ("and no longer", (-100, 0), (100, 201), [1, 2]),
    ] {
        let mut gates = gates(1, WhenFull::Queue);
        gates.arrive(arrival(9, 0, 0), |_| false);
        gates.arrive(arrival(1, first.0, first.1), |_| false);
        gates.arrive(arrival(2, second.0, second.1), |_| false);
        gates.leave(run(9));
        assert_eq!(let_all_in(&mut gates), order, "{what}");
    }
}

#[test]
fn a_clock_that_is_set_back_lets_nobody_jump_the_line() {
    let mut gates = gates(1, WhenFull::Queue);
    for (n, minute) in [(1, 50), (2, 50), (3, 10)] {
        gates.arrive(arrival(n, 0, minute), |_| false);
    }
    gates.leave(run(1));
    assert_eq!(let_all_in(&mut gates), [2, 3]);
}

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

/// What a plain list would say: runs with their priority, minute and number.
#[derive(Default)]
struct Model {
    live: BTreeMap<String, Vec<RunId>>,
    waiting: Vec<(RunId, String, i32, i64, u64)>,
}

impl Model {
    fn next(&self, of: &str) -> Option<RunId> {
        let same = self.waiting.iter().filter(|(_, gate, ..)| gate == of);
        same.min_by_key(|(_, _, priority, minute, number)| (minute - i64::from(*priority), *number))
            .map(|w| w.0)
    }
}

#[test]
fn whatever_happens_the_limit_holds_and_nobody_is_forgotten() {
    for seed in 0..300 {
        let mut chance = Chance(seed);
        let mut limit = 1 + chance.draw(3) as u32;
        let mut gates = gates(limit, WhenFull::Queue);
        let mut model = Model::default();
        let mut minute = 0;
        for number in 1..=200 {
            minute += chance.draw(3) as i64;
            match chance.draw(10) {
                0..5 => {
                    let of = ["a", "b"][chance.draw(2) as usize];
                    let priority = chance.draw(21) as i32 - 10;
                    let gate = key(of);
                    let turn = gates.arrive(Arrival { gate, ..arrival(number, priority, minute) }, |_| false);
                    match turn {
                        Turn::Free => model.live.entry(of.to_owned()).or_default().push(run(number)),
                        Turn::Queued { number: place, .. } => {
                            model.waiting.push((run(number), of.to_owned(), priority, minute, place));
                        }
                        Turn::Full(_) => panic!("it queues"),
                    }
                }
                5..8 => {
                    let all: Vec<RunId> = model.live.values().flatten().copied().collect();
                    if !all.is_empty() {
                        let gone = all[chance.draw(all.len() as u64) as usize];
                        gates.leave(gone);
                        model.live.values_mut().for_each(|live| live.retain(|run| *run != gone));
                    }
                }
                8 if !model.waiting.is_empty() => {
                    let gone = model.waiting.remove(chance.draw(model.waiting.len() as u64) as usize).0;
                    gates.leave(gone);
                }
                _ => {
                    limit = 1 + chance.draw(4) as u32;
                    let rule = Rule { limit, when_full: WhenFull::Queue };
                    gates.set_rule(&name("n"), &name("w"), Some(rule));
                }
            }
            while let Some(in_) = gates.admit() {
                let at = model.waiting.iter().position(|(run, ..)| *run == in_).expect("it waited");
                let of = model.waiting[at].1.clone();
                assert_eq!(model.next(&of), Some(in_), "seed {seed}: not its turn");
                model.waiting.remove(at);
                let live = model.live.entry(of).or_default();
                live.push(in_);
                assert!(live.len() <= limit as usize, "seed {seed}: over the limit");
            }
            assert_eq!(gates.queued(), model.waiting.len());
            for of in ["a", "b"] {
                let live = model.live.get(of).map_or(0, Vec::len);
                let waits = model.waiting.iter().any(|(_, gate, ..)| gate == of);
                assert!(!waits || live >= limit as usize, "seed {seed}: a place is empty and somebody waits");
            }
            if chance.draw(40) == 0 {
                gates = rebuilt(&model, limit);
            }
        }
        model.live.values().flatten().for_each(|run| gates.leave(*run));
        let_all_in(&mut gates);
        assert_eq!(gates.queued(), 0);
        assert_eq!(
            gates.arrive(arrival(999, 0, minute), |_| false),
            Turn::Free,
            "seed {seed}: a place has leaked"
        );
    }
}

/// The server is killed and started again: it is told what it finds, in the order of the runs' start.
fn rebuilt(model: &Model, limit: u32) -> Gates {
    let mut gates = gates(limit, WhenFull::Queue);
    for (of, live) in &model.live {
        live.iter().for_each(|run| gates.hold(*run, key(of), Timestamp::from_millis(0)));
    }
    for (run, of, priority, minute, number) in &model.waiting {
        let at = Timestamp::from_millis(minute * MINUTE);
        gates.restore(Arrival { run: *run, gate: key(of), priority: *priority, at }, *number);
    }
    gates
}

#[test]
fn a_long_line_is_short_work() {
    let mut gates = gates(1, WhenFull::Queue);
    for n in 0..100_000 {
        gates.arrive(arrival(n, (n % 7) as i32, n as i64), |_| false);
    }
    // With a search through the line for each, these would be billions of steps.
    let ahead: usize =
        (1..100_000).filter_map(|n| gates.standing(run(n))).map(|standing| standing.ahead).sum();
    assert_eq!(ahead, (0..99_999).sum::<usize>());
    gates.leave(run(0));
    assert_eq!(let_all_in(&mut gates).len(), 99_999);
}
