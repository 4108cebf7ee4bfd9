//! Pools and calls with a clock that is told.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use consort_admission::*;
use consort_types::{Amount, Name, NameKind, Timestamp};
use std::time::Duration;

pub struct World {
    pub admission: Admission<u32>,
    pub now: i64,
}

pub fn name(text: &str) -> Name {
    Name::new(text, NameKind::Kebab).unwrap()
}

pub fn pool(text: &str) -> PoolKey {
    let (text, key) = text.split_once('/').map_or((text, None), |(text, key)| (text, Some(key.to_owned())));
    PoolKey { namespace: name("shop"), run: None, name: name(text), key }
}

pub fn size(size: f64) -> Limits {
    Limits { size: Some(amount(size)), ..Limits::default() }
}

pub fn rate(count: u32, per_ms: u64) -> Limits {
    let rate = Rate { count: Amount::units(count), per: Duration::from_millis(per_ms) };
    Limits { rate: Some(rate), ..Limits::default() }
}

pub fn budget(amount: u32, when_empty: WhenEmpty, reset: Option<Reset>) -> Limits {
    let budget = Budget { amount: Amount::units(amount), when_empty, reset };
    Limits { budget: Some(budget), ..Limits::default() }
}

pub fn amount(number: f64) -> Amount {
    Amount::from_number(number).unwrap()
}

impl World {
    pub fn new(pools: &[(&str, Limits)]) -> Self {
        let mut world = Self { admission: Admission::default(), now: 1_000_000 };
        for (name, limits) in pools {
            assert_eq!(world.declare(name, Some(*limits)), "");
        }
        world
    }

    pub fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    pub fn declare(&mut self, text: &str, limits: Option<Limits>) -> String {
        let now = self.at();
        words(&self.admission.declare(&name("shop"), None, &name(text), limits, now))
    }

    /// `share priority pool=amount pool=amount~`; a tilde says that it settles.
    pub fn ask(&mut self, id: u32, text: &str) -> String {
        let mut parts = text.split_whitespace();
        let share = Share::new(parts.next().unwrap());
        let priority = parts.next().unwrap().parse().unwrap();
        let wants = parts.map(|part| {
            let (name, number) = part.split_once('=').unwrap();
            let settles = number.ends_with('~');
            Want { pool: pool(name), amount: amount(number.trim_end_matches('~').parse().unwrap()), settles }
        });
        let request = Request { id, wants: wants.collect(), priority, share };
        let now = self.at();
        words(&self.admission.request(request, now))
    }

    pub fn end(&mut self, id: u32) -> String {
        let now = self.at();
        let mut decisions = self.admission.sent(id, now);
        decisions.extend(self.admission.release(id, Ended::Sent, now).0);
        words(&decisions)
    }

    pub fn withdraw(&mut self, id: u32) -> String {
        let now = self.at();
        words(&self.admission.release(id, Ended::Unsent, now).0)
    }

    pub fn settle(&mut self, id: u32, real: f64) -> String {
        let now = self.at();
        words(&self.admission.settle(id, &[Some(amount(real))], now).0)
    }

    pub fn pass(&mut self, ms: i64) -> String {
        self.now += ms;
        let now = self.at();
        words(&self.admission.tick(now))
    }

    pub fn why(&self, id: u32) -> Why<u32> {
        self.admission.why(id, self.at()).unwrap_or_else(|| panic!("{id} does not wait"))
    }

    pub fn view(&self, text: &str) -> Option<PoolView<u32>> {
        let views = self.admission.pools(10, self.at());
        views.into_iter().find(|view| view.pool == pool(text))
    }
}

/// `1 2 !3`: 1 and 2 may start, 3 is refused.
pub fn words(decisions: &[Decision<u32>]) -> String {
    let words = decisions.iter().map(|decision| match decision {
        Decision::Granted { id, .. } => id.to_string(),
        Decision::Refused { id, .. } => format!("!{id}"),
    });
    words.collect::<Vec<String>>().join(" ")
}
