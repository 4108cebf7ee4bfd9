//! Pools in the words of people: why a call waits, who holds what.

use super::{CallPlace, Permits, State};
use crate::balancer::CallId;
use consort_admission::{BudgetView, Lacks, PoolKey, PoolView, RateView, Why};
use consort_types::{Amount, Name, Timestamp, WaitKind, WaitingOn, format_duration};

/// Holders and waiters of one pool told of at most.
const NAMED_MAX: usize = 100;

/// A pool as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolState {
    /// Which.
    pub pool: PoolKey,
    /// Permits in all; none: no bound on how many at once.
    pub size: Option<Amount>,
    /// Permits held.
    pub used: Amount,
    /// Its rate.
    pub rate: Option<RateView>,
    /// Its budget.
    pub budget: Option<BudgetView>,
    /// The first of those that hold permits.
    pub holders: Vec<PermitHolder>,
    /// How many hold permits.
    pub holder_count: u64,
    /// The first of those that wait.
    pub waiters: Vec<PermitWaiter>,
    /// How many wait.
    pub waiter_count: u64,
}

/// A call that holds permits.
#[derive(Debug, Clone, PartialEq)]
pub struct PermitHolder {
    /// Which.
    pub call: CallPlace,
    /// How many.
    pub amount: Amount,
    /// Since when.
    pub since: Timestamp,
}

/// A call that waits for permits.
#[derive(Debug, Clone, PartialEq)]
pub struct PermitWaiter {
    /// Which.
    pub call: CallPlace,
    /// For how many.
    pub amount: Amount,
    /// Since when.
    pub since: Timestamp,
    /// About how many go before it.
    pub ahead: u64,
}

impl<T> Permits<T> {
    /// Why a call waits. None: not for permits.
    pub fn why(&self, id: CallId, now: Timestamp) -> Option<WaitingOn> {
        let state = self.state();
        let why = state.admission.why(id, now)?;
        let detail = state.sentence(&why);
        Some(WaitingOn {
            kind: WaitKind::Pool,
            name: why.pool.name.to_string(),
            since: why.since,
            until: why.until,
            ahead: Some(why.ahead),
            detail,
        })
    }

    /// The pools of a namespace, by name, run and key; those of which nothing is in use, too.
    pub fn pools(&self, namespace: &Name, now: Timestamp) -> Vec<PoolState> {
        let mut state = self.state();
        let known = state.admission.pools_of(namespace, NAMED_MAX, now);
        let mut pools: Vec<PoolState> = known.into_iter().map(|view| state.pool(view)).collect();
        pools.sort_by(|a, b| {
            (&a.pool.name, a.pool.run, &a.pool.key).cmp(&(&b.pool.name, b.pool.run, &b.pool.key))
        });
        pools
    }
}

impl<T> State<T> {
    fn pool(&self, view: PoolView<CallId>) -> PoolState {
        let place = |id: CallId| self.calls.get(&id).map(|kept| kept.place.clone());
        let holders = view.holders.iter().filter_map(|holder| {
            Some(PermitHolder { call: place(holder.id)?, amount: holder.amount, since: holder.since })
        });
        let waiters = view.waiters.iter().filter_map(|waiter| {
            let (amount, since, ahead) = (waiter.amount, waiter.since, waiter.ahead);
            Some(PermitWaiter { call: place(waiter.id)?, amount, since, ahead })
        });
        PoolState {
            holders: holders.collect(),
            waiters: waiters.collect(),
            pool: view.pool,
            size: view.size,
            used: view.used,
            rate: view.rate,
            budget: view.budget,
            holder_count: view.holder_count,
            waiter_count: view.waiter_count,
        }
    }

    /// A sentence that a person understands.
    fn sentence(&self, why: &Why<CallId>) -> String {
        let pool = match &why.pool.key {
            Some(key) => format!("`{}` of `{key}`", why.pool.name),
            None => format!("`{}`", why.pool.name),
        };
        let wants =
            if why.wanted == Amount::units(1) { String::new() } else { format!(", {} wanted", why.wanted) };
        let mut sentence = match (why.lacks, why.limits.size, why.limits.rate, why.budget) {
            (Lacks::Permits, Some(size), ..) => {
                format!("pool {pool} is full ({} of {size}{wants}){}", why.used, self.held_by(why))
            }
            (Lacks::Rate, _, Some(rate), _) => {
                let per = format_duration(rate.per);
                format!("pool {pool} has given {} of {} per {per}{wants}", why.used_in_period, rate.count)
            }
            (Lacks::Budget, .., Some(total)) => {
                format!("the budget of pool {pool} is used up ({} of {total} spent{wants})", why.spent)
            }
            _ => format!("waits for its turn at pool {pool}"),
        };
        if why.ahead > 0 {
            sentence.push_str(&format!("; {} ahead", why.ahead));
        }
        sentence
    }

    fn held_by(&self, why: &Why<CallId>) -> String {
        let names = why.holders.iter().filter_map(|id| self.calls.get(id)).map(|kept| kept.place.to_string());
        let names: Vec<String> = names.collect();
        match (names.as_slice(), why.holder_count.saturating_sub(names.len() as u64)) {
            ([], _) => String::new(),
            (names, 0) => format!(": held by {}", names.join(", ")),
            (names, more) => format!(": held by {} and {more} more", names.join(", ")),
        }
    }
}

impl std::fmt::Display for CallPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.run {
            Some(run) => write!(f, "`{}` of {run}", self.step),
            None => write!(f, "a call of `{}.{}` from outside", self.service.service, self.step),
        }
    }
}
