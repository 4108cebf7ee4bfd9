//! The JSON Schema of the project file, for completion and hints in editors.
//!
//! Which keys stand where comes from [`crate::keys`], the tables that the checker itself reads; here each key
//! gets the form of its value. It is looser than the checker where JSON Schema cannot say more.

mod describe;

use crate::keys::{self, Keys};
use serde_json::{Map, Value, json};

/// The JSON Schema (2020-12) of `consort.yaml`.
pub fn json_schema() -> Value {
    let mut defs = Map::new();
    for (name, keys, required) in MAPS {
        defs.insert((*name).to_owned(), closed(keys, required));
    }
    defs.insert("shortType".to_owned(), short_type());
    defs.insert("duration".to_owned(), text(r"^([0-9]+(\.[0-9]+)?(d|h|ms|m|s))+$"));
    let mut schema = closed(&keys::PROJECT, &["name"]);
    if let Value::Object(entries) = &mut schema {
        entries.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
        entries.insert("title".to_owned(), "Consort project file".into());
        entries.insert("$defs".to_owned(), Value::Object(defs));
    }
    schema
}

/// Every kind of map, its keys, and which of them must be there.
const MAPS: &[(&str, Keys, &[&str])] = &[
    ("service", keys::SERVICE, &[]),
    ("healthcheck", keys::HEALTHCHECK, &[]),
    ("scale", keys::SCALE, &[]),
    ("rollout", keys::ROLLOUT, &[]),
    ("roll_back_when", keys::ROLL_BACK_WHEN, &[]),
    ("operation", keys::OPERATION, &[]),
    ("retry", keys::RETRY, &[]),
    ("use", keys::USE, &["take"]),
    ("workflow", keys::WORKFLOW, &["steps"]),
    ("concurrency", keys::CONCURRENCY, &["limit"]),
    ("step", keys::STEP, &[]),
    ("branch", keys::BRANCH, &[]),
    ("call", keys::CALL, &["call"]),
    ("loop", keys::LOOP, &["until", "max", "steps"]),
    ("wait", keys::WAIT, &["until"]),
    ("await", keys::AWAIT, &[]),
    ("approval", keys::APPROVAL, &["ask"]),
    ("emit", keys::EMIT, &["type"]),
    ("fail", keys::FAIL, &["message"]),
    ("cache", keys::CACHE, &["for"]),
    ("pool", keys::POOL, &[]),
    ("secret", keys::SECRET, &[]),
    ("trigger", keys::TRIGGER, &["run"]),
    ("webhook", keys::WEBHOOK, &["path"]),
    ("alert", keys::ALERT, &[]),
    ("channel", keys::CHANNEL, &[]),
];

fn closed(keys: &Keys, required: &[&str]) -> Value {
    let properties: Map<String, Value> =
        keys.keys.iter().map(|key| ((*key).to_owned(), described(keys.what, key))).collect();
    json!({
        "description": keys.what,
        "type": ["object", "null"],
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// The form of the value of a key, with what an editor shows beside it.
fn described(what: &str, key: &str) -> Value {
    let mut value = value_of(what, key);
    if let Value::Object(entries) = &mut value {
        entries.insert("description".to_owned(), describe::key(what, key).into());
    }
    value
}

/// The form of the value of a key. The same key may take different values in different maps.
fn value_of(what: &str, key: &str) -> Value {
    match (what, key) {
        ("a project file", key) => section(key),
        ("a service", "operations") => named("operation"),
        ("a service", "environment" | "headers") => json!({ "type": "object" }),
        ("a service", "secrets") => texts(),
        ("a service", "command" | "exec" | "setup") => text_or(&texts()),
        ("`concurrency`", "limit") | ("a loop", "max") | ("`scale`", "concurrency") => count(1),
        ("a step" | "a branch", "run") | ("a trigger", "run") | ("an alert", "run") => text(""),
        ("a step" | "a branch", "first") => count(1),
        ("a step" | "a branch", "emit" | "loop" | "await" | "cache") => definition(key),
        ("a step" | "a branch", "fail") => text_or(&definition("fail")),
        ("a step" | "a branch", "wait") => any_of(&[definition("duration"), definition("wait")]),
        ("a step" | "a branch", "undo" | "resolve") => definition("call"),
        ("a step" | "a branch", "catch") => {
            any_of(&[definition("step"), json!({ "type": "array", "items": definition("step") })])
        }
        ("a step" | "a branch", "switch") => json!({ "type": "array", "items": definition("branch") }),
        ("a branch", "else") => any_of(&[json!({ "type": "null" }), definition("step")]),
        ("a step" | "a branch" | "a workflow" | "a loop", "steps") => named("step"),
        ("a step" | "a branch" | "a workflow", "finally") => named("step"),
        ("a workflow", "input") | ("an operation", "input" | "output") => definition("shortType"),
        ("an approval", "form") => definition("shortType"),
        ("`await`", "approval") => definition("approval"),
        ("a trigger", "webhook") => definition("webhook"),
        ("a trigger", "every") => definition("duration"),
        ("`scale`", "wait") => any_of(&[json!({ "const": "none" }), definition("duration")]),
        ("`rollout`", "roll_back_when") => {
            any_of(&[json!({ "const": "never" }), definition("roll_back_when")])
        }
        (_, key) => common(key),
    }
}

/// Keys that mean the same wherever they stand.
fn common(key: &str) -> Value {
    match key {
        "timeout"
        | "heartbeat"
        | "delay"
        | "max_delay"
        | "interval"
        | "start_period"
        | "stop_grace_period"
        | "idle"
        | "monitor"
        | "progress_deadline"
        | "for"
        | "debounce"
        | "absent"
        | "within"
        | "longer_than"
        | "waiting_longer_than"
        | "no_success_for" => definition("duration"),
        "healthcheck" | "scale" | "rollout" | "concurrency" => definition(key),
        "retry" => definition("retry"),
        "use" => json!({ "type": "object", "additionalProperties": {} }),
        "source" | "url" | "image" | "description" | "path" | "call" | "env_file" | "openapi" | "as"
        | "schedule" | "event" | "files" | "timezone" | "signal" => text(""),
        "input_schema" | "output_schema" => json!({ "type": ["object", "boolean"] }),
        "attempts" | "max_parallel" | "batch" | "retries" | "min_calls" | "failed_starts" | "failures"
        | "incidents" | "crash_loops" => count(1),
        "min" | "max" | "max_surge" | "max_unavailable" => count(0),
        "tcp" | "idempotent" | "detach" | "background" | "paused" | "unsigned" => {
            json!({ "type": "boolean" })
        }
        "after" | "notify" => text_or(&texts()),
        "method" => json!({ "enum": ["GET", "POST", "PUT", "PATCH", "DELETE"] }),
        "restart" => json!({ "enum": ["always", "on-failure", "no"] }),
        "strategy" => json!({ "enum": ["rolling", "recreate", "canary"] }),
        "on_failure" => json!({ "enum": ["undo", "keep", "pause"] }),
        "when_full" => json!({ "enum": ["queue", "reject", "cancel_oldest"] }),
        "when_empty" => json!({ "enum": ["wait", "pause", "fail"] }),
        "delivery" => json!({ "enum": ["at_least_once", "at_most_once"] }),
        "preset" => json!({ "enum": ["github", "stripe", "slack"] }),
        "catch_up" => json!({ "enum": ["none", "latest", "all"] }),
        "overlap" => json!({ "enum": ["allow", "skip", "queue", "replace"] }),
        "priority" => json!({ "type": "integer", "minimum": -100, "maximum": 100 }),
        "resources" | "tags" => json!({ "type": "object" }),
        // Values and expressions take anything.
        _ => json!({}),
    }
}

fn section(key: &str) -> Value {
    match key {
        "name" => text("^[a-z][a-z0-9-]{0,62}$"),
        "include" => text_or(&texts()),
        "services" => named("service"),
        "workflows" => named("workflow"),
        "triggers" => named("trigger"),
        "alerts" => named("alert"),
        "notify" => named("channel"),
        "secrets" => named("secret"),
        "pools" => json!({
            "type": ["object", "null"],
            "additionalProperties": any_of(&[json!({ "type": ["number", "string"] }), definition("pool")]),
        }),
        _ => json!({}),
    }
}

fn definition(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn named(name: &str) -> Value {
    json!({ "type": ["object", "null"], "additionalProperties": definition(name) })
}

fn text(pattern: &str) -> Value {
    if pattern.is_empty() {
        json!({ "type": "string" })
    } else {
        json!({ "type": "string", "pattern": pattern })
    }
}

fn texts() -> Value {
    json!({ "type": "array", "items": { "type": ["string", "number", "boolean"] } })
}

fn text_or(other: &Value) -> Value {
    json!({ "anyOf": [{ "type": "string" }, other] })
}

fn any_of(choices: &[Value]) -> Value {
    json!({ "anyOf": choices })
}

fn count(least: u32) -> Value {
    json!({ "type": "integer", "minimum": least })
}

fn short_type() -> Value {
    json!({
        "description": "string number integer boolean object file datetime duration any, [T], maps, T?",
        "anyOf": [
            { "type": "string", "enum": words() },
            { "type": "array", "items": definition("shortType"), "minItems": 1, "maxItems": 1 },
            { "type": "object", "properties": { "enum": { "type": "array" } }, "required": ["enum"],
              "additionalProperties": false },
            { "type": ["object", "null"], "additionalProperties": definition("shortType") },
        ],
    })
}

fn words() -> Vec<String> {
    let words = crate::lower::types::WORDS;
    words.iter().map(|word| (*word).to_owned()).chain(words.iter().map(|word| format!("{word}?"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_map_that_is_referred_to_is_there() {
        let schema = json_schema();
        let text = schema.to_string();
        for part in text.split("#/$defs/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schema["$defs"].get(name).is_some(), "{name}");
        }
    }
}
