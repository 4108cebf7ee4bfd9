#![allow(dead_code, reason = "each test file uses its part of the world")]
//! A world of virtual time that carries out plans, and checks after every decision what must always hold.

use consort_fleet::{
    Action, Applied, BACKOFF_MAX, Error, Exit, Fleet, FleetEvent, Observed, Plan, Replica, ReplicaId,
    ReplicaState, Revision, Rules, ServiceState, Status, Strategy,
};
use consort_types::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// More decisions without time passing than this would be a busy loop.
const DECISIONS_AT_ONCE_MAX: u32 = 50;

/// The shortest back-off: a second, less a fifth.
const BACKOFF_LEAST: Duration = Duration::from_millis(800);

/// How the replicas of a revision behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Ready after 300 ms, and for ever.
    Good,
    /// Exits with 1 after 100 ms, never ready.
    ExitsAtStart,
    /// Ready after 300 ms, exits with 1 so long after its start.
    Crashes(Duration),
    /// Ready after 300 ms, exits with 0 so long after its start.
    Finishes(Duration),
    /// Never ready; the health check gives up after 5 s.
    NeverHealthy,
    /// Never ready, and nobody notices.
    Hangs,
}

#[derive(Debug)]
struct Live {
    replica: Replica,
    born: Timestamp,
    behaviour: Behaviour,
    was_ready: bool,
    ends_at: Option<Timestamp>,
    calls_end_at: Timestamp,
}

#[derive(Debug)]
pub struct World {
    pub fleet: Fleet,
    pub rules: Rules,
    pub now: Timestamp,
    /// Calls that are there, in flight or waiting.
    pub calls: u32,
    pub behaviour: BTreeMap<Revision, Behaviour>,
    pub events: Vec<FleetEvent>,
    pub explained: Vec<String>,
    /// Each start: when, what, which attempt.
    pub starts: Vec<(Timestamp, Revision, u32)>,
    pub decisions: u32,
    pub last: Plan,
    lives: Vec<Live>,
    exits: Vec<Exit>,
    next_id: u64,
    told: BTreeSet<ReplicaId>,
    not_before: BTreeMap<Revision, Timestamp>,
    failed_at: BTreeMap<Revision, Timestamp>,
    /// A hand ends all pauses with the next decision.
    restart_asked: bool,
    /// What a call takes.
    pub call_takes: Duration,
    /// Replicas that a hand asked for, whatever `max` says.
    pub by_hand: u32,
}

impl World {
    pub fn new(rules: Rules, revision: u64) -> Self {
        let now = Timestamp::from_millis(1_000_000);
        Self {
            fleet: Fleet::new(rules.clone(), Revision(revision), now),
            rules,
            now,
            calls: 0,
            behaviour: BTreeMap::new(),
            events: Vec::new(),
            explained: Vec::new(),
            starts: Vec::new(),
            decisions: 0,
            last: Plan::default(),
            lives: Vec::new(),
            exits: Vec::new(),
            next_id: 1,
            told: BTreeSet::new(),
            not_before: BTreeMap::new(),
            failed_at: BTreeMap::new(),
            restart_asked: false,
            call_takes: Duration::from_millis(200),
            by_hand: 0,
        }
    }

    pub fn apply(&mut self, revision: u64) -> Applied {
        let applied = self.fleet.apply(self.rules.clone(), Revision(revision), self.now);
        if applied == Applied::RollingOut {
            self.not_before.remove(&Revision(revision));
        }
        applied
    }

    pub fn rollback(&mut self, to: Option<u64>) -> Result<Revision, Error> {
        let to = self.fleet.rollback(to.map(Revision), self.now)?;
        self.not_before.remove(&to);
        Ok(to)
    }

    pub fn restart(&mut self) {
        self.fleet.restart(self.now);
        self.restart_asked = true;
    }

    pub fn scale(&mut self, replicas: Option<u32>) {
        self.by_hand = replicas.unwrap_or(0);
        self.fleet.scale(replicas);
    }

    pub fn replicas(&self) -> Vec<Replica> {
        self.lives.iter().map(|live| live.replica.clone()).collect()
    }

    /// Revisions of the ready ones, sorted.
    pub fn ready(&self) -> Vec<u64> {
        let mut ready: Vec<_> = self
            .lives
            .iter()
            .filter(|live| live.replica.state == ReplicaState::Ready)
            .map(|live| live.replica.revision.0)
            .collect();
        ready.sort_unstable();
        ready
    }

    pub fn total(&self) -> usize {
        self.lives.len()
    }

    pub fn status(&self) -> Status {
        let replicas = self.replicas();
        self.fleet.status(&self.observed(&replicas))
    }

    pub fn state(&self) -> ServiceState {
        self.status().state
    }

    /// Lets a ready replica crash, if there is one.
    pub fn crash_one(&mut self, nth: usize) {
        let now = self.now;
        let ready: Vec<_> =
            self.lives.iter_mut().filter(|live| live.replica.state == ReplicaState::Ready).collect();
        let len = ready.len();
        if len > 0 {
            ready.into_iter().nth(nth % len).expect("within").ends_at = Some(now);
        }
    }

    /// Lets a ready replica fall sick, if there is one; or an unready one recover.
    pub fn turn(&mut self, nth: usize, from: ReplicaState, to: ReplicaState) {
        let now = self.now;
        let told = &self.told;
        let some: Vec<_> = self
            .lives
            .iter_mut()
            .filter(|live| live.replica.state == from && !told.contains(&live.replica.id))
            .collect();
        let len = some.len();
        if len > 0 {
            let live = some.into_iter().nth(nth % len).expect("within");
            live.replica.state = to;
            live.replica.since = now;
            live.was_ready |= to == ReplicaState::Ready;
            let revision = live.replica.revision;
            if to == ReplicaState::Unready {
                self.note_failure(revision);
            }
            self.settle();
        }
    }

    /// From now on this replica behaves.
    pub fn heal(&mut self, id: ReplicaId) {
        let told = self.told.contains(&id);
        let live = self.find(id);
        live.behaviour = Behaviour::Good;
        if !told {
            live.ends_at = None;
        }
    }

    /// Lets time pass, deciding whenever something changes or the plan says so.
    pub fn run(&mut self, time: Duration) {
        let end = self.now.plus(time);
        loop {
            self.settle();
            let next = self.next_change().into_iter().chain(self.last.wake_at).min();
            match next {
                Some(at) if at <= end => self.now = at.max(self.now),
                _ => break,
            }
            self.happen();
        }
        self.now = end;
        self.happen();
        self.settle();
    }

    /// Runs until this holds.
    ///
    /// # Panics
    /// If it does not within so long.
    pub fn run_until(&mut self, within: Duration, holds: impl Fn(&Self) -> bool) {
        let end = self.now.plus(within);
        while !holds(self) {
            assert!(self.now < end, "not within {within:?}: {:?}\n{:#?}", self.status(), self.replicas());
            self.run(Duration::from_millis(50));
        }
    }

    fn observed<'a>(&'a self, replicas: &'a [Replica]) -> Observed<'a> {
        let in_flight: u32 = replicas.iter().map(|replica| replica.in_flight).sum();
        Observed { replicas, in_flight, queued: self.calls.saturating_sub(in_flight), exits: &self.exits }
    }

    /// Decides and carries out until nothing is left to do at this moment.
    fn settle(&mut self) {
        for _ in 0..DECISIONS_AT_ONCE_MAX {
            self.spread_calls();
            if std::mem::take(&mut self.restart_asked) {
                self.not_before.clear();
            }
            let replicas = self.replicas();
            let plan = {
                let mut fleet = self.fleet.clone();
                let plan = fleet.decide(&self.observed(&replicas), self.now);
                self.fleet = fleet;
                plan
            };
            self.exits.clear();
            self.decisions += 1;
            self.check(&plan, &replicas);
            self.explained.extend(plan.explained.iter().cloned());
            self.events.extend(plan.events.iter().cloned());
            self.carry_out(&plan);
            let quiet = plan.actions.is_empty() && plan.events.is_empty();
            self.last = plan;
            if quiet {
                return;
            }
        }
        panic!("never comes to rest: {:?}", self.last);
    }

    fn carry_out(&mut self, plan: &Plan) {
        for action in &plan.actions {
            match action {
                Action::Start { revision, attempt } => self.start(*revision, *attempt),
                Action::Drain { replica, .. } => {
                    let (now, takes) = (self.now, self.call_takes);
                    let live = self.find(*replica);
                    live.replica.state = ReplicaState::Draining;
                    live.replica.since = now;
                    live.calls_end_at = now.plus(takes);
                }
                Action::Stop { replica, .. } => {
                    let ends_at = self.now.plus(Duration::from_millis(50));
                    let live = self.find(*replica);
                    live.replica.state = ReplicaState::Draining;
                    live.ends_at = Some(ends_at);
                }
            }
        }
    }

    fn start(&mut self, revision: Revision, attempt: u32) {
        self.starts.push((self.now, revision, attempt));
        let behaviour = self.behaviour.get(&revision).copied().unwrap_or(Behaviour::Good);
        let ends_at = match behaviour {
            Behaviour::ExitsAtStart => Some(self.now.plus(Duration::from_millis(100))),
            Behaviour::Crashes(after) | Behaviour::Finishes(after) => Some(self.now.plus(after)),
            Behaviour::Good | Behaviour::NeverHealthy | Behaviour::Hangs => None,
        };
        let replica = Replica {
            id: ReplicaId(self.next_id),
            revision,
            state: ReplicaState::Starting,
            since: self.now,
            in_flight: 0,
        };
        self.next_id += 1;
        self.lives.push(Live {
            replica,
            born: self.now,
            behaviour,
            was_ready: false,
            ends_at,
            calls_end_at: self.now,
        });
    }

    fn find(&mut self, id: ReplicaId) -> &mut Live {
        self.lives.iter_mut().find(|live| live.replica.id == id).expect("a plan names replicas that live")
    }

    /// Puts the calls on the ready replicas, evenly; those on draining ones stay where they are.
    fn spread_calls(&mut self) {
        let draining: u32 = self
            .lives
            .iter()
            .filter(|live| live.replica.state == ReplicaState::Draining)
            .map(|live| live.replica.in_flight)
            .sum();
        let mut left = self.calls.saturating_sub(draining);
        let mut ready: Vec<_> =
            self.lives.iter_mut().filter(|live| live.replica.state == ReplicaState::Ready).collect();
        let mut seats = u32::try_from(ready.len()).expect("few");
        for live in &mut ready {
            live.replica.in_flight = left.div_ceil(seats).min(self.rules.concurrency);
            left -= live.replica.in_flight;
            seats -= 1;
        }
        for live in &mut self.lives {
            if matches!(live.replica.state, ReplicaState::Starting | ReplicaState::Unready) {
                live.replica.in_flight = 0;
            }
        }
    }

    fn next_change(&self) -> Option<Timestamp> {
        self.lives.iter().filter_map(Live::next_change).min()
    }

    /// Lets happen what is due.
    fn happen(&mut self) {
        let now = self.now;
        let mut fallen_sick = Vec::new();
        for live in &mut self.lives {
            let before = live.replica.state;
            live.happen(now);
            if before != live.replica.state && live.replica.state == ReplicaState::Unready {
                fallen_sick.push(live.replica.revision);
            }
        }
        fallen_sick.into_iter().for_each(|revision| self.note_failure(revision));
        let (ended, lives) = std::mem::take(&mut self.lives)
            .into_iter()
            .partition(|live: &Live| live.ends_at.is_some_and(|at| at <= now));
        self.lives = lives;
        for live in ended {
            self.note_end(&live);
        }
    }

    fn note_failure(&mut self, revision: Revision) {
        // Those that fail during a pause may come back with its end, so only the first tells something.
        let last = self.failed_at.insert(revision, self.now);
        if last.is_none_or(|at| at.plus(BACKOFF_MAX) <= self.now) {
            self.not_before.insert(revision, self.now.plus(BACKOFF_LEAST));
        }
    }

    fn note_end(&mut self, live: &Live) {
        let ok = matches!(live.behaviour, Behaviour::Finishes(_));
        if !self.told.contains(&live.replica.id) && !ok {
            self.note_failure(live.replica.revision);
        }
        self.exits.push(Exit {
            replica: live.replica.id,
            revision: live.replica.revision,
            ok,
            cause: if ok { "exit code 0".to_owned() } else { "exit code 1".to_owned() },
            was_ready: live.was_ready,
            ran_for: self.now.since(live.born),
        });
    }

    /// What must hold after every decision.
    fn check(&mut self, plan: &Plan, replicas: &[Replica]) {
        let status = self.fleet.status(&self.observed(replicas));
        let removing = status.state == ServiceState::Removing;
        let (mut starts, mut drained_ready) = (0_u32, 0_u32);
        for action in &plan.actions {
            match action {
                Action::Start { revision, .. } => {
                    starts += 1;
                    assert!(!removing, "starts a replica of a service that is removed");
                    let not_before = self.not_before.get(revision).copied().unwrap_or(self.now);
                    assert!(not_before <= self.now, "starts {revision} during its back-off");
                }
                Action::Drain { replica, .. } => {
                    assert!(self.told.insert(*replica), "{replica:?} is told twice");
                    let seen = replicas.iter().find(|it| it.id == *replica).expect("lives");
                    drained_ready += u32::from(seen.state == ReplicaState::Ready);
                }
                Action::Stop { replica, .. } => {
                    let seen = replicas.iter().find(|it| it.id == *replica).expect("lives");
                    assert_eq!(seen.in_flight, 0, "stops {seen:?} under its calls");
                    assert_ne!(seen.state, ReplicaState::Ready, "stops {seen:?} before it has drained");
                    self.told.insert(*replica);
                }
            }
        }
        let waits = status.next_start_at.is_some_and(|at| at > self.now);
        assert!(
            starts == 0 || !waits,
            "starts, and says that the next start is at {:?}",
            status.next_start_at
        );
        self.check_bounds(&status, starts, drained_ready, replicas);
        assert!(plan.wake_at.is_none_or(|at| at > self.now), "wakes in the past: {plan:?}");
        assert_eq!(plan.serving.is_empty(), removing, "{plan:?}");
        match status.state {
            ServiceState::Ready | ServiceState::Degraded => {
                assert!(replicas.iter().any(|it| it.state == ReplicaState::Ready), "{status:?}");
            }
            ServiceState::Idle => assert_eq!(status.replicas.desired, 0, "{status:?}"),
            _ => {}
        }
        assert!(!status.detail.is_empty());
    }

    fn check_bounds(&self, status: &Status, starts: u32, drained_ready: u32, replicas: &[Replica]) {
        let total = u32::try_from(replicas.len()).expect("few");
        let surge = match self.rules.strategy {
            Strategy::Rolling if self.rules.max_surge + self.rules.max_unavailable == 0 => 1,
            Strategy::Rolling => self.rules.max_surge,
            Strategy::Recreate => 0,
        };
        let most = self.rules.max.max(self.by_hand).max(status.replicas.desired) + surge;
        assert!(
            starts == 0 || total + starts <= most,
            "{total} + {starts} replicas, {most} allowed: {status:?}"
        );
        if self.rules.strategy == Strategy::Recreate {
            let mixed = replicas.iter().any(|it| it.revision != self.fleet.revision());
            assert!(starts == 0 || !mixed, "starts beside another revision: {replicas:?}");
        } else if status.state != ServiceState::Removing {
            let ready = replicas.iter().filter(|it| it.state == ReplicaState::Ready);
            let ready = u32::try_from(ready.count()).expect("few");
            let floor = status.replicas.desired.saturating_sub(self.rules.max_unavailable);
            assert!(
                ready - drained_ready >= ready.min(floor),
                "drains {drained_ready} of {ready} ready ones, {floor} needed: {status:?}"
            );
        }
    }
}

impl Live {
    fn next_change(&self) -> Option<Timestamp> {
        let ready_at = self.ready_at().filter(|_| self.replica.state == ReplicaState::Starting);
        let sick_at = self.sick_at().filter(|_| self.replica.state == ReplicaState::Starting);
        let calls_end = (self.replica.state == ReplicaState::Draining && self.replica.in_flight > 0)
            .then_some(self.calls_end_at);
        [ready_at, sick_at, calls_end, self.ends_at].into_iter().flatten().min()
    }

    fn ready_at(&self) -> Option<Timestamp> {
        match self.behaviour {
            Behaviour::Good | Behaviour::Crashes(_) | Behaviour::Finishes(_) => {
                Some(self.born.plus(Duration::from_millis(300)))
            }
            Behaviour::ExitsAtStart | Behaviour::NeverHealthy | Behaviour::Hangs => None,
        }
    }

    fn sick_at(&self) -> Option<Timestamp> {
        (self.behaviour == Behaviour::NeverHealthy).then(|| self.born.plus(Duration::from_secs(5)))
    }

    fn happen(&mut self, now: Timestamp) {
        match self.replica.state {
            ReplicaState::Starting if self.ready_at().is_some_and(|at| at <= now) => {
                self.replica.state = ReplicaState::Ready;
                self.replica.since = now;
                self.was_ready = true;
            }
            ReplicaState::Starting if self.sick_at().is_some_and(|at| at <= now) => {
                self.replica.state = ReplicaState::Unready;
                self.replica.since = now;
            }
            ReplicaState::Draining if self.calls_end_at <= now => self.replica.in_flight = 0,
            _ => {}
        }
    }
}
