//! Equality and order.

use crate::cost::Budget;
use crate::value::{Value, too_deep};
use crate::{EvalError, NESTING_MAX, code};
use std::cmp::Ordering;

/// Whether two forced values mean the same. Values of different kinds are different, never an error.
pub(crate) fn equal(a: &Value, b: &Value, budget: &mut Budget) -> Result<bool, EvalError> {
    equal_within(a, b, budget, 0)
}

fn equal_within(a: &Value, b: &Value, budget: &mut Budget, depth: usize) -> Result<bool, EvalError> {
    budget.step()?;
    if depth > NESTING_MAX {
        return Err(too_deep());
    }
    Ok(match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(_) | Value::Double(_), Value::Int(_) | Value::Double(_)) => {
            number_order(a, b).is_some_and(Ordering::is_eq)
        }
        (Value::Text(a), Value::Text(b)) => {
            budget.look(a.len())?;
            a == b
        }
        (Value::Time(a), Value::Time(b)) => a == b,
        (Value::Duration(a), Value::Duration(b)) => a == b,
        (Value::Type(a), Value::Type(b)) => a == b,
        (Value::Optional(None), Value::Optional(None)) => true,
        (Value::Optional(Some(a)), Value::Optional(Some(b))) => equal_within(a, b, budget, depth + 1)?,
        _ => equal_inside(a, b, budget, depth)?,
    })
}

/// Lists and objects.
fn equal_inside(a: &Value, b: &Value, budget: &mut Budget, depth: usize) -> Result<bool, EvalError> {
    // What is raw is read through at each level of its nesting.
    for value in [a, b] {
        if let Value::Raw(raw) = value {
            budget.look(raw.len())?;
        }
    }
    if let (Value::Raw(a), Value::Raw(b)) = (a, b)
        && a.text() == b.text()
    {
        return Ok(true);
    }
    if let (Some(mut left), Some(mut right)) = (a.items(), b.items()) {
        loop {
            return match (left.next(), right.next()) {
                (None, None) => Ok(true),
                (Some(a), Some(b)) => {
                    if equal_within(&a.force()?, &b.force()?, budget, depth + 1)? {
                        continue;
                    }
                    Ok(false)
                }
                _ => Ok(false),
            };
        }
    }
    let (Some(left), Some(mut right)) = (a.entries(), b.entries()) else { return Ok(false) };
    budget.steps((left.len() + right.len()) as u64)?;
    if left.len() != right.len() {
        return Ok(false);
    }
    right.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (key, value) in left {
        let Ok(at) = right.binary_search_by(|(other, _)| other.cmp(&key)) else { return Ok(false) };
        if !equal_within(&value.force()?, &right[at].1.clone().force()?, budget, depth + 1)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Which of two forced values comes first, paid for: long texts may begin alike.
pub(crate) fn order_paid(a: &Value, b: &Value, budget: &mut Budget) -> Result<Ordering, EvalError> {
    budget.look(text_len(a).min(text_len(b)))?;
    order(a, b)
}

/// Bytes of a text that a comparison may look through.
pub(crate) fn text_len(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        _ => 0,
    }
}

/// Which of two forced values comes first.
pub(crate) fn order(a: &Value, b: &Value) -> Result<Ordering, EvalError> {
    let order = match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        _ => number_order(a, b),
    };
    order.ok_or_else(|| {
        let code = if matches!(a, Value::Null) || matches!(b, Value::Null) { code::NULL } else { code::TYPE };
        EvalError::new(code, format!("{} and {} have no order", a.describe(), b.describe()))
    })
}

fn number_order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Double(b)) => Some(int_and_double(*a, *b)),
        (Value::Double(a), Value::Int(b)) => Some(int_and_double(*b, *a).reverse()),
        _ => None,
    }
}

/// Exact, also where a double cannot tell neighbouring integers apart.
fn int_and_double(int: i64, double: f64) -> Ordering {
    match Value::of_double(double.trunc()) {
        Value::Int(whole) => int.cmp(&whole).then_with(|| 0.0_f64.total_cmp(&(double.fract() + 0.0))),
        _ if double > 0.0 => Ordering::Less,
        _ => Ordering::Greater,
    }
}
