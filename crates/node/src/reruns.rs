//! A run is done again: what can be kept is taken over, what is done again may be undone first.

use crate::{
    node::Node,
    queries::QueryError,
    runs::Kept,
    sequencer::{CommandError, Started},
    starts::{StartRequestBody, StartRunError},
};
use consort_engine::{Command, NodeId, Reading, Rejected, Rerun, RerunError, StepView};
use consort_types::{Json, RunId};
use std::{sync::Arc, time::Duration};

/// How long a caller is kept waiting while the old run is undone; behind that it asks again.
const UNDO_WAIT_MAX: Duration = Duration::from_secs(60);

/// Steps that a refusal names; the rest of a longer list is counted.
const NAMED_MAX: usize = 5;

/// How a run is to be done again.
#[derive(Debug, Clone, Default)]
pub struct RerunBody {
    /// What does not depend on this step is taken over.
    pub from: Option<String>,
    /// Whether what is done again is undone in the old run first.
    pub clean: Clean,
    /// Takes the place of the old input.
    pub input: Option<Json>,
    /// One new run per key.
    pub key: Option<String>,
    /// Who asked.
    pub by: String,
}

/// Whether a rerun begins by undoing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clean {
    /// The old run stays as it is.
    #[default]
    No,
    /// What is done again is undone first.
    Yes,
}

/// Why a run was not done again. No new run has begun.
#[derive(Debug, thiserror::Error)]
pub enum RerunRunError {
    /// No such run.
    #[error("there is no run {0}")]
    NoSuchRun(RunId),
    /// The newest revision has no such step.
    #[error(transparent)]
    From(#[from] RerunError),
    /// The old run cannot be undone now.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The old run is still being undone.
    #[error("{0} is still being undone, so no new run has begun; ask again when its undo has ended")]
    StillUndoing(RunId),
    /// An undo waits for a person.
    #[error(
        "no new run has begun: {run} could not be undone, {steps} waits for a person; \
         retry or skip it, then rerun again"
    )]
    Parked {
        /// The old run.
        run: RunId,
        /// The undos, by their keys.
        steps: String,
    },
    /// The new run was refused.
    #[error(transparent)]
    Start(#[from] StartRunError),
    /// The old run cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl Node {
    /// Starts a run of the newest revision with the input of an old run, or another one. When this returns,
    /// the new run is committed; when it fails, there is none.
    ///
    /// # Errors
    /// As [`RerunRunError`] says.
    pub async fn rerun(self: &Arc<Self>, old: RunId, body: RerunBody) -> Result<Started, RerunRunError> {
        let RerunBody { from, clean, input, key, by } = body;
        let (mut kept, mut plan) = self.plan_rerun(old, from.as_deref()).await?;
        let input = input.unwrap_or_else(|| kept.run.input().clone());
        if clean == Clean::Yes && !plan.undoes.is_empty() {
            if !kept.run.is_ended() {
                let message =
                    format!("{old} goes on: cancel it or wait for its end, then rerun it with `clean`");
                return Err(CommandError::from(Rejected::NotNow(message)).into());
            }
            // What would be refused in the end must not cost the old run what it did.
            self.check_start(kept.run.namespace(), kept.run.workflow().name.as_str(), &input)?;
            self.undo_for_rerun(old, plan.undoes, by).await?;
            (kept, plan) = self.plan_rerun(old, from.as_deref()).await?;
            if !plan.undoes.is_empty() {
                return Err(left_to_undo(&kept, &plan.undoes));
            }
        }
        let body = StartRequestBody {
            input,
            key,
            tags: kept.run.tags().clone(),
            reading: Reading::Allowed,
            trigger: format!("rerun:{old}"),
            copies: Some(Box::new(plan.copies)),
        };
        Ok(self.start_run(kept.run.namespace(), kept.run.workflow().name.as_str(), body).await?)
    }

    async fn plan_rerun(
        self: &Arc<Self>,
        old: RunId,
        from: Option<&str>,
    ) -> Result<(Arc<Kept>, Rerun), RerunRunError> {
        let kept = self.kept(old).await?.ok_or(RerunRunError::NoSuchRun(old))?;
        let (namespace, name) = (kept.run.namespace().as_str(), kept.run.workflow().name.as_str());
        let newest = self.catalog.workflow(namespace, name);
        let newest = newest.ok_or_else(|| StartRunError::NoSuchWorkflow(name.to_owned()))?;
        let plan = kept.run.rerun(&newest.workflow, from)?;
        Ok((kept, plan))
    }

    /// Undoes a part of a run that has ended, and waits for the end of that.
    async fn undo_for_rerun(&self, old: RunId, only: Vec<NodeId>, by: String) -> Result<(), RerunRunError> {
        match self.command(old, Command::Undo { only, by }).await {
            Ok(()) => {}
            // Somebody else was first: what is left then, is seen afterwards.
            Err(CommandError::Rejected(Rejected::NotNow(_))) => {}
            Err(error) => return Err(error.into()),
        }
        if self.wait(old, UNDO_WAIT_MAX).await { Ok(()) } else { Err(RerunRunError::StillUndoing(old)) }
    }
}

/// What kept the old run from being undone, in a sentence.
fn left_to_undo(kept: &Kept, undoes: &[NodeId]) -> RerunRunError {
    let steps = undoes.iter().filter_map(|of| kept.run.step_at(*of, &|_| None));
    let mut names: Vec<String> =
        steps.take(NAMED_MAX).map(|step: StepView| format!("`{}.undo`", step.key)).collect();
    if undoes.len() > NAMED_MAX {
        names.push(format!("{} more", undoes.len() - NAMED_MAX));
    }
    RerunRunError::Parked { run: kept.run.id(), steps: names.join(", ") }
}
