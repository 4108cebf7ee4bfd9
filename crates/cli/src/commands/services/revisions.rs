//! `consort services revisions`.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
    show::table::Table,
};
use clap::Args;
use consort_wire::{Page, ServiceRevision};

/// The arguments.
#[derive(Debug, Args)]
pub struct Revisions {
    /// The service
    name: String,
    /// Print `{items, next_cursor}`
    #[arg(long)]
    json: bool,
}

impl Revisions {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such service.
    pub async fn run(&self, context: &Context) -> Outcome {
        let revisions = context.client()?.service_revisions(&self.name).await?;
        if self.json {
            context.screen.json(&Page::last(revisions))?;
        } else {
            context.screen.text(&table(&revisions).render(context.screen))?;
        }
        Ok(Exit::Done)
    }
}

fn table(revisions: &[ServiceRevision]) -> Table<5> {
    let mut table = Table::new(["REVISION", "CREATED", "CURRENT", "REPLICAS", "SOURCE"]);
    for revision in revisions {
        table.row([
            revision.revision.clone().into(),
            revision.created_at.to_string().into(),
            if revision.current { "yes" } else { "" }.into(),
            revision.replicas.to_string().into(),
            revision.source.map_or_else(String::new, |source| source.to_string()).into(),
        ]);
    }
    table
}
