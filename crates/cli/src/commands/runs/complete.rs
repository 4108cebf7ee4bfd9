//! `consort runs complete`.

use super::act::done;
use crate::{
    context::{Context, run_id},
    exit::Outcome,
    input::whole,
};
use clap::Args;
use consort_types::Json;

/// The arguments.
#[derive(Debug, Args)]
pub struct Complete {
    /// The run
    id: String,
    /// Key of the step, as `consort runs show --json` names it
    step: String,
    /// The output: the text itself, @FILE, or - for standard input
    #[arg(long, value_name = "JSON|@FILE|-")]
    output: String,
    /// Print the run as JSON
    #[arg(long)]
    json: bool,
}

impl Complete {
    /// Runs the command.
    ///
    /// # Errors
    /// When the output does not fit, or there is no such step.
    pub async fn run(&self, context: &Context) -> Outcome {
        let (client, id) = (context.client()?, run_id(&self.id)?);
        let output = Json::of(&whole(&self.output)?);
        done(context, &client.complete_step(id, &self.step, output).await?, self.json)
    }
}
