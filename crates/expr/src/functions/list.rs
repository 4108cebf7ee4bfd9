//! Functions of lists.

use super::apply::{needs, text_of};
use super::convert::canonical;
use crate::ast::Operator;
use crate::cost::Budget;
use crate::eval::order_paid;
use crate::functions::time;
use crate::notes::Note;
use crate::value::{ITEM_LEN, Value, append_text};
use crate::{EvalError, code};
use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

/// Calls `each` with every item of a list, forced.
fn walk(
    list: &Value,
    budget: &mut Budget,
    mut each: impl FnMut(Value, &mut Budget) -> Result<(), EvalError>,
) -> Result<(), EvalError> {
    let items = list.items().ok_or_else(|| needs("a list", list))?;
    for item in items {
        budget.item()?;
        if let Value::Raw(raw) = &item {
            budget.look(raw.len())?;
        }
        each(item.force()?, budget)?;
    }
    Ok(())
}

fn built(items: Vec<Value>) -> Value {
    Value::List(Arc::new(items))
}

pub(super) fn size(value: &Value, budget: &mut Budget) -> Result<Value, EvalError> {
    let count = match value {
        Value::Text(text) => {
            budget.look(text.len())?;
            text.chars().count()
        }
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Raw(raw) => {
            budget.look(raw.len())?;
            if raw.first() == b'{' { raw.fields().count() } else { raw.items().count() }
        }
        other => return Err(needs("a text, a list or an object", other)),
    };
    Ok(Value::Int(count as i64))
}

pub(super) fn sum(list: &Value, budget: &mut Budget) -> Result<Value, EvalError> {
    let mut total = None;
    walk(list, budget, |item, _| {
        let item = match item {
            Value::Text(ref text) => match time::parse_duration(text) {
                Ok(duration) => Value::Duration(duration),
                Err(_) => return Err(needs("numbers", &item)),
            },
            other => other,
        };
        if !matches!(item, Value::Int(_) | Value::Double(_) | Value::Duration(_)) {
            return Err(needs("numbers", &item));
        }
        total = Some(match total.take() {
            None => item,
            Some(sum) => crate::eval::arithmetic(Operator::Add, &sum, &item)?,
        });
        Ok(())
    })?;
    Ok(total.unwrap_or(Value::Int(0)))
}

pub(super) fn least(
    first: Value,
    rest: &[Value],
    note: Note,
    budget: &mut Budget,
) -> Result<Value, EvalError> {
    extreme(first, rest, Ordering::Less, note, budget)
}

pub(super) fn greatest(
    first: Value,
    rest: &[Value],
    note: Note,
    budget: &mut Budget,
) -> Result<Value, EvalError> {
    extreme(first, rest, Ordering::Greater, note, budget)
}

fn extreme(
    first: Value,
    rest: &[Value],
    wanted: Ordering,
    note: Note,
    budget: &mut Budget,
) -> Result<Value, EvalError> {
    let list = if rest.is_empty() {
        first
    } else {
        built(std::iter::once(first).chain(rest.iter().cloned()).collect())
    };
    let mut best: Option<Value> = None;
    walk(&list, budget, |item, budget| {
        let item = if note == Note::Times { time::read(item)? } else { item };
        let known = best.as_ref().unwrap_or(&item);
        if order_paid(&item, known, budget)? == wanted || best.is_none() {
            best = Some(item);
        }
        Ok(())
    })?;
    Ok(best.unwrap_or(Value::Null))
}

pub(super) fn distinct(list: &Value, budget: &mut Budget) -> Result<Value, EvalError> {
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    walk(list, budget, |item, budget| {
        if seen.insert(canonical(&item, budget)?) {
            budget.make(ITEM_LEN)?;
            kept.push(item);
        }
        Ok(())
    })?;
    Ok(built(kept))
}

pub(super) fn flatten(list: &Value, budget: &mut Budget) -> Result<Value, EvalError> {
    let mut poured = Vec::new();
    walk(list, budget, |item, budget| {
        match item.items() {
            None => {
                budget.make(ITEM_LEN)?;
                poured.push(item);
            }
            Some(inner) => {
                for value in inner {
                    budget.item()?;
                    budget.make(ITEM_LEN)?;
                    poured.push(value);
                }
            }
        }
        Ok(())
    })?;
    Ok(built(poured))
}

pub(super) fn chunk(list: &Value, count: &Value, budget: &mut Budget) -> Result<Value, EvalError> {
    let count = match count {
        Value::Int(count) => usize::try_from(*count).ok().filter(|count| *count > 0),
        Value::Double(count) => match Value::of_double(*count) {
            Value::Int(count) => usize::try_from(count).ok().filter(|count| *count > 0),
            _ => None,
        },
        other => return Err(needs("a whole number", other)),
    };
    let count =
        count.ok_or_else(|| EvalError::new(code::NUMBER, "`chunk` needs a whole number of at least 1"))?;
    let mut chunks: Vec<Value> = Vec::new();
    let mut open: Vec<Value> = Vec::new();
    walk(list, budget, |item, budget| {
        budget.make(2 * ITEM_LEN)?;
        open.push(item);
        if open.len() == count {
            chunks.push(built(std::mem::take(&mut open)));
        }
        Ok(())
    })?;
    if !open.is_empty() {
        chunks.push(built(open));
    }
    Ok(built(chunks))
}

pub(super) fn join(list: &Value, separator: Option<&Value>, budget: &mut Budget) -> Result<Value, EvalError> {
    let separator = separator.map_or(Ok(""), text_of)?;
    let mut out = String::new();
    let mut first = true;
    walk(list, budget, |item, budget| {
        let before = out.len();
        if !first {
            budget.make(separator.len())?;
            out.push_str(separator);
        }
        first = false;
        out = append_text(std::mem::take(&mut out), &item)?;
        budget.make(out.len() - before)
    })?;
    Ok(Value::Text(out.into()))
}
