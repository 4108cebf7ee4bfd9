//! One file per command; here is only the match.

mod admit;
mod attempt_accepted;
mod attempt_finished;
mod attempt_sending;
mod cancel;
mod complete;
mod event;
mod from_child;
mod from_parent;
mod out_of_budget;
mod pause;
mod recalled;
mod retry;
mod signal;
mod skip;
mod start;
mod timer_fired;
mod undo;

use crate::{Command, NodeId, Rejected, Run, Sending, StepRef, Transition, decide::Decider};
use consort_types::{RunState, Timestamp};

impl Run {
    /// Takes a command, at a time that the caller read from its clock. The state moves on at once; what the
    /// outside sees must wait for the commit of the transition.
    ///
    /// # Errors
    /// When the command cannot be taken now. Then nothing has changed.
    pub fn apply(&mut self, command: Command, now: Timestamp) -> Result<Transition, Rejected> {
        let decider = Decider::new(self, now);
        match command {
            Command::AttemptFinished { token, started_at, replica, revision, result } => {
                attempt_finished::apply(decider, token, (started_at, replica, revision), result)
            }
            Command::AttemptSending { token, started_at, replica, revision } => {
                attempt_sending::apply(decider, token, Sending { started_at, replica, revision })
            }
            Command::AttemptAccepted { token, started_at, replica, revision } => {
                let place = attempt_accepted::Where { started_at, replica, revision };
                attempt_accepted::apply(decider, token, place)
            }
            Command::AttemptHeartbeat { token, progress } => {
                attempt_accepted::heartbeat(decider, token, progress)
            }
            Command::Recalled { token, answer } => recalled::apply(decider, token, answer),
            Command::OutOfBudget { token, pool, error } => {
                out_of_budget::apply(decider, token, pool, *error, now)
            }
            Command::TimerFired { node, kind } => timer_fired::apply(decider, node, kind),
            Command::Admit { previous } => admit::apply(decider, previous),
            Command::Cancel { by } => cancel::apply(decider, by),
            Command::Pause { by } => pause::pause(decider, by),
            Command::Resume { by } => pause::resume(decider, by),
            Command::Retry { step, by } => retry::apply(decider, step.as_ref(), by),
            Command::Skip { step, by } => skip::apply(decider, &step, by),
            Command::Complete { step, output, by } => complete::apply(decider, &step, &output, by),
            Command::Signal { name, body, by } => signal::apply(decider, &name, body, by),
            Command::Event(offer) => event::apply(decider, *offer),
            Command::FromParent(from) => from_parent::apply(decider, &from),
            Command::FromChild(from) => from_child::apply(decider, *from),
            Command::Undo { only, by } => undo::apply(decider, only, by),
        }
    }

    /// The state that the run has or will have, once its end is decided.
    fn decided(&self) -> Option<RunState> {
        self.end.as_ref().map(|end| end.state)
    }

    fn live_or_rejected(&self) -> Result<(), Rejected> {
        match (&self.phase, self.decided()) {
            (crate::Phase::Ended, state) => Err(Rejected::Ended(state.unwrap_or(RunState::Failed))),
            (crate::Phase::Ending | crate::Phase::Finally, Some(state)) => {
                Err(Rejected::NotNow(format!("the run is about to end as {state}; wait for it")))
            }
            _ => Ok(()),
        }
    }

    fn node_named(&self, step: &StepRef) -> Result<NodeId, Rejected> {
        match step {
            StepRef::Key(key) => self.find_key(key).ok_or_else(|| Rejected::NoSuchStep(key.clone())),
            StepRef::Node(id) if id.0 > 0 && (id.0 as usize) < self.nodes.len() => Ok(*id),
            StepRef::Node(id) => Err(Rejected::NoSuchStep(format!("#{}", id.0))),
        }
    }
}
