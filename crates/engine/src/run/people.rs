//! What of a run waits for a person: open questions, and what does not go on by itself.

use super::{Names, NodeId, PauseReason, Role, Run, TOP};
use crate::WaitFor;
use consort_spec::definition::{AwaitKind, Body};
use consort_types::{Json, RunError, StepState, Timestamp};

/// A step that waits for a person's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Key of the step.
    pub step: String,
    /// The question.
    pub ask: String,
    /// What to look at before answering.
    pub show: Option<Json>,
    /// The JSON Schema of the answer.
    pub form: Json,
    /// Who is asked.
    pub to: Option<Json>,
    /// Since when.
    pub since: Timestamp,
    /// When the time for an answer is over.
    pub until: Option<Timestamp>,
}

/// Why something waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentKind {
    /// The undo of a step did not succeed.
    UndoParked,
    /// A step failed, and the workflow pauses on failure.
    PausedOnFailure,
    /// Nobody knows whether a call happened, and it is not sent again by itself.
    InDoubt,
}

/// Something that does not go on by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Why.
    pub kind: IncidentKind,
    /// Key of the step: of the undo that is parked, of the step that failed.
    pub step: String,
    /// Since when.
    pub since: Timestamp,
    /// What went wrong.
    pub error: RunError,
}

impl Run {
    /// The open questions of the run.
    pub fn questions(&self) -> Vec<Question> {
        self.asking.iter().filter_map(|id| self.question(*id)).collect()
    }

    fn question(&self, id: NodeId) -> Option<Question> {
        let node = self.node(id);
        let waiting = node.waiting.as_ref().filter(|_| node.state == StepState::Waiting)?;
        let (WaitFor::Approval { ask, show }, Body::Await(await_)) = (&waiting.for_, &self.step_of(id).body)
        else {
            return None;
        };
        let AwaitKind::Approval { form, to, .. } = &await_.kind else { return None };
        let to = to.as_ref().and_then(|to| to.evaluate(&Names::at(self, id)).ok());
        Some(Question {
            step: self.key_of(id),
            ask: ask.clone(),
            show: show.clone(),
            form: Json::of(form.document()),
            to,
            since: waiting.since,
            until: waiting.until,
        })
    }

    /// What of the run does not go on by itself. Each ends when its cause is gone.
    pub fn incidents(&self) -> Vec<Incident> {
        let parked = self.parked.iter().filter_map(|of| self.parked_undo(*of));
        let doubts = self.asking.iter().filter_map(|id| self.doubt(*id));
        parked.chain(doubts).chain(self.failures_that_wait()).collect()
    }

    fn doubt(&self, id: NodeId) -> Option<Incident> {
        let node = self.node(id);
        let waiting = node.waiting.as_ref().filter(|_| self.waits_for(id, &WaitFor::InDoubt))?;
        let error = node.error.as_deref()?.clone();
        Some(Incident { kind: IncidentKind::InDoubt, step: self.key_of(id), since: waiting.since, error })
    }

    fn parked_undo(&self, of: NodeId) -> Option<Incident> {
        let item = self.undo_list.iter().rfind(|item| item.of == of)?;
        let error = item.parked.as_deref()?.clone();
        let undo = self.undo_node(of);
        let since = undo.and_then(|undo| self.node(undo).ended_at).unwrap_or(self.created_at);
        let step = undo.map_or_else(|| format!("{}.undo", self.key_of(of)), |undo| self.key_of(undo));
        Some(Incident { kind: IncidentKind::UndoParked, step, since, error })
    }

    /// The innermost steps that failed while the run waits because of them.
    fn failures_that_wait(&self) -> Vec<Incident> {
        let Some((PauseReason::Failure, since)) = self.paused else { return Vec::new() };
        let mut found = Vec::new();
        let mut below = vec![TOP];
        while let Some(id) = below.pop() {
            for child in self.children(id) {
                let node = self.node(child);
                let counts = node.role == Role::Step || !self.tolerates(id);
                let failed_inside =
                    self.children(child).any(|inner| self.node(inner).state == StepState::Failed);
                match (node.state, node.error.as_deref()) {
                    (StepState::Failed, Some(error)) if counts && !failed_inside => found.push(Incident {
                        kind: IncidentKind::PausedOnFailure,
                        step: self.key_of(child),
                        since,
                        error: error.clone(),
                    }),
                    (StepState::Failed, _) if counts => below.push(child),
                    _ => {}
                }
            }
        }
        found
    }

    /// Whether anything of the run may wait for a person: cheap, and true more often than not empty.
    pub fn may_need_people(&self) -> bool {
        !self.asking.is_empty()
            || !self.parked.is_empty()
            || matches!(self.paused, Some((PauseReason::Failure, _)))
    }
}
