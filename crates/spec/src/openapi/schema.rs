//! Schemas of a document as JSON Schema 2020-12. Only keywords that decide something are taken over, each in
//! the shape that it must have, so that what comes out always compiles.

use super::{
    definitions::Collector,
    document::{Document, Version},
};
use crate::{
    schema::is_pattern,
    yaml::{Node, Plain},
};
use serde_json::{Map, Value, json};

/// Whether a schema is of what is sent or of what comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    /// `readOnly` properties need not be there.
    Request,
    /// `writeOnly` properties need not be there.
    Response,
}

const WORDS: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];
const NUMBERS: [&str; 3] = ["minimum", "maximum", "multipleOf"];
const COUNTS: [&str; 8] = [
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minContains",
    "maxContains",
];
const ONE_SCHEMA: [&str; 10] = [
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
];
const SCHEMA_LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const SCHEMA_MAPS: [&str; 2] = ["properties", "dependentSchemas"];

/// Turns schemas of one document and one direction into JSON Schema.
pub(super) struct Converter<'a, 't> {
    pub document: &'a Document<'t>,
    pub collector: &'a Collector<'t>,
    pub direction: Direction,
}

impl<'t> Converter<'_, 't> {
    /// A schema. What is wrong in it is reported, and anything stands in for it.
    pub(super) fn schema(&self, node: &'t Node) -> Value {
        if let Some(Plain::Boolean(value)) = node.scalar().map(|scalar| scalar.value) {
            return Value::Bool(value);
        }
        if node.entries().is_none() {
            self.document.error(node.span, format!("a schema is a map, and this is {}", node.describe()));
            return json!({});
        }
        let mut out = Map::new();
        if let Some(reference) = node.get("$ref") {
            if let Some(key) = self.collector.define(self.document, reference, self.direction) {
                out.insert("$ref".to_owned(), format!("#/$defs/{key}").into());
            }
            // In 3.0 what stands beside a reference means nothing.
            if self.document.version == Version::V30 {
                return Value::Object(out);
            }
        }
        self.values(node, &mut out);
        self.inner(node, &mut out);
        if self.document.version == Version::V30 && flag(node, "nullable") {
            return nullable(out);
        }
        Value::Object(out)
    }

    /// Keywords that hold values.
    fn values(&self, node: &'t Node, out: &mut Map<String, Value>) {
        let document = self.document;
        if let Some(type_) = node.get("type") {
            out.extend(self.type_words(type_).map(|words| ("type".to_owned(), words)));
        }
        for key in NUMBERS {
            let Some(value) = node.get(key) else { continue };
            match number(value).filter(|number| key != "multipleOf" || number.as_f64() > Some(0.0)) {
                Some(number) => _ = out.insert(key.to_owned(), number),
                None => document
                    .error(value.span, format!("`{key}` is a number, and this is {}", value.describe())),
            }
        }
        for (key, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
            let Some(value) = node.get(key) else { continue };
            match (number(value), value.scalar().map(|scalar| scalar.value)) {
                (Some(number), _) => _ = out.insert(key.to_owned(), number),
                // As 3.0 writes it.
                (None, Some(Plain::Boolean(true))) => {
                    out.remove(bound).map(|number| out.insert(key.to_owned(), number));
                }
                (None, Some(Plain::Boolean(false))) => {}
                (None, _) => document.error(value.span, format!("`{key}` is a number or a boolean")),
            }
        }
        for key in COUNTS {
            let Some(value) = node.get(key) else { continue };
            match number(value).filter(|number| number.as_u64().is_some()) {
                Some(count) => _ = out.insert(key.to_owned(), count),
                None => document.error(value.span, format!("`{key}` is a whole number that is not negative")),
            }
        }
        for key in ["uniqueItems", "readOnly"] {
            out.extend(flag(node, key).then(|| (key.to_owned(), Value::Bool(true))));
        }
        if let Some(format) = node.get("format").and_then(Node::text) {
            out.insert("format".to_owned(), format.into());
        }
        for key in ["const", "default"] {
            out.extend(node.get(key).map(|value| (key.to_owned(), value.to_json())));
        }
        if let Some(words) = node.get("enum") {
            match words.items() {
                Some(items) if !items.is_empty() => {
                    out.insert("enum".to_owned(), items.iter().map(Node::to_json).collect());
                }
                _ => document.error(words.span, "`enum` is a list of values"),
            }
        }
        if let Some(pattern) = node.get("pattern") {
            match pattern.scalar().map(|scalar| scalar.text.as_str()) {
                Some(text) if is_pattern(text) => _ = out.insert("pattern".to_owned(), text.into()),
                Some(text) => document.warning(
                    pattern.span,
                    format!(
                        "the pattern `{text}` cannot be checked in linear time, so it is not checked at all"
                    ),
                ),
                None => document.error(pattern.span, "`pattern` is a text"),
            }
        }
    }

    fn type_words(&self, node: &'t Node) -> Option<Value> {
        let is_word = |node: &&Node| {
            let word = if node.is_null() { Some("null") } else { node.text() };
            word.is_some_and(|word| WORDS.contains(&word))
        };
        let words = node.items().unwrap_or(std::slice::from_ref(node));
        match words.iter().find(|word| !is_word(word)) {
            None if words.is_empty() => None,
            None => {
                let word = |node: &Node| {
                    Value::from(if node.is_null() { "null" } else { node.text().unwrap_or("null") })
                };
                Some(match (node.items(), words) {
                    (None, [one]) | (Some(_), [one]) => word(one),
                    _ => words.iter().map(word).collect(),
                })
            }
            Some(other) => {
                let text = other.scalar().map_or(other.describe(), |scalar| scalar.text.as_str());
                self.document
                    .error(other.span, format!("`{text}` is no type; types are {}", WORDS.join(", ")));
                None
            }
        }
    }

    /// Keywords that hold schemas, and `required`.
    fn inner(&self, node: &'t Node, out: &mut Map<String, Value>) {
        for key in ONE_SCHEMA {
            if let Some(schema) = node.get(key) {
                out.insert(key.to_owned(), self.schema(schema));
            }
        }
        for key in SCHEMA_LISTS {
            let Some(list) = node.get(key) else { continue };
            match list.items() {
                Some([]) => {}
                Some(items) => {
                    let all = items.iter().map(|item| self.schema(item)).collect();
                    out.insert(key.to_owned(), all);
                }
                None => self.document.error(list.span, format!("`{key}` is a list of schemas")),
            }
        }
        for key in SCHEMA_MAPS {
            let Some(map) = node.get(key) else { continue };
            match map.entries() {
                Some(entries) => {
                    let all: Map<String, Value> = entries
                        .iter()
                        .map(|entry| (entry.key.text.clone(), self.schema(&entry.value)))
                        .collect();
                    out.insert(key.to_owned(), Value::Object(all));
                }
                None => self.document.error(map.span, format!("`{key}` is a map of schemas")),
            }
        }
        if let Some(map) = node.get("patternProperties").and_then(Node::entries) {
            let usable = map.iter().filter(|entry| is_pattern(&entry.key.text));
            let all: Map<String, Value> =
                usable.map(|entry| (entry.key.text.clone(), self.schema(&entry.value))).collect();
            out.insert("patternProperties".to_owned(), Value::Object(all));
        }
        if let Some(required) = node.get("required") {
            out.extend(self.required(node, required).map(|names| ("required".to_owned(), names)));
        }
    }

    /// What must be there in this direction.
    fn required(&self, node: &'t Node, required: &'t Node) -> Option<Value> {
        // As it stands in parameters of Swagger 2, where it is common and means nothing in a schema.
        if matches!(required.scalar().map(|scalar| scalar.value), Some(Plain::Boolean(_))) {
            self.document
                .warning(required.span, "`required` of a schema is a list of names; this is left out");
            return None;
        }
        let Some(items) = required.items() else {
            self.document.error(required.span, "`required` is a list of names");
            return None;
        };
        let elsewhere = match self.direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        let properties = node.get("properties");
        let names = items.iter().filter_map(|item| Some(item.scalar()?.text.as_str()));
        let names = names.filter(|name| {
            let property = properties.and_then(|properties| properties.get(name));
            let property = property.filter(|property| property.entries().is_some());
            !property.is_some_and(|property| flag(property, elsewhere))
        });
        // A name that stands twice would not compile.
        let mut all: Vec<Value> = Vec::new();
        for name in names.map(Value::from) {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        (!all.is_empty()).then_some(Value::Array(all))
    }
}

/// Whether a key is there and true.
pub(super) fn flag(node: &Node, key: &str) -> bool {
    node.get(key).and_then(Node::scalar).is_some_and(|scalar| scalar.value == Plain::Boolean(true))
}

fn number(node: &Node) -> Option<Value> {
    let scalar = node.scalar()?;
    matches!(scalar.value, Plain::Integer(_) | Plain::Number(_)).then(|| scalar.to_json())
}

/// The schema, or null.
pub(super) fn nullable(mut out: Map<String, Value>) -> Value {
    if let Some(Value::Array(words)) = out.get_mut("enum")
        && !words.contains(&Value::Null)
    {
        words.push(Value::Null);
    }
    match out.get("type") {
        Some(Value::String(word)) if word != "null" => {
            let both = json!([word, "null"]);
            out.insert("type".to_owned(), both);
            Value::Object(out)
        }
        _ if out.is_empty() => Value::Object(out),
        _ => json!({ "anyOf": [out, { "type": "null" }] }),
    }
}
