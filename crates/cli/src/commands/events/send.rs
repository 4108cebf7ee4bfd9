//! `consort events send`.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
    input::whole,
};
use clap::Args;
use serde_json::{Map, Value};
use std::time::{SystemTime, UNIX_EPOCH};

const EXAMPLES: &str = "\
Examples:
  consort events send order.paid -d '{\"id\": \"A-7\"}'
  consort events send order.paid -d @order.json --source /shop --id A-7 --subject orders/7";

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Send {
    /// What happened, such as order.paid
    #[arg(value_name = "TYPE")]
    event_type: String,
    /// More about it: JSON as it is, @FILE, or - for standard input
    #[arg(short, long, value_name = "JSON|@FILE|-")]
    data: Option<String>,
    /// Where it comes from
    #[arg(long, value_name = "URI", default_value = "/consort/cli")]
    source: String,
    /// What it is about
    #[arg(long)]
    subject: Option<String>,
    /// Its id: an event that was sent before, by source and id, is not accepted again
    #[arg(long)]
    id: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

impl Send {
    /// Runs the command.
    ///
    /// # Errors
    /// When the data cannot be read, or the server refuses.
    pub async fn run(&self, context: &Context) -> Outcome {
        let mut event = Map::new();
        event.insert("specversion".to_owned(), "1.0".into());
        event.insert("id".to_owned(), self.id.clone().unwrap_or_else(own_id).into());
        event.insert("source".to_owned(), self.source.clone().into());
        event.insert("type".to_owned(), self.event_type.clone().into());
        if let Some(subject) = &self.subject {
            event.insert("subject".to_owned(), Value::from(subject.clone()));
        }
        if let Some(data) = &self.data {
            event.insert("datacontenttype".to_owned(), "application/json".into());
            event.insert("data".to_owned(), whole(data)?);
        }
        let accepted = context.client()?.send_event(&event).await?;
        if self.json {
            context.screen.json(&accepted)?;
        } else {
            let key = accepted.keys.first().map(ToString::to_string).unwrap_or_default();
            let word = if accepted.duplicates > 0 { "was accepted before" } else { "accepted" };
            context.screen.line(&format!("{key} {word}"))?;
        }
        Ok(Exit::Done)
    }
}

/// An id that no other event of this command has: the time, and the process for two at the same time.
fn own_id() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", since.as_nanos(), std::process::id())
}
