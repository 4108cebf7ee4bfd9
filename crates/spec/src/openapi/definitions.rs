//! The schemas that others refer to: each is turned over once and shared by all operations of the document.

use super::{
    document::{Document, pointer_parts},
    schema::{Converter, Direction},
};
use crate::yaml::Node;
use serde_json::{Map, Value};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
};

/// How many definitions stand in a document that is shown to people. What lies deeper shows as anything: a
/// document in which everything refers to everything would show itself once for each operation.
const SHOWN_MAX: usize = 40;

/// Shared schemas by the names under which `#/$defs/…` finds them.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    map: BTreeMap<String, Value>,
}

/// Definitions while the document is read.
#[derive(Default)]
pub(super) struct Collector<'t> {
    keys: RefCell<HashMap<(String, Direction), String>>,
    taken: RefCell<BTreeSet<String>>,
    waiting: RefCell<VecDeque<(String, &'t Node, Direction)>>,
    /// Whether a property is read-only or write-only anywhere, so that the directions differ.
    directed: bool,
}

impl<'t> Collector<'t> {
    /// For a document with or without `readOnly` and `writeOnly`.
    pub(super) fn of(document: &Document<'t>) -> Self {
        Self { directed: is_directed(document.root), ..Self::default() }
    }

    /// The name of the definition that a reference means. None: it means nothing, and that is reported.
    pub(super) fn define(
        &self,
        document: &Document<'t>,
        reference: &'t Node,
        direction: Direction,
    ) -> Option<String> {
        let direction = if self.directed { direction } else { Direction::Response };
        let text = document.reference(reference)?;
        if let Some(key) = self.keys.borrow().get(&(text.to_owned(), direction)) {
            return Some(key.clone());
        }
        let target = document.target(reference)?;
        let key = self.free_key(text, direction);
        self.keys.borrow_mut().insert((text.to_owned(), direction), key.clone());
        self.waiting.borrow_mut().push_back((key.clone(), target, direction));
        Some(key)
    }

    /// `User`, `User.request`, `User_2`: what `#/$defs/…` takes without escapes.
    fn free_key(&self, reference: &str, direction: Direction) -> String {
        let last = pointer_parts(reference).pop().unwrap_or_else(|| "document".to_owned());
        let legal = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let mut base: String = last.chars().map(legal).collect();
        if direction == Direction::Request {
            base.push_str(".request");
        }
        let mut taken = self.taken.borrow_mut();
        let numbered = (2_u32..).map(|number| format!("{base}_{number}"));
        let key = std::iter::once(base.clone()).chain(numbered).find(|key| !taken.contains(key));
        let key = key.unwrap_or(base);
        taken.insert(key.clone());
        key
    }

    /// Turns over all that was referred to, also by each other.
    pub(super) fn finish(self, document: &Document<'t>) -> Definitions {
        let mut map = BTreeMap::new();
        loop {
            let next = self.waiting.borrow_mut().pop_front();
            let Some((key, node, direction)) = next else { break };
            let converter = Converter { document, collector: &self, direction };
            map.insert(key, converter.schema(node));
        }
        Definitions { map }
    }
}

fn is_directed(node: &Node) -> bool {
    match (node.entries(), node.items()) {
        (Some(entries), _) => entries.iter().any(|entry| {
            matches!(entry.key.text.as_str(), "readOnly" | "writeOnly") || is_directed(&entry.value)
        }),
        (None, Some(items)) => items.iter().any(is_directed),
        (None, None) => false,
    }
}

/// How many of the definitions that a schema needs go into its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All: for checking values.
    Whole,
    /// The nearest ones: for showing.
    Shown,
}

impl Definitions {
    /// All of them.
    pub(crate) fn to_json(&self) -> Value {
        self.map.iter().map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>().into()
    }

    /// A definition and its name.
    pub(super) fn entry(&self, key: &str) -> Option<(&str, &Value)> {
        self.map.get_key_value(key).map(|(key, value)| (key.as_str(), value))
    }

    /// A schema or what its `$ref` names, as long as nothing stands beside the reference.
    pub(super) fn followed<'v>(&'v self, schema: &'v Value) -> &'v Value {
        let mut at = schema;
        // As many as there are: a longer chain is a circle.
        for _ in 0..=self.map.len() {
            let alone = at.as_object().filter(|entries| entries.len() == 1);
            match alone.and_then(|entries| self.map.get(key_of(entries.get("$ref")?)?)) {
                Some(target) => at = target,
                None => break,
            }
        }
        at
    }

    /// The schema with the definitions that it needs: a document that stands by itself.
    pub(crate) fn assembled(&self, schema: &Value, extent: Extent) -> Value {
        let Value::Object(entries) = schema else { return schema.clone() };
        let mut found: Vec<&str> = Vec::new();
        let mut known: BTreeSet<&str> = BTreeSet::new();
        references(schema, &mut found);
        let mut at = 0;
        while let Some(key) = found.get(at).copied() {
            at += 1;
            if known.insert(key)
                && let Some(definition) = self.map.get(key)
            {
                references(definition, &mut found);
            }
        }
        let mut shown = 0_usize;
        let mut needed: Map<String, Value> = Map::new();
        for key in found {
            if needed.contains_key(key) {
                continue;
            }
            shown += 1;
            let cut = extent == Extent::Shown && shown > SHOWN_MAX;
            let definition = self.map.get(key).filter(|_| !cut).cloned();
            needed.insert(key.to_owned(), definition.unwrap_or(Value::Bool(true)));
        }
        let mut entries = entries.clone();
        if !needed.is_empty() {
            entries.insert("$defs".to_owned(), Value::Object(needed));
        }
        Value::Object(entries)
    }
}

/// The key in `#/$defs/key`.
pub(super) fn key_of(reference: &Value) -> Option<&str> {
    reference.as_str()?.strip_prefix("#/$defs/")
}

fn references<'v>(schema: &'v Value, found: &mut Vec<&'v str>) {
    match schema {
        Value::Object(entries) => {
            for (name, value) in entries {
                match key_of(value).filter(|_| name == "$ref") {
                    Some(key) => found.push(key),
                    None => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
