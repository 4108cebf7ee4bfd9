//! From text to tokens.

use super::literal;
use crate::ParseError;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Int(u64),
    Double(f64),
    Text(Arc<str>),
    Name(String),
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

impl Token {
    pub fn describe(&self) -> String {
        match self {
            Self::Int(value) => format!("`{value}`"),
            Self::Double(value) => format!("`{value}`"),
            Self::Text(_) => "a text".to_owned(),
            Self::Name(name) => format!("`{name}`"),
            Self::Sign(sign) => format!("`{sign}`"),
            Self::End => "the end of the expression".to_owned(),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Lexeme {
    pub token: Token,
    pub start: usize,
    pub end: usize,
}

/// Longest first, so that `<=` is not read as `<`.
const SIGNS: &[&str] = &[
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")",
    "[", "]", "{", "}",
];

/// Signs of other languages, and what they are here.
const FOREIGN: &[(&str, &str)] = &[
    ("=", "write `==` to compare"),
    ("&", "write `&&`"),
    ("|", "write `||`"),
    ("`", "write a['name'] for a field with an unusual name"),
    ("$", "inside an expression a name stands alone, without `$`"),
    ("#", "comments begin with `//`"),
    (";", "an expression is a single value"),
];

/// The tokens of a source, the last one being [`Token::End`].
pub(super) fn tokens(source: &str) -> Result<Vec<Lexeme>, ParseError> {
    let mut lexemes = Vec::new();
    let mut at = 0;
    loop {
        at = skip_blank(source, at);
        let start = at;
        let rest = &source[start..];
        let Some(first) = rest.chars().next() else {
            lexemes.push(Lexeme { token: Token::End, start, end: start });
            return Ok(lexemes);
        };
        let (token, end) = if let Some(quoted) = literal::quote_at(rest) {
            let (text, len) = literal::text(rest, quoted).map_err(|error| error.moved_by(start))?;
            (Token::Text(text), start + len)
        } else if first.is_ascii_digit()
            || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            let (token, len) = literal::number(rest).map_err(|error| error.moved_by(start))?;
            (token, start + len)
        } else if first.is_ascii_alphabetic() || first == '_' {
            let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            (Token::Name(rest[..len].to_owned()), start + len)
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), start + sign.len())
        } else {
            return Err(unknown_sign(start, first));
        };
        lexemes.push(Lexeme { token, start, end });
        at = end;
    }
}

fn unknown_sign(at: usize, found: char) -> ParseError {
    let error = ParseError::new(at, format!("`{}` has no meaning here", found.escape_debug()));
    match FOREIGN.iter().find(|(sign, _)| sign.starts_with(found)) {
        Some((_, hint)) => error.hint(*hint),
        None => error,
    }
}

/// White space and comments (`// …` up to the end of the line).
fn skip_blank(source: &str, mut at: usize) -> usize {
    loop {
        let rest = &source[at..];
        let blank = rest.len() - rest.trim_start().len();
        at += blank;
        if !source[at..].starts_with("//") {
            return at;
        }
        at += source[at..].find('\n').unwrap_or(source.len() - at);
    }
}
