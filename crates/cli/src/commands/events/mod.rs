//! `consort events`: send events and look at those that were accepted.

mod list;
mod send;

use crate::{context::Context, exit::Outcome};
use clap::{Args, Subcommand};

/// The arguments.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Events {
    #[command(subcommand)]
    command: Option<Command>,
    /// Without a command: `list`.
    #[command(flatten)]
    list: list::List,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send an event
    Send(send::Send),
    /// List events, newest first
    List(list::List),
}

impl Events {
    /// Runs the command.
    ///
    /// # Errors
    /// Those of the command.
    pub async fn run(&self, context: &Context) -> Outcome {
        match &self.command {
            None => self.list.run(context).await,
            Some(Command::Send(command)) => command.run(context).await,
            Some(Command::List(command)) => command.run(context).await,
        }
    }
}
