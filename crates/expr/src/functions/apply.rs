//! From a call to the function that does it.

use super::table::Function;
use super::{convert, list, optional, regex, text, time};
use crate::ast::Call;
use crate::cost::Budget;
use crate::eval::Evaluator;
use crate::notes::Note;
use crate::value::Value;
use crate::{EvalError, code};

impl Evaluator<'_> {
    /// Evaluates the arguments and calls the function on all of them.
    pub(crate) fn call(&mut self, first: Value, call: &Call, note: Note) -> Result<Value, EvalError> {
        let first = self.force(first)?;
        let first = if call.function.is_of_text() { time::as_written(first) } else { first };
        let mut rest = Vec::with_capacity(call.rest.len());
        for argument in &call.rest {
            let argument = self.forced(argument)?;
            rest.push(if call.function.is_of_text() { time::as_written(argument) } else { argument });
        }
        // Whatever a function does with a text, it looks through all of it.
        for argument in std::iter::once(&first).chain(&rest) {
            if let Value::Text(text) = argument {
                self.budget.look(text.len())?;
            }
        }
        apply(call, first, &rest, note, &mut self.budget).map_err(|mut error| {
            if error.code == code::NULL || error.code == code::TYPE {
                error.message = format!("`{}`: {}", call.function.name(), error.message);
            }
            error
        })
    }
}

fn apply(
    call: &Call,
    first: Value,
    rest: &[Value],
    note: Note,
    budget: &mut Budget,
) -> Result<Value, EvalError> {
    match call.function {
        Function::Size => list::size(&first, budget),
        Function::Contains => text::contains(&first, &rest[0], budget),
        Function::StartsWith => text::starts_with(&first, &rest[0]),
        Function::EndsWith => text::ends_with(&first, &rest[0]),
        Function::Matches => regex::matches(&first, &rest[0], call.regex.as_ref(), budget),
        Function::Int => convert::int(&first),
        Function::Double => convert::double(&first),
        Function::String => convert::string(&first, budget),
        Function::Bool => convert::boolean(&first),
        Function::Type => Ok(Value::Type(first.type_name())),
        Function::Dyn => Ok(first),
        Function::Timestamp => time::timestamp(first),
        Function::Duration => time::duration(first),
        Function::Part(part) => time::part(part, first, rest.first()),
        Function::Format => time::format(first, &rest[0], rest.get(1), budget),
        Function::Sum => list::sum(&first, budget),
        Function::Min => list::least(first, rest, note, budget),
        Function::Max => list::greatest(first, rest, note, budget),
        Function::Distinct => list::distinct(&first, budget),
        Function::Flatten => list::flatten(&first, budget),
        Function::Chunk => list::chunk(&first, &rest[0], budget),
        Function::Join => list::join(&first, rest.first(), budget),
        Function::Split => text::split(&first, &rest[0], budget),
        Function::Lower => text::lower(&first, budget),
        Function::Upper => text::upper(&first, budget),
        Function::Trim => text::trim(&first, budget),
        Function::Json => convert::json(&first, budget),
        Function::ParseJson => convert::parse_json(&first, budget),
        Function::Hash => convert::hash(&first, budget),
        Function::OptionalOf => Ok(optional::of(first)),
        Function::OptionalOfNonZero => Ok(optional::of_non_zero(first)),
        Function::OrValue => optional::or_value(first, &rest[0]),
        Function::Or => optional::or(first, &rest[0]),
        Function::HasValue => optional::has_value(&first),
        Function::Value => optional::value(first),
    }
}

/// The text of an argument.
pub(super) fn text_of(value: &Value) -> Result<&str, EvalError> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(needs("a text", other)),
    }
}

pub(super) fn needs(wanted: &str, found: &Value) -> EvalError {
    let code = if matches!(found, Value::Null) { code::NULL } else { code::TYPE };
    EvalError::new(code, format!("needs {wanted}, not {}", found.describe()))
}
