//! One spelling of a section, whatever its order and comments: what digests are taken of.

use consort_types::Digest;
use serde_json::Value;

/// The digest of the canonical JSON of a value: keys sorted, no white space.
pub(crate) fn digest_of(value: &Value) -> Digest {
    Digest::of(sorted(value).to_string().as_bytes())
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
