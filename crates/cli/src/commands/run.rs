//! `consort run`: start a workflow and wait for its end.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
    failure::Failure,
    follow::{Ended, follow},
    input::{InputArgs, upload},
    show::{self, live::Progress, time},
};
use clap::Args;
use consort_client::Client;
use consort_types::parse_duration;
use consort_wire::{Run, StartRun};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

const EXAMPLES: &str = "\
Examples:
  consort run loan-application -i applicant=ann -i document=@stub.pdf -i declared=4200
  consort run loan-application --input @input.json --detach
  consort run nightly --wait=10m --json | tail -n 1 | jq .output

Ctrl-C stops the watching, not the run.";

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RunCommand {
    /// The workflow
    workflow: String,
    /// What it is started with.
    #[command(flatten)]
    input: InputArgs,
    /// Wait for the end (the default), at most so long if a DURATION is given
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, value_parser = parse_duration, conflicts_with = "detach")]
    wait: Option<Option<Duration>>,
    /// Print the run's id and return at once
    #[arg(long)]
    detach: bool,
    /// The last line of standard output is the run as JSON
    #[arg(long)]
    json: bool,
    /// Idempotency key: the same key gives the same run
    #[arg(long)]
    key: Option<String>,
    /// Tag of the run, for lists
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    tags: Vec<String>,
    /// Compute every cached step anew
    #[arg(long)]
    no_cache: bool,
}

impl RunCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When the run cannot be started or watched.
    pub async fn run(&self, context: &Context) -> Outcome {
        let client = context.client()?;
        let deadline = self.wait.flatten().map(|wait| Instant::now() + wait);
        let workflow = client.workflow(&self.workflow).await?;
        let input = upload(&client, self.input.read(&workflow.input.to_value())?).await?;
        let key = self.key.clone();
        let start = StartRun { input, key, tags: tags(&self.tags)?, no_cache: self.no_cache };
        let run = client.start(&self.workflow, &start).await.map_err(|error| {
            let fields = error.problem().is_some_and(|problem| !problem.errors.is_empty());
            let failure = Failure::from(error);
            let hint = format!("`consort workflows show {}` shows what it takes", self.workflow);
            if fields { failure.hint(hint) } else { failure }
        })?;
        if self.detach {
            detached(context, &run, self.json)
        } else {
            watch(context, &client, run, deadline, self.json).await
        }
    }
}

fn tags(texts: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let read = |text: &String| match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Failure::usage(format!("--tag {text:?} is not KEY=VALUE"))),
    };
    texts.iter().map(read).collect()
}

fn detached(context: &Context, run: &Run, json: bool) -> Outcome {
    if json {
        context.screen.json_line(run)?;
    } else {
        context.screen.line(&run.id.to_string())?;
        context.screen.note(&format!("hint: watch it with `consort runs watch {}`", run.id));
    }
    Ok(Exit::Done)
}

/// Watches a run to its end and says how it ended; also what `runs watch` and `runs rerun` do.
///
/// # Errors
/// When the server stays away.
pub async fn watch(
    context: &Context,
    client: &Client,
    run: Run,
    deadline: Option<Instant>,
    json: bool,
) -> Outcome {
    let id = run.id;
    let mut progress = Progress::new(context.screen, json);
    let again = format!("hint: look again with `consort runs watch {id}`");
    match follow(client, run, deadline, &mut progress).await? {
        Ended::Run(run) => finished(context, &run, json),
        Ended::TimeOver(run) => {
            context
                .screen
                .note(&format!("warning: the time of --wait is over; the run {id} goes on\n{again}"));
            if json {
                context.screen.json_line(&run)?;
            }
            Ok(Exit::WaitOver)
        }
        Ended::Interrupted => {
            context.screen.note(&format!("\ndetached: the run {id} goes on\n{again}"));
            Ok(Exit::Interrupted)
        }
    }
}

fn finished(context: &Context, run: &Run, json: bool) -> Outcome {
    let exit = Exit::of_run(run.state).unwrap_or(Exit::Failed);
    let screen = context.screen;
    if json {
        screen.json_line(run)?;
        return Ok(exit);
    }
    screen.line(&show::run::verdict(run, time::now(), screen))?;
    if let Some(output) = run.output.as_ref().filter(|output| !output.is_null()) {
        screen.json(output)?;
    }
    if let Some(next) = show::run::next(run) {
        screen.note(&format!("hint: {next}"));
    }
    Ok(exit)
}
