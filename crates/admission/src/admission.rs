//! All pools and all requests: what happens to them, and what follows.

use crate::{
    limits::Limits,
    pool::{Pool, PoolKey, Pools},
    queue::{Place, Standing},
    request::{Decision, Refusal, Request, Share, Spend},
};
use consort_types::{Amount, Name, RunId, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
};

/// Pools in use at most, one for each value of a `key` counted: a key that is a time or an id would fill the memory.
pub(crate) const POOLS_MAX: usize = 200_000;

/// The memory of all pools.
#[derive(Debug)]
pub struct Admission<Id> {
    pub(crate) declared: BTreeMap<(Name, Option<RunId>, Name), Limits>,
    pub(crate) pools: Pools,
    pub(crate) numbers: HashMap<Id, u64>,
    pub(crate) entries: BTreeMap<u64, Entry<Id>>,
    /// Pools in which something has changed, to be looked at.
    pub(crate) changed: BTreeSet<u32>,
    wakes: BTreeSet<(Timestamp, u32)>,
    pub(crate) next: u64,
}

/// A request as it stands.
#[derive(Debug)]
pub(crate) struct Entry<Id> {
    pub id: Id,
    pub parts: Vec<Part>,
    pub priority: i32,
    pub share: Share,
    pub place: Place,
    pub state: State,
}

/// What a request wants of one pool.
#[derive(Debug)]
pub(crate) struct Part {
    pub pool: u32,
    pub amount: Amount,
    pub settles: bool,
    /// It has had its turn there.
    pub passed: bool,
    /// It is kept for it there.
    pub reserved: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// In the queue of a pool.
    Waiting { pool: u32 },
    /// Ahead of the queues of those pools where nothing is kept for it yet.
    Reserving { began: u64 },
    /// It holds what it wanted.
    Granted { since: Timestamp, sent_at: Option<Timestamp> },
    /// Its call has ended, and its true amount is still to be told.
    Ended { sent_at: Option<Timestamp> },
}

/// How a call has ended that held permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was never sent: it has cost nothing.
    Unsent,
    /// It was sent.
    Sent,
}

impl<Id> Default for Admission<Id> {
    fn default() -> Self {
        Self {
            declared: BTreeMap::new(),
            pools: Pools::default(),
            numbers: HashMap::new(),
            entries: BTreeMap::new(),
            changed: BTreeSet::new(),
            wakes: BTreeSet::new(),
            next: 0,
        }
    }
}

impl<Id: Copy + Eq + Hash> Admission<Id> {
    /// Says what a pool gives from now on; `None`: it is gone, and nothing holds back those that name it. With a
    /// run: the pool that this run has for itself.
    pub fn declare(
        &mut self,
        namespace: &Name,
        run: Option<RunId>,
        name: &Name,
        limits: Option<Limits>,
        now: Timestamp,
    ) -> Vec<Decision<Id>> {
        let place = (namespace.clone(), run, name.clone());
        match limits {
            Some(limits) => self.declared.insert(place, limits),
            None => self.declared.remove(&place),
        };
        let mut decisions = Vec::new();
        let (namespace, name) = (namespace.clone(), name.clone());
        let first = PoolKey { namespace, run, name, key: None };
        let same =
            |key: &PoolKey| (&key.namespace, key.run, &key.name) == (&first.namespace, run, &first.name);
        let numbers = self.pools.numbers.range(&first..).take_while(|(key, _)| same(key));
        let numbers: Vec<u32> = numbers.map(|(_, number)| *number).collect();
        for number in numbers {
            self.pools.get_mut(number).limits = limits.unwrap_or_default();
            self.refuse_what_no_longer_fits(number, &mut decisions);
            self.changed.insert(number);
        }
        self.settle_down(now, &mut decisions);
        decisions
    }

    fn refuse_what_no_longer_fits(&mut self, number: u32, decisions: &mut Vec<Decision<Id>>) {
        let pool = self.pools.get(number);
        let Some(most) = pool.most() else { return };
        let waiting = pool.queue.all().into_iter().chain(pool.first.iter().map(|(_, request)| *request));
        for request in waiting.collect::<Vec<u64>>() {
            let wanted = self.part(request, number).amount;
            if wanted > most {
                let why = Refusal::TooMuch { pool: self.pools.get(number).key.clone(), wanted, most };
                self.refuse(request, why, decisions);
            }
        }
    }

    /// The pools that a run had for itself are gone with it.
    pub fn end_run(&mut self, namespace: &Name, run: RunId, now: Timestamp) -> Vec<Decision<Id>> {
        let own = |place: &(Name, Option<RunId>, Name)| place.0 == *namespace && place.1 == Some(run);
        let names: Vec<Name> =
            self.declared.keys().filter(|place| own(place)).map(|place| place.2.clone()).collect();
        names.iter().flat_map(|name| self.declare(namespace, Some(run), name, None, now)).collect()
    }

    /// What a pool gives, when it was declared.
    pub fn limits(&self, key: &PoolKey) -> Option<&Limits> {
        self.declared.get(&(key.namespace.clone(), key.run, key.name.clone()))
    }

    /// A call wants permits. It may start, is refused, or waits; when it waits nothing is said of it.
    pub fn request(&mut self, request: Request<Id>, now: Timestamp) -> Vec<Decision<Id>> {
        let mut decisions = Vec::new();
        if let Some(why) = self.refusal(&request, now) {
            decisions.push(Decision::Refused { id: request.id, why });
            return decisions;
        }
        let number = self.enter(request, (now, 0));
        let entry = &self.entries[&number];
        for part in entry.parts.iter().map(|part| part.pool).collect::<Vec<u32>>() {
            self.pools.get_mut(part).advance(now);
        }
        match self.first_in_the_way(number, now) {
            Some(pool) => {
                self.enqueue(number, pool);
                self.changed.insert(pool);
            }
            None => self.grant(number, now, &mut decisions),
        }
        self.settle_down(now, &mut decisions);
        decisions
    }

    /// Why a request can never be granted.
    fn refusal(&mut self, request: &Request<Id>, now: Timestamp) -> Option<Refusal> {
        for want in &request.wants {
            let Some(limits) = self.limits(&want.pool).copied() else { continue };
            let most = limits.size.into_iter().chain(limits.rate.map(|rate| rate.count)).min();
            if let Some(most) = most.filter(|most| want.amount > *most) {
                let (pool, wanted) = (want.pool.clone(), want.amount);
                return Some(Refusal::TooMuch { pool, wanted, most });
            }
            if self.pools.all.len() >= POOLS_MAX && !self.pools.numbers.contains_key(&want.pool) {
                self.sweep(now);
                if self.pools.all.len() >= POOLS_MAX {
                    return Some(Refusal::TooManyKeys { pool: want.pool.clone(), most: POOLS_MAX });
                }
            }
        }
        None
    }

    /// A call that was in flight when the server ended, and still is: it holds its permits again, whatever the
    /// pools may give. What it spent was kept.
    pub fn adopt(&mut self, request: Request<Id>, sent_at: Timestamp, now: Timestamp) {
        let number = self.enter(request, (sent_at, 0));
        let entry = self.entries.get_mut(&number).expect("it was just put there");
        entry.state = State::Granted { since: sent_at, sent_at: Some(sent_at) };
        let share = entry.share.clone();
        let taken: Vec<(u32, Amount, bool)> =
            entry.parts.iter().map(|part| (part.pool, part.amount, part.settles)).collect();
        for (pool, amount, settles) in taken {
            let pool = self.pools.get_mut(pool);
            pool.take(number, &share, amount);
            pool.window.pending = pool.window.pending.minus(amount);
            if let Some(rate) = pool.limits.rate {
                pool.window.send(&rate, amount, sent_at);
                pool.window.advance(&rate, now);
            }
            pool.purse.unsettled += u32::from(settles);
        }
    }

    /// What was spent of a budget before the server ended, and what was given on top.
    pub fn restore(&mut self, key: &PoolKey, period: Timestamp, spent: Amount, added: Amount) {
        let limits = self.limits(key).copied().unwrap_or_default();
        let number = self.pools.number(key, || limits);
        let purse = &mut self.pools.get_mut(number).purse;
        (purse.period, purse.spent, purse.added) = (period.as_millis(), spent, added);
    }

    /// A person gives more, until the next reset. The change that is to be kept comes first.
    pub fn add(&mut self, key: &PoolKey, more: Amount, now: Timestamp) -> Vec<Decision<Id>> {
        let limits = self.limits(key).copied().unwrap_or_default();
        let number = self.pools.number(key, || limits);
        let pool = self.pools.get_mut(number);
        pool.advance(now);
        pool.purse.added = pool.purse.added.plus(more);
        self.changed.insert(number);
        let mut decisions = Vec::new();
        self.settle_down(now, &mut decisions);
        decisions
    }

    fn enter(&mut self, request: Request<Id>, (since, _): Place) -> u64 {
        self.next += 1;
        let number = self.next;
        let Request { id, wants, priority, share } = request;
        let mut parts = Vec::with_capacity(wants.len());
        for want in wants {
            let limits = self.limits(&want.pool).copied().unwrap_or_default();
            let pool = self.pools.number(&want.pool, || limits);
            self.pools.get_mut(pool).wanted_by += 1;
            let (amount, settles) = (want.amount, want.settles);
            parts.push(Part { pool, amount, settles, passed: false, reserved: false });
        }
        let state = State::Waiting { pool: 0 };
        let place = (since, number);
        self.numbers.insert(id, number);
        self.entries.insert(number, Entry { id, parts, priority, share, place, state });
        number
    }

    /// A request is not wanted any more, or a call has ended.
    pub fn release(&mut self, id: Id, how: Ended, now: Timestamp) -> (Vec<Decision<Id>>, Vec<Spend>) {
        let (mut decisions, mut spends) = (Vec::new(), Vec::new());
        let Some(number) = self.numbers.get(&id).copied() else { return (decisions, spends) };
        match self.entries[&number].state {
            State::Waiting { .. } | State::Reserving { .. } => self.leave(number),
            State::Granted { sent_at, .. } => self.end(number, how, sent_at, now, &mut spends),
            State::Ended { .. } => {}
        }
        self.settle_down(now, &mut decisions);
        (decisions, spends)
    }

    fn end(
        &mut self,
        number: u64,
        how: Ended,
        sent_at: Option<Timestamp>,
        now: Timestamp,
        spends: &mut Vec<Spend>,
    ) {
        let entry = &self.entries[&number];
        let share = entry.share.clone();
        let waits_for_settle = how == Ended::Sent && entry.parts.iter().any(|part| part.settles);
        let parts: Vec<(u32, Amount, bool)> =
            entry.parts.iter().map(|part| (part.pool, part.amount, part.settles)).collect();
        for (place, amount, settles) in parts {
            self.changed.insert(place);
            let pool = self.pools.get_mut(place);
            pool.advance(now);
            pool.free(number, &share, amount);
            if sent_at.is_none() {
                pool.window.pending = pool.window.pending.minus(amount);
                // Something that was sent without our being told counts from now on.
                if let (Ended::Sent, Some(rate)) = (how, pool.limits.rate) {
                    pool.window.send(&rate, amount, now);
                }
            }
            if how == Ended::Unsent {
                spends.extend(give_back(pool, amount, sent_at));
                pool.purse.unsettled -= u32::from(settles);
            }
        }
        if waits_for_settle {
            let sent_at = sent_at.or(Some(now));
            self.entries.get_mut(&number).expect("it is there").state = State::Ended { sent_at };
        } else {
            self.drop_entry(number);
        }
    }

    /// A granted call was sent: its rate counts from now on.
    pub fn sent(&mut self, id: Id, now: Timestamp) -> Vec<Decision<Id>> {
        let mut decisions = Vec::new();
        let Some(number) = self.numbers.get(&id).copied() else { return decisions };
        let entry = self.entries.get_mut(&number).expect("a number has an entry");
        let State::Granted { since, sent_at: None } = entry.state else { return decisions };
        entry.state = State::Granted { since, sent_at: Some(now) };
        for part in &entry.parts {
            let pool = self.pools.get_mut(part.pool);
            pool.window.pending = pool.window.pending.minus(part.amount);
            if let Some(rate) = pool.limits.rate {
                pool.window.send(&rate, part.amount, now);
                // Who waits for the rate knows now when.
                self.changed.insert(part.pool);
            }
        }
        self.settle_down(now, &mut decisions);
        decisions
    }

    /// The true amounts of a call are known, in the order of its wants; `None`: what was taken stands. To be called
    /// once for a call that settles, also when it failed.
    pub fn settle(
        &mut self,
        id: Id,
        real: &[Option<Amount>],
        now: Timestamp,
    ) -> (Vec<Decision<Id>>, Vec<Spend>) {
        let (mut decisions, mut spends) = (Vec::new(), Vec::new());
        let Some(number) = self.numbers.get(&id).copied() else { return (decisions, spends) };
        let entry = self.entries.get_mut(&number).expect("a number has an entry");
        let (sent_at, has_ended) = match entry.state {
            State::Granted { sent_at, .. } => (sent_at, false),
            State::Ended { sent_at } => (sent_at, true),
            State::Waiting { .. } | State::Reserving { .. } => return (decisions, spends),
        };
        for (index, part) in entry.parts.iter_mut().enumerate().filter(|(_, part)| part.settles) {
            part.settles = false;
            self.changed.insert(part.pool);
            let pool = self.pools.get_mut(part.pool);
            pool.advance(now);
            pool.purse.unsettled = pool.purse.unsettled.saturating_sub(1);
            let Some(real) = real.get(index).copied().flatten() else { continue };
            if real < part.amount {
                let less = part.amount.minus(real);
                if let Some(sent_at) = sent_at {
                    pool.window.give_back(less, sent_at);
                }
                spends.extend(give_back(pool, less, sent_at));
            } else if real > part.amount {
                let more = real.minus(part.amount);
                if let Some(rate) = pool.limits.rate {
                    pool.window.send(&rate, more, now);
                }
                spends.extend(spend(pool, more, now));
            }
        }
        if has_ended {
            self.drop_entry(number);
        }
        self.settle_down(now, &mut decisions);
        (decisions, spends)
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Decision<Id>> {
        let mut decisions = Vec::new();
        while let Some((at, pool)) = self.wakes.first().copied().filter(|(at, _)| *at <= now) {
            self.wakes.remove(&(at, pool));
            self.changed.insert(pool);
        }
        self.settle_down(now, &mut decisions);
        decisions
    }

    /// When to call [`Admission::tick`] next.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// Sets when a pool must be looked at again.
    pub(crate) fn set_wake(&mut self, number: u32, at: Option<Timestamp>) {
        let Some(pool) = self.pools.all.get_mut(&number) else { return };
        if let Some(before) = std::mem::replace(&mut pool.wake_at, at) {
            self.wakes.remove(&(before, number));
        }
        if let Some(at) = at {
            self.wakes.insert((at, number));
        }
    }

    pub(crate) fn part(&self, request: u64, pool: u32) -> &Part {
        let parts = &self.entries[&request].parts;
        parts.iter().find(|part| part.pool == pool).expect("it stands there because it wants it")
    }

    pub(crate) fn part_mut(&mut self, request: u64, pool: u32) -> &mut Part {
        let parts = &mut self.entries.get_mut(&request).expect("it stands there").parts;
        parts.iter_mut().find(|part| part.pool == pool).expect("it stands there because it wants it")
    }

    pub(crate) fn standing(&self, request: u64) -> Standing {
        let entry = &self.entries[&request];
        Standing { priority: entry.priority, share: entry.share.clone(), place: entry.place }
    }

    pub(crate) fn drop_entry(&mut self, number: u64) {
        if let Some(entry) = self.entries.remove(&number) {
            self.numbers.remove(&entry.id);
            for part in &entry.parts {
                self.pools.get_mut(part.pool).wanted_by -= 1;
                // Whether it is still wanted is looked at.
                self.changed.insert(part.pool);
            }
        }
    }

    /// Forgets pools that nobody would miss.
    fn sweep(&mut self, now: Timestamp) {
        let all: Vec<u32> = self.pools.all.keys().copied().collect();
        for number in all {
            self.pools.get_mut(number).advance(now);
            self.forget_if_idle(number);
        }
    }

    pub(crate) fn forget_if_idle(&mut self, number: u32) {
        if self.pools.all.get(&number).is_some_and(Pool::is_idle) {
            self.set_wake(number, None);
            self.pools.remove(number);
        }
    }
}

/// Puts something back into a budget, if that was of this period.
fn give_back(pool: &mut Pool, less: Amount, sent_at: Option<Timestamp>) -> Option<Spend> {
    let budget = pool.limits.budget?;
    let period = budget.period(Timestamp::from_millis(pool.purse.period));
    if sent_at.is_some_and(|at| at < period.start) {
        return None;
    }
    pool.purse.spent = pool.purse.spent.minus(less);
    Some(Spend { pool: pool.key.clone(), period, more: Amount::ZERO, less })
}

/// Takes something out of a budget.
pub(crate) fn spend(pool: &mut Pool, more: Amount, now: Timestamp) -> Option<Spend> {
    let budget = pool.limits.budget?;
    pool.purse.spent = pool.purse.spent.plus(more);
    Some(Spend { pool: pool.key.clone(), period: budget.period(now), more, less: Amount::ZERO })
}
