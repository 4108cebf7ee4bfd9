//! One pool: what it gives, what is taken, who waits.

use crate::{budget::Purse, limits::Limits, queue::Queue, request::Share, window::Window};
use consort_types::{Amount, Name, RunId, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

/// Which pool.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolKey {
    /// The namespace.
    pub namespace: Name,
    /// The run, for a pool that each run has for itself.
    pub run: Option<RunId>,
    /// The name.
    pub name: Name,
    /// The value of its `key`, for a pool of which there is one for each.
    pub key: Option<String>,
}

impl fmt::Display for PoolKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{} ({key})", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}

/// Why a pool gives nothing to a request right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lack {
    /// All permits are held.
    Full,
    /// The rate is used up until a time; none: until what was taken is sent.
    Rate(Option<Timestamp>),
    /// The budget is used up until a time; none: until somebody gives more.
    Budget(Option<Timestamp>),
}

impl Lack {
    /// Whether only time helps, or a person: nothing may be kept for somebody who waits for that.
    pub fn is_of_time(self) -> bool {
        match self {
            Self::Full => false,
            Self::Rate(_) | Self::Budget(_) => true,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Pool {
    pub key: PoolKey,
    pub limits: Limits,
    /// Taken by those that were granted and have not ended.
    pub used: Amount,
    /// Kept for those that have had their turn here and wait for another pool.
    pub reserved: Amount,
    pub window: Window,
    pub purse: Purse,
    pub queue: Queue,
    /// Those that have had their turn here and are served before the queue; by when they began to reserve.
    pub first: BTreeSet<(u64, u64)>,
    pub holders: BTreeSet<u64>,
    pub held: HashMap<Share, Amount>,
    /// Requests that want something of it, now or in their turn.
    pub wanted_by: u32,
    /// When time will make room for who is next.
    pub wake_at: Option<Timestamp>,
}

impl Pool {
    pub fn new(key: PoolKey, limits: Limits) -> Self {
        Self {
            key,
            limits,
            used: Amount::ZERO,
            reserved: Amount::ZERO,
            window: Window::default(),
            purse: Purse::default(),
            queue: Queue::default(),
            first: BTreeSet::new(),
            holders: BTreeSet::new(),
            held: HashMap::new(),
            wanted_by: 0,
            wake_at: None,
        }
    }

    /// Lets go what time has made free.
    pub fn advance(&mut self, now: Timestamp) {
        if let Some(rate) = &self.limits.rate {
            self.window.advance(rate, now);
        }
        if let Some(budget) = &self.limits.budget {
            self.purse.advance(budget, now);
        }
    }

    /// Why so much cannot be had now. None: it can.
    pub fn lack(&self, amount: Amount, now: Timestamp) -> Option<Lack> {
        let wanted = self.reserved.plus(amount);
        if let Some(budget) = &self.limits.budget
            && !self.purse.fits(budget, wanted)
        {
            return Some(Lack::Budget(budget.period(now).end));
        }
        if let Some(rate) = &self.limits.rate
            && self.window.used().plus(wanted) > rate.count
        {
            return Some(Lack::Rate(self.window.fits_at(rate, wanted)));
        }
        let full = self.limits.size.is_some_and(|size| self.used.plus(wanted) > size);
        full.then_some(Lack::Full)
    }

    /// The most that one request can ever get.
    pub fn most(&self) -> Option<Amount> {
        let rate = self.limits.rate.map(|rate| rate.count);
        self.limits.size.into_iter().chain(rate).min()
    }

    /// Takes so much for a request of a share.
    pub fn take(&mut self, request: u64, share: &Share, amount: Amount) {
        self.used = self.used.plus(amount);
        self.window.pending = self.window.pending.plus(amount);
        self.holders.insert(request);
        let held = self.held.entry(share.clone()).or_default();
        *held = held.plus(amount);
        let held = *held;
        self.queue.holds(share, held);
    }

    /// Gives permits back.
    pub fn free(&mut self, request: u64, share: &Share, amount: Amount) {
        self.used = self.used.minus(amount);
        self.holders.remove(&request);
        let held = self.held.get(share).copied().unwrap_or_default().minus(amount);
        if held.is_zero() {
            self.held.remove(share);
        } else {
            self.held.insert(share.clone(), held);
        }
        self.queue.holds(share, held);
    }

    /// Whether nobody would miss it: it can be made anew when it is wanted again.
    pub fn is_idle(&self) -> bool {
        let has_spent =
            self.limits.budget.is_some() && !(self.purse.spent.is_zero() && self.purse.added.is_zero());
        self.wanted_by == 0 && (self.limits.rate.is_none() || self.window.is_idle()) && !has_spent
    }

    /// Numbers of those that hold some of it, at most so many.
    pub fn some_holders(&self, limit: usize) -> impl Iterator<Item = u64> + '_ {
        self.holders.iter().copied().take(limit)
    }
}

/// All pools by number, and the number of each.
#[derive(Debug, Default)]
pub(crate) struct Pools {
    pub numbers: BTreeMap<PoolKey, u32>,
    pub all: BTreeMap<u32, Pool>,
    next: u32,
}

impl Pools {
    /// The number of a pool, which is made when it is not there.
    pub fn number(&mut self, key: &PoolKey, limits: impl FnOnce() -> Limits) -> u32 {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        self.next += 1;
        self.numbers.insert(key.clone(), self.next);
        self.all.insert(self.next, Pool::new(key.clone(), limits()));
        self.next
    }

    pub fn get(&self, number: u32) -> &Pool {
        &self.all[&number]
    }

    pub fn get_mut(&mut self, number: u32) -> &mut Pool {
        self.all.get_mut(&number).expect("a pool lives as long as something refers to it")
    }

    pub fn remove(&mut self, number: u32) {
        if let Some(pool) = self.all.remove(&number) {
            self.numbers.remove(&pool.key);
        }
    }
}
