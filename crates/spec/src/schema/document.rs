//! A type as JSON Schema, for everybody outside.

use consort_expr::Type;
use serde_json::{Map, Value, json};

/// The JSON Schema (2020-12) of a type.
pub(super) fn of(type_: &Type) -> Value {
    match type_ {
        Type::Any => json!({}),
        Type::Null => json!({ "type": "null" }),
        Type::Boolean => json!({ "type": "boolean" }),
        Type::Integer => json!({ "type": "integer" }),
        Type::Number => json!({ "type": "number" }),
        Type::String => json!({ "type": "string" }),
        Type::Enum(words) => json!({ "enum": words.iter().map(|word| word.as_str()).collect::<Vec<_>>() }),
        Type::Datetime => json!({ "type": "string", "format": "date-time" }),
        // Ours, not that of ISO 8601: the pattern says so to whoever knows the format only.
        Type::Duration => json!({
            "type": "string",
            "format": "duration",
            "pattern": "^([0-9]+(\\.[0-9]+)?(d|h|ms|m|s))+$",
        }),
        Type::File => file(),
        Type::List(item) => json!({ "type": "array", "items": of(item) }),
        Type::Map(value) if **value == Type::Any => json!({ "type": "object" }),
        Type::Map(value) => json!({ "type": "object", "additionalProperties": of(value) }),
        Type::Nullable(inner) => json!({ "anyOf": [of(inner), { "type": "null" }] }),
        Type::Object(object) => {
            let properties: Map<String, Value> =
                object.fields.iter().map(|field| (field.name.to_string(), of(&field.type_))).collect();
            let required: Vec<&str> =
                object.fields.iter().filter(|field| field.required).map(|field| &*field.name).collect();
            json!({
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            })
        }
    }
}

fn file() -> Value {
    json!({
        "type": "object",
        "format": "file",
        "properties": {
            "artifact": { "type": "string", "pattern": "^sha256:[0-9a-f]{64}$" },
            "name": { "type": "string" },
            "type": { "type": "string" },
            "size": { "type": "integer", "minimum": 0 },
            "url": { "type": "string" },
        },
        "required": ["artifact", "name", "type", "size", "url"],
        "additionalProperties": false,
    })
}
