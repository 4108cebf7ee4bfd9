//! YAML 1.2, core schema, as a small tree in which everything knows its place.
//!
//! Only what a configuration needs: no merge keys, no custom tags, no aliases, one document a file.

mod core_schema;
mod json;
mod place;
mod read;

pub(crate) use json::read_json;
pub(crate) use read::{FILE_SIZE_MAX, read};

use crate::diagnostics::Span;
use serde_json::Value;

/// One value with its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub span: Span,
    pub kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One `key: value`.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub key: Key,
    pub value: Node,
}

/// The key of an entry.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub text: String,
    pub span: Span,
}

/// A scalar: as it was written and as the core schema reads it.
#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    pub text: String,
    pub value: Plain,
    /// Where each character of `text` stands in the file.
    pub source: place::Source,
}

/// What the core schema makes of a scalar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Plain {
    Null,
    Boolean(bool),
    Integer(i64),
    Number(f64),
    Text,
}

impl Node {
    /// The scalar in it.
    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// The text, when it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        self.scalar().filter(|scalar| scalar.value == Plain::Text).map(|scalar| scalar.text.as_str())
    }

    /// Whether nothing stands there.
    pub(crate) fn is_null(&self) -> bool {
        self.scalar().is_some_and(|scalar| scalar.value == Plain::Null)
    }

    /// The entries, when it is a map.
    pub(crate) fn entries(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            Kind::Scalar(_) | Kind::List(_) => None,
        }
    }

    /// The items, when it is a list.
    pub(crate) fn items(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            Kind::Scalar(_) | Kind::Map(_) => None,
        }
    }

    /// A value of this map by its key.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries()?.iter().find(|entry| entry.key.text == key).map(|entry| &entry.value)
    }

    /// The same as JSON, in the order of the file.
    pub(crate) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.to_json(),
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Map(entries) => {
                entries.iter().map(|entry| (entry.key.text.clone(), entry.value.to_json())).collect()
            }
        }
    }

    /// What kind of thing it is, for messages.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
            Kind::Scalar(scalar) => match scalar.value {
                Plain::Null => "nothing",
                Plain::Boolean(_) => "a boolean",
                Plain::Integer(_) | Plain::Number(_) => "a number",
                Plain::Text => "a text",
            },
        }
    }
}

impl Scalar {
    /// The same as JSON.
    pub(crate) fn to_json(&self) -> Value {
        match self.value {
            Plain::Null => Value::Null,
            Plain::Boolean(value) => value.into(),
            Plain::Integer(value) => value.into(),
            Plain::Number(value) => value.into(),
            Plain::Text => self.text.clone().into(),
        }
    }
}
