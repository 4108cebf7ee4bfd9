//! `consort services logs`.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
    failure::Failure,
    show::{Screen, printable, style::Tone},
};
use clap::Args;
use consort_client::LiveItem;
use consort_wire::{Page, ServiceLogLine};

/// The arguments.
#[derive(Debug, Args)]
pub struct Logs {
    /// The service
    name: String,
    /// Lines of this replica
    #[arg(long)]
    replica: Option<String>,
    /// Go on with new lines until Ctrl-C
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
    /// When there is no such service.
    pub async fn run(&self, context: &Context) -> Outcome {
        let client = context.client()?;
        if self.follow {
            let mut live = client.follow_service_logs(&self.name, self.replica.clone());
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
            let page = client.service_logs(&self.name, self.replica.clone(), cursor).await?;
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

fn print(screen: Screen, line: &ServiceLogLine) -> Result<(), Failure> {
    let place = line.replica.as_deref().unwrap_or("setup");
    let time = screen.style.paint(Tone::Dim, &line.at.to_string());
    screen.line(&format!("{time} {} {}", screen.style.paint(Tone::Busy, place), printable(&line.line)))
}
