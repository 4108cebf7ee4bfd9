//! A call was answered 202: its answer comes later. Until then the callee keeps it alive.

use crate::{
    Entry, NodeId, Phase, Rejected, TimerKind, Transition,
    decide::Decider,
    entry::ProgressNote,
    run::{Accepted, Run},
};
use consort_types::{AttemptState, AttemptToken, ErrorKind, RunError, StepState, Timestamp};

/// When and where the attempt runs.
pub(super) struct Where {
    pub started_at: Timestamp,
    pub replica: Option<String>,
    pub revision: Option<u64>,
}

pub(super) fn apply(
    mut decider: Decider<'_>,
    token: AttemptToken,
    place: Where,
) -> Result<Transition, Rejected> {
    let id = decider.run.newest_attempt(token)?;
    if decider.run.node(id).accepted.is_some() {
        return Err(Rejected::Stale);
    }
    let (heartbeat, timeout) = decider.run.patience_with(id);
    let Where { started_at, replica, revision } = place;
    decider.record(Entry::Accepted {
        n: id,
        a: Box::new(Accepted {
            started_at,
            replica,
            revision,
            heartbeat_at: decider.now.plus(heartbeat),
            deadline: started_at.plus(timeout),
            progress: None,
        }),
    });
    // A cancel may have come between the callee's word and ours: its cut found no call to cut any more.
    let run = &decider.run;
    if run.phase == Phase::Ending && run.is_cut_off(id) && run.step_of(id).undo.is_none() {
        decider.cut(id);
    } else {
        decider.watch(id);
    }
    Ok(decider.finish())
}

/// The callee lives; it may also say how far it is.
pub(super) fn heartbeat(
    mut decider: Decider<'_>,
    token: AttemptToken,
    progress: Option<ProgressNote>,
) -> Result<Transition, Rejected> {
    let id = decider.run.newest_attempt(token)?;
    if decider.run.node(id).accepted.is_none() {
        return Err(Rejected::NotNow("the call has not been answered 202".to_owned()));
    }
    let at = decider.now.plus(decider.run.patience_with(id).0);
    decider.record(Entry::Heartbeat { n: id, at, p: progress });
    Ok(decider.finish())
}

impl Decider<'_> {
    /// Sets the timer that notices a callee that is silent or late.
    pub(crate) fn watch(&mut self, id: NodeId) {
        if let Some(accepted) = &self.run.node(id).accepted {
            let at = accepted.heartbeat_at.min(accepted.deadline);
            self.set_timer(id, TimerKind::Heartbeat, at);
        }
    }

    /// A callee that is silent for too long is lost; one that is late has timed out.
    pub(crate) fn heartbeat_is_due(&mut self, id: NodeId) {
        let Some(accepted) = self.run.node(id).accepted.as_deref().cloned() else { return };
        let (state, error) = if accepted.deadline <= self.now {
            let message = "the service took the call and did not answer in time";
            (AttemptState::TimedOut, RunError::new("E_TIMEOUT", ErrorKind::Timeout, message))
        } else if accepted.heartbeat_at <= self.now {
            let message = "the service took the call and has not been heard of since";
            (AttemptState::Lost, RunError::new("E_LOST", ErrorKind::Lost, message))
        } else {
            return self.watch(id);
        };
        let attempt = self.run.accepted_attempt(id, &accepted);
        let result = crate::AttemptResult::Failed { state, error: error.retryable(), retry_after: None };
        self.attempt_ended(id, attempt, result);
    }

    /// Cuts a call: one that is on a connection by the outside, one whose answer comes later at once.
    pub(crate) fn cut(&mut self, id: NodeId) {
        match self.run.node(id).accepted.as_deref().cloned() {
            None => self.effect(crate::Effect::Abort(self.run.token(id))),
            Some(accepted) => {
                let attempt = self.run.accepted_attempt(id, &accepted);
                let error =
                    RunError::new("E_CANCELLED", ErrorKind::Cancelled, "cancelled before it was answered");
                let state = AttemptState::Cancelled;
                self.attempt_ended(
                    id,
                    attempt,
                    crate::AttemptResult::Failed { state, error, retry_after: None },
                );
            }
        }
    }
}

impl Run {
    /// The node of a token, when that names the newest attempt of a call that is in flight.
    pub(crate) fn newest_attempt(&self, token: AttemptToken) -> Result<NodeId, Rejected> {
        let id = NodeId(token.node);
        let exists = token.run == self.id() && (id.0 as usize) < self.nodes.len() && id.0 > 0;
        if !exists || self.node(id).dispatches != token.number || self.node(id).state != StepState::Ready {
            return Err(Rejected::Stale);
        }
        Ok(id)
    }

    /// An attempt as it ends, before it is known where it ran and how it went.
    pub(crate) fn attempt_at(&self, id: NodeId, at: Timestamp) -> crate::Attempt {
        crate::Attempt {
            number: self.node(id).tries,
            state: AttemptState::Succeeded,
            started_at: at,
            finished_at: None,
            replica: None,
            revision: None,
            error: None,
            unsent: false,
        }
    }

    /// The attempt of a call that was answered 202, as it ends.
    pub(crate) fn accepted_attempt(&self, id: NodeId, accepted: &Accepted) -> crate::Attempt {
        let (replica, revision) = (accepted.replica.clone(), accepted.revision);
        crate::Attempt { replica, revision, ..self.attempt_at(id, accepted.started_at) }
    }
}
