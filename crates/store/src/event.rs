//! Events: what came in or was sent by runs, in the order in which it was accepted.

use crate::{Cursor, PAGE_BYTES_MAX, Page, SCANNED_PER_PAGE_MAX};
use consort_types::{EventKey, Json, Name, Timestamp, TypePattern};

/// One event that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Grows with each event of the store.
    pub seq: u64,
    /// Its namespace.
    pub namespace: Name,
    /// Its key, which follows from namespace, source and id.
    pub key: EventKey,
    /// Its id at its source.
    pub id: String,
    /// Its source.
    pub source: String,
    /// Its type.
    pub event_type: String,
    /// What it is about.
    pub subject: Option<String>,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// The whole, in the JSON format of CloudEvents.
    pub document: Json,
}

/// Which events a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// Of this namespace.
    pub namespace: Name,
    /// Of types that fit.
    pub types: Option<TypePattern>,
    /// With exactly this id.
    pub id: Option<String>,
    /// From exactly this source.
    pub source: Option<String>,
    /// About exactly this.
    pub subject: Option<String>,
    /// Accepted at this time or later.
    pub since: Option<Timestamp>,
    /// Accepted before this time.
    pub until: Option<Timestamp>,
}

impl EventFilter {
    /// All events of a namespace.
    pub const fn of(namespace: Name) -> Self {
        Self { namespace, types: None, id: None, source: None, subject: None, since: None, until: None }
    }

    /// Whether an event belongs into the list.
    pub fn matches(&self, event: &StoredEvent) -> bool {
        let same =
            |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        event.namespace == self.namespace
            && self.types.as_ref().is_none_or(|types| types.matches(&event.event_type))
            && same(&self.id, &event.id)
            && same(&self.source, &event.source)
            && self.subject.as_ref().is_none_or(|wanted| event.subject.as_ref() == Some(wanted))
            && self.since.is_none_or(|since| event.received_at >= since)
            && self.until.is_none_or(|until| event.received_at < until)
    }
}

/// A place in a list of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPlace(pub u64);

impl Cursor for EventPlace {
    fn encode(&self) -> String {
        format!("e{}", self.0)
    }

    fn decode(text: &str) -> Option<Self> {
        let place = Self(text.strip_prefix('e')?.parse().ok()?);
        (place.encode() == text).then_some(place)
    }
}

/// In which order events are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOrder {
    /// The newest first: for lists.
    NewestFirst,
    /// The oldest first: for who looks for the first that fits.
    OldestFirst,
}

/// Cuts a page out of events that a store reads from the cursor on, in an order. Also ends early, with a
/// cursor, when many were passed over or the documents are large.
///
/// # Errors
/// As reading.
pub fn page_of_events<E>(
    rows: impl Iterator<Item = Result<StoredEvent, E>>,
    filter: &EventFilter,
    limit: usize,
) -> Result<Page<StoredEvent>, E> {
    let mut items = Vec::new();
    let (mut scanned, mut bytes, mut last) = (0, 0, None);
    for row in rows {
        if items.len() >= limit || scanned >= SCANNED_PER_PAGE_MAX || bytes >= PAGE_BYTES_MAX {
            return Ok(Page { items, next_cursor: last.map(|seq| EventPlace(seq).encode()) });
        }
        let event = row?;
        last = Some(event.seq);
        scanned += 1;
        if filter.matches(&event) {
            bytes += event.document.len();
            items.push(event);
        }
    }
    Ok(Page { items, next_cursor: None })
}
