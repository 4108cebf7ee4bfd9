//! `consort runs logs`.

use crate::{
    context::{Context, run_id},
    exit::{Exit, Outcome},
    failure::Failure,
    show::{Screen, printable, style::Tone},
};
use clap::Args;
use consort_client::LiveItem;
use consort_wire::{LogLine, Page};

/// The arguments.
#[derive(Debug, Args)]
pub struct Logs {
    /// The run
    id: String,
    /// Lines of this step
    step: Option<String>,
    /// Go on with new lines until the run ends
    #[arg(short, long)]
    follow: bool,
    /// Print `{items, next_cursor}`; with --follow one line of JSON each
    #[arg(long)]
    json: bool,
}

impl Logs {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such run.
    pub async fn run(&self, context: &Context) -> Outcome {
        let (client, id) = (context.client()?, run_id(&self.id)?);
        if self.follow {
            let mut live = client.follow_run_logs(id, self.step.clone());
            while let Some(item) = live.next().await? {
                match item {
                    LiveItem::Event(line) if self.json => context.screen.json_line(&line)?,
                    LiveItem::Event(line) => print(context.screen, &line)?,
                    LiveItem::Opened => {}
                    LiveItem::Lost(error) => context.screen.note(&format!("warning: {error}; waiting")),
                }
            }
            return Ok(Exit::Done);
        }
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let page = client.run_logs(id, self.step.clone(), cursor).await?;
            if self.json {
                all.extend(page.items);
            } else {
                page.items.iter().try_for_each(|line| print(context.screen, line))?;
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        if self.json {
            context.screen.json(&Page::last(all))?;
        }
        Ok(Exit::Done)
    }
}

fn print(screen: Screen, line: &LogLine) -> Result<(), Failure> {
    let place = format!("{}#{}", line.step, line.attempt);
    let time = screen.style.paint(Tone::Dim, &line.at.to_string());
    screen.line(&format!("{time} {} {}", screen.style.paint(Tone::Busy, &place), printable(&line.line)))
}
