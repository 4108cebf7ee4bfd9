//! What a call takes of the pools, and what it turns out to have cost.

use crate::{
    Effect, NodeId, PermitWant,
    decide::Decider,
    run::{Names, Run},
};
use consort_spec::definition::{PoolOf, Use};
use consort_types::{Amount, ErrorKind, Json, Name, RunError, RunId};

impl Decider<'_> {
    /// A call has ended: says what it really took of rates and budgets, where that is told afterwards.
    pub(crate) fn settle_permits(&mut self, id: NodeId, output: Option<&Json>) {
        let uses = self.run.uses_of(id);
        if uses.iter().all(|used| used.settle.is_none()) {
            return;
        }
        let real = |used: &&Use| {
            let names = Names::at(self.run, id).with("output", output?.clone());
            // What cannot be told stands as it was taken: failing a call that was made would only make it again.
            let number = used.settle.as_ref()?.evaluate(&names).ok()?.read::<f64>().ok()?;
            Amount::from_number(number).ok()
        };
        let amounts = uses.iter().map(real).collect();
        self.effect(Effect::Settle { token: self.run.token(id), amounts });
    }
}

impl Run {
    /// What a node's call takes: the `use` of its step, then that of the operation for pools that the step does not
    /// name. An undo takes what its own operation says.
    fn uses_of(&self, id: NodeId) -> Vec<&Use> {
        let own = if self.node(id).is_aside() { &[][..] } else { &self.step_of(id).uses };
        let of_operation = self.call_of(id).map_or(&[][..], |call| &call.operation.uses);
        let further = of_operation.iter().filter(|used| own.iter().all(|own| own.pool != used.pool));
        own.iter().chain(further).collect()
    }

    /// What a node's call wants of the pools.
    ///
    /// # Errors
    /// When an amount or a key cannot be computed, or the amount is no positive number.
    pub(crate) fn wants_of(&self, id: NodeId) -> Result<Vec<PermitWant>, RunError> {
        let names = Names::at(self, id);
        let failed = |error: consort_expr::EvalError| super::expression_error(&error);
        let want = |used: &Use| {
            let taken = used.take.evaluate(&names).map_err(failed)?;
            let amount = taken.read::<f64>().ok().and_then(|number| Amount::from_number(number).ok());
            let amount = amount.filter(|amount| !amount.is_zero()).ok_or_else(|| {
                let message = format!(
                    "what is taken of the pool `{}` must be a number over 0, it is {taken}",
                    used.pool
                );
                RunError::new("E_POOL_AMOUNT", ErrorKind::Expression, message)
            })?;
            let key = used.key.as_ref().map(|key| key.evaluate(&names).map_err(failed)).transpose()?;
            let key = key.map(|key| key.read::<String>().unwrap_or_else(|_| key.to_string()));
            let run = match used.of {
                PoolOf::Project => None,
                PoolOf::Run => Some(self.owner_of_pool(&used.pool)?),
            };
            Ok(PermitWant { pool: used.pool.clone(), run, key, amount, settles: used.settle.is_some() })
        };
        self.uses_of(id).into_iter().map(want).collect()
    }

    /// The run that has a pool for itself and its children: this one, or one above it.
    fn owner_of_pool(&self, pool: &Name) -> Result<RunId, RunError> {
        if self.workflow.pools.contains_key(pool.as_str()) {
            return Ok(self.id());
        }
        self.started.pools.get(pool.as_str()).copied().ok_or_else(|| {
            let message = format!(
                "the pool `{pool}` belongs to a run of a workflow that runs this one, and this run was started by itself"
            );
            RunError::new("E_NO_POOL", ErrorKind::Failed, message)
        })
    }

    /// The pools that children of this run share with it, and whose they are.
    pub fn shared_pools(&self) -> std::collections::BTreeMap<Name, RunId> {
        let own = self.workflow.pools.keys().map(|pool| (pool.clone(), self.id()));
        self.started.pools.clone().into_iter().chain(own).collect()
    }

    /// What the calls of this run that were answered 202 and are still in flight hold.
    pub fn held_permits(&self) -> Vec<crate::HeldPermits> {
        let all = (0..self.nodes.len() as u32).map(NodeId);
        let held = all.filter_map(|id| {
            let accepted = self.node(id).accepted.as_ref()?;
            let wants = self.wants_of(id).ok().filter(|wants| !wants.is_empty())?;
            let (step, priority) = (self.key_of(id), self.priority_of(id));
            let (token, sent_at) = (self.token(id), accepted.started_at);
            let service = self.call_of(id)?.operation.name.service.clone();
            Some(crate::HeldPermits { token, service, step, priority, wants, sent_at })
        });
        held.collect()
    }

    /// Whether an attempt is in flight still.
    pub fn is_in_flight(&self, token: consort_types::AttemptToken) -> bool {
        self.newest_attempt(token).is_ok()
    }

    pub(crate) fn priority_of(&self, id: NodeId) -> i32 {
        self.step_of(id).priority.unwrap_or(0).saturating_add(self.workflow.priority).clamp(-100, 100)
    }
}
