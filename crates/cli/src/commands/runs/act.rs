//! `consort runs cancel|pause|resume|undo|retry|skip`: acts that need no more than a run and perhaps a step.

use crate::{
    context::{Context, run_id},
    exit::{Exit, Outcome},
    show::{run::verdict, time},
};
use clap::Args;
use consort_wire::Run;

/// What is done to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `cancel`.
    Cancel,
    /// `pause`.
    Pause,
    /// `resume`.
    Resume,
    /// `undo`.
    Undo,
}

/// A run.
#[derive(Debug, Args)]
pub struct OneRun {
    /// The run
    id: String,
    /// Print the run as JSON
    #[arg(long)]
    json: bool,
}

/// A run, and perhaps one of its steps.
#[derive(Debug, Args)]
pub struct RetrySteps {
    /// The run
    id: String,
    /// Key of the step, as `consort runs show` names it; without it all that failed
    step: Option<String>,
    /// Print the run as JSON
    #[arg(long)]
    json: bool,
}

/// A run and one of its steps.
#[derive(Debug, Args)]
pub struct OneStep {
    /// The run
    id: String,
    /// Key of the step, as `consort runs show --json` names it
    step: String,
    /// Print the run as JSON
    #[arg(long)]
    json: bool,
}

impl OneRun {
    /// Does it.
    ///
    /// # Errors
    /// When there is no such run, or it is too late.
    pub async fn run(&self, context: &Context, verb: Verb) -> Outcome {
        let (client, id) = (context.client()?, run_id(&self.id)?);
        let run = match verb {
            Verb::Cancel => client.cancel(id).await?,
            Verb::Pause => client.pause(id).await?,
            Verb::Resume => client.resume(id).await?,
            Verb::Undo => client.undo(id).await?,
        };
        done(context, &run, self.json)
    }
}

impl RetrySteps {
    /// Does it.
    ///
    /// # Errors
    /// When there is no such run or step, or nothing of it failed.
    pub async fn run(&self, context: &Context) -> Outcome {
        let (client, id) = (context.client()?, run_id(&self.id)?);
        let run = match &self.step {
            Some(step) => client.retry_step(id, step).await?,
            None => client.retry(id).await?,
        };
        done(context, &run, self.json)
    }
}

impl OneStep {
    /// Skips it.
    ///
    /// # Errors
    /// When there is no such run or step, or it is too late.
    pub async fn run(&self, context: &Context) -> Outcome {
        let (client, id) = (context.client()?, run_id(&self.id)?);
        done(context, &client.skip_step(id, &self.step).await?, self.json)
    }
}

/// Says where the run stands after an act.
///
/// # Errors
/// When standard output is gone.
pub fn done(context: &Context, run: &Run, json: bool) -> Outcome {
    if json {
        context.screen.json(run)?;
    } else {
        context.screen.line(&verdict(run, time::now(), context.screen))?;
    }
    Ok(Exit::Done)
}
