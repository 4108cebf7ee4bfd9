//! From text to tree: CEL's grammar, by recursive descent.
//!
//! Written here rather than taken from a library because the text is hostile: nesting is bounded before
//! the stack is used, every node knows its place in bytes, and macros stay as they were written, so that
//! a check can speak of them in the user's words.

mod lexer;
mod literal;
mod parser;
mod postfix;

pub(crate) use parser::{Parsed, parse};

/// Where the expression that begins at the start of `rest` (behind `${`) ends: the offset of its own `}`.
/// Braces in texts, comments and maps are respected. `None` when there is no such brace.
pub(crate) fn end_of_expression(rest: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    let mut in_name = false;
    while let Some(first) = rest[at..].chars().next() {
        let left = &rest[at..];
        // `br'…'` is a quote, the end of `your'…'` is not: a prefix stands at the start of a word.
        let quote = literal::quote_at(left).filter(|_| !in_name || matches!(first, '\'' | '"'));
        if let Some(quote) = quote {
            at += literal::end_of_text(left, quote)?;
            in_name = false;
            continue;
        }
        match first {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            '/' if left.starts_with("//") => {
                at += left.find('\n')?;
                continue;
            }
            _ => {}
        }
        in_name = first.is_ascii_alphanumeric() || first == '_';
        at += first.len_utf8();
    }
    None
}
