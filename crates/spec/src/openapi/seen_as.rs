//! What expressions may rely on, of schemas of a document.
//!
//! An object that names its properties and does not say `additionalProperties` is seen as having those only:
//! a field that the document does not name is a mistake more often than not. Values are checked by the schema,
//! which lets other fields pass.

use super::definitions::{Definitions, key_of};
use consort_expr::{Field, ObjectType, Type};
use serde_json::{Map, Value};
use std::{cell::RefCell, collections::HashMap, sync::Arc};

/// How many references deep a type goes; deeper it is anything. Also what ends a schema that holds itself.
const DEPTH_MAX: usize = 5;

/// How many parts a type that is referred to may have; a larger one goes less deep.
const PARTS_MAX: usize = 2_000;

/// A type, and of how many parts it is.
type Seen = (Type, usize);

/// Types of the schemas of one document.
pub(super) struct Types<'d> {
    definitions: &'d Definitions,
    known: RefCell<HashMap<(&'d str, usize), Seen>>,
}

impl<'d> Types<'d> {
    pub(super) fn new(definitions: &'d Definitions) -> Self {
        Self { definitions, known: RefCell::default() }
    }

    /// The type of a schema.
    pub(super) fn of(&self, schema: &Value) -> Type {
        for depth in (1..=DEPTH_MAX).rev() {
            let (type_, parts) = self.seen(schema, Some(depth));
            if parts <= PARTS_MAX {
                return type_;
            }
        }
        self.seen(schema, None).0
    }

    /// `depth`: how many more references are followed; none: not even one.
    fn seen(&self, schema: &Value, depth: Option<usize>) -> Seen {
        let Value::Object(entries) = schema else { return (Type::Any, 1) };
        let mut all: Option<Seen> = None;
        let mut and = |(type_, parts): Seen| {
            all = Some(match all.take() {
                None => (type_, parts),
                Some((before, sum)) => (both(&before, &type_), sum + parts),
            });
        };
        if let Some(key) = entries.get("$ref").and_then(key_of) {
            and(self.referred(key, depth));
        }
        if ["type", "enum", "const", "properties"].iter().any(|key| entries.contains_key(*key)) {
            and(self.own(entries, depth));
        }
        for part in entries.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            and(self.seen(part, depth));
        }
        for key in ["anyOf", "oneOf"] {
            let alternatives = entries.get(key).and_then(Value::as_array);
            let alternatives = alternatives.into_iter().flatten().map(|one| self.seen(one, depth));
            if let Some(joined) = alternatives.reduce(|(a, x), (b, y)| (a.join(&b), x + y)) {
                and(joined);
            }
        }
        all.unwrap_or((Type::Any, 1))
    }

    fn referred(&self, key: &str, depth: Option<usize>) -> Seen {
        let Some(depth) = depth else { return (Type::Any, 1) };
        let Some((key, definition)) = self.definitions.entry(key) else { return (Type::Any, 1) };
        if let Some(known) = self.known.borrow().get(&(key, depth)) {
            return known.clone();
        }
        let within = self.seen(definition, depth.checked_sub(1));
        let seen = match depth.checked_sub(1) {
            _ if within.1 <= PARTS_MAX => within,
            Some(less) => self.referred(key, Some(less)),
            None => (Type::Any, 1),
        };
        self.known.borrow_mut().insert((key, depth), seen.clone());
        seen
    }

    /// What the keywords of the schema itself say.
    fn own(&self, entries: &Map<String, Value>, depth: Option<usize>) -> Seen {
        let words: Vec<&Value> = match (entries.get("enum"), entries.get("const")) {
            (Some(Value::Array(words)), _) => words.iter().collect(),
            (_, Some(word)) => vec![word],
            _ => Vec::new(),
        };
        if !words.is_empty() {
            let types = words.iter().map(|word| Type::of_literal(word));
            return (types.reduce(|all, one| all.join(&one)).unwrap_or_default(), 1);
        }
        match entries.get("type") {
            Some(Value::String(word)) => self.named(entries, word, depth),
            Some(Value::Array(words)) => {
                let types =
                    words.iter().filter_map(Value::as_str).map(|word| self.named(entries, word, depth));
                types.reduce(|(a, x), (b, y)| (a.join(&b), x + y)).unwrap_or((Type::Any, 1))
            }
            _ => self.object(entries, depth),
        }
    }

    fn named(&self, entries: &Map<String, Value>, word: &str, depth: Option<usize>) -> Seen {
        let simple = match word {
            "null" => Type::Null,
            "boolean" => Type::Boolean,
            "integer" => Type::Integer,
            "number" => Type::Number,
            "string" if entries.get("format").and_then(Value::as_str) == Some("date-time") => Type::Datetime,
            "string" => Type::String,
            "array" => {
                let (item, parts) =
                    entries.get("items").map_or((Type::Any, 1), |item| self.seen(item, depth));
                return (Type::list(item), parts + 1);
            }
            "object" => return self.object(entries, depth),
            _ => Type::Any,
        };
        (simple, 1)
    }

    fn object(&self, entries: &Map<String, Value>, depth: Option<usize>) -> Seen {
        let properties = entries.get("properties").and_then(Value::as_object);
        let closed = match entries.get("additionalProperties") {
            Some(Value::Bool(false)) => true,
            None => properties.is_some_and(|properties| !properties.is_empty()),
            Some(_) => false,
        };
        if !closed {
            let others = entries.get("additionalProperties").filter(|_| properties.is_none());
            let (value, parts) = others.map_or((Type::Any, 1), |others| self.seen(others, depth));
            return (Type::Map(Box::new(value)), parts + 1);
        }
        let required = entries.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut sum = 1;
        let fields = properties.into_iter().flatten().map(|(name, property)| {
            let (type_, parts) = self.seen(property, depth);
            sum += parts;
            Field { name: name.clone(), type_, required: required.iter().any(|one| one == name.as_str()) }
        });
        (Type::Object(Arc::new(ObjectType { fields: fields.collect() })), sum)
    }
}

/// The type of what fits both; the first where that is not clear.
fn both(a: &Type, b: &Type) -> Type {
    match (a, b) {
        (Type::Any, other) | (other, Type::Any) => other.clone(),
        (Type::Nullable(a), Type::Nullable(b)) => both(a, b).nullable(),
        (Type::Nullable(a), b) | (b, Type::Nullable(a)) => both(a, b),
        (Type::Map(_), Type::Object(_)) => b.clone(),
        (Type::Object(_), Type::Map(_)) => a.clone(),
        (Type::Object(one), Type::Object(other)) => {
            let mut fields = one.fields.clone();
            for field in &other.fields {
                match fields.iter_mut().find(|known| known.name == field.name) {
                    Some(known) => {
                        known.type_ = both(&known.type_, &field.type_);
                        known.required |= field.required;
                    }
                    None => fields.push(field.clone()),
                }
            }
            Type::Object(Arc::new(ObjectType { fields }))
        }
        (a, b) if a.accepts(b).is_ok() => b.clone(),
        (a, _) => a.clone(),
    }
}
