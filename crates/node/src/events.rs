//! Events from outside, and questions about those that were accepted.

use crate::{
    node::Node,
    queries::QueryError,
    sequencer::{Message, PostEvents, PostedEvent},
};
use consort_events::Event;
use consort_store::{EventFilter, EventOrder, Page, PageRequest, StoredEvent};
use consort_types::{EventKey, Name};
use std::sync::{Arc, atomic::Ordering};
use tokio::sync::oneshot;

/// Events that wait for their commit, at most; who sends more is asked to wait. Enough that a commit is never
/// short of work, few enough to fit into memory.
const EVENTS_WAITING_MAX: usize = 10_000;

/// What comes from a run says so by this; nobody else may.
const SOURCE_OF_RUNS: &str = "/runs/";

/// The types of Consort's own events.
const OWN_TYPES: &str = "consort.";

/// Why events were not accepted.
#[derive(Debug, thiserror::Error)]
pub enum PostEventsError {
    /// An event says that it comes from Consort itself.
    #[error("the event at place {place}: {what}")]
    Forged {
        /// Its place among those sent, from 0.
        place: usize,
        /// What is not allowed.
        what: &'static str,
    },
    /// Too many wait.
    #[error("{EVENTS_WAITING_MAX} events wait to be stored: send them again in a moment")]
    TooMany,
    /// Nothing can be committed.
    #[error("the disk of the server is full: no event is accepted until there is room")]
    DiskFull,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] consort_store::Error),
    /// The server is about to end.
    #[error("the server is about to end")]
    Ending,
}

impl Node {
    /// Accepts events. When this returns they are committed.
    ///
    /// # Errors
    /// When one of them is refused, then none is accepted; or when too many wait, or the disk is full.
    pub async fn post_events(
        &self,
        namespace: Name,
        events: Vec<Event>,
    ) -> Result<Vec<PostedEvent>, PostEventsError> {
        for (place, event) in events.iter().enumerate() {
            if event.source.starts_with(SOURCE_OF_RUNS) {
                let what = "a `source` that begins with /runs/ is that of a run of this server";
                return Err(PostEventsError::Forged { place, what });
            }
            if event.event_type.starts_with(OWN_TYPES) {
                let what = "types that begin with `consort.` are this server's own";
                return Err(PostEventsError::Forged { place, what });
            }
        }
        if self.health.is_full() {
            return Err(PostEventsError::DiskFull);
        }
        let count = events.len();
        if self.events_waiting.fetch_add(count, Ordering::Relaxed) + count > EVENTS_WAITING_MAX {
            self.events_waiting.fetch_sub(count, Ordering::Relaxed);
            return Err(PostEventsError::TooMany);
        }
        let (reply, answer) = oneshot::channel();
        self.inbox.send(Message::PostEvents(PostEvents { namespace, events, reply }));
        let answer = answer.await;
        self.events_waiting.fetch_sub(count, Ordering::Relaxed);
        Ok(answer.map_err(|_| PostEventsError::Ending)??)
    }

    /// Events, newest first.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn events(
        self: &Arc<Self>,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<Page<StoredEvent>, QueryError> {
        self.ask(move |node| Ok(node.reader.events(&filter, EventOrder::NewestFirst, &page)?)).await
    }

    /// One event by its key.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn event(self: &Arc<Self>, key: EventKey) -> Result<Option<StoredEvent>, QueryError> {
        self.ask(move |node| Ok(node.reader.event(key)?)).await
    }
}
