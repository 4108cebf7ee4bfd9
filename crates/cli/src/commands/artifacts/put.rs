//! `consort artifacts put`.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
};
use clap::Args;
use std::path::PathBuf;

/// The arguments.
#[derive(Debug, Args)]
pub struct Put {
    /// The file
    file: PathBuf,
    /// Print the `file` value as JSON instead of the digest
    #[arg(long)]
    json: bool,
}

impl Put {
    /// Runs the command.
    ///
    /// # Errors
    /// When the file cannot be read or is too large.
    pub async fn run(&self, context: &Context) -> Outcome {
        let artifact = context.client()?.upload_file(&self.file).await?;
        if self.json {
            context.screen.json(&artifact)?;
        } else {
            context.screen.line(&artifact.artifact.to_string())?;
        }
        Ok(Exit::Done)
    }
}
