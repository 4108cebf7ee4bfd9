//! Reads places: `a.b[0].c`, `has(a.b)`, `default(a.b, 0)`, `a.b != null`.

use super::Evaluator;
use crate::ast::{Kind, Link, Node, Operator, Path, Presence, Root, Segment, SegmentKind};
use crate::notes::Note;
use crate::raw::Raw;
use crate::value::{Map, Value};
use crate::{EvalError, code, nearest};
use std::sync::Arc;

/// Keys that are looked at for "did you mean" in an error.
const KEYS_LOOKED_AT: usize = 200;

/// What stands at a place.
enum Found {
    Value(Value),
    /// The field or index is not there; the error says so, for whoever needs it.
    Missing(EvalError),
}

impl Evaluator<'_> {
    /// The value at a path; what is missing on the way is an error.
    pub(super) fn path(&mut self, path: &Path) -> Result<Value, EvalError> {
        match self.walk(path, path.segments.len())? {
            Found::Value(value) => Ok(value),
            Found::Missing(error) => Err(error),
        }
    }

    /// The value of a node, or `None` when it is a path on which something is missing.
    fn if_there(&mut self, node: &Node) -> Result<Option<Value>, EvalError> {
        self.budget.step()?;
        let value = match &node.kind {
            Kind::Path(path) => match self.walk(path, path.segments.len())? {
                Found::Value(value) => value,
                Found::Missing(_) => return Ok(None),
            },
            _ => self.node(node)?,
        };
        self.force(value).map(Some)
    }

    /// Whether the last field of the path is there and not null.
    pub(super) fn has(&mut self, path: &Path) -> Result<Value, EvalError> {
        let there = match self.walk(path, path.segments.len())? {
            Found::Value(value) => !matches!(self.force(value)?, Value::Null | Value::Optional(None)),
            Found::Missing(_) => false,
        };
        Ok(Value::Bool(there))
    }

    pub(super) fn default(&mut self, value: &Node, otherwise: &Node) -> Result<Value, EvalError> {
        match self.if_there(value)? {
            None | Some(Value::Null | Value::Optional(None)) => self.node(otherwise).map(Value::settled),
            Some(Value::Optional(Some(inner))) => Ok((*inner).clone()),
            Some(value) => Ok(value),
        }
    }

    /// `x == null`, `x != null`: a field that is not there is as good as null. `None` for any other link.
    pub(super) fn null_test(&mut self, first: &Node, link: &Link) -> Result<Option<Value>, EvalError> {
        let wanted = match link.operator {
            Operator::Equal => true,
            Operator::NotEqual => false,
            _ => return Ok(None),
        };
        let asked = match (&first.kind, &link.right.kind) {
            (_, Kind::Null) => first,
            (Kind::Null, _) => &link.right,
            _ => return Ok(None),
        };
        let is_null = matches!(self.if_there(asked)?, None | Some(Value::Null));
        Ok(Some(Value::Bool(is_null == wanted)))
    }

    fn walk(&mut self, path: &Path, end: usize) -> Result<Found, EvalError> {
        let (mut value, from) = match self.start(path)? {
            (Found::Value(value), from) => (value, from),
            (missing, _) => return Ok(missing),
        };
        for segment in &path.segments[from..end] {
            match self.segment(value, path, segment)? {
                Found::Value(next) => value = next,
                missing => return Ok(missing),
            }
        }
        Ok(Found::Value(value))
    }

    /// The root, and with it the constant fields behind it when a macro asks for them again and again.
    fn start(&mut self, path: &Path) -> Result<(Found, usize), EvalError> {
        match &path.root {
            Root::Local(place) => Ok((Found::Value(self.locals[*place].clone()), 0)),
            Root::Value(node) => Ok((Found::Value(self.node(node)?), 0)),
            Root::Free(name, _) if self.budget.walks == 0 => Ok((Found::Value(self.free(name)?), 0)),
            Root::Free(name, number) => {
                let constant = path.constant_len();
                if let Some(Some(value)) = self.memo.get(*number) {
                    return Ok((Found::Value(value.clone()), constant));
                }
                let mut value = self.free(name)?;
                for segment in &path.segments[..constant] {
                    match self.segment(value, path, segment)? {
                        Found::Value(next) => value = next,
                        missing => return Ok((missing, 0)),
                    }
                }
                let value = self.force(value)?;
                if self.memo.len() <= *number {
                    self.memo.resize(*number + 1, None);
                }
                self.memo[*number] = Some(value.clone());
                Ok((Found::Value(value), constant))
            }
        }
    }

    fn free(&self, name: &str) -> Result<Value, EvalError> {
        let json = self.scope.get(name);
        json.map(|json| Value::Raw(Raw::whole(json)))
            .ok_or_else(|| EvalError::new(code::NAME, format!("there is no `{name}` here")))
    }

    fn segment(&mut self, value: Value, path: &Path, segment: &Segment) -> Result<Found, EvalError> {
        match &segment.kind {
            SegmentKind::Field(name, presence) => self.field(value, name, *presence, path, segment),
            SegmentKind::Index(index, presence) => {
                let index = self.forced(index)?;
                match index {
                    Value::Text(name) => self.field(value, &name, *presence, path, segment),
                    index => self.index(value, &index, *presence, path, segment),
                }
            }
            SegmentKind::Call(call) => self.call(value, call, self.notes.of(segment.note)).map(Found::Value),
            SegmentKind::Macro(walk) => {
                self.macro_(value, walk, self.notes.of(segment.note)).map(Found::Value)
            }
        }
    }

    fn field(
        &mut self,
        value: Value,
        name: &str,
        presence: Presence,
        path: &Path,
        segment: &Segment,
    ) -> Result<Found, EvalError> {
        let (inner, optional) = open(value, presence);
        let Some(inner) = inner else { return Ok(Found::Value(Value::Optional(None))) };
        let found = match &inner {
            // The hot path: no need to know more than the first byte of the object.
            Value::Raw(raw) if raw.first() == b'{' => {
                let (found, looked) = raw.field(name);
                self.budget.place(looked)?;
                found.map(Value::Raw)
            }
            Value::Map(map) => {
                self.budget.steps(map.len() as u64 / 16)?;
                map.iter().find(|(key, _)| **key == *name).map(|(_, value)| value.clone())
            }
            Value::Raw(raw) if raw.first() == b'n' => return Ok(null(optional)),
            Value::Null => return Ok(null(optional)),
            other => {
                let (place, what) = (self.place_before(path, segment), other.describe());
                let message = format!("`{place}` is {what}, it has no field `{name}`");
                return Err(EvalError::new(code::TYPE, message));
            }
        };
        Ok(match found {
            Some(value) if optional => Found::Value(Value::Optional(Some(Arc::new(self.force(value)?)))),
            Some(value) => Found::Value(value),
            None if optional => Found::Value(Value::Optional(None)),
            None if self.notes.of(segment.note) == Note::MayBeAbsent => Found::Value(Value::Null),
            None => Found::Missing(self.no_field(&inner, name, path, segment)),
        })
    }

    fn no_field(&self, object: &Value, name: &str, path: &Path, segment: &Segment) -> EvalError {
        let keys: Map = match object {
            Value::Raw(raw) => {
                raw.fields().take(KEYS_LOOKED_AT).map(|(key, _)| (Arc::from(key), Value::Null)).collect()
            }
            Value::Map(map) => map.iter().take(KEYS_LOOKED_AT).cloned().collect(),
            _ => Vec::new(),
        };
        let place = self.place_before(path, segment);
        let mut message = format!("`{place}` has no field `{name}`");
        if let Some(near) = nearest(name, keys.iter().map(|(key, _)| &**key)) {
            message.push_str(&format!(", but `{near}`"));
        }
        EvalError::new(code::NO_FIELD, message)
    }

    fn index(
        &mut self,
        value: Value,
        index: &Value,
        presence: Presence,
        path: &Path,
        segment: &Segment,
    ) -> Result<Found, EvalError> {
        let (inner, optional) = open(value, presence);
        let Some(inner) = inner else { return Ok(Found::Value(Value::Optional(None))) };
        let inner = self.force(inner)?;
        if matches!(inner, Value::Null) {
            return Ok(null(optional));
        }
        let Some(mut items) = inner.items() else {
            // Keys of objects are texts; a number or boolean is looked up as it would be written.
            return match (&inner, index) {
                (Value::Map(_) | Value::Raw(_), Value::Int(key)) => {
                    self.field(inner, &key.to_string(), self.again(optional), path, segment)
                }
                (Value::Map(_) | Value::Raw(_), Value::Bool(key)) => {
                    self.field(inner, &key.to_string(), self.again(optional), path, segment)
                }
                _ => Err(self.no_index(&inner, index, path, segment)),
            };
        };
        let Some(place) = whole(index) else { return Err(self.no_index(&inner, index, path, segment)) };
        let found = match (&inner, usize::try_from(place)) {
            (_, Err(_)) => None,
            (Value::List(list), Ok(place)) => list.get(place).cloned(),
            (_, Ok(place)) => items.nth(place),
        };
        if let crate::value::Items::Raw(raw) = &items {
            self.budget.place(raw.position())?;
        }
        Ok(match found {
            Some(value) if optional => Found::Value(Value::Optional(Some(Arc::new(self.force(value)?)))),
            Some(value) => Found::Value(value),
            None if optional => Found::Value(Value::Optional(None)),
            None => {
                let count = inner.items().map_or(0, Iterator::count);
                let list = self.place_before(path, segment);
                let message = format!("`{list}` has {count} item(s), there is none at index {place}");
                Found::Missing(EvalError::new(code::INDEX, message))
            }
        })
    }

    fn again(&self, optional: bool) -> Presence {
        if optional { Presence::Optional } else { Presence::Required }
    }

    fn no_index(&self, value: &Value, index: &Value, path: &Path, segment: &Segment) -> EvalError {
        let (list, what) = (self.place_before(path, segment), value.describe());
        let message = format!("`{list}` is {what}, it cannot be indexed with {}", index.describe());
        EvalError::new(code::TYPE, message)
    }

    /// The source of a path up to the segment.
    fn place_before(&self, path: &Path, segment: &Segment) -> &str {
        let mut end = path.root_span.end;
        for before in path.segments.iter().take_while(|before| before.note != segment.note) {
            end = end.max(before.span.end);
        }
        self.text_of(path.root_span.start, end)
    }
}

/// The value to read from, and whether what is read becomes an optional. `None`: nothing is there to read from.
fn open(value: Value, presence: Presence) -> (Option<Value>, bool) {
    match value {
        Value::Optional(inner) => (inner.map(|inner| (*inner).clone()), true),
        other => (Some(other), presence == Presence::Optional),
    }
}

/// A field of null is null.
fn null(optional: bool) -> Found {
    Found::Value(if optional { Value::Optional(None) } else { Value::Null })
}

/// An index: an int, or a double without a fraction.
fn whole(index: &Value) -> Option<i64> {
    match index {
        Value::Int(index) => Some(*index),
        Value::Double(index) => match Value::of_double(*index) {
            Value::Int(index) => Some(index),
            _ => None,
        },
        _ => None,
    }
}
