//! Regular expressions: linear in time, bounded in size.

use super::apply::text_of;
use crate::cost::Budget;
use crate::value::Value;
use crate::{EvalError, code};
use regex::{Regex, RegexBuilder};

/// Bytes that one compiled pattern may take: `\w{500}` fits, `(\w{100}){100}` does not.
const COMPILED_LEN_MAX: usize = 1 << 20;

/// How deep groups may be nested in a pattern.
const GROUPS_NESTED_MAX: u32 = 64;

/// Bytes of a pattern that comes from the data; what is written down is bounded by the expression.
const PATTERN_LEN_MAX: usize = crate::SOURCE_LEN_MAX;

/// Compiling takes so many steps for each byte of a pattern.
const STEPS_PER_PATTERN_BYTE: u64 = 100;

pub(crate) fn compile(pattern: &str) -> Result<Regex, EvalError> {
    if pattern.len() > PATTERN_LEN_MAX {
        let message = format!("a regular expression is at most {PATTERN_LEN_MAX} bytes long");
        return Err(EvalError::new(code::SIZE, message));
    }
    let compiled = RegexBuilder::new(pattern)
        .size_limit(COMPILED_LEN_MAX)
        .dfa_size_limit(COMPILED_LEN_MAX)
        .nest_limit(GROUPS_NESTED_MAX)
        .build();
    compiled.map_err(|error| {
        let reason = error.to_string();
        let last = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        EvalError::new(code::FORMAT, format!("the regular expression {pattern:?} cannot be used: {last}"))
    })
}

pub(super) fn matches(
    text: &Value,
    pattern: &Value,
    compiled: Option<&Regex>,
    budget: &mut Budget,
) -> Result<Value, EvalError> {
    let (text, pattern) = (text_of(text)?, text_of(pattern)?);
    // The time of a search grows with the text and, at worst, with the pattern.
    budget.look(text.len().saturating_mul(1 + pattern.len() / 64))?;
    let found = match compiled {
        Some(regex) => regex.is_match(text),
        None => {
            budget.steps(STEPS_PER_PATTERN_BYTE * pattern.len() as u64)?;
            compile(pattern)?.is_match(text)
        }
    };
    Ok(Value::Bool(found))
}
