//! How many replicas: up at once, down only after a calm time.

use crate::rules::{REPLICAS_MAX, Rules};
use consort_types::{Timestamp, format_duration};
use std::collections::VecDeque;

/// What asks for replicas.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    pub in_flight: u32,
    pub queued: u32,
    /// A rollout runs: one replica must prove the revision even if nobody calls.
    pub proving: bool,
    /// A hand has set the number.
    pub by_hand: Option<u32>,
}

/// The number that was decided last, and what was needed within the last `idle`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scaler {
    desired: u32,
    /// Falling needs, each with the last time that it was seen; the last one is the need of now. Needs
    /// differ and lie between `min` and `max`, so there are never more than `REPLICAS_MAX` + 1.
    window: VecDeque<Level>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Level {
    need: u32,
    seen_at: Timestamp,
}

impl Scaler {
    pub fn new(desired: u32) -> Self {
        Self { desired, window: VecDeque::new() }
    }

    pub fn desired(&self) -> u32 {
        self.desired
    }

    /// Decides anew; says why when the number changes.
    pub fn decide(&mut self, rules: &Rules, demand: Demand, now: Timestamp) -> Option<String> {
        self.note(need(rules, demand), now);
        while self.window.len() > 1 && self.window[0].seen_at.plus(rules.idle) <= now {
            self.window.pop_front();
        }
        let highest = self.window[0].need.clamp(rules.min, rules.max);
        let before = std::mem::replace(
            &mut self.desired,
            demand.by_hand.map_or(highest, |replicas| replicas.min(REPLICAS_MAX)),
        );
        (before != self.desired).then(|| explain(before, self.desired, rules, demand))
    }

    /// When the number falls by itself if the load stays as it is.
    pub fn wake_at(&self, rules: &Rules) -> Option<Timestamp> {
        (self.window.len() > 1).then(|| self.window[0].seen_at.plus(rules.idle))
    }

    fn note(&mut self, need: u32, now: Timestamp) {
        // The need that was seen last held until now.
        if let Some(last) = self.window.back_mut() {
            last.seen_at = now;
        }
        while self.window.back().is_some_and(|last| last.need <= need) {
            self.window.pop_back();
        }
        self.window.push_back(Level { need, seen_at: now });
    }
}

/// Replicas that the load of this moment asks for.
fn need(rules: &Rules, demand: Demand) -> u32 {
    let calls = u64::from(demand.in_flight) + u64::from(demand.queued);
    let replicas = u32::try_from(calls.div_ceil(u64::from(rules.concurrency))).unwrap_or(u32::MAX);
    replicas.max(u32::from(demand.proving)).clamp(rules.min, rules.max)
}

fn explain(before: u32, after: u32, rules: &Rules, demand: Demand) -> String {
    let cause = if demand.by_hand.is_some() {
        "by hand".to_owned()
    } else if after < before && demand.in_flight == 0 && demand.queued == 0 {
        format!("no calls for {}", format_duration(rules.idle))
    } else if after < before {
        format!("no more was needed for {}", format_duration(rules.idle))
    } else if demand.in_flight == 0 && demand.queued == 0 {
        match demand.proving && rules.min == 0 {
            true => "a replica has to prove the revision".to_owned(),
            false => format!("at least {}", rules.min),
        }
    } else {
        let waiting = (demand.queued > 0).then(|| format!("{} waiting, ", demand.queued));
        let in_flight = (demand.in_flight > 0).then(|| format!("{} in flight, ", demand.in_flight));
        format!(
            "{}{}{} a replica",
            waiting.unwrap_or_default(),
            in_flight.unwrap_or_default(),
            rules.concurrency
        )
    };
    format!("{before} → {after}: {cause}")
}
