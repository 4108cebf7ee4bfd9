//! Events (CloudEvents 1.0).

use consort_types::{EventKey, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// One event: the attributes of CloudEvents, and what the server knows of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// The attributes: `specversion`, `id`, `source`, `type`, `subject`, `time`, `data`, and those of its own.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub attributes: Map<String, Value>,
    /// The key of the event, `evt_…`: one for each `source` and `id` of a namespace.
    #[schema(value_type = String)]
    pub key: EventKey,
    /// When it was accepted.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
}

impl Event {
    /// An attribute that is a text.
    pub fn text(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute).and_then(Value::as_str)
    }
}

/// What `POST /events` answers once the events are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EventsAccepted {
    /// How many are new.
    pub accepted: u32,
    /// How many were accepted before: the same `source` and `id`.
    pub duplicates: u32,
    /// The key of each, in the order in which they were sent.
    #[schema(value_type = Vec<String>)]
    pub keys: Vec<EventKey>,
}
