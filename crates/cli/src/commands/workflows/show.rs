//! `consort workflows show`.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
};
use clap::Args;

/// The arguments.
#[derive(Debug, Args)]
pub struct Show {
    /// The workflow
    name: String,
    /// Print the workflow as JSON
    #[arg(long)]
    json: bool,
}

impl Show {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such workflow.
    pub async fn run(&self, context: &Context) -> Outcome {
        let workflow = context.client()?.workflow(&self.name).await?;
        let screen = context.screen;
        if self.json {
            screen.json(&workflow)?;
            return Ok(Exit::Done);
        }
        screen.line(&format!("{}  revision {}", workflow.name, workflow.revision))?;
        if let Some(description) = &workflow.description {
            screen.line(&format!("  {description}"))?;
        }
        screen.line("\ninput")?;
        screen.json(&workflow.input)?;
        Ok(Exit::Done)
    }
}
