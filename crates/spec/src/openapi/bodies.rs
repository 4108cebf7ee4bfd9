//! What an operation takes as its body, and what it answers.

use super::schema::{Converter, flag};
use crate::yaml::{Entry, Node};
use serde_json::{Value, json};

/// What an operation takes as its body.
pub(super) enum Body {
    None,
    Json {
        schema: Value,
        media_type: String,
        required: bool,
    },
    /// Only in forms that are not spoken here, and it must be there.
    Other(String),
}

/// The body of a request.
pub(super) fn request<'t>(converter: &Converter<'_, 't>, operation: &'t Node) -> Body {
    let body = operation.get("requestBody").and_then(|node| converter.document.followed(node));
    let Some(body) = body else { return Body::None };
    let Some(content) = body.get("content").and_then(Node::entries) else {
        converter.document.error(body.span, "`requestBody` needs `content`, a map from media types");
        return Body::None;
    };
    let required = flag(body, "required");
    match (json_of(content), content) {
        (Some(entry), _) => {
            let media_type = if entry.key.text.contains('*') { "application/json" } else { &entry.key.text };
            Body::Json { schema: schema_of(converter, entry), media_type: media_type.to_owned(), required }
        }
        (None, [first, ..]) if required => Body::Other(first.key.text.clone()),
        (None, _) => Body::None,
    }
}

/// What comes back when all goes well.
pub(super) enum Answers {
    /// Any of these schemas.
    Json(Vec<Value>),
    /// Only in a form that is not read here.
    Other(String),
}

/// The answers that are successes. 202 says nothing of the output, which comes later; `default` counts when
/// there is nothing else.
pub(super) fn responses<'t>(converter: &Converter<'_, 't>, operation: &'t Node) -> Answers {
    let document = converter.document;
    let Some(responses) = operation.get("responses") else { return Answers::Json(vec![json!({})]) };
    let Some(entries) = responses.entries() else {
        document.error(responses.span, format!("`responses` is a map, and this is {}", responses.describe()));
        return Answers::Json(vec![json!({})]);
    };
    let success = |entry: &&Entry| {
        let status = entry.key.text.as_str();
        status.len() == 3 && status.starts_with('2') && status != "202"
    };
    let mut chosen: Vec<&Entry> = entries.iter().filter(success).collect();
    if chosen.is_empty() && !entries.iter().any(|entry| entry.key.text == "202") {
        chosen.extend(entries.iter().filter(|entry| entry.key.text == "default"));
    }
    let mut schemas: Vec<Value> = Vec::new();
    let mut other = None;
    for entry in chosen {
        let Some(response) = document.followed(&entry.value) else { continue };
        let content = response.get("content").and_then(Node::entries).unwrap_or(&[]);
        let schema = match (json_of(content), content) {
            (Some(json), _) => schema_of(converter, json),
            (None, []) => json!({ "type": "null" }),
            (None, [first, ..]) => {
                other = Some(first.key.text.clone());
                continue;
            }
        };
        if !schemas.contains(&schema) {
            schemas.push(schema);
        }
    }
    match other {
        Some(media_type) if schemas.is_empty() => Answers::Other(media_type),
        _ if schemas.is_empty() => Answers::Json(vec![json!({})]),
        _ => Answers::Json(schemas),
    }
}

/// The entry of `content` that is JSON; `application/json` before its relatives.
fn json_of(content: &[Entry]) -> Option<&Entry> {
    let base = |entry: &Entry| {
        let text = entry.key.text.split(';').next().unwrap_or("");
        text.trim().to_ascii_lowercase()
    };
    let exact = content.iter().find(|entry| base(entry) == "application/json");
    exact.or_else(|| {
        content.iter().find(|entry| {
            let base = base(entry);
            base.ends_with("+json") || matches!(base.as_str(), "text/json" | "*/*" | "application/*")
        })
    })
}

fn schema_of<'t>(converter: &Converter<'_, 't>, entry: &'t Entry) -> Value {
    entry.value.get("schema").map_or_else(|| json!({}), |schema| converter.schema(schema))
}
