//! `consort runs history`.

use crate::{
    context::{Context, run_id},
    exit::{Exit, Outcome},
    show::table::Table,
};
use clap::Args;
use consort_wire::{HistoryEntry, Page};

/// The arguments.
#[derive(Debug, Args)]
pub struct History {
    /// The run
    id: String,
    /// Print `{items, next_cursor}`
    #[arg(long)]
    json: bool,
}

impl History {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such run.
    pub async fn run(&self, context: &Context) -> Outcome {
        let entries = context.client()?.history(run_id(&self.id)?).await?;
        if self.json {
            context.screen.json(&Page::last(entries))?;
        } else {
            context.screen.text(&table(&entries).render(context.screen))?;
        }
        Ok(Exit::Done)
    }
}

fn table(entries: &[HistoryEntry]) -> Table<7> {
    let mut table = Table::new(["SEQ", "AT", "TYPE", "STEP", "ATTEMPT", "BY", "DATA"]);
    for entry in entries {
        table.row([
            entry.seq.to_string().into(),
            entry.at.to_string().into(),
            entry.entry_type.clone().into(),
            entry.step.clone().unwrap_or_default().into(),
            entry.attempt.map_or_else(String::new, |attempt| attempt.to_string()).into(),
            entry.by.clone().unwrap_or_default().into(),
            entry.data.as_ref().map_or("", |data| data.text()).into(),
        ]);
    }
    table
}
