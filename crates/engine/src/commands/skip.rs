//! A step is given up: its output is null.

use crate::{Effect, Entry, NodeId, Rejected, StepRef, Transition, decide::Decider};
use consort_types::StepState;

pub(super) fn apply(mut decider: Decider<'_>, step: &StepRef, by: String) -> Result<Transition, Rejected> {
    let id = decider.run.node_named(step)?;
    if let Some(of) = decider.run.parked_of(id) {
        decider.record(Entry::Asked { by: by.clone(), what: "skip".to_owned(), n: Some(id) });
        decider.record(Entry::UndoGivenUp { n: of, by });
        return Ok(decider.finish());
    }
    decider.run.live_or_rejected()?;
    settle(&mut decider, id, "skip", &by)?;
    decider.record(Entry::Skipped { n: id, by: Some(by.clone()) });
    decider.go_on_by_hand(by);
    Ok(decider.finish())
}

/// Checks that a step can be settled by hand, and takes back what it has going on.
pub(super) fn settle(decider: &mut Decider<'_>, id: NodeId, what: &str, by: &str) -> Result<(), Rejected> {
    let node = decider.run.node(id);
    match node.state {
        StepState::Succeeded | StepState::Skipped | StepState::Undone => {
            let message = format!("the step has ended already ({}); the first answer wins", node.state);
            return Err(Rejected::NotNow(message));
        }
        StepState::Running => {
            let message = "the step has steps inside that are going on; act on those".to_owned();
            return Err(Rejected::NotNow(message));
        }
        StepState::Pending if node.unmet > 0 || decider.run.is_cut_off(id) => {
            return Err(Rejected::NotNow("the step has not started yet".to_owned()));
        }
        _ => {}
    }
    if node.state == StepState::Ready {
        let token = decider.run.token(id);
        decider.effect(Effect::Abort(token));
    }
    decider.record(Entry::Asked { by: by.to_owned(), what: what.to_owned(), n: Some(id) });
    Ok(())
}

impl Decider<'_> {
    /// After a step was settled by hand: a run that paused on failure goes on once nothing failed remains.
    pub(crate) fn go_on_by_hand(&mut self, by: String) {
        let paused_on_failure = matches!(self.run.paused, Some((crate::PauseReason::Failure, _)));
        if paused_on_failure && !self.run.any_failed() {
            self.go_on_after_pause(by);
        } else if self.run.paused.is_none() {
            self.pump();
        }
    }
}

impl crate::Run {
    fn any_failed(&self) -> bool {
        let mut below = vec![crate::run::TOP];
        while let Some(id) = below.pop() {
            for child in self.children(id) {
                match self.node(child).state {
                    StepState::Failed if self.node(id).closing => return true,
                    StepState::Running => below.push(child),
                    _ => {}
                }
            }
        }
        false
    }
}
