//! `consort workflows`: look at workflows.

mod graph;
mod list;
mod show;

use crate::{context::Context, exit::Outcome};
use clap::{Args, Subcommand};

/// The arguments.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Workflows {
    #[command(subcommand)]
    command: Option<Command>,
    /// Without a command: `list`.
    #[command(flatten)]
    list: list::List,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List workflows
    List(list::List),
    /// Show a workflow and what it takes
    Show(show::Show),
    /// Show the steps of a workflow and what waits for what
    Graph(graph::GraphCommand),
}

impl Workflows {
    /// Runs the command.
    ///
    /// # Errors
    /// Those of the command.
    pub async fn run(&self, context: &Context) -> Outcome {
        match &self.command {
            None => self.list.run(context).await,
            Some(Command::List(command)) => command.run(context).await,
            Some(Command::Show(command)) => command.run(context).await,
            Some(Command::Graph(command)) => command.run(context).await,
        }
    }
}
