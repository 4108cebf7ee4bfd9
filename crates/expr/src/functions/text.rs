//! Functions of texts.

use super::apply::text_of;
use crate::EvalError;
use crate::cost::Budget;
use crate::value::{ITEM_LEN, Value};
use std::sync::Arc;

pub(super) fn contains(text: &Value, part: &Value, budget: &mut Budget) -> Result<Value, EvalError> {
    let (text, part) = (text_of(text)?, text_of(part)?);
    budget.look(text.len())?;
    Ok(Value::Bool(text.contains(part)))
}

pub(super) fn starts_with(text: &Value, part: &Value) -> Result<Value, EvalError> {
    Ok(Value::Bool(text_of(text)?.starts_with(text_of(part)?)))
}

pub(super) fn ends_with(text: &Value, part: &Value) -> Result<Value, EvalError> {
    Ok(Value::Bool(text_of(text)?.ends_with(text_of(part)?)))
}

/// Lower and upper case can be longer than the original, at most this many times.
const CASE_GROWTH: usize = 3;

pub(super) fn lower(text: &Value, budget: &mut Budget) -> Result<Value, EvalError> {
    let text = text_of(text)?;
    budget.make(text.len().saturating_mul(CASE_GROWTH).min(crate::VALUE_LEN_MAX))?;
    Ok(Value::text(&text.to_lowercase()))
}

pub(super) fn upper(text: &Value, budget: &mut Budget) -> Result<Value, EvalError> {
    let text = text_of(text)?;
    budget.make(text.len().saturating_mul(CASE_GROWTH).min(crate::VALUE_LEN_MAX))?;
    Ok(Value::text(&text.to_uppercase()))
}

pub(super) fn trim(text: &Value, budget: &mut Budget) -> Result<Value, EvalError> {
    let text = text_of(text)?;
    budget.make(text.len())?;
    Ok(Value::text(text.trim()))
}

pub(super) fn split(text: &Value, separator: &Value, budget: &mut Budget) -> Result<Value, EvalError> {
    let (text, separator) = (text_of(text)?, text_of(separator)?);
    budget.make(text.len())?;
    let mut parts = Vec::new();
    let mut add = |part: &str| {
        budget.item()?;
        budget.make(ITEM_LEN)?;
        parts.push(Value::text(part));
        Ok(())
    };
    if separator.is_empty() {
        let mut letter = [0; 4];
        text.chars().try_for_each(|c| add(c.encode_utf8(&mut letter)))?;
    } else {
        text.split(separator).try_for_each(add)?;
    }
    Ok(Value::List(Arc::new(parts)))
}
