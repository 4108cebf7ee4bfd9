//! `consort runs list`.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
    show::{self, time},
};
use clap::Args;
use consort_types::{RunState, Timestamp};
use consort_wire::RunsQuery;

/// The arguments.
#[derive(Debug, Args)]
pub struct List {
    /// Runs of this workflow
    #[arg(long)]
    workflow: Option<String>,
    /// Runs in this state
    #[arg(long)]
    state: Option<RunState>,
    /// Runs with this tag
    #[arg(long, value_name = "KEY=VALUE")]
    tag: Option<String>,
    /// Created at this time (RFC 3339) or later
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Created before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Runs whose id, workflow, tags or error hold this text
    #[arg(short, long, value_name = "TEXT")]
    q: Option<String>,
    /// So many at most, up to 500
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the list before
    #[arg(long)]
    cursor: Option<String>,
    /// Print `{items, next_cursor}`
    #[arg(long)]
    json: bool,
}

impl List {
    /// Runs the command.
    ///
    /// # Errors
    /// As every call of the server.
    pub async fn run(&self, context: &Context) -> Outcome {
        let query = RunsQuery {
            namespace: None,
            limit: self.limit,
            cursor: self.cursor.clone(),
            workflow: self.workflow.clone(),
            state: self.state,
            tag: self.tag.clone(),
            since: self.since,
            until: self.until,
            waiting_on: None,
            q: self.q.clone(),
        };
        let page = context.client()?.runs(query).await?;
        let screen = context.screen;
        if self.json {
            screen.json(&page)?;
        } else if page.items.is_empty() {
            screen.note("no runs; start one with `consort run WORKFLOW`");
        } else {
            screen.text(&show::run::table(&page.items, time::now(), screen))?;
            if let Some(cursor) = page.next_cursor {
                screen.note(&format!("hint: there are more: --cursor {cursor}"));
            }
        }
        Ok(Exit::Done)
    }
}
