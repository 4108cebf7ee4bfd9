//! `consort artifacts`: store and fetch immutable bytes.

mod get;
mod put;

use crate::{context::Context, exit::Outcome};
use clap::{Args, Subcommand};

/// The arguments.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Artifacts {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Store a file; prints its `file` value, for --input
    Put(put::Put),
    /// Fetch the bytes of a digest
    Get(get::Get),
}

impl Artifacts {
    /// Runs the command.
    ///
    /// # Errors
    /// Those of the command.
    pub async fn run(&self, context: &Context) -> Outcome {
        match &self.command {
            Command::Put(command) => command.run(context).await,
            Command::Get(command) => command.run(context).await,
        }
    }
}
