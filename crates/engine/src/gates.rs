//! Gates: how many runs of a workflow are live at once for each key, and who is next.
//!
//! A state machine of its own beside that of a run: it is told who comes and who has ended, and says who
//! holds a place, who waits, and who is let in. Like a run it knows no clock and does no I/O; the runs that
//! were open when a server ended are told to it anew.

mod line;

use consort_spec::definition::WhenFull;
use consort_types::{Name, RunId, Timestamp};
use line::{Line, Rank};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// Runs that wait for a place on one server at most, over all workflows. Each takes about a kilobyte of
/// memory, so a full line is a gigabyte; what comes beyond is refused.
pub const QUEUED_RUNS_MAX: usize = 1_000_000;

/// Whose places: those of a workflow, over all of its revisions, for one key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GateKey {
    /// The namespace.
    pub namespace: Name,
    /// The workflow.
    pub workflow: Name,
    /// What `concurrency.key` gave, as JSON; none without it.
    pub key: Option<Arc<str>>,
}

/// What holds at the gates of a workflow: what its newest definition says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Live runs of one key at most.
    pub limit: u32,
    /// What happens to one that is too many.
    pub when_full: WhenFull,
}

/// Somebody at a gate.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Which run.
    pub run: RunId,
    /// Whose place it needs.
    pub gate: GateKey,
    /// -100 to 100; higher first.
    pub priority: i32,
    /// When it came.
    pub at: Timestamp,
}

/// What becomes of a run that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// It may start: no rule, or a place that it holds from now on.
    Free,
    /// It waits.
    Queued {
        /// Counts those that ever waited, so that the order outlives a restart.
        number: u64,
        /// The run that must be cancelled to make room for it.
        cancel: Option<RunId>,
    },
    /// It must not start, and is not known here.
    Full(Rule),
}

/// How a run in line stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whose place it waits for.
    pub gate: GateKey,
    /// Live runs at most.
    pub limit: u32,
    /// Runs that hold a place now.
    pub live: usize,
    /// Runs that come first.
    pub ahead: usize,
}

/// All gates of a server.
#[derive(Debug, Default)]
pub struct Gates {
    rules: HashMap<(Name, Name), Rule>,
    gates: HashMap<Arc<GateKey>, Gate>,
    places: HashMap<RunId, Place>,
    /// Gates where somebody may be let in.
    stirred: BTreeSet<Arc<GateKey>>,
    /// The number of the last one that had to wait.
    numbers: u64,
    /// The latest time that was seen: a clock that is set back must not let anybody jump the line.
    latest: Option<Timestamp>,
    queued: usize,
}

#[derive(Debug, Default)]
struct Gate {
    /// Who holds a place, oldest first.
    live: BTreeSet<(Timestamp, RunId)>,
    line: Line,
}

#[derive(Debug)]
struct Place {
    gate: Arc<GateKey>,
    at: Timestamp,
    /// While it waits.
    rank: Option<Rank>,
}

impl Gates {
    /// Says what holds for a workflow from now on; none: no limit, and all that wait are let in.
    pub fn set_rule(&mut self, namespace: &Name, workflow: &Name, rule: Option<Rule>) {
        let of = (namespace.clone(), workflow.clone());
        let old = match rule {
            Some(rule) => self.rules.insert(of, rule),
            None => self.rules.remove(&of),
        };
        if old != rule {
            let same = |gate: &&Arc<GateKey>| gate.namespace == *namespace && gate.workflow == *workflow;
            self.stirred.extend(self.gates.keys().filter(same).cloned());
        }
    }

    /// What holds for a workflow.
    pub fn rule(&self, namespace: &Name, workflow: &Name) -> Option<Rule> {
        self.rules.get(&(namespace.clone(), workflow.clone())).copied()
    }

    /// A run is about to start. `is_ending` tells of a live run whether it is on its way out already.
    pub fn arrive(&mut self, arrival: Arrival, is_ending: impl Fn(RunId) -> bool) -> Turn {
        let Some(rule) = self.rule(&arrival.gate.namespace, &arrival.gate.workflow) else {
            return Turn::Free;
        };
        let gate = self.gates.get(&arrival.gate);
        let (live, waiting) = gate.map_or((0, 0), |gate| (gate.live.len(), gate.line.len()));
        // Who comes now stands behind those that wait, also when a place has just become free.
        if live + waiting < rule.limit as usize {
            self.hold(arrival.run, arrival.gate, arrival.at);
            return Turn::Free;
        }
        if rule.when_full == WhenFull::Reject || self.queued >= QUEUED_RUNS_MAX {
            return Turn::Full(rule);
        }
        let cancel = match rule.when_full {
            WhenFull::CancelOldest => gate.and_then(|gate| gate.oldest(is_ending)),
            WhenFull::Queue | WhenFull::Reject => None,
        };
        let number = self.numbers + 1;
        self.restore(arrival, number);
        Turn::Queued { number, cancel }
    }

    /// A run holds a place: one that lives already, whether there is room for it or not.
    pub fn hold(&mut self, run: RunId, gate: GateKey, at: Timestamp) {
        if self.places.contains_key(&run) {
            return;
        }
        let gate = self.gate(gate);
        self.gates.entry(gate.clone()).or_default().live.insert((at, run));
        self.places.insert(run, Place { gate, at, rank: None });
    }

    /// A run waits, with the number that it was given when it came.
    pub fn restore(&mut self, arrival: Arrival, number: u64) {
        let Arrival { run, gate, priority, at } = arrival;
        if self.places.contains_key(&run) {
            return;
        }
        self.numbers = self.numbers.max(number);
        let since = self.latest.map_or(at, |latest| latest.max(at));
        self.latest = Some(since);
        let gate = self.gate(gate);
        let rank = Rank::new(since, priority, number);
        self.gates.entry(gate.clone()).or_default().line.join(rank, run);
        self.places.insert(run, Place { gate: gate.clone(), at, rank: Some(rank) });
        self.queued += 1;
        self.stirred.insert(gate);
    }

    /// A run has ended, or will not start.
    pub fn leave(&mut self, run: RunId) {
        let Some(Place { gate, at, rank }) = self.places.remove(&run) else { return };
        let Some(state) = self.gates.get_mut(&gate) else { return };
        match rank {
            None => drop(state.live.remove(&(at, run))),
            Some(rank) => {
                state.line.leave(rank);
                self.queued -= 1;
            }
        }
        if state.live.is_empty() && state.line.len() == 0 {
            self.gates.remove(&gate);
            self.stirred.remove(&gate);
        } else {
            self.stirred.insert(gate);
        }
    }

    /// The next run that may start now; it holds its place from now on. None when nobody may.
    pub fn admit(&mut self) -> Option<RunId> {
        while let Some(gate) = self.stirred.first().cloned() {
            let rule = self.rule(&gate.namespace, &gate.workflow);
            let limit = rule.map_or(usize::MAX, |rule| rule.limit as usize);
            let next = self.gates.get_mut(&gate).filter(|state| state.live.len() < limit);
            let Some(run) = next.and_then(|state| state.line.first()) else {
                self.stirred.remove(&gate);
                continue;
            };
            let Some(place) = self.places.get_mut(&run) else { continue };
            if let (Some(state), Some(rank)) = (self.gates.get_mut(&gate), place.rank.take()) {
                state.line.leave(rank);
                state.live.insert((place.at, run));
                self.queued -= 1;
            }
            return Some(run);
        }
        None
    }

    /// How a run in line stands. None for one that does not wait.
    pub fn standing(&self, run: RunId) -> Option<Standing> {
        let place = self.places.get(&run)?;
        let state = self.gates.get(&place.gate)?;
        let ahead = state.line.ahead_of(place.rank?);
        let rule = self.rule(&place.gate.namespace, &place.gate.workflow);
        let limit = rule.map_or(u32::MAX, |rule| rule.limit);
        Some(Standing { gate: (*place.gate).clone(), limit, live: state.live.len(), ahead })
    }

    /// Runs that wait, over all gates.
    pub const fn queued(&self) -> usize {
        self.queued
    }

    /// One copy of each key, however many runs have it.
    fn gate(&self, key: GateKey) -> Arc<GateKey> {
        self.gates.get_key_value(&key).map_or_else(|| Arc::new(key), |(shared, _)| shared.clone())
    }
}

impl Gate {
    /// The oldest run that is not on its way out: of those that live, else of those that wait.
    fn oldest(&self, is_ending: impl Fn(RunId) -> bool) -> Option<RunId> {
        let live = self.live.iter().map(|(_, run)| *run).find(|run| !is_ending(*run));
        live.or_else(|| self.line.oldest(is_ending))
    }
}
