//! The history as users see it: each entry with its time, its type, its step, and who asked.

use super::{NodeId, Run};
use crate::{Entry, Record};
use consort_types::{Json, Timestamp};
use serde_json::Value;

/// One entry as users see it.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    /// When it became true.
    pub at: Timestamp,
    /// Its type: `succeeded`, `retried`, …
    pub kind: String,
    /// Key of its step, where it has one.
    pub step: Option<String>,
    /// Number of the attempt, where it is about one.
    pub attempt: Option<u32>,
    /// Who asked, where somebody did.
    pub by: Option<String>,
    /// The rest of it.
    pub data: Option<Json>,
}

impl Run {
    /// The entries of a record of this run, in their order.
    pub fn history_of(&self, record: &Record) -> Vec<HistoryEntry> {
        record.entries.iter().map(|entry| self.history_entry(entry, record.at)).collect()
    }

    fn history_entry(&self, entry: &Entry, at: Timestamp) -> HistoryEntry {
        // The stored form has the type as its only key; the fields that have a place of their own move there.
        let stored = serde_json::to_value(entry).expect("entries serialize");
        let (kind, mut fields) = match stored {
            Value::Object(map) => match map.into_iter().next() {
                Some((kind, Value::Object(fields))) => (kind, fields),
                Some((kind, _)) => (kind, serde_json::Map::new()),
                None => (String::new(), serde_json::Map::new()),
            },
            other => (other.as_str().unwrap_or_default().to_owned(), serde_json::Map::new()),
        };
        let node = fields.remove("n").and_then(|node| node.as_u64()).map(|node| NodeId(node as u32));
        let by = fields.remove("by").and_then(|by| by.as_str().map(str::to_owned));
        let attempt = match entry {
            Entry::Attempted { a, .. } => Some(a.number),
            _ => None,
        };
        let known = node.filter(|node| (node.0 as usize) < self.nodes.len());
        HistoryEntry {
            at,
            kind,
            step: known.map(|node| self.key_of(node)).filter(|key| !key.is_empty()),
            attempt,
            by,
            data: (!fields.is_empty()).then(|| Json::from(Value::Object(fields))),
        }
    }
}
