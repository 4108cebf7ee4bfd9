//! `consort runs rerun`.

use crate::{
    commands,
    context::{Context, run_id},
    exit::{Exit, Outcome},
    input::whole,
};
use clap::Args;
use consort_types::Json;
use consort_wire::Rerun;

/// The arguments.
#[derive(Debug, Args)]
pub struct RerunCommand {
    /// The run to do again
    id: String,
    /// Copy what does not depend on this step
    #[arg(long, value_name = "STEP")]
    from: Option<String>,
    /// First undo the old run's step and all after it
    #[arg(long)]
    clean: bool,
    /// Another input: the text itself, @FILE, or - for standard input
    #[arg(long, value_name = "JSON|@FILE|-")]
    input: Option<String>,
    /// Print the new run's id and return at once
    #[arg(long)]
    detach: bool,
    /// The last line of standard output is the new run as JSON
    #[arg(long)]
    json: bool,
}

impl RerunCommand {
    /// Runs the command; waits for the end of the new run, as `consort run` does.
    ///
    /// # Errors
    /// When there is no such run or step.
    pub async fn run(&self, context: &Context) -> Outcome {
        let (client, id) = (context.client()?, run_id(&self.id)?);
        let input = self.input.as_deref().map(whole).transpose()?;
        let rerun = Rerun {
            from: self.from.clone(),
            clean: self.clean.then_some(true),
            input: input.map(|input| Json::of(&input)),
        };
        let run = client.rerun(id, &rerun).await?;
        if !self.detach {
            return commands::run::watch(context, &client, run, None, self.json).await;
        }
        if self.json {
            context.screen.json_line(&run)?
        } else {
            context.screen.line(&run.id.to_string())?
        }
        Ok(Exit::Done)
    }
}
