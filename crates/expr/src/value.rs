//! What an expression works with while it runs.

use crate::raw::{self, Raw, RawItems};
use crate::{EvalError, NESTING_MAX, VALUE_LEN_MAX, code};
use consort_types::Json;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// A value. Cloning copies a pointer.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// Always finite.
    Double(f64),
    Text(Arc<str>),
    List(Arc<Vec<Value>>),
    Map(Arc<Map>),
    /// A part of the data that nobody has looked into yet; a scalar until [`Value::force`], an object or an
    /// array after it.
    Raw(Raw),
    Time(Timestamp),
    Duration(SignedDuration),
    /// What `type(x)` gives.
    Type(&'static str),
    Optional(Option<Arc<Value>>),
}

/// The entries of an object in the order they were written.
pub(crate) type Map = Vec<(Arc<str>, Value)>;

/// Bytes that a list or an object takes for each item, rounded up.
pub(crate) const ITEM_LEN: usize = 48;

impl Value {
    /// A whole double as an int, where it fits: JSON has one kind of number.
    pub fn of_double(value: f64) -> Self {
        // Below 2^63 every whole double is an i64.
        if value.fract() == 0.0 && value.abs() < 9_223_372_036_854_775_808.0 {
            Self::Int(value as i64)
        } else {
            Self::Double(value)
        }
    }

    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// A raw scalar becomes a value.
    pub fn force(self) -> Result<Self, EvalError> {
        match self {
            Self::Raw(raw) => raw.force(),
            other => Ok(other),
        }
    }

    /// An optional inside of another value is its value, or null.
    pub fn settled(self) -> Self {
        match self {
            Self::Optional(None) => Self::Null,
            Self::Optional(Some(inner)) => (*inner).clone(),
            other => other,
        }
    }

    /// What a person would call it, with an article.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Double(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
            Self::Raw(raw) => match raw.first() {
                b'{' => "an object",
                b'[' => "a list",
                b'"' => "a text",
                b't' | b'f' => "a boolean",
                b'n' => "null",
                _ => "a number",
            },
            Self::Time(_) => "a time",
            Self::Duration(_) => "a duration",
            Self::Type(_) => "a type",
            Self::Optional(_) => "an optional",
        }
    }

    /// The name that `type(x)` compares with.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Raw(raw) if raw.first() == b'[' => "list",
            Self::Raw(_) => "map",
            Self::Time(_) => "timestamp",
            Self::Duration(_) => "duration",
            Self::Type(_) => "type",
            Self::Optional(_) => "optional",
        }
    }

    /// The items of a list; `None` when it is none. The value must be forced.
    pub fn items(&self) -> Option<Items> {
        match self {
            Self::List(list) => Some(Items::Built(list.clone(), 0)),
            Self::Raw(raw) if raw.first() == b'[' => Some(Items::Raw(raw.items())),
            _ => None,
        }
    }

    /// The keys and values of an object; `None` when it is none.
    pub fn entries(&self) -> Option<Map> {
        match self {
            Self::Map(map) => Some(map.to_vec()),
            Self::Raw(raw) if raw.first() == b'{' => {
                Some(raw.fields().map(|(key, value)| (Arc::from(key), Self::Raw(value))).collect())
            }
            _ => None,
        }
    }
}

/// The items of a list, one by one.
pub(crate) enum Items {
    Built(Arc<Vec<Value>>, usize),
    Raw(RawItems),
}

impl Iterator for Items {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        match self {
            Self::Built(list, next) => {
                *next += 1;
                list.get(*next - 1).cloned()
            }
            Self::Raw(items) => items.next().map(Value::Raw),
        }
    }
}

/// Puts a value out.
pub(crate) fn into_json(value: Value) -> Result<Json, EvalError> {
    match value {
        Value::Raw(raw) => Ok(raw.into_json()),
        Value::Null => Ok(Json::null()),
        other => {
            let mut writer = Writer::new(String::new());
            writer.value(&other, 0)?;
            Json::from_text(writer.out)
                .map_err(|error| EvalError::new(code::FORMAT, format!("the value is no JSON: {error}")))
        }
    }
}

/// A value as text inside a text: null is empty, a text is itself, lists and objects are compact JSON.
pub(crate) fn append_text(out: String, value: &Value) -> Result<String, EvalError> {
    let mut writer = Writer::new(out);
    match value.clone().force()? {
        Value::Null | Value::Optional(None) => {}
        Value::Text(text) => writer.push(&text)?,
        Value::Time(time) => writer.push(&time.to_string())?,
        Value::Duration(duration) => writer.push(&duration_text(duration))?,
        Value::Type(name) => writer.push(name)?,
        Value::Optional(Some(inner)) => return append_text(writer.out, &inner),
        other => writer.value(&other, 0)?,
    }
    Ok(writer.out)
}

/// A duration as CEL and JSON write it: `5400s`, `0.5s`.
pub(crate) fn duration_text(duration: SignedDuration) -> String {
    let sign = if duration.is_negative() { "-" } else { "" };
    let (seconds, nanos) = (duration.as_secs().unsigned_abs(), duration.subsec_nanos().unsigned_abs());
    if nanos == 0 {
        return format!("{sign}{seconds}s");
    }
    let fraction = format!("{nanos:09}");
    format!("{sign}{seconds}.{}s", fraction.trim_end_matches('0'))
}

/// Writes JSON and refuses to write more than one value may hold.
pub(crate) struct Writer {
    pub out: String,
}

impl Writer {
    pub fn new(out: String) -> Self {
        Self { out }
    }

    /// Room for so many more bytes, or the error that there is none.
    fn reserve(&self, more: usize) -> Result<(), EvalError> {
        if self.out.len() + more > VALUE_LEN_MAX { Err(too_large()) } else { Ok(()) }
    }

    pub fn push(&mut self, text: &str) -> Result<(), EvalError> {
        self.reserve(text.len())?;
        self.out.push_str(text);
        Ok(())
    }

    pub fn quoted(&mut self, text: &str) -> Result<(), EvalError> {
        self.reserve(text.len() + 2)?;
        let quoted = serde_json::to_string(text).unwrap_or_default();
        self.push(&quoted)
    }

    pub fn raw(&mut self, raw: &Raw, depth: usize) -> Result<(), EvalError> {
        self.json_text(raw.text(), depth)
    }

    /// A JSON text as a part of this one.
    pub fn json_text(&mut self, text: &str, depth: usize) -> Result<(), EvalError> {
        self.reserve(text.len())?;
        if depth + raw::depth(text) > NESTING_MAX {
            return Err(too_deep());
        }
        raw::write_compact(&mut self.out, text);
        Ok(())
    }

    /// Opens one more level.
    pub fn open(&mut self, bracket: &str, depth: usize) -> Result<(), EvalError> {
        if depth >= NESTING_MAX { Err(too_deep()) } else { self.push(bracket) }
    }

    pub fn value(&mut self, value: &Value, depth: usize) -> Result<(), EvalError> {
        match value {
            Value::Null | Value::Optional(None) => self.push("null"),
            Value::Bool(true) => self.push("true"),
            Value::Bool(false) => self.push("false"),
            Value::Int(value) => self.push(&value.to_string()),
            Value::Double(value) => self.double(*value),
            Value::Text(text) => self.quoted(text),
            Value::Raw(raw) => self.raw(raw, depth),
            Value::Time(time) => self.quoted(&time.to_string()),
            Value::Duration(duration) => self.quoted(&duration_text(*duration)),
            Value::Type(name) => self.quoted(name),
            Value::Optional(Some(inner)) => self.value(inner, depth),
            Value::List(list) => {
                self.open("[", depth)?;
                for (index, item) in list.iter().enumerate() {
                    self.comma(index)?;
                    self.value(item, depth + 1)?;
                }
                self.push("]")
            }
            Value::Map(map) => {
                self.open("{", depth)?;
                for (index, (key, item)) in map.iter().enumerate() {
                    self.comma(index)?;
                    self.quoted(key)?;
                    self.push(":")?;
                    self.value(item, depth + 1)?;
                }
                self.push("}")
            }
        }
    }

    pub fn comma(&mut self, index: usize) -> Result<(), EvalError> {
        if index == 0 { Ok(()) } else { self.push(",") }
    }

    fn double(&mut self, value: f64) -> Result<(), EvalError> {
        match Value::of_double(value) {
            Value::Int(whole) => self.push(&whole.to_string()),
            // Beyond the integers every double is whole.
            _ if value.fract() == 0.0 => self.push(&format!("{value:.0}")),
            _ => self.push(&serde_json::to_string(&value).unwrap_or_default()),
        }
    }
}

pub(crate) fn too_large() -> EvalError {
    EvalError::new(code::SIZE, format!("the value would be larger than {} MiB", VALUE_LEN_MAX >> 20))
}

pub(crate) fn too_deep() -> EvalError {
    EvalError::new(code::DEPTH, format!("the value is nested more than {NESTING_MAX} deep"))
}
