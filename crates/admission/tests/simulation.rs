//! Thousands of calls with chance in everything: what they want, when they end and how. After every step the limits
//! hold and the books agree; and once no new ones come, everybody gets through and nothing is left.

mod world;

use consort_admission::*;
use consort_types::{Amount, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use world::{amount, name, pool};

const SEEDS: u64 = 15;
const STEPS: usize = 400;

/// SplitMix64 (Steele, Lea, Flood, 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }
}

const SIZES: [(&str, u32); 3] = [("a", 1), ("b", 3), ("c", 8)];
const RATE: (&str, u32, i64) = ("llm", 20, 1_000);
const BUDGET: (&str, u32) = ("spend", 200);

struct Sim {
    chance: Chance,
    admission: Admission<u32>,
    now: i64,
    next: u32,
    asked: BTreeMap<u32, Vec<Want>>,
    waiting: BTreeSet<u32>,
    granted: BTreeSet<u32>,
    in_flight: BTreeMap<u32, i64>,
    unsettled: BTreeMap<u32, i64>,
    /// What was sent with a rate: when, and how much in the end.
    sent: Vec<(i64, Amount)>,
    spent: Amount,
    seed: u64,
}

impl Sim {
    fn new(seed: u64) -> Self {
        let mut admission = Admission::default();
        let start = Timestamp::from_millis(5_000_000);
        let mut declare = |text: &str, limits| {
            admission.declare(&name("shop"), None, &name(text), Some(limits), start);
        };
        for (text, size) in SIZES {
            declare(text, world::size(f64::from(size)));
        }
        declare(RATE.0, world::rate(RATE.1, RATE.2 as u64));
        declare(BUDGET.0, world::budget(BUDGET.1, WhenEmpty::Fail, None));
        Self {
            chance: Chance(seed),
            admission,
            now: start.as_millis(),
            next: 0,
            asked: BTreeMap::new(),
            waiting: BTreeSet::new(),
            granted: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            sent: Vec::new(),
            spent: Amount::ZERO,
            seed,
        }
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    fn take(&mut self, decisions: Vec<Decision<u32>>) {
        for decision in decisions {
            match decision {
                Decision::Granted { id, spends } => {
                    assert!(
                        self.waiting.remove(&id),
                        "seed {}: {id} was granted twice or after its end",
                        self.seed
                    );
                    self.granted.insert(id);
                    self.book(spends);
                }
                Decision::Refused { id, why } => {
                    assert!(matches!(why, Refusal::Empty { .. }), "seed {}: {why:?}", self.seed);
                    assert!(self.waiting.remove(&id), "seed {}", self.seed);
                    self.asked.remove(&id);
                }
            }
        }
    }

    fn book(&mut self, spends: Vec<Spend>) {
        for spend in spends {
            self.spent = self.spent.plus(spend.more).minus(spend.less);
        }
    }

    fn arrive(&mut self) {
        self.next += 1;
        let id = self.next;
        let mut wants = Vec::new();
        for (text, size) in SIZES {
            if self.chance.one_in(2) {
                let parts = 1 + self.chance.below(u64::from(size) * 4);
                wants.push(Want { pool: pool(text), amount: amount(parts as f64 / 4.0), settles: false });
            }
        }
        if self.chance.one_in(2) {
            let amount = Amount::units(1 + self.chance.below(6) as u32);
            wants.push(Want { pool: pool(RATE.0), amount, settles: self.chance.one_in(2) });
        }
        if self.chance.one_in(6) {
            let amount = Amount::units(1 + self.chance.below(9) as u32);
            wants.push(Want { pool: pool(BUDGET.0), amount, settles: self.chance.one_in(2) });
        }
        if wants.is_empty() {
            return;
        }
        let share = Share::new(["x", "y", "z"][self.chance.below(3) as usize]);
        let priority = self.chance.below(5) as i32 * 10 - 20;
        self.asked.insert(id, wants.clone());
        self.waiting.insert(id);
        let now = self.at();
        let decisions = self.admission.request(Request { id, wants, priority, share }, now);
        self.take(decisions);
    }

    fn send(&mut self, id: u32) {
        self.granted.remove(&id);
        self.in_flight.insert(id, self.now);
        for want in self.asked[&id].iter().filter(|want| want.pool == pool(RATE.0)) {
            self.sent.push((self.now, want.amount));
        }
        let now = self.at();
        let decisions = self.admission.sent(id, now);
        self.take(decisions);
    }

    fn end(&mut self, id: u32, how: Ended) {
        let now = self.at();
        self.granted.remove(&id);
        self.waiting.remove(&id);
        let sent_at = self.in_flight.remove(&id);
        match sent_at {
            Some(at) if self.asked[&id].iter().any(|want| want.settles) => _ = self.unsettled.insert(id, at),
            _ => _ = self.asked.remove(&id),
        }
        let (decisions, spends) = self.admission.release(id, how, now);
        self.book(spends);
        self.take(decisions);
    }

    fn settle(&mut self, id: u32) {
        let sent_at = self.unsettled.remove(&id).unwrap();
        let wants = self.asked.remove(&id).unwrap();
        // Never more than was taken: then the bounds hold exactly.
        let real: Vec<Option<Amount>> = wants
            .iter()
            .map(|want| {
                let less = Amount::units(self.chance.below(4) as u32);
                (want.settles && !self.chance.one_in(3)).then(|| want.amount.minus(less))
            })
            .collect();
        for (want, real) in wants.iter().zip(&real).filter(|(want, _)| want.pool == pool(RATE.0)) {
            let entry = self.sent.iter_mut().find(|(at, amount)| (*at, *amount) == (sent_at, want.amount));
            if let (Some(entry), Some(real)) = (entry, real) {
                entry.1 = *real;
            }
        }
        let now = self.at();
        let (decisions, spends) = self.admission.settle(id, &real, now);
        self.book(spends);
        self.take(decisions);
    }

    fn any(&mut self, of: impl IntoIterator<Item = u32>) -> Option<u32> {
        let all: Vec<u32> = of.into_iter().collect();
        let place = self.chance.below(all.len().max(1) as u64) as usize;
        all.get(place).copied()
    }

    fn step(&mut self) {
        match self.chance.below(12) {
            0..=4 => self.arrive(),
            5..=6 => {
                if let Some(id) = self.any(self.granted.clone()) {
                    self.send(id);
                }
            }
            7..=8 => {
                if let Some(id) = self.any(self.in_flight.keys().copied().collect::<Vec<_>>()) {
                    self.end(id, Ended::Sent);
                }
            }
            9 => {
                let unsent: Vec<u32> = self.granted.iter().chain(&self.waiting).copied().collect();
                if let (true, Some(id)) = (self.chance.one_in(3), self.any(unsent)) {
                    self.end(id, Ended::Unsent);
                }
            }
            10 => {
                if let Some(id) = self.any(self.unsettled.keys().copied().collect::<Vec<_>>()) {
                    self.settle(id);
                }
            }
            _ => self.pass(),
        }
        self.check();
    }

    fn pass(&mut self) {
        self.now += self.chance.below(300) as i64;
        let now = self.at();
        let decisions = self.admission.tick(now);
        self.take(decisions);
    }

    fn check(&self) {
        let seed = self.seed;
        let running: Vec<u32> = self.granted.iter().chain(self.in_flight.keys()).copied().collect();
        let views = self.admission.pools(0, self.at());
        for (text, size) in SIZES {
            let wants = running.iter().flat_map(|id| &self.asked[id]).filter(|want| want.pool == pool(text));
            let held = wants.fold(Amount::ZERO, |sum, want| sum.plus(want.amount));
            let used =
                views.iter().find(|view| view.pool == pool(text)).map_or(Amount::ZERO, |view| view.used);
            assert_eq!(used, held, "seed {seed}: what is held of {text}");
            assert!(held <= Amount::units(size), "seed {seed}: {held} of {size} of {text}");
        }
        assert!(self.spent <= Amount::units(BUDGET.1), "seed {seed}: {} is spent", self.spent);
        for id in &self.waiting {
            assert!(self.admission.why(*id, self.at()).is_some(), "seed {seed}: {id} waits and says nothing");
        }
    }

    /// Over every window of the length of the period, open at its end.
    fn check_rate(&self) {
        for (from, _) in &self.sent {
            let within = self.sent.iter().filter(|(at, _)| (*from..from + RATE.2).contains(at));
            let sum = within.fold(Amount::ZERO, |sum, (_, amount)| sum.plus(*amount));
            assert!(sum <= Amount::units(RATE.1), "seed {}: {sum} from {from} on", self.seed);
        }
    }

    /// Nothing new comes; all that run end.
    fn drain(&mut self) {
        for _ in 0..100_000 {
            for id in self.granted.clone() {
                self.send(id);
            }
            if let Some(id) = self.any(self.in_flight.keys().copied().collect::<Vec<_>>()) {
                self.end(id, Ended::Sent);
            }
            if let Some(id) = self.any(self.unsettled.keys().copied().collect::<Vec<_>>()) {
                self.settle(id);
            }
            self.check();
            if [self.waiting.len(), self.granted.len(), self.in_flight.len(), self.unsettled.len()] == [0; 4]
            {
                return;
            }
            if self.in_flight.is_empty() && self.granted.is_empty() {
                let at = self.admission.wake_at();
                let at =
                    at.unwrap_or_else(|| panic!("seed {}: {:?} wait for nothing", self.seed, self.waiting));
                self.now = self.now.max(at.as_millis());
                let now = self.at();
                let decisions = self.admission.tick(now);
                self.take(decisions);
            }
        }
        panic!("seed {}: {} still wait", self.seed, self.waiting.len());
    }
}

#[test]
fn limits_hold_books_agree_and_everybody_gets_through() {
    for seed in 0..SEEDS {
        let mut sim = Sim::new(seed);
        for _ in 0..STEPS {
            sim.step();
        }
        sim.drain();
        sim.check_rate();
        sim.now += 10 * RATE.2;
        let now = sim.at();
        sim.admission.tick(now);
        let left = sim.admission.pools(1, now).into_iter().filter(|view| view.budget.is_none());
        for view in left {
            assert_eq!(
                (view.used, view.holder_count, view.waiter_count),
                (Amount::ZERO, 0, 0),
                "seed {seed}"
            );
        }
    }
}

#[test]
fn two_workflows_that_never_stop_get_the_same_of_a_pool_however_long_their_calls_are() {
    let mut admission = Admission::default();
    let mut now = 0;
    let at = Timestamp::from_millis;
    admission.declare(&name("shop"), None, &name("gpu"), Some(world::size(10.0)), at(now));
    // Those of the one take ten times as long as those of the other.
    let length = |id: u32| if id.is_multiple_of(2) { 100 } else { 1_000 };
    let mut running: BTreeMap<(i64, u32), ()> = BTreeMap::new();
    let mut next = 0;
    let mut held_ms = [0_i64; 2];
    let mut waiting = [0_u32; 2];
    for _ in 0..20_000 {
        while let Some(lane) = (0..2).find(|lane| waiting[*lane] < 20) {
            let id = next * 2 + lane as u32;
            next += 1;
            let want = Want { pool: pool("gpu"), amount: Amount::units(1), settles: false };
            let share = Share::new(["short", "long"][lane]);
            waiting[lane] += 1;
            for decision in admission.request(Request { id, wants: vec![want], priority: 0, share }, at(now))
            {
                let Decision::Granted { id, .. } = decision else { panic!("{decision:?}") };
                waiting[(id % 2) as usize] -= 1;
                running.insert((now + length(id), id), ());
            }
        }
        let Some(((ends, id), ())) = running.pop_first() else { break };
        for (_, id) in running.keys().chain([&(ends, id)]) {
            held_ms[(id % 2) as usize] += ends - now;
        }
        now = ends;
        admission.sent(id, at(now));
        for decision in admission.release(id, Ended::Sent, at(now)).0 {
            let Decision::Granted { id, .. } = decision else { panic!("{decision:?}") };
            waiting[(id % 2) as usize] -= 1;
            running.insert((now + length(id), id), ());
        }
    }
    let share = held_ms[0] as f64 / (held_ms[0] + held_ms[1]) as f64;
    assert!(
        (0.45..0.55).contains(&share),
        "{share}: {held_ms:?} over {:?}",
        Duration::from_millis(now as u64)
    );
}
