//! Calls that need permits: asked for before the balancer, given back on every end.

use super::{Call, Dispatcher, answers::cut_in_queue};
use crate::{
    admissions::Handed,
    balancer::{CallId, ServiceKey, Waiting},
    committer::{After, Unit},
    permits::{CallPlace, Follows, Next, Wanting},
    sequencer::Message,
};
use consort_admission::{Ended, Refusal, WhenEmpty};
use consort_engine::{AttemptResult, Command, PermitWant};
use consort_invoke::{Failure, Outcome, Reached};
use consort_spec::definition::{Operation, Pool};
use consort_store::Write;
use consort_types::{Amount, AttemptState, AttemptToken, ErrorKind, Json, Name, RunError};
use std::{collections::BTreeMap, sync::Arc};

/// How often a call asks again that found the queue of its service full. It is one of a million then.
const QUEUE_FULL_RETRY: std::time::Duration = std::time::Duration::from_secs(1);

/// No name is in scope.
struct Nothing;

impl consort_expr::Scope for Nothing {
    fn get(&self, _: &str) -> Option<Json> {
        None
    }
}

/// Only the output of the call is in scope.
struct Output<'a>(&'a Json);

impl consort_expr::Scope for Output<'_> {
    fn get(&self, name: &str) -> Option<Json> {
        (name == "output").then(|| self.0.clone())
    }
}

impl Dispatcher {
    /// Asks for the permits of a call. It goes on to the balancer once it has them.
    pub(super) fn ask_for_permits(self: &Arc<Self>, wanting: Wanting<Call>) {
        let follows = self.permits.request(wanting, self.clock.now());
        self.act_on(follows);
    }

    /// Says which pools a namespace has.
    pub fn set_pools(self: &Arc<Self>, namespace: &Name, pools: &BTreeMap<Name, Pool>) {
        let follows = self.permits.set_pools(namespace, pools, self.clock.now());
        self.act_on(follows);
    }

    /// Gives more to a budget until its reset. False when there is no such budget.
    pub fn add_to_budget(self: &Arc<Self>, pool: &consort_admission::PoolKey, more: Amount) -> bool {
        match self.permits.add(pool, more, self.clock.now()) {
            Some(follows) => {
                self.act_on(follows);
                true
            }
            None => false,
        }
    }

    /// An attempt counts no more: what it held until its answer came is free.
    pub fn over(self: &Arc<Self>, token: AttemptToken) {
        let follows = self.permits.over(token, self.clock.now());
        self.act_on(follows);
    }

    /// A call has ended.
    pub(super) fn release_permits(self: &Arc<Self>, id: CallId, how: Ended) {
        let follows = self.permits.release(id, how, self.clock.now());
        self.act_on(follows);
    }

    /// Carries out what follows from a change of permits.
    pub fn act_on(self: &Arc<Self>, follows: Follows<Call>) {
        if !follows.writes.is_empty() {
            self.inbox.send(Message::Write(Unit::of(follows.writes, Vec::new())));
        }
        for next in follows.next {
            match next {
                Next::Go { call, service, spent } if spent.is_empty() => self.go(service, call),
                Next::Go { call, service, spent } => self.go_once_kept(service, call, spent),
                Next::Refused { id, call, why } => self.refuse(id, call, &why),
                Next::Resume(run) => self.inbox.command(run, Command::Resume { by: "budget".to_owned() }),
            }
        }
        if self.permits.wake_at().is_some() {
            self.permits_wake.notify_one();
        }
    }

    /// A call that spends of a budget is sent once that is committed: after a crash it must not be forgotten.
    fn go_once_kept(self: &Arc<Self>, service: ServiceKey, call: Call, spent: Vec<Write>) {
        let this = self.clone();
        let go = After::Call(Box::new(move || this.go(service, call)));
        self.inbox.send(Message::Write(Unit::of(spent, vec![go])));
    }

    /// A call that has all it needs but a replica.
    pub(super) fn go(self: &Arc<Self>, key: ServiceKey, call: Call) {
        let (id, priority, is_cut) = match &call {
            Call::Step(dispatch) => {
                let token = dispatch.token;
                (CallId::Attempt(token), dispatch.priority, self.admissions.cancel_of(token).is_cancelled())
            }
            Call::Direct(direct) => (CallId::Direct(direct.id), 0, direct.cancel.is_cancelled()),
        };
        if is_cut {
            return self.end_unsent(id, call, cut_in_queue());
        }
        let since = self.waits_since(id);
        let refused = self.balancer().enqueue(&key, Waiting { priority, since, id, call });
        if let Err(Waiting { call, .. }) = refused {
            return self.go_later(key, call);
        }
        self.pump(&key);
        self.demand.notify_one();
    }

    /// The queue of the service is full: the call asks again, and keeps what it has.
    fn go_later(self: &Arc<Self>, key: ServiceKey, call: Call) {
        let this = self.clone();
        self.runtime.spawn(async move {
            tokio::time::sleep(QUEUE_FULL_RETRY).await;
            this.go(key, call);
        });
    }

    fn waits_since(&self, id: CallId) -> consort_types::Timestamp {
        let known = match id {
            CallId::Attempt(token) => match self.admissions.calls().get(&token) {
                Some(Handed::Queued { since, .. }) => Some(*since),
                Some(Handed::Sent { .. }) | None => None,
            },
            CallId::Direct(_) => None,
        };
        known.unwrap_or_else(|| self.clock.now())
    }

    /// A call that was never sent ends.
    pub(super) fn end_unsent(self: &Arc<Self>, id: CallId, call: Call, result: AttemptResult) {
        match call {
            Call::Step(dispatch) => self.answer(dispatch.token, result, None),
            Call::Direct(direct) => {
                self.release_permits(id, Ended::Unsent);
                if let AttemptResult::Failed { error, retry_after, .. } = result {
                    let failure = Failure { error, retry_after, reached: Reached::No };
                    let _ = direct.reply.send(Outcome::Failed(Box::new(failure)));
                }
            }
        }
    }

    fn refuse(self: &Arc<Self>, id: CallId, call: Call, why: &Refusal) {
        let error = refusal_error(why);
        let asks = match why {
            Refusal::Empty { pool, when_empty: WhenEmpty::Pause, until, .. } => Some((pool, *until)),
            Refusal::Empty { .. } | Refusal::TooMuch { .. } | Refusal::TooManyKeys { .. } => None,
        };
        match (&call, asks) {
            (Call::Step(dispatch), Some((pool, until))) => {
                let token = dispatch.token;
                self.admissions.calls().remove(&token);
                self.permits.is_short(token.run, pool, until);
                let (pool, error) = (pool.name.clone(), Box::new(error));
                self.inbox.command(token.run, Command::OutOfBudget { token, pool, error });
            }
            _ => {
                let state = AttemptState::Failed;
                self.end_unsent(id, call, AttemptResult::Failed { state, error, retry_after: None });
            }
        }
    }

    /// Tells waiting calls when time has made room for them. Runs as long as the server.
    pub async fn watch_permits(self: Arc<Self>) {
        /// The longest sleep in one piece, so that a clock that jumps is noticed.
        const SLEEP_MAX: std::time::Duration = std::time::Duration::from_secs(1);
        loop {
            let now = self.clock.now();
            let sleep = self.permits.wake_at().map(|at| at.since(now).min(SLEEP_MAX));
            match sleep {
                Some(sleep) => {
                    let sleep = sleep.max(std::time::Duration::from_millis(1));
                    tokio::select! {
                        () = tokio::time::sleep(sleep) => {}
                        () = self.permits_wake.notified() => continue,
                    }
                }
                None => self.permits_wake.notified().await,
            }
            let follows = self.permits.tick(self.clock.now());
            self.act_on(follows);
        }
    }
}

/// What a call from outside wants: what its operation says. Amounts there are numbers.
pub(super) fn wants_of_operation(operation: &Operation) -> Vec<PermitWant> {
    let wants = operation.uses.iter().filter_map(|used| {
        let number = used.take.evaluate(&Nothing).ok()?.read::<f64>().ok()?;
        let amount = Amount::from_number(number).ok().filter(|amount| !amount.is_zero())?;
        let (pool, settles) = (used.pool.clone(), used.settle.is_some());
        Some(PermitWant { pool, run: None, key: None, amount, settles })
    });
    wants.collect()
}

/// What such a call really took.
pub(super) fn settled_by(operation: &Operation, outcome: &Outcome) -> Vec<Option<Amount>> {
    let Outcome::Succeeded(output) = outcome else { return Vec::new() };
    let real = operation.uses.iter().map(|used| {
        let number = used.settle.as_ref()?.evaluate(&Output(output)).ok()?.read::<f64>().ok()?;
        Amount::from_number(number).ok()
    });
    real.collect()
}

/// Where a call from outside stands, for people.
pub(super) fn place_of_direct(key: &ServiceKey, operation: &Operation) -> CallPlace {
    let step = operation.name.operation.to_string();
    CallPlace { service: key.clone(), run: None, workflow: None, limit_key: None, step }
}

fn refusal_error(why: &Refusal) -> RunError {
    match why {
        Refusal::TooMuch { pool, wanted, most } => {
            let message = format!(
                "the call wants {wanted} of the pool `{}`, which never has more than {most}",
                pool.name
            );
            RunError::new("E_POOL_TOO_SMALL", ErrorKind::Limit, message)
        }
        Refusal::Empty { pool, wanted, left, total, .. } => {
            let message = format!(
                "the budget of the pool `{}` is used up: the call wants {wanted}, and {left} of {total} is left",
                pool.name
            );
            RunError::new("E_BUDGET_EMPTY", ErrorKind::Limit, message)
        }
        Refusal::TooManyKeys { pool, most } => {
            let message = format!(
                "more than {most} pools are in use: the key of the pool `{}` has too many values",
                pool.name
            );
            RunError::new("E_POOL_KEYS", ErrorKind::Limit, message)
        }
    }
}
