//! Numbers and texts as they are written in an expression.

use super::lexer::Token;
use crate::ParseError;
use std::sync::Arc;

/// How a text is quoted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quote {
    /// Length of the letters before the quote: `r` means that a backslash is one.
    prefix_len: usize,
    mark: &'static str,
    raw: bool,
    bytes: bool,
}

const MARKS: &[&str] = &["\"\"\"", "'''", "\"", "'"];

/// The quote that a source begins with, if it does.
pub(super) fn quote_at(rest: &str) -> Option<Quote> {
    let prefix_len = rest.bytes().take(3).take_while(|b| matches!(b, b'r' | b'R' | b'b' | b'B')).count();
    let mark = MARKS.iter().find(|mark| rest[prefix_len..].starts_with(**mark))?;
    let prefix = &rest[..prefix_len];
    let letters = |low: char| prefix.chars().filter(|c| c.to_ascii_lowercase() == low).count();
    let (raw, bytes) = (letters('r'), letters('b'));
    (raw <= 1 && bytes <= 1).then_some(Quote { prefix_len, mark, raw: raw == 1, bytes: bytes == 1 })
}

/// Where the quoted text at the start of `rest` ends, behind its closing quote; `None` when it never does.
pub(super) fn end_of_text(rest: &str, quote: Quote) -> Option<usize> {
    let mut at = quote.prefix_len + quote.mark.len();
    loop {
        let left = rest.get(at..)?;
        if left.starts_with(quote.mark) {
            return Some(at + quote.mark.len());
        }
        let mut chars = left.chars();
        let first = chars.next()?;
        at += first.len_utf8();
        if first == '\\' && !quote.raw {
            at += chars.next()?.len_utf8();
        }
    }
}

/// Reads the quoted text at the start of `rest`: its content and its length.
pub(super) fn text(rest: &str, quote: Quote) -> Result<(Arc<str>, usize), ParseError> {
    if quote.bytes {
        return Err(ParseError::new(0, "there are no bytes in JSON").hint("write a text: 'abc'"));
    }
    let end = end_of_text(rest, quote).ok_or_else(|| {
        ParseError::new(0, "this text never ends").hint(format!("close it with {}", quote.mark))
    })?;
    let start = quote.prefix_len + quote.mark.len();
    let inside = &rest[start..end - quote.mark.len()];
    if quote.mark.len() == 1 && inside.contains(['\n', '\r']) {
        return Err(
            ParseError::new(0, "a text in single quotes stays on one line").hint("write \\n, or use '''…'''")
        );
    }
    if quote.raw || !inside.contains('\\') {
        return Ok((inside.into(), end));
    }
    let content = unescape(inside).map_err(|error| error.moved_by(start))?;
    Ok((content.into(), end))
}

fn unescape(inside: &str) -> Result<String, ParseError> {
    let mut content = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(slash) = rest.find('\\') {
        content.push_str(&rest[..slash]);
        let at = inside.len() - rest.len() + slash;
        let after = &rest[slash + 1..];
        let (decoded, len) = escape(after).ok_or_else(|| {
            let sign = after.chars().next().unwrap_or(' ');
            ParseError::new(at, format!("`\\{}` is no escape", sign.escape_debug()))
                .hint("write `\\\\` for a backslash, or r'…'")
        })?;
        content.push(decoded);
        rest = &after[len..];
    }
    content.push_str(rest);
    Ok(content)
}

/// The character after a backslash and how long its name is.
fn escape(after: &str) -> Option<(char, usize)> {
    let first = after.chars().next()?;
    let decoded = match first {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        '\\' | '\'' | '"' | '`' | '?' => first,
        'x' | 'X' => return numbered(after, 1, 2, 16),
        'u' => return numbered(after, 1, 4, 16),
        'U' => return numbered(after, 1, 8, 16),
        '0'..='3' => return numbered(after, 0, 3, 8),
        _ => return None,
    };
    Some((decoded, 1))
}

fn numbered(after: &str, from: usize, digits: usize, radix: u32) -> Option<(char, usize)> {
    let text = after.get(from..from + digits)?;
    if !text.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let code = u32::from_str_radix(text, radix).ok()?;
    Some((char::from_u32(code)?, from + digits))
}

/// Reads the number at the start of `rest`: the token and its length.
pub(super) fn number(rest: &str) -> Result<(Token, usize), ParseError> {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let (token, len) = if rest.starts_with("0x") || rest.starts_with("0X") {
        let len = 2 + bytes[2..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
        (u64::from_str_radix(&rest[2..len], 16).ok().map(Token::Int), len)
    } else {
        let mut len = digits(0);
        let mut whole = true;
        if bytes.get(len) == Some(&b'.') && bytes.get(len + 1).is_some_and(u8::is_ascii_digit) {
            whole = false;
            len += 1 + digits(len + 1);
        }
        if matches!(bytes.get(len), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(len + 1), Some(b'+' | b'-')));
            if bytes.get(len + 1 + sign).is_some_and(u8::is_ascii_digit) {
                whole = false;
                len += 1 + sign + digits(len + 1 + sign);
            }
        }
        let token = if whole {
            rest[..len].parse().ok().map(Token::Int)
        } else {
            rest[..len].parse().ok().filter(|value: &f64| value.is_finite()).map(Token::Double)
        };
        (token, len)
    };
    let token = token.ok_or_else(|| ParseError::new(0, "this number is too large"))?;
    match rest[len..].chars().next() {
        Some('u' | 'U') => {
            Err(ParseError::new(len, "there are no unsigned numbers here").hint("leave out the `u`"))
        }
        Some(c) if c.is_ascii_alphanumeric() || c == '_' => {
            Err(ParseError::new(len, format!("`{c}` does not belong to a number"))
                .hint("a name cannot begin with a digit; a duration is written duration('5m')"))
        }
        _ => Ok((token, len)),
    }
}
