//! Arithmetic and comparison of two values.

use super::compare::{equal, order_paid};
use crate::ast::Operator;
use crate::cost::Budget;
use crate::functions::time;
use crate::notes::Note;
use crate::value::{ITEM_LEN, Value};
use crate::{EvalError, code};
use std::sync::Arc;

/// Applies an operator to two forced values.
pub(crate) fn apply(
    operator: Operator,
    left: Value,
    right: Value,
    note: Note,
    budget: &mut Budget,
) -> Result<Value, EvalError> {
    let (left, right) = match note {
        Note::Numbers if operator != Operator::Modulo => (widen(left), widen(right)),
        Note::Times => (time::read(left)?, time::read(right)?),
        _ => time::read_beside(left, right)?,
    };
    match operator {
        Operator::Equal => equal(&left, &right, budget).map(Value::Bool),
        Operator::NotEqual => equal(&left, &right, budget).map(|same| Value::Bool(!same)),
        Operator::Less => order_paid(&left, &right, budget).map(|order| Value::Bool(order.is_lt())),
        Operator::LessEqual => order_paid(&left, &right, budget).map(|order| Value::Bool(order.is_le())),
        Operator::Greater => order_paid(&left, &right, budget).map(|order| Value::Bool(order.is_gt())),
        Operator::GreaterEqual => order_paid(&left, &right, budget).map(|order| Value::Bool(order.is_ge())),
        Operator::In => contains(&left, &right, budget).map(Value::Bool),
        Operator::Add => add(&left, &right, budget),
        Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Modulo => {
            arithmetic(operator, &left, &right)
        }
    }
}

fn widen(value: Value) -> Value {
    match value {
        Value::Int(value) => Value::Double(value as f64),
        other => other,
    }
}

pub(super) fn negate(value: &Value) -> Result<Value, EvalError> {
    match value {
        Value::Int(value) => value.checked_neg().map(Value::Int).ok_or_else(overflow),
        Value::Double(value) => Ok(Value::Double(-value)),
        Value::Duration(value) => value.checked_neg().map(Value::Duration).ok_or_else(overflow),
        other => Err(refused("-", "a number", other)),
    }
}

/// `+`: numbers, texts, lists, times.
fn add(left: &Value, right: &Value, budget: &mut Budget) -> Result<Value, EvalError> {
    match (left, right) {
        (Value::Text(a), Value::Text(b)) => {
            budget.make(a.len() + b.len())?;
            Ok(Value::Text([&**a, &**b].concat().into()))
        }
        (Value::List(_) | Value::Raw(_), Value::List(_) | Value::Raw(_)) => join(left, right, budget),
        _ => arithmetic(Operator::Add, left, right),
    }
}

fn join(left: &Value, right: &Value, budget: &mut Budget) -> Result<Value, EvalError> {
    let (Some(first), Some(second)) = (left.items(), right.items()) else {
        return Err(mismatch(Operator::Add, left, right));
    };
    let mut items = Vec::new();
    for item in first.chain(second) {
        budget.item()?;
        budget.make(ITEM_LEN)?;
        items.push(item);
    }
    Ok(Value::List(Arc::new(items)))
}

pub(crate) fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Result<Value, EvalError> {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => ints(operator, *a, *b),
        (Value::Int(a), Value::Double(b)) => doubles(operator, *a as f64, *b),
        (Value::Double(a), Value::Int(b)) => doubles(operator, *a, *b as f64),
        (Value::Double(a), Value::Double(b)) => doubles(operator, *a, *b),
        _ => time::arithmetic(operator, left, right).unwrap_or_else(|| Err(mismatch(operator, left, right))),
    }
}

fn ints(operator: Operator, a: i64, b: i64) -> Result<Value, EvalError> {
    if b == 0 && matches!(operator, Operator::Divide | Operator::Modulo) {
        return Err(EvalError::new(code::NUMBER, format!("{a} {} 0: division by zero", operator.symbol())));
    }
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide => a.checked_div(b),
        _ => a.checked_rem(b),
    };
    result.map(Value::Int).ok_or_else(overflow)
}

fn doubles(operator: Operator, a: f64, b: f64) -> Result<Value, EvalError> {
    let result = match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide if b == 0.0 => {
            return Err(EvalError::new(code::NUMBER, format!("{a} / 0: division by zero")));
        }
        Operator::Divide => a / b,
        _ => return whole_remainder(a, b),
    };
    if result.is_finite() { Ok(Value::Double(result)) } else { Err(overflow()) }
}

/// `%` is for whole numbers, also for those that came as `5.0`.
fn whole_remainder(a: f64, b: f64) -> Result<Value, EvalError> {
    match (Value::of_double(a), Value::of_double(b)) {
        (Value::Int(a), Value::Int(b)) => ints(Operator::Modulo, a, b),
        _ => Err(EvalError::new(code::TYPE, "`%` needs whole numbers".to_owned())),
    }
}

/// `in`: an item of a list, a key of an object.
fn contains(item: &Value, inside: &Value, budget: &mut Budget) -> Result<bool, EvalError> {
    if let Some(items) = inside.items() {
        for other in items {
            budget.item()?;
            if equal(item, &other.force()?, budget)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let key = match item {
        Value::Text(key) => key.clone(),
        Value::Int(key) => key.to_string().into(),
        _ => {
            return if inside.entries().is_some() {
                Ok(false)
            } else {
                Err(mismatch(Operator::In, item, inside))
            };
        }
    };
    match inside {
        Value::Map(map) => {
            budget.steps(map.len() as u64 / 16)?;
            Ok(map.iter().any(|(known, _)| *known == key))
        }
        Value::Raw(raw) => {
            let (found, looked) = raw.field(&key);
            budget.look(looked)?;
            Ok(found.is_some())
        }
        other => Err(mismatch(Operator::In, item, other)),
    }
}

fn overflow() -> EvalError {
    EvalError::new(code::NUMBER, "the number is too large")
}

fn refused(operator: &str, wanted: &str, found: &Value) -> EvalError {
    let code = if matches!(found, Value::Null) { code::NULL } else { code::TYPE };
    EvalError::new(code, format!("`{operator}` needs {wanted}, not {}", found.describe()))
}

fn mismatch(operator: Operator, left: &Value, right: &Value) -> EvalError {
    let null = matches!(left, Value::Null) || matches!(right, Value::Null);
    let (a, b) = (left.describe(), right.describe());
    let message = format!("`{}` does not go between {a} and {b}", operator.symbol());
    EvalError::new(if null { code::NULL } else { code::TYPE }, message)
}
