//! `consort events list`.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
    show::{self, time},
};
use clap::Args;
use consort_types::Timestamp;
use consort_wire::EventsQuery;

/// The arguments.
#[derive(Debug, Args)]
pub struct List {
    /// Events of this type; `*` stands for any text
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Events from this source
    #[arg(long, value_name = "URI")]
    source: Option<String>,
    /// Events about this
    #[arg(long)]
    subject: Option<String>,
    /// Accepted at this time (RFC 3339) or later
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Accepted before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
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
        let query = EventsQuery {
            namespace: None,
            limit: self.limit,
            cursor: self.cursor.clone(),
            event_type: self.event_type.clone(),
            id: None,
            source: self.source.clone(),
            subject: self.subject.clone(),
            since: self.since,
            until: self.until,
        };
        let page = context.client()?.events(query).await?;
        let screen = context.screen;
        if self.json {
            screen.json(&page)?;
        } else if page.items.is_empty() {
            screen.note("no events; send one with `consort events send TYPE`");
        } else {
            screen.text(&show::event::table(&page.items, time::now(), screen))?;
            if let Some(cursor) = page.next_cursor {
                screen.note(&format!("hint: there are more: --cursor {cursor}"));
            }
        }
        Ok(Exit::Done)
    }
}
