//! `consort pools`: look at pools, and give more to a budget.

mod add;
mod list;

use crate::{context::Context, exit::Outcome};
use clap::{Args, Subcommand};

/// The arguments.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Pools {
    #[command(subcommand)]
    command: Option<Command>,
    /// Without a command: `list`.
    #[command(flatten)]
    list: list::List,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List pools: how full, who holds permits, who waits
    List(list::List),
    /// Give more to a budget, until its next reset
    Add(add::Add),
}

impl Pools {
    /// Runs the command.
    ///
    /// # Errors
    /// Those of the command.
    pub async fn run(&self, context: &Context) -> Outcome {
        match &self.command {
            None => self.list.run(context).await,
            Some(Command::List(command)) => command.run(context).await,
            Some(Command::Add(command)) => command.run(context).await,
        }
    }
}
