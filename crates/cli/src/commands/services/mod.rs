//! `consort services`: look at services and act on them.

mod act;
mod call;
mod list;
mod logs;
mod revisions;
mod show;

use crate::{context::Context, exit::Outcome};
use clap::{Args, Subcommand};

/// The arguments.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Services {
    #[command(subcommand)]
    command: Option<Command>,
    /// Without a command: `list`.
    #[command(flatten)]
    list: list::List,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List services
    List(list::List),
    /// Show a service, its replicas and its rollout
    Show(show::Show),
    /// Print what a service's replicas wrote
    Logs(logs::Logs),
    /// Set the number of replicas, until the definition changes
    Scale(act::Scale),
    /// Replace every replica, a few at a time
    Restart(act::Restart),
    /// Go back to an earlier revision
    Rollback(act::Rollback),
    /// List the revisions of a service
    Revisions(revisions::Revisions),
    /// Call an operation directly
    Call(call::Call),
}

impl Services {
    /// Runs the command.
    ///
    /// # Errors
    /// Those of the command.
    pub async fn run(&self, context: &Context) -> Outcome {
        match &self.command {
            None => self.list.run(context).await,
            Some(Command::List(command)) => command.run(context).await,
            Some(Command::Show(command)) => command.run(context).await,
            Some(Command::Logs(command)) => command.run(context).await,
            Some(Command::Scale(command)) => command.run(context).await,
            Some(Command::Restart(command)) => command.run(context).await,
            Some(Command::Rollback(command)) => command.run(context).await,
            Some(Command::Revisions(command)) => command.run(context).await,
            Some(Command::Call(command)) => command.run(context).await,
        }
    }
}
