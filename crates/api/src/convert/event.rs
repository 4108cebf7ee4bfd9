//! Events.

use consort_node::StoredEvent;
use consort_wire as wire;
use serde_json::Value;

/// An event with what the server knows of it.
pub fn event(event: &StoredEvent) -> wire::Event {
    let attributes = match event.document.to_value() {
        Value::Object(attributes) => attributes,
        _ => serde_json::Map::new(),
    };
    wire::Event { attributes, key: event.key, received_at: event.received_at }
}
