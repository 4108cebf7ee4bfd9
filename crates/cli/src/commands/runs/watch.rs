//! `consort runs watch`.

use crate::{
    commands,
    context::{Context, run_id},
    exit::Outcome,
};
use clap::Args;
use consort_types::parse_duration;
use std::time::Duration;
use tokio::time::Instant;

/// The arguments.
#[derive(Debug, Args)]
pub struct Watch {
    /// The run
    id: String,
    /// Watch at most so long
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    wait: Option<Duration>,
    /// The last line of standard output is the run as JSON
    #[arg(long)]
    json: bool,
}

impl Watch {
    /// Runs the command. The exit code tells how the run ended, as of `consort run`.
    ///
    /// # Errors
    /// When there is no such run.
    pub async fn run(&self, context: &Context) -> Outcome {
        let (client, id) = (context.client()?, run_id(&self.id)?);
        let deadline = self.wait.map(|wait| Instant::now() + wait);
        let run = client.run(id).await?;
        commands::run::watch(context, &client, run, deadline, self.json).await
    }
}
