//! `consort runs signal`.

use super::act::done;
use crate::{
    context::{Context, run_id},
    exit::Outcome,
    input::{InputArgs, upload},
};
use clap::Args;
use serde_json::Value;

/// The arguments.
#[derive(Debug, Args)]
pub struct Signal {
    /// The run
    id: String,
    /// The signal's name
    name: String,
    /// Its body; values are JSON where they are, text where they are not.
    #[command(flatten)]
    body: InputArgs,
    /// Print the run as JSON
    #[arg(long)]
    json: bool,
}

impl Signal {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such run, or it is too late.
    pub async fn run(&self, context: &Context) -> Outcome {
        let (client, id) = (context.client()?, run_id(&self.id)?);
        let body = upload(&client, self.body.read(&Value::Bool(true))?).await?;
        done(context, &client.signal(id, &self.name, &body).await?, self.json)
    }
}
