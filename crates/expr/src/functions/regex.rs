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

/// Compiling takes so many steps, whatever the pattern: a few signs can stand for a large program.
const STEPS_PER_COMPILATION: u64 = 20_000;

/// Places of a pattern, repetitions counted out, up to which a search keeps to one look at each byte. Beyond it may
/// follow all places at once.
const WEIGHT_OF_ONE_LOOK: usize = 100;

/// Steps for following so many places over one byte.
const WEIGHT_PER_STEP: usize = 16;

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
    budget.look(text.len().saturating_mul(1 + pattern.len() / 64))?;
    let weight = weight(pattern);
    if weight > WEIGHT_OF_ONE_LOOK {
        budget.steps((text.len().saturating_mul(weight) / WEIGHT_PER_STEP) as u64)?;
    }
    let found = match compiled {
        Some(regex) => regex.is_match(text),
        None => {
            let (pattern, regex) = dynamic(pattern, budget)?;
            let found = regex.is_match(text);
            budget.compiled = Some((pattern, regex));
            found
        }
    };
    Ok(Value::Bool(found))
}

/// The program of a pattern from the data: that of the last one, where it is the same.
fn dynamic(pattern: &str, budget: &mut Budget) -> Result<(String, Regex), EvalError> {
    match budget.compiled.take().filter(|(known, _)| known == pattern) {
        Some(known) => Ok(known),
        None => {
            budget.steps(STEPS_PER_COMPILATION)?;
            Ok((pattern.to_owned(), compile(pattern)?))
        }
    }
}

/// How many places a pattern has when its counted repetitions are written out: `a(bc){3}` has seven.
fn weight(pattern: &str) -> usize {
    // Weights of the groups around, and of the last piece of the present one.
    let mut groups: Vec<usize> = Vec::new();
    let (mut sum, mut last) = (0_usize, 0_usize);
    let mut signs = pattern.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => {
                let class =
                    signs.next().is_some_and(|escaped| matches!(escaped, 'p' | 'P' | 'x' | 'u' | 'U'));
                if class && signs.peek() == Some(&'{') {
                    let _ = signs.by_ref().find(|sign| *sign == '}');
                }
                (sum, last) = (sum.saturating_add(last), 1);
            }
            '[' => {
                let mut escaped = false;
                let _ = signs.by_ref().find(|sign| {
                    let ends = *sign == ']' && !escaped;
                    escaped = *sign == '\\' && !escaped;
                    ends
                });
                (sum, last) = (sum.saturating_add(last), 1);
            }
            '(' => {
                groups.push(sum.saturating_add(last));
                (sum, last) = (0, 0);
            }
            ')' => (sum, last) = (groups.pop().unwrap_or(0), sum.saturating_add(last)),
            '{' => {
                let counts: String = signs.by_ref().take_while(|sign| *sign != '}').collect();
                let most = counts.split(',').filter_map(|count| count.trim().parse::<usize>().ok()).max();
                last = last.saturating_mul(most.unwrap_or(1).max(1));
            }
            '*' | '+' | '?' => {}
            _ => (sum, last) = (sum.saturating_add(last), 1),
        }
    }
    groups.into_iter().fold(sum.saturating_add(last), usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::weight;

    #[test]
    fn repetitions_are_counted_out() {
        for (pattern, expected) in [
            ("", 0),
            ("abc", 3),
            ("^v[0-9]+", 3),
            ("a(bc){3}", 7),
            ("((a{10}){10}){10}", 1_000),
            ("[ab]*a[ab]{400}b", 403),
            (r"\p{Greek}{5}\d{2,7}", 12),
            (r"[\]a]{3}(", 3),
            ("a{99999999999}{99999999999}", usize::MAX),
        ] {
            assert_eq!(weight(pattern), expected, "{pattern}");
        }
    }
}
