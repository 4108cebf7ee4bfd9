//! What people see of pools: how full, who holds, who waits and why.

use crate::{
    admission::{Admission, State},
    limits::{Limits, WhenEmpty},
    pool::{Lack, Pool, PoolKey},
};
use consort_types::{Amount, Name, Timestamp};
use std::hash::Hash;

/// Holders named in the reason of one that waits.
const HOLDERS_NAMED_MAX: usize = 3;

/// Why a request waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Why<Id> {
    /// For which pool.
    pub pool: PoolKey,
    /// What that gives.
    pub limits: Limits,
    /// How much of it the request wants.
    pub wanted: Amount,
    /// Permits held, and kept for others.
    pub used: Amount,
    /// Within the period of its rate.
    pub used_in_period: Amount,
    /// Of its budget.
    pub spent: Amount,
    /// What its budget is in all.
    pub budget: Option<Amount>,
    /// The rate is used up, or the budget, until then at least.
    pub until: Option<Timestamp>,
    /// What is used up.
    pub lacks: Lacks,
    /// Some of those that hold permits.
    pub holders: Vec<Id>,
    /// How many do.
    pub holder_count: u64,
    /// About how many go before it.
    pub ahead: u64,
    /// Since when it waits.
    pub since: Timestamp,
}

/// What of a pool is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacks {
    /// Its permits.
    Permits,
    /// Its rate.
    Rate,
    /// Its budget.
    Budget,
    /// Nothing: others go first.
    Turn,
}

/// A pool as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolView<Id> {
    /// Which.
    pub pool: PoolKey,
    /// Permits in all.
    pub size: Option<Amount>,
    /// Permits held.
    pub used: Amount,
    /// Its rate.
    pub rate: Option<RateView>,
    /// Its budget.
    pub budget: Option<BudgetView>,
    /// Who holds permits, the first of them.
    pub holders: Vec<HolderView<Id>>,
    /// How many do.
    pub holder_count: u64,
    /// Who waits, the first of them.
    pub waiters: Vec<WaiterView<Id>>,
    /// How many do.
    pub waiter_count: u64,
}

/// A rate as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateView {
    /// How many in a period.
    pub count: Amount,
    /// The period in milliseconds.
    pub per_ms: u64,
    /// Of these within the last period.
    pub used: Amount,
}

/// A budget as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetView {
    /// How much there is in this period.
    pub total: Amount,
    /// Of which so much was given by hand.
    pub added: Amount,
    /// How much of it is spent.
    pub spent: Amount,
    /// What becomes of those that find it empty.
    pub when_empty: WhenEmpty,
    /// When it is full again.
    pub resets_at: Option<Timestamp>,
}

/// One that holds permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolderView<Id> {
    /// Which.
    pub id: Id,
    /// How many.
    pub amount: Amount,
    /// Since when.
    pub since: Timestamp,
}

/// One that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaiterView<Id> {
    /// Which.
    pub id: Id,
    /// For how many.
    pub amount: Amount,
    /// Since when.
    pub since: Timestamp,
    /// About how many go before it.
    pub ahead: u64,
}

impl<Id: Copy + Eq + Hash> Admission<Id> {
    /// Why a request waits. None: it does not.
    pub fn why(&self, id: Id, now: Timestamp) -> Option<Why<Id>> {
        let number = *self.numbers.get(&id)?;
        let entry = &self.entries[&number];
        let (place, ahead) = match entry.state {
            State::Waiting { pool } => {
                let at = self.pools.get(pool);
                (pool, at.queue.ahead(&self.standing(number)) + at.first.len() as u64)
            }
            State::Reserving { .. } => (entry.parts.iter().find(|part| !part.reserved)?.pool, 0),
            State::Granted { .. } | State::Ended { .. } => return None,
        };
        let pool = self.pools.get(place);
        let wanted = self.part(number, place).amount;
        let (lacks, until) = match pool.lack(wanted, now) {
            Some(Lack::Full) => (Lacks::Permits, None),
            Some(Lack::Rate(until)) => (Lacks::Rate, until),
            Some(Lack::Budget(until)) => (Lacks::Budget, until),
            None => (Lacks::Turn, None),
        };
        let holders = pool.some_holders(HOLDERS_NAMED_MAX).map(|holder| self.entries[&holder].id).collect();
        Some(Why {
            pool: pool.key.clone(),
            limits: pool.limits,
            wanted,
            used: pool.used.plus(pool.reserved),
            used_in_period: pool.window.used(),
            spent: pool.purse.spent,
            budget: pool.limits.budget.map(|budget| pool.purse.total(&budget)),
            until,
            lacks,
            holders,
            holder_count: pool.holders.len() as u64,
            ahead,
            since: entry.place.0,
        })
    }

    /// Whether a request waits for permits.
    pub fn waits(&self, id: Id) -> bool {
        let entry = self.numbers.get(&id).map(|number| &self.entries[number]);
        entry.is_some_and(|entry| matches!(entry.state, State::Waiting { .. } | State::Reserving { .. }))
    }

    /// All pools of which something is known, with the first holders and waiters of each, at most so many.
    pub fn pools(&self, named: usize, now: Timestamp) -> Vec<PoolView<Id>> {
        self.pools.numbers.values().map(|number| self.view(self.pools.get(*number), named, now)).collect()
    }

    /// The pools of a namespace: those of which something is known, and those that are only declared.
    pub fn pools_of(&mut self, namespace: &Name, named: usize, now: Timestamp) -> Vec<PoolView<Id>> {
        self.pools.all.values_mut().for_each(|pool| pool.advance(now));
        let known = self.pools.numbers.iter().filter(|(key, _)| key.namespace == *namespace);
        let mut views: Vec<PoolView<Id>> =
            known.map(|(_, number)| self.view(self.pools.get(*number), named, now)).collect();
        for ((of, run, name), limits) in &self.declared {
            let is_known = |view: &PoolView<Id>| view.pool.name == *name && view.pool.run == *run;
            if of == namespace && !views.iter().any(is_known) {
                let key = PoolKey { namespace: of.clone(), run: *run, name: name.clone(), key: None };
                views.push(self.view(&Pool::new(key, *limits), named, now));
            }
        }
        views
    }

    /// When the budget of a pool of a project is full again.
    pub fn resets_at(&self, namespace: &Name, name: &Name, now: Timestamp) -> Option<Timestamp> {
        self.declared.get(&(namespace.clone(), None, name.clone()))?.budget?.period(now).end
    }

    fn view(&self, pool: &Pool, named: usize, now: Timestamp) -> PoolView<Id> {
        let amount = |request: u64| {
            let parts = self.entries[&request].parts.iter();
            parts.filter(|part| self.pools.get(part.pool).key == pool.key).map(|part| part.amount).next()
        };
        let holders = pool.some_holders(named).filter_map(|request| {
            let entry = &self.entries[&request];
            let State::Granted { since, .. } = entry.state else { return None };
            Some(HolderView { id: entry.id, amount: amount(request)?, since })
        });
        let ahead_of_queue = pool.first.iter().map(|(_, request)| *request);
        let waiting = ahead_of_queue.chain(pool.queue.some(named)).take(named);
        let waiters = waiting.filter_map(|request| {
            let entry = &self.entries[&request];
            let ahead = match entry.state {
                State::Waiting { .. } => pool.queue.ahead(&self.standing(request)) + pool.first.len() as u64,
                _ => 0,
            };
            Some(WaiterView { id: entry.id, amount: amount(request)?, since: entry.place.0, ahead })
        });
        PoolView {
            pool: pool.key.clone(),
            size: pool.limits.size,
            used: pool.used,
            rate: pool.limits.rate.map(|rate| RateView {
                count: rate.count,
                per_ms: u64::try_from(rate.per.as_millis()).unwrap_or(u64::MAX),
                used: pool.window.used(),
            }),
            budget: pool.limits.budget.map(|budget| BudgetView {
                total: pool.purse.total(&budget),
                added: pool.purse.added,
                spent: pool.purse.spent,
                when_empty: budget.when_empty,
                resets_at: budget.period(now).end,
            }),
            holders: holders.collect(),
            holder_count: pool.holders.len() as u64,
            waiters: waiters.collect(),
            waiter_count: (pool.queue.len() + pool.first.len()) as u64,
        }
    }
}
