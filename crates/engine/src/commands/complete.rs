//! A step is given its output by hand; an approval is answered.

use crate::{Entry, Outcome, Rejected, StepRef, Transition, WaitFor, decide::Decider, run::Run};
use consort_spec::definition::{AwaitKind, Body};
use consort_types::{FieldError, Json, StepState};

pub(super) fn apply(
    mut decider: Decider<'_>,
    step: &StepRef,
    output: &Json,
    by: String,
) -> Result<Transition, Rejected> {
    let id = decider.run.node_named(step)?;
    if decider.run.is_undo_under_way(id) {
        decider.end_undo_by_hand(id, "complete", by, super::skip::UndoEnd::Done);
        return Ok(decider.finish());
    }
    decider.run.live_or_rejected()?;
    let output = decider.run.check_by_hand(id, output).map_err(Rejected::InvalidOutput)?;
    super::skip::settle(&mut decider, id, "complete", &by)?;
    let is_call = [WaitFor::Retry, WaitFor::Resolve, WaitFor::InDoubt];
    let awaits =
        decider.run.node(id).waiting.as_ref().is_some_and(|waiting| !is_call.contains(&waiting.for_));
    if awaits {
        decider.body_succeeded(id, output);
    } else if matches!(
        decider.run.node(id).state,
        StepState::Failed | StepState::Cancelled | StepState::Pending
    ) {
        let undo = decider.undo_input(id, &output, true);
        decider.record(Entry::Succeeded { n: id, o: output, undo });
    } else {
        decider.conclude(id, Outcome::Succeeded { output });
    }
    decider.go_on_by_hand(by);
    Ok(decider.finish())
}

impl Run {
    /// Checks an output that a person gives against what the step would have to give.
    fn check_by_hand(&self, id: crate::NodeId, output: &Json) -> Result<Json, Vec<FieldError>> {
        match &self.step_of(id).body {
            Body::Call(call) => call.operation.output.check(output),
            Body::Await(await_) => match &await_.kind {
                AwaitKind::Approval { form, .. } => form.check(output),
                AwaitKind::Signal { .. } | AwaitKind::Event { .. } => Ok(output.clone()),
            },
            _ => Ok(output.clone()),
        }
    }
}
