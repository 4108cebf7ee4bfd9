//! A run begins; and goes on after a restart.

use crate::{
    AttemptResult, Command, Effect, Entry, NodeId, OpenedAs, Phase, Reading, Run, RunStarted, Sending, Start,
    TimerKind, Transition,
    decide::{CANCEL_GRACE, Decider, FINALLY_TIMEOUT},
    run::{Role, TOP},
};
use consort_types::{AttemptState, ErrorKind, RunError, StepState, Timestamp};

impl Run {
    /// Starts a run. The input must have been checked already.
    pub fn start(start: Start, now: Timestamp) -> (Self, Transition) {
        let timeout = start.workflow.timeout.map(|timeout| now.plus(timeout));
        let started = Box::new(RunStarted {
            id: start.id,
            namespace: start.namespace,
            workflow: start.workflow.name.clone(),
            revision: start.revision,
            input: start.input,
            tags: start.tags,
            key: start.key,
            trigger: start.trigger,
            copies: start.copies.filter(|copies| !copies.steps.is_empty()),
            pools: start.pools,
            parent: start.parent.map(Box::new),
            no_cache: start.reading == Reading::Bypassed,
            limit_key: start.limit_key,
            previous: start.previous,
            // In line no time counts.
            timeout_at: timeout.filter(|_| start.queued.is_none()),
        });
        let top = start.workflow.top;
        let mut run = Self::new(start.workflow, started.clone(), now);
        let timeout_at = run.timeout_at;
        let mut decider = Decider::new(&mut run, now);
        decider.record(Entry::RunStarted(started));
        if let Some(number) = start.queued {
            decider.record(Entry::Queued { number });
            let transition = decider.finish();
            return (run, transition);
        }
        if let Some(at) = timeout_at {
            decider.set_timer(TOP, TimerKind::Timeout, at);
        }
        decider.open(TOP, top, OpenedAs::Body);
        let transition = decider.finish();
        (run, transition)
    }

    /// What must be done again after a restart: calls whose answer was not recorded, and timers.
    pub fn pending_effects(&self, now: Timestamp) -> Vec<Effect> {
        if self.is_ended() && self.undo_tasks.is_empty() {
            return Vec::new();
        }
        let mut effects = Vec::new();
        for id in (0..self.nodes.len() as u32).map(NodeId).filter(|id| self.counts(*id)) {
            let node = self.node(id);
            if node.state == StepState::Ready && !node.held && node.accepted.is_none() {
                effects.extend(self.hand_out_again(id, now));
            }
            if self.asks_now(id)
                && let Ok(recall) = self.prepare_recall(id)
            {
                effects.push(Effect::Recall(Box::new(recall)));
            }
            if let Some(accepted) = &node.accepted {
                // While the server was away nobody could be heard: from now on they have their time again.
                let silent_until = accepted.heartbeat_at.max(now.plus(self.patience_with(id).0));
                let at = silent_until.min(accepted.deadline);
                effects.push(Effect::SetTimer { node: id, kind: TimerKind::Heartbeat, at });
            }
            effects.extend(self.words_to_child_again(id));
            effects.extend(self.interest(id).map(|_| Effect::Listen(id)));
            let wake = node.waiting.as_ref().and_then(|waiting| waiting.until);
            let timers = [(TimerKind::Wake, wake), (TimerKind::Timeout, node.timeout_at)];
            effects.extend(timers.into_iter().filter_map(|(kind, at)| {
                at.filter(|_| node.is_active()).map(|at| Effect::SetTimer { node: id, kind, at })
            }));
        }
        effects.extend(self.timers_of_run(now).map(|(kind, at)| Effect::SetTimer { node: TOP, kind, at }));
        effects
    }

    /// A call that was handed out and not answered when the server ended.
    fn hand_out_again(&self, id: NodeId, now: Timestamp) -> Option<Effect> {
        let node = self.node(id);
        let token = self.token(id);
        if let Some(sent) = node.sent.as_deref().cloned() {
            let message = "the server ended while the call was out";
            let error = RunError::new("E_LOST", ErrorKind::Lost, message).retryable();
            let result = AttemptResult::Failed { state: AttemptState::Lost, error, retry_after: None };
            let Sending { started_at, replica, revision } = sent;
            let told = Command::AttemptFinished { token, started_at, replica, revision, result };
            return Some(Effect::Tell(self.id(), Box::new(told)));
        }
        if self.paused.is_some() && !node.is_aside() {
            // A run that is paused starts nothing: the call was cut short and waits for the resume.
            let result = AttemptResult::Interrupted;
            let told =
                Command::AttemptFinished { token, started_at: now, replica: None, revision: None, result };
            return Some(Effect::Tell(self.id(), Box::new(told)));
        }
        self.prepare_dispatch(id).ok().map(|dispatch| Effect::Dispatch(Box::new(dispatch)))
    }

    fn timers_of_run(&self, now: Timestamp) -> impl Iterator<Item = (TimerKind, Timestamp)> {
        let timeout = self.timeout_at.map(|at| (TimerKind::Timeout, at));
        let timers = match &self.phase {
            Phase::Queued { .. } => [None, None],
            Phase::Live => [timeout, None],
            Phase::BetweenPasses { until } => [timeout, Some((TimerKind::Wake, *until))],
            // Both begin anew with the server: calls of the old one are cut with it anyway.
            Phase::Ending => [Some((TimerKind::Grace, now.plus(CANCEL_GRACE))), None],
            Phase::Finally => [Some((TimerKind::Grace, now.plus(FINALLY_TIMEOUT))), None],
            Phase::Ended => [None, None],
        };
        timers.into_iter().flatten()
    }

    /// Whether a node belongs to what goes on now, not to a pass or a try that was left behind.
    fn counts(&self, id: NodeId) -> bool {
        // What a try that was left behind had completed is undone all the same.
        if self.node(id).role == Role::Undo {
            return true;
        }
        // A question counts as long as its step does: the lineage goes through it.
        self.lineage(id).all(|node| match (self.node(node).role, self.node(node).parent) {
            (Role::Step, Some(parent)) => self.node(parent).opened_around(node).is_some(),
            (Role::Item(index), Some(parent)) => {
                let items = self.node(parent).items.as_deref();
                items.is_some_and(|items| items.nodes.get(index as usize) == Some(&Some(node)))
            }
            _ => true,
        })
    }
}

impl Transition {
    /// Whether nothing became true.
    pub fn is_empty(&self) -> bool {
        self.record.entries.is_empty()
    }
}
