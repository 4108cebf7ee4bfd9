//! Another try, now, by hand.

use crate::{Entry, NodeId, PauseReason, Rejected, StepRef, Transition, WaitFor, decide::Decider};
use consort_types::StepState;

pub(super) fn apply(
    mut decider: Decider<'_>,
    step: Option<&StepRef>,
    by: String,
) -> Result<Transition, Rejected> {
    let parked =
        step.and_then(|step| decider.run.node_named(step).ok()).filter(|id| decider.run.is_parked(*id));
    if let Some(id) = parked {
        decider.retry_parked(id, by);
        return Ok(decider.finish());
    }
    decider.run.live_or_rejected()?;
    let node = step.map(|step| decider.run.node_named(step)).transpose()?;
    let waiting = decider.run.between_tries(node);
    let failed = matches!(decider.run.paused, Some((PauseReason::Failure, _)));
    let between_passes = matches!(decider.run.phase, crate::Phase::BetweenPasses { .. });
    if waiting.is_empty() && !failed && !between_passes {
        return Err(Rejected::NotNow("nothing has failed or waits for another try".to_owned()));
    }
    decider.record(Entry::Asked { by: by.clone(), what: "retry".to_owned(), n: node });
    if failed {
        decider.go_on_after_failure(by);
    } else if between_passes {
        decider.begin_pass();
    }
    for id in waiting {
        decider.begin_try(id);
    }
    Ok(decider.finish())
}

impl crate::Run {
    /// The nodes that wait for their next try: one, or all.
    fn between_tries(&self, only: Option<NodeId>) -> Vec<NodeId> {
        let waits = |id: &NodeId| {
            let node = self.node(*id);
            let waiting = node.waiting.as_ref();
            node.state == StepState::Waiting
                && waiting.is_some_and(|waiting| match waiting.for_ {
                    WaitFor::Retry => waiting.until.is_some(),
                    // What may have happened is sent again only by its name.
                    WaitFor::InDoubt => only == Some(*id),
                    _ => false,
                })
        };
        let all = (0..self.nodes.len() as u32).map(NodeId);
        all.filter(|id| only.is_none_or(|only| self.is_within(*id, only))).filter(waits).collect()
    }

    /// Whether the undo of a step, named by the step or by its undo, waits for a person.
    pub(crate) fn is_parked(&self, id: NodeId) -> bool {
        self.parked_of(id).is_some()
    }

    pub(crate) fn parked_of(&self, id: NodeId) -> Option<NodeId> {
        let of = match self.node(id).role {
            crate::run::Role::Undo => self.node(id).parent?,
            _ => id,
        };
        self.undo_list.iter().find(|item| item.of == of && item.parked.is_some()).map(|item| item.of)
    }
}

impl Decider<'_> {
    /// Tries a parked undo again.
    fn retry_parked(&mut self, id: NodeId, by: String) {
        let Some(of) = self.run.parked_of(id) else { return };
        self.record(Entry::Asked { by, what: "retry".to_owned(), n: Some(id) });
        self.record(Entry::UndoUnparked { n: of });
        let within = self.run.undo_tasks.iter().any(|task| self.run.is_within(of, task.within));
        if !within {
            self.begin_undo(of, crate::UndoPurpose::Afterwards, None);
        }
    }
}
