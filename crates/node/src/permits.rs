//! Permits of pools: which calls hold them, which wait, and what the pools of each namespace are.
//!
//! The decisions are those of `consort-admission`; here calls get their names, definitions become limits, and what
//! follows becomes things to do. A call that waits for permits is kept here; one that has them goes on to the
//! balancer. Nothing here touches a socket or the store: the dispatcher acts.

mod describe;
mod shortage;

pub use describe::{PermitHolder, PermitWaiter, PoolState};

use crate::balancer::{CallId, ServiceKey};
use consort_admission::{
    Admission, Budget, Decision, Ended, Limits, PoolKey, Rate, Refusal, Request, Reset, Share, Spend, Want,
    WhenEmpty,
};
use consort_engine::{HeldPermits, NodeId, PermitWant, Run};
use consort_spec::definition::{self, Pool};
use consort_store::{BudgetChange, BudgetKey, BudgetState, Write};
use consort_types::{Amount, AttemptToken, Name, RunId, Timestamp};
use shortage::Shortages;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The pools and all that has to do with them.
#[derive(Debug)]
pub struct Permits<T>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    admission: Admission<CallId>,
    /// What is known of each call that holds permits or waits for them.
    calls: HashMap<CallId, Kept<T>>,
    /// Calls of steps whose answer comes later: nobody but the sequencer can tell when they end.
    accepted: BTreeSet<AttemptToken>,
    /// The pools of each project.
    declared: BTreeMap<Name, BTreeSet<Name>>,
    shortages: Shortages,
}

#[derive(Debug)]
struct Kept<T> {
    place: CallPlace,
    /// The call itself, while it waits.
    waiting: Option<T>,
}

/// Which call it is, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallPlace {
    /// What it goes to.
    pub service: ServiceKey,
    /// The run it belongs to; none: a call from outside.
    pub run: Option<RunId>,
    /// The workflow of that run.
    pub workflow: Option<Name>,
    /// The key of that run's limit.
    pub limit_key: Option<String>,
    /// Key of the step; of a call from outside, the operation.
    pub step: String,
}

/// A call with what it wants.
#[derive(Debug)]
pub struct Wanting<T> {
    /// Names it.
    pub id: CallId,
    /// For people.
    pub place: CallPlace,
    /// What it wants. Not empty.
    pub wants: Vec<PermitWant>,
    /// -100 to 100.
    pub priority: i32,
    /// The call.
    pub call: T,
}

/// What is to be done now.
#[derive(Debug)]
pub enum Next<T> {
    /// The call has its permits.
    Go {
        /// The call.
        call: T,
        /// Its service.
        service: ServiceKey,
        /// To be kept before it is sent.
        spent: Vec<Write>,
    },
    /// The call gets nothing.
    Refused {
        /// Which.
        id: CallId,
        /// The call.
        call: T,
        /// Why.
        why: Refusal,
    },
    /// A run that stood still for a budget may go on.
    Resume(RunId),
}

/// What follows from a change.
#[derive(Debug)]
pub struct Follows<T> {
    /// What is to be done.
    pub next: Vec<Next<T>>,
    /// What is to be kept.
    pub writes: Vec<Write>,
}

impl<T> Default for Follows<T> {
    fn default() -> Self {
        Self { next: Vec::new(), writes: Vec::new() }
    }
}

impl<T> Default for Permits<T> {
    fn default() -> Self {
        Self(Mutex::new(State {
            admission: Admission::default(),
            calls: HashMap::new(),
            accepted: BTreeSet::new(),
            declared: BTreeMap::new(),
            shortages: Shortages::default(),
        }))
    }
}

impl<T> Permits<T> {
    /// A call wants permits: goes on, is refused, or waits.
    pub fn request(&self, wanting: Wanting<T>, now: Timestamp) -> Follows<T> {
        let Wanting { id, place, wants, priority, call } = wanting;
        let mut state = self.state();
        let request = request(id, &place, &wants, priority);
        state.calls.insert(id, Kept { place, waiting: Some(call) });
        let decisions = state.admission.request(request, now);
        state.follow(decisions)
    }

    /// Takes back a call that waits for permits.
    pub fn take_back(&self, id: CallId, now: Timestamp) -> Option<(T, Follows<T>)> {
        let mut state = self.state();
        let call = state.calls.get_mut(&id)?.waiting.take()?;
        state.calls.remove(&id);
        let (decisions, _) = state.admission.release(id, Ended::Unsent, now);
        Some((call, state.follow(decisions)))
    }

    /// A call was sent to a replica.
    pub fn sent(&self, id: CallId, now: Timestamp) -> Follows<T> {
        let mut state = self.state();
        if !state.calls.contains_key(&id) {
            return Follows::default();
        }
        let decisions = state.admission.sent(id, now);
        state.follow(decisions)
    }

    /// A call was answered 202: it holds what it has until [`Permits::over`].
    pub fn accepted(&self, token: AttemptToken) {
        let mut state = self.state();
        if state.calls.contains_key(&CallId::Attempt(token)) {
            state.accepted.insert(token);
        }
    }

    /// A call has ended, or is not wanted any more.
    pub fn release(&self, id: CallId, how: Ended, now: Timestamp) -> Follows<T> {
        self.state().release(id, how, now)
    }

    /// The true amounts of a call; none: what it took stands.
    pub fn settle(&self, id: CallId, amounts: &[Option<Amount>], now: Timestamp) -> Follows<T> {
        self.state().settle(id, amounts, now)
    }

    /// An attempt counts no more: if its answer was still to come, it comes no more.
    pub fn over(&self, token: AttemptToken, now: Timestamp) -> Follows<T> {
        let mut state = self.state();
        let id = CallId::Attempt(token);
        let mut follows = state.settle(id, &[], now);
        if state.accepted.remove(&token) {
            follows.extend(state.release(id, Ended::Sent, now));
        }
        follows
    }

    /// Calls of a run that were answered 202 and are not over, of these nodes; of all, when there are none.
    pub fn accepted_of(&self, run: RunId, nodes: &[NodeId]) -> Vec<AttemptToken> {
        let state = self.state();
        if state.accepted.is_empty() {
            return Vec::new();
        }
        let range = |from: u32, to: u32| {
            let [from, to] =
                [(from, 0), (to, u32::MAX)].map(|(node, number)| AttemptToken { run, node, number });
            state.accepted.range(from..=to).copied()
        };
        match nodes {
            [] => range(0, u32::MAX).collect(),
            nodes => nodes.iter().flat_map(|node| range(node.0, node.0)).collect(),
        }
    }

    /// The pools of a namespace are these from now on.
    pub fn set_pools(&self, namespace: &Name, pools: &BTreeMap<Name, Pool>, now: Timestamp) -> Follows<T> {
        let mut state = self.state();
        let names: BTreeSet<Name> = pools.keys().cloned().collect();
        let gone = state.declared.insert(namespace.clone(), names).unwrap_or_default();
        let mut decisions = Vec::new();
        for name in gone.iter().filter(|name| !pools.contains_key(name.as_str())) {
            decisions.extend(state.admission.declare(namespace, None, name, None, now));
        }
        let mut follows = Follows::default();
        for (name, pool) in pools {
            let (limits, place) = (limits(pool), (namespace.clone(), name.clone()));
            let known = PoolKey { namespace: namespace.clone(), run: None, name: name.clone(), key: None };
            if state.admission.limits(&known) != Some(&limits) {
                decisions.extend(state.admission.declare(namespace, None, name, Some(limits), now));
                follows.next.extend(state.shortages.end(&place).into_iter().map(Next::Resume));
            }
        }
        follows.extend(state.follow(decisions));
        follows
    }

    /// A run begins, or is taken over: the pools that it has for itself, and what its calls in flight hold.
    pub fn begin_run(&self, run: &Run, now: Timestamp) -> Follows<T> {
        let workflow = run.workflow();
        let mut state = self.state();
        let mut decisions = Vec::new();
        for (name, pool) in &workflow.pools {
            decisions.extend(state.admission.declare(
                run.namespace(),
                Some(run.id()),
                name,
                Some(limits(pool)),
                now,
            ));
        }
        if let Some(pool) = run.short_of() {
            let place = (run.namespace().clone(), pool.clone());
            let until = state.admission.resets_at(&place.0, &place.1, now);
            state.shortages.begin(place, run.id(), until);
        }
        state.follow(decisions)
    }

    /// After a restart: the calls of a run that were answered 202 hold their permits again.
    pub fn adopt(&self, run: &Run, now: Timestamp) {
        let mut state = self.state();
        for HeldPermits { token, service, step, priority, wants, sent_at } in run.held_permits() {
            let id = CallId::Attempt(token);
            let place = CallPlace {
                service: ServiceKey { namespace: run.namespace().clone(), service },
                run: Some(run.id()),
                workflow: Some(run.workflow().name.clone()),
                limit_key: run.limit_key().map(str::to_owned),
                step,
            };
            let request = request(id, &place, &wants, priority);
            state.admission.adopt(request, sent_at, now);
            state.calls.insert(id, Kept { place, waiting: None });
            state.accepted.insert(token);
        }
    }

    /// After a restart: what was spent of budgets.
    pub fn restore(&self, budgets: Vec<BudgetState>) {
        let mut state = self.state();
        for BudgetState { budget, period, spent, added } in budgets {
            let BudgetKey { namespace, run, pool: name, key } = budget;
            state.admission.restore(&PoolKey { namespace, run, name, key }, period, spent, added);
        }
    }

    /// A run has ended: so have the pools that it had for itself.
    pub fn end_run(&self, run: &Run, now: Timestamp) -> Follows<T> {
        let mut state = self.state();
        state.shortages.forget(run.id());
        if run.workflow().pools.is_empty() {
            return Follows::default();
        }
        let decisions = state.admission.end_run(run.namespace(), run.id(), now);
        let mut follows = state.follow(decisions);
        follows.writes.push(Write::ForgetBudgets { run: run.id() });
        follows
    }

    /// A run stands still for a budget until somebody gives more, or until its reset.
    pub fn is_short(&self, run: RunId, pool: &PoolKey, until: Option<Timestamp>) {
        let place = (pool.namespace.clone(), pool.name.clone());
        self.state().shortages.begin(place, run, until);
    }

    /// A run goes on: whatever it stands still for next, it is not this.
    pub fn is_not_short(&self, run: RunId) {
        self.state().shortages.forget(run);
    }

    /// A person gives more to a budget until its reset. None: there is no such budget.
    pub fn add(&self, pool: &PoolKey, more: Amount, now: Timestamp) -> Option<Follows<T>> {
        let mut state = self.state();
        let period = state.admission.limits(pool)?.budget?.period(now);
        let decisions = state.admission.add(pool, more, now);
        let mut follows = state.follow(decisions);
        let change = BudgetChange {
            budget: budget_key(pool),
            period: period.start,
            spent_parts: 0,
            added_parts: signed(more),
        };
        follows.writes.push(Write::ChangeBudget(Box::new(change)));
        let place = (pool.namespace.clone(), pool.name.clone());
        follows.next.extend(state.shortages.end(&place).into_iter().map(Next::Resume));
        Some(follows)
    }

    /// Time has passed.
    pub fn tick(&self, now: Timestamp) -> Follows<T> {
        let mut state = self.state();
        let decisions = state.admission.tick(now);
        let mut follows = state.follow(decisions);
        follows.next.extend(state.shortages.due(now).into_iter().map(Next::Resume));
        follows
    }

    /// When to call [`Permits::tick`] next.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let state = self.state();
        state.admission.wake_at().into_iter().chain(state.shortages.next()).min()
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn follow(&mut self, decisions: Vec<Decision<CallId>>) -> Follows<T> {
        let mut follows = Follows::default();
        for decision in decisions {
            match decision {
                Decision::Granted { id, spends } => {
                    let Some(kept) = self.calls.get_mut(&id) else { continue };
                    let Some(call) = kept.waiting.take() else { continue };
                    let service = kept.place.service.clone();
                    let spent = spends.iter().map(write).collect();
                    follows.next.push(Next::Go { call, service, spent });
                }
                Decision::Refused { id, why } => {
                    let call = self.calls.remove(&id).and_then(|kept| kept.waiting);
                    follows.next.extend(call.map(|call| Next::Refused { id, call, why }));
                }
            }
        }
        follows
    }

    fn release(&mut self, id: CallId, how: Ended, now: Timestamp) -> Follows<T> {
        if self.calls.remove(&id).is_none() {
            return Follows::default();
        }
        let (decisions, spends) = self.admission.release(id, how, now);
        let mut follows = self.follow(decisions);
        follows.writes.extend(spends.iter().map(write));
        follows
    }

    fn settle(&mut self, id: CallId, amounts: &[Option<Amount>], now: Timestamp) -> Follows<T> {
        let (decisions, spends) = self.admission.settle(id, amounts, now);
        let mut follows = self.follow(decisions);
        follows.writes.extend(spends.iter().map(write));
        follows
    }
}

impl<T> Follows<T> {
    fn extend(&mut self, other: Self) {
        self.next.extend(other.next);
        self.writes.extend(other.writes);
    }
}

fn request(id: CallId, place: &CallPlace, wants: &[PermitWant], priority: i32) -> Request<CallId> {
    let namespace = &place.service.namespace;
    let wants = wants.iter().map(|want| Want {
        pool: PoolKey {
            namespace: namespace.clone(),
            run: want.run,
            name: want.pool.clone(),
            key: want.key.clone(),
        },
        amount: want.amount,
        settles: want.settles,
    });
    let share = match &place.workflow {
        Some(workflow) => {
            format!("{namespace}/{workflow}/{}", place.limit_key.as_deref().unwrap_or_default())
        }
        None => format!("{namespace}/{} (direct)", place.service.service),
    };
    Request { id, wants: wants.collect(), priority, share: Share::new(&share) }
}

fn write(spend: &Spend) -> Write {
    Write::ChangeBudget(Box::new(BudgetChange {
        budget: budget_key(&spend.pool),
        period: spend.period.start,
        spent_parts: signed(spend.more) - signed(spend.less),
        added_parts: 0,
    }))
}

fn budget_key(pool: &PoolKey) -> BudgetKey {
    let PoolKey { namespace, run, name, key } = pool.clone();
    BudgetKey { namespace, run, pool: name, key }
}

fn signed(amount: Amount) -> i64 {
    i64::try_from(amount.parts()).unwrap_or(i64::MAX)
}

/// A definition as limits.
fn limits(pool: &Pool) -> Limits {
    let reset = |reset| match reset {
        definition::Reset::Hourly => Reset::Hourly,
        definition::Reset::Daily => Reset::Daily,
        definition::Reset::Weekly => Reset::Weekly,
        definition::Reset::Monthly => Reset::Monthly,
    };
    let when_empty = |when| match when {
        definition::WhenEmpty::Wait => WhenEmpty::Wait,
        definition::WhenEmpty::Pause => WhenEmpty::Pause,
        definition::WhenEmpty::Fail => WhenEmpty::Fail,
    };
    Limits {
        size: pool.size,
        rate: pool.rate.map(|rate| Rate { count: rate.count, per: rate.per }),
        budget: pool.budget.map(|budget| Budget {
            amount: budget.amount,
            when_empty: when_empty(budget.when_empty),
            reset: budget.reset.map(reset),
        }),
    }
}
