//! Between the node's words and those of the API: the only place where they meet.

mod event;
mod feed;
mod people;
mod pool;
mod refusal;
mod run;
mod service;
mod workflow;

pub use event::event;
pub use feed::feed_event;
pub use people::{approval, incident};
pub use pool::pool;
pub use run::{history_entry, log_line, run, slim, step};
pub use service::{replica, service, service_line, service_revision, service_stats};
pub use workflow::{applied, graph, workflow, workflow_revision};

use crate::{codes, problem::Refusal};

/// The number of a revision as users see it.
pub fn revision(number: u64) -> String {
    number.to_string()
}

/// Reads such a number.
///
/// # Errors
/// When it is none.
pub fn revision_number(text: &str) -> Result<u64, Refusal> {
    let bad =
        || Refusal::new(codes::E_NOT_FOUND, format!("there is no revision {text:?}; revisions are numbers"));
    text.parse().ok().filter(|number| revision(*number) == text).ok_or_else(bad)
}
