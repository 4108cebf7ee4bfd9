//! Flights: one call at a time for each key, and nobody waits for one that does not come.

use consort_engine::{
    Hit, Miss, Reading, Recall, Recalled,
    flights::{Act, FlightKey, Flights},
};
use consort_types::{AttemptToken, Digest, Json, Name, NameKind, RunId, Timestamp};
use std::collections::BTreeMap;

fn name(text: &str) -> Name {
    Name::new(text, NameKind::Kebab).unwrap()
}

fn token(run: u128) -> AttemptToken {
    AttemptToken { run: RunId::from_uuid(uuid::Uuid::from_u128(run)), node: 1, number: 1 }
}

fn flight() -> FlightKey {
    FlightKey { namespace: name("n"), key: Digest::of(b"k") }
}

fn recall(run: u128, reading: Reading) -> Recall {
    Recall { token: token(run), step: "a".to_owned(), service: name("s"), key: flight().key, reading }
}

fn hit(run: u128) -> Hit {
    let at = Timestamp::from_millis(0);
    Hit { run: token(run).run, step: "a".to_owned(), at, expires_at: at, output: Json::of(&(run as u64)) }
}

fn taken(run: u128, from: u128) -> Act {
    Act::Answer(token(run), Recalled::Hit(Box::new(hit(from))))
}

fn missed(run: u128, why: Miss) -> Act {
    Act::Answer(token(run), Recalled::Miss(why))
}

fn looks(run: u128) -> Act {
    Act::Look(flight(), recall(run, Reading::Allowed), 1)
}

/// 1 calls, and 2, 3 and 4 wait.
fn in_flight() -> Flights {
    let mut flights = Flights::default();
    let none = Recalled::Miss(Miss::NoEntry);
    assert_eq!(flights.ask(&name("n"), recall(1, Reading::Allowed), 1), [looks(1)]);
    assert_eq!(flights.ask(&name("n"), recall(2, Reading::Allowed), 1), [Act::Wait(token(2))]);
    assert_eq!(flights.looked(&flight(), token(1), none), [missed(1, Miss::NoEntry)]);
    for run in [3, 4] {
        assert_eq!(flights.ask(&name("n"), recall(run, Reading::Allowed), 1), [Act::Wait(token(run))]);
    }
    flights
}

#[test]
fn all_that_wait_have_the_result_of_the_first() {
    let mut flights = in_flight();
    assert_eq!(flights.landed(&flight(), token(1), 1, &hit(1)), [2, 3, 4].map(|run| taken(run, 1)));
    // Until it can be found in the store, it is here.
    assert_eq!(flights.ask(&name("n"), recall(5, Reading::Allowed), 1), [taken(5, 1)]);
    assert_eq!(flights.stored(&flight(), token(1)), []);
    assert!(flights.is_empty());
}

#[test]
fn when_the_first_fails_the_next_one_calls() {
    let mut flights = in_flight();
    assert_eq!(flights.gone(token(1)), [looks(2)]);
    assert_eq!(flights.gone(token(3)), [], "it waited, and does no more");
    let none = Recalled::Miss(Miss::NoEntry);
    assert_eq!(flights.looked(&flight(), token(2), none), [missed(2, Miss::NoEntry)]);
    assert_eq!(flights.landed(&flight(), token(1), 1, &hit(1)), [], "it is too late");
    assert_eq!(flights.landed(&flight(), token(2), 1, &hit(2)), [taken(4, 2)]);
    flights.stored(&flight(), token(2));
    assert!(flights.is_empty());
}

#[test]
fn what_the_store_has_is_for_all() {
    let mut flights = Flights::default();
    for run in 1..=3 {
        flights.ask(&name("n"), recall(run, Reading::Allowed), 1);
    }
    let found = Recalled::Hit(Box::new(hit(9)));
    assert_eq!(flights.looked(&flight(), token(1), found), [1, 2, 3].map(|run| taken(run, 9)));
    assert!(flights.is_empty());
}

#[test]
fn a_run_without_cache_calls_in_its_turn_and_gives_its_result_to_the_others() {
    let mut flights = in_flight();
    assert_eq!(flights.ask(&name("n"), recall(5, Reading::Bypassed), 1), [Act::Wait(token(5))]);
    assert_eq!(flights.landed(&flight(), token(1), 1, &hit(1)), [2, 3, 4].map(|run| taken(run, 1)));
    assert_eq!(flights.stored(&flight(), token(1)), [missed(5, Miss::NoCache)]);
    assert_eq!(flights.ask(&name("n"), recall(6, Reading::Allowed), 1), [Act::Wait(token(6))]);
    assert_eq!(flights.landed(&flight(), token(5), 1, &hit(5)), [taken(6, 5)]);
}

#[test]
fn a_result_of_another_revision_is_for_nobody() {
    let mut flights = in_flight();
    let next = Act::Look(flight(), recall(2, Reading::Allowed), 1);
    assert_eq!(flights.landed(&flight(), token(1), 2, &hit(1)), []);
    assert_eq!(flights.stored(&flight(), token(1)), [next]);
}

#[test]
fn a_call_that_was_under_way_when_the_server_ended_comes_first() {
    let mut flights = Flights::default();
    flights.claim(&name("n"), flight().key, token(1));
    assert_eq!(flights.ask(&name("n"), recall(2, Reading::Allowed), 1), [Act::Wait(token(2))]);
    assert_eq!(flights.landed(&flight(), token(1), 1, &hit(1)), [taken(2, 1)]);
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

#[derive(Debug, Clone, Copy, PartialEq)]
enum Doing {
    Waits,
    Looks,
    Calls,
}

#[test]
fn whatever_happens_one_calls_and_all_are_answered() {
    for seed in 0..300 {
        let mut chance = Chance(seed);
        let mut flights = Flights::default();
        let mut doing: BTreeMap<u128, Doing> = BTreeMap::new();
        let mut landed: Vec<u128> = Vec::new();
        for round in 1..400_u128 {
            let acts = if round < 200 && chance.draw(3) == 0 {
                doing.insert(round, Doing::Waits);
                let reading = if chance.draw(5) == 0 { Reading::Bypassed } else { Reading::Allowed };
                flights.ask(&name("n"), recall(round, reading), 1)
            } else if let Some(run) = landed.pop() {
                flights.stored(&flight(), token(run))
            } else {
                let all: Vec<u128> = doing.keys().copied().collect();
                if all.is_empty() {
                    continue;
                }
                let run = all[chance.draw(all.len() as u64) as usize];
                match (doing[&run], chance.draw(4)) {
                    (_, 0) => {
                        doing.remove(&run);
                        flights.gone(token(run))
                    }
                    (Doing::Looks, n) => {
                        let found = Recalled::Hit(Box::new(hit(run)));
                        let none = Recalled::Miss(Miss::NoEntry);
                        flights.looked(&flight(), token(run), if n == 1 { found } else { none })
                    }
                    (Doing::Calls, _) => {
                        doing.remove(&run);
                        landed.push(run);
                        flights.landed(&flight(), token(run), 1, &hit(run))
                    }
                    (Doing::Waits, _) => Vec::new(),
                }
            };
            for act in acts {
                match act {
                    Act::Look(_, recall, _) => {
                        doing.insert(recall.token.run.as_uuid().as_u128(), Doing::Looks);
                    }
                    Act::Answer(token, Recalled::Miss(_)) => {
                        doing.insert(token.run.as_uuid().as_u128(), Doing::Calls);
                    }
                    Act::Answer(token, Recalled::Hit(_)) => {
                        doing.remove(&token.run.as_uuid().as_u128()).expect("it is answered once");
                    }
                    Act::Wait(_) => {}
                }
            }
            let busy = doing.values().filter(|doing| **doing != Doing::Waits).count();
            assert!(busy <= 1, "seed {seed}: two at a time");
            assert!(doing.is_empty() || busy == 1 || !landed.is_empty(), "seed {seed}: all wait for nobody");
        }
        for run in doing.keys() {
            flights.gone(token(*run));
        }
        landed.iter().for_each(|run| drop(flights.stored(&flight(), token(*run))));
        assert!(flights.is_empty(), "seed {seed}: {flights:?}");
    }
}
