//! Conversions between kinds of values.

use super::apply::{needs, text_of};
use super::time;
use crate::cost::Budget;
use crate::value::{Value, Writer, append_text, too_deep};
use crate::{EvalError, NESTING_MAX, code};
use consort_types::{Digest, Json};

fn unreadable(what: &str, text: &str) -> EvalError {
    let shown: String = text.chars().take(40).collect();
    EvalError::new(code::FORMAT, format!("{shown:?} is not {what}"))
}

pub(super) fn int(value: &Value) -> Result<Value, EvalError> {
    match value {
        Value::Int(value) => Ok(Value::Int(*value)),
        Value::Double(value) => match Value::of_double(value.trunc()) {
            Value::Int(value) => Ok(Value::Int(value)),
            _ => Err(EvalError::new(code::NUMBER, format!("{value} is too large for an integer"))),
        },
        Value::Text(text) => match (text.trim().parse(), text.parse::<jiff::Timestamp>()) {
            (Ok(value), _) => Ok(Value::Int(value)),
            (_, Ok(time)) => Ok(Value::Int(time.as_second())),
            _ => Err(unreadable("an integer", text)),
        },
        Value::Time(time) => Ok(Value::Int(time.as_second())),
        Value::Duration(_) => int(&as_written_text(value)?),
        other => Err(needs("a number, a text or a time", other)),
    }
}

pub(super) fn double(value: &Value) -> Result<Value, EvalError> {
    match value {
        Value::Int(value) => Ok(Value::Double(*value as f64)),
        Value::Double(value) => Ok(Value::Double(*value)),
        Value::Text(text) => match text.trim().parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Value::Double(value)),
            _ => Err(unreadable("a number", text)),
        },
        Value::Time(_) | Value::Duration(_) => double(&as_written_text(value)?),
        other => Err(needs("a number or a text", other)),
    }
}

/// A time or a duration as the text that it is in JSON: where its type was joined with another text's, it is
/// read as one.
fn as_written_text(value: &Value) -> Result<Value, EvalError> {
    Ok(Value::Text(append_text(String::new(), value)?.into()))
}

pub(super) fn string(value: &Value, budget: &mut Budget) -> Result<Value, EvalError> {
    if let Value::Text(_) = value {
        return Ok(value.clone());
    }
    let text = append_text(String::new(), value)?;
    budget.make(text.len())?;
    Ok(Value::Text(text.into()))
}

pub(super) fn boolean(value: &Value) -> Result<Value, EvalError> {
    match value {
        Value::Bool(value) => Ok(Value::Bool(*value)),
        Value::Text(text) => match &**text {
            "true" | "True" | "TRUE" | "t" | "1" => Ok(Value::Bool(true)),
            "false" | "False" | "FALSE" | "f" | "0" => Ok(Value::Bool(false)),
            _ => Err(unreadable("true or false", text)),
        },
        Value::Time(_) | Value::Duration(_) => boolean(&as_written_text(value)?),
        other => Err(needs("a boolean or a text", other)),
    }
}

pub(super) fn json(value: &Value, budget: &mut Budget) -> Result<Value, EvalError> {
    let mut writer = Writer::new(String::new());
    writer.value(value, 0)?;
    budget.make(writer.out.len())?;
    Ok(Value::Text(writer.out.into()))
}

pub(super) fn parse_json(value: &Value, budget: &mut Budget) -> Result<Value, EvalError> {
    let text = text_of(value)?;
    budget.make(text.len())?;
    let json = Json::from_text(text.to_owned())
        .map_err(|error| EvalError::new(code::FORMAT, format!("the text is no JSON: {error}")))?;
    if crate::raw::depth(json.text()) > NESTING_MAX {
        return Err(too_deep());
    }
    crate::raw::Raw::whole(json).force()
}

/// Of a text its bytes, of anything else its canonical JSON.
pub(super) fn hash(value: &Value, budget: &mut Budget) -> Result<Value, EvalError> {
    if let Value::Text(text) = value {
        budget.look(text.len())?;
        return Ok(Value::text(&Digest::of(text.as_bytes()).hex()));
    }
    let canonical = canonical(value, budget)?;
    Ok(Value::text(&Digest::of(canonical.as_bytes()).hex()))
}

/// JSON with sorted keys, no white space and one way to write each number: equal values, equal texts.
pub(super) fn canonical(value: &Value, budget: &mut Budget) -> Result<String, EvalError> {
    let mut writer = Writer::new(String::new());
    write_canonical(&mut writer, value.clone(), budget, 0)?;
    budget.make(writer.out.len())?;
    Ok(writer.out)
}

fn write_canonical(
    writer: &mut Writer,
    value: Value,
    budget: &mut Budget,
    depth: usize,
) -> Result<(), EvalError> {
    budget.step()?;
    let value = value.force()?;
    if let Value::Raw(raw) = &value {
        budget.look(raw.len())?;
    }
    if let Some(items) = value.items() {
        writer.open("[", depth)?;
        for (index, item) in items.enumerate() {
            budget.item()?;
            writer.comma(index)?;
            write_canonical(writer, item, budget, depth + 1)?;
        }
        return writer.push("]");
    }
    let Some(mut entries) = value.entries() else {
        return match time::as_text(&value) {
            Some(text) => writer.quoted(&text),
            None => writer.value(&value, depth),
        };
    };
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    writer.open("{", depth)?;
    for (index, (key, item)) in entries.into_iter().enumerate() {
        writer.comma(index)?;
        writer.quoted(&key)?;
        writer.push(":")?;
        write_canonical(writer, item, budget, depth + 1)?;
    }
    writer.push("}")
}
