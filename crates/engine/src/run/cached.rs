//! Steps that may take the result of an earlier call.

use super::{NodeId, Role, Run};
use crate::{Cached, Reading, Recall, WaitFor, cached::key_of_call, run::Names};
use consort_spec::definition::Body;
use consort_types::{AttemptToken, Digest, RunError, StepState};

impl Run {
    pub(super) fn absorb_recalled(&mut self, id: NodeId, cached: &Cached) {
        let is_paused = self.paused.is_some();
        let node = self.node_mut(id);
        node.cached = Some(Box::new(cached.clone()));
        node.waiting = None;
        node.state = StepState::Ready;
        // While the run stands still nothing is called; on resume it is asked anew.
        node.held = is_paused && matches!(cached, Cached::Miss { .. });
    }

    /// Whether a node asks for an earlier result before it calls.
    pub(crate) fn asks_cache(&self, id: NodeId) -> bool {
        let step = self.step_of(id);
        let calls =
            matches!(self.node(id).role, Role::Step | Role::Item(_)) && matches!(step.body, Body::Call(_));
        calls && step.cache.is_some()
    }

    /// The question of a node for an earlier result.
    ///
    /// # Errors
    /// When the input or the key cannot be computed, or the input does not fit.
    pub(crate) fn prepare_recall(&self, id: NodeId) -> Result<Recall, RunError> {
        let dispatch = self.prepare_dispatch(id)?;
        let own = self.step_of(id).cache.as_ref().and_then(|cache| cache.key.as_ref());
        let own = own.map(|key| key.evaluate(&Names::at(self, id))).transpose();
        let own = own.map_err(|error| RunError::new(error.code, error.kind, error.message))?;
        let operation = &dispatch.operation.name;
        Ok(Recall {
            token: dispatch.token,
            step: dispatch.step,
            service: operation.service.clone(),
            key: key_of_call(&operation.to_string(), own.as_ref(), &dispatch.input),
            reading: self.reading(),
        })
    }

    /// What the result of a node's call is kept under.
    pub(crate) fn kept_under(&self, id: NodeId) -> Option<Digest> {
        match self.node(id).cached.as_deref() {
            Some(Cached::Miss { key, .. }) if self.asks_cache(id) => Some(*key),
            _ => None,
        }
    }

    /// Whether a node waits for an earlier result.
    pub(crate) fn asks_now(&self, id: NodeId) -> bool {
        let waiting = self.node(id).waiting.as_ref();
        self.node(id).state == StepState::Waiting
            && waiting.is_some_and(|waiting| waiting.for_ == WaitFor::Cache)
    }

    /// Whether an attempt is the newest of its step, and asks or calls.
    pub fn is_under_way(&self, token: AttemptToken) -> bool {
        let id = NodeId(token.node);
        let exists = (id.0 as usize) < self.nodes.len() && id != super::TOP;
        exists
            && self.node(id).dispatches == token.number
            // While its run stands still it keeps nobody waiting: on resume it asks anew.
            && ((self.node(id).state == StepState::Ready && !self.node(id).held) || self.asks_now(id))
    }

    /// What the results of the steps inside a node are kept under: of those that made their call.
    pub(crate) fn results_within(&self, within: NodeId) -> Vec<Digest> {
        let mut below = vec![within];
        let mut keys = Vec::new();
        while let Some(id) = below.pop() {
            if self.node(id).state == StepState::Succeeded && id != super::TOP {
                keys.extend(self.kept_under(id));
            }
            below.extend(self.children(id));
        }
        keys
    }

    /// Whether its cached steps may take earlier results.
    pub fn reading(&self) -> Reading {
        if self.started.no_cache { Reading::Bypassed } else { Reading::Allowed }
    }
}
