//! `consort runs`: look at runs and act on them.

mod act;
mod approve;
mod complete;
mod history;
mod list;
mod logs;
mod rerun;
mod show;
mod signal;
mod watch;

use crate::{context::Context, exit::Outcome};
use clap::{Args, Subcommand};

/// The arguments.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Runs {
    #[command(subcommand)]
    command: Option<Command>,
    /// Without a command: `list`.
    #[command(flatten)]
    list: list::List,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List runs, newest first
    List(list::List),
    /// Show a run and its steps
    Show(show::Show),
    /// Print what a run's services wrote
    Logs(logs::Logs),
    /// Watch a run to its end
    Watch(watch::Watch),
    /// End a run: nothing new starts, then what was completed is undone
    Cancel(act::OneRun),
    /// Start nothing new until `resume`
    Pause(act::OneRun),
    /// Let a paused run go on
    Resume(act::OneRun),
    /// Try what failed again: all of it, or one step
    Retry(act::RetrySteps),
    /// Leave a step out; its output is null
    Skip(act::OneStep),
    /// Give a step its output by hand
    Complete(complete::Complete),
    /// Run again with the old input, as a new run
    Rerun(rerun::RerunCommand),
    /// Undo what a run has completed
    Undo(act::OneRun),
    /// Send a named message to a run
    Signal(signal::Signal),
    /// Answer a run's question
    Approve(approve::Approve),
    /// Show every fact of a run's record
    History(history::History),
}

impl Runs {
    /// Runs the command.
    ///
    /// # Errors
    /// Those of the command.
    pub async fn run(&self, context: &Context) -> Outcome {
        use act::Verb;
        match &self.command {
            None => self.list.run(context).await,
            Some(Command::List(command)) => command.run(context).await,
            Some(Command::Show(command)) => command.run(context).await,
            Some(Command::Logs(command)) => command.run(context).await,
            Some(Command::Watch(command)) => command.run(context).await,
            Some(Command::Cancel(command)) => command.run(context, Verb::Cancel).await,
            Some(Command::Pause(command)) => command.run(context, Verb::Pause).await,
            Some(Command::Resume(command)) => command.run(context, Verb::Resume).await,
            Some(Command::Retry(command)) => command.run(context).await,
            Some(Command::Skip(command)) => command.run(context).await,
            Some(Command::Complete(command)) => command.run(context).await,
            Some(Command::Rerun(command)) => command.run(context).await,
            Some(Command::Undo(command)) => command.run(context, Verb::Undo).await,
            Some(Command::Signal(command)) => command.run(context).await,
            Some(Command::Approve(command)) => command.run(context).await,
            Some(Command::History(command)) => command.run(context).await,
        }
    }
}
