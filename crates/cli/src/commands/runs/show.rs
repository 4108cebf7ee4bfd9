//! `consort runs show`.

use crate::{
    context::{Context, run_id},
    exit::{Exit, Outcome},
    failure::Failure,
    show::{self, Screen, style::Tone, time, tree},
};
use clap::Args;
use consort_types::Json;
use consort_wire::{Run, Step};

/// The arguments.
#[derive(Debug, Args)]
pub struct Show {
    /// The run
    id: String,
    /// Print the run as JSON, with its steps in `steps`
    #[arg(long)]
    json: bool,
}

impl Show {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such run.
    pub async fn run(&self, context: &Context) -> Outcome {
        let (client, id) = (context.client()?, run_id(&self.id)?);
        let run = client.run(id).await?;
        let steps = client.steps(id).await?;
        if self.json {
            let mut value = serde_json::to_value(&run).expect("our own types serialize");
            value["steps"] = serde_json::to_value(&steps).expect("our own types serialize");
            context.screen.json(&value)?;
        } else {
            print(context.screen, &run, &steps)?;
        }
        Ok(Exit::Done)
    }
}

fn print(screen: Screen, run: &Run, steps: &[Step]) -> Result<(), Failure> {
    let now = time::now();
    screen.line(&show::run::verdict(run, now, screen))?;
    screen.line("")?;
    for line in tree::render(steps, now, screen.style, screen.width()) {
        screen.line(&line)?;
    }
    for (title, value) in [("input", &run.input), ("output", &run.output)] {
        payload(screen, title, value.as_ref())?;
    }
    screen.line("")?;
    let tags: Vec<_> = run.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    if !tags.is_empty() {
        screen.line(&format!("tags      {}", show::printable(&tags.join(" "))))?;
    }
    if let Some(parent) = &run.parent {
        screen.line(&format!("parent    {} at {}", parent.run, show::printable(&parent.step)))?;
    }
    screen.line(&format!("revision  {}", run.revision))?;
    screen.line(&format!("created   {} ({})", run.created_at, time::ago(run.created_at, now)))
}

fn payload(screen: Screen, title: &str, value: Option<&Json>) -> Result<(), Failure> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(()) };
    screen.line(&format!("\n{}", screen.style.paint(Tone::Dim, title)))?;
    screen.json(value)
}
