//! Functions of optionals.

use super::apply::needs;
use crate::value::Value;
use crate::{EvalError, code};
use std::sync::Arc;

pub(super) fn of(value: Value) -> Value {
    Value::Optional(Some(Arc::new(value)))
}

/// No value for null, false, 0, an empty text, list or object.
pub(super) fn of_non_zero(value: Value) -> Value {
    let zero = match &value {
        Value::Null | Value::Bool(false) | Value::Int(0) => true,
        Value::Double(value) => *value == 0.0,
        Value::Text(text) => text.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Raw(raw) if raw.first() == b'{' => raw.fields().next().is_none(),
        other => other.items().is_some_and(|mut items| items.next().is_none()),
    };
    if zero { Value::Optional(None) } else { of(value) }
}

pub(super) fn or_value(optional: Value, otherwise: &Value) -> Result<Value, EvalError> {
    match optional {
        Value::Optional(Some(value)) => Ok((*value).clone()),
        Value::Optional(None) => Ok(otherwise.clone()),
        other => Err(needs("an optional (`a.?b`)", &other)),
    }
}

pub(super) fn or(optional: Value, otherwise: &Value) -> Result<Value, EvalError> {
    match (optional, otherwise) {
        (Value::Optional(None), Value::Optional(_)) => Ok(otherwise.clone()),
        (Value::Optional(value), Value::Optional(_)) => Ok(Value::Optional(value)),
        (Value::Optional(_), other) => Err(needs("an optional (`a.?b`)", other)),
        (other, _) => Err(needs("an optional (`a.?b`)", &other)),
    }
}

pub(super) fn has_value(optional: &Value) -> Result<Value, EvalError> {
    match optional {
        Value::Optional(value) => Ok(Value::Bool(value.is_some())),
        other => Err(needs("an optional (`a.?b`)", other)),
    }
}

pub(super) fn value(optional: Value) -> Result<Value, EvalError> {
    match optional {
        Value::Optional(Some(value)) => Ok((*value).clone()),
        Value::Optional(None) => {
            Err(EvalError::new(code::NO_FIELD, "`value()` of an optional that has none"))
        }
        other => Err(needs("an optional (`a.?b`)", &other)),
    }
}
