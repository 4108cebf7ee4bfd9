//! `consort incidents`: what does not go on without a person.

use crate::{
    context::{Context, run_id},
    exit::{Exit, Outcome},
    failure::Failure,
    show::{table::Table, time},
};
use clap::{Args, Subcommand};
use consort_wire::{Incident, Page};

const EXAMPLES: &str = "\
Examples:
  consort incidents
  consort incidents show run_…
  consort incidents show run_… account.undo";

/// The arguments.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true, after_help = EXAMPLES)]
pub struct Incidents {
    #[command(subcommand)]
    command: Option<Command>,
    /// Without a command: `list`.
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what waits for a person, the longest wait first
    List(List),
    /// Show the incidents of a run, and what may be done
    Show(Show),
}

#[derive(Debug, Args)]
struct List {
    /// Print `{items, next_cursor}`
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Show {
    /// The run
    id: String,
    /// Key of the step; without it all incidents of the run
    step: Option<String>,
    /// Print `{items, next_cursor}`
    #[arg(long)]
    json: bool,
}

impl Incidents {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or the run has no incident.
    pub async fn run(&self, context: &Context) -> Outcome {
        match &self.command {
            None => self.list.run(context).await,
            Some(Command::List(command)) => command.run(context).await,
            Some(Command::Show(command)) => command.run(context).await,
        }
    }
}

impl List {
    async fn run(&self, context: &Context) -> Outcome {
        let incidents = context.client()?.incidents().await?;
        if self.json {
            context.screen.json(&Page::last(incidents))?;
            return Ok(Exit::Done);
        }
        if incidents.is_empty() {
            context.screen.line("Nothing waits for a person.")?;
            return Ok(Exit::Done);
        }
        let now = time::now();
        let mut table = Table::new(["RUN", "WORKFLOW", "STEP", "KIND", "SINCE", "ERROR"]);
        for incident in &incidents {
            table.row([
                incident.run.to_string().into(),
                incident.workflow.clone().into(),
                incident.step.clone().into(),
                incident.kind.clone().into(),
                time::ago(incident.since, now).into(),
                incident.error.to_string().into(),
            ]);
        }
        context.screen.text(&table.render(context.screen))?;
        Ok(Exit::Done)
    }
}

impl Show {
    async fn run(&self, context: &Context) -> Outcome {
        let run = run_id(&self.id)?;
        let mut incidents = context.client()?.incidents().await?;
        let is_meant = |step: &str| self.step.as_deref().is_none_or(|asked| asked == step);
        incidents.retain(|incident| incident.run == run && is_meant(&incident.step));
        if incidents.is_empty() {
            let what = self.step.as_ref().map_or_else(String::new, |step| format!(" at {step}"));
            return Err(Failure::new(Exit::NotFound, format!("the run {run} has no incident{what}"))
                .hint(format!("`consort runs show {run}` tells where it stands")));
        }
        if self.json {
            context.screen.json(&Page::last(incidents))?;
            return Ok(Exit::Done);
        }
        for incident in &incidents {
            context.screen.text(&told(incident))?;
        }
        Ok(Exit::Done)
    }
}

/// An incident, whole: what, since when, why, and the commands that may be given.
fn told(incident: &Incident) -> String {
    let Incident { kind, run, workflow, step, since, error, detail, actions, .. } = incident;
    let mut text = format!(
        "{step}  {kind}\n  run    {run} ({workflow})\n  since  {since}\n  error  {error}\n  {detail}\n"
    );
    let width = actions.iter().map(|action| action.command.len()).max().unwrap_or(0);
    for action in actions {
        text.push_str(&format!("    {:width$}  {}\n", action.command, action.effect));
    }
    text
}
