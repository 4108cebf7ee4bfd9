//! Reading a place inside raw JSON without building a tree.
//!
//! The text is known to be valid JSON (a [`Json`] holds nothing else), so the scan only has to find where
//! values end. Of a key that stands twice in an object the first one is read.

use crate::value::Value;
use crate::{EvalError, code};
use consort_types::Json;
use std::borrow::Cow;

/// A value inside a JSON text: the text is shared, nothing is copied.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    json: Json,
    start: u32,
    end: u32,
}

impl Raw {
    /// The whole of a text. Longer texts than 4 GiB do not exist: a value is at most 64 MiB.
    pub fn whole(json: Json) -> Self {
        let (start, end) = (0, json.len() as u32);
        Self { json, start, end }
    }

    pub fn text(&self) -> &str {
        &self.json.text()[self.start as usize..self.end as usize]
    }

    pub fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// The value on its own: the same text, not written anew.
    pub fn into_json(self) -> Json {
        if self.len() == self.json.len() {
            return self.json;
        }
        Json::from_text(self.text().to_owned()).unwrap_or_else(|_| Json::null())
    }

    fn part(&self, at: Part) -> Self {
        Self { json: self.json.clone(), start: self.start + at.start as u32, end: self.start + at.end as u32 }
    }

    /// `{`, `[`, `"`, a digit, a minus, `t`, `f` or `n`.
    pub fn first(&self) -> u8 {
        let bytes = self.text().as_bytes();
        bytes.get(skip_blank(bytes, 0)).copied().unwrap_or(b'n')
    }

    /// The field of an object, and how many bytes were read to find it or to know that it is not there.
    pub fn field(&self, name: &str) -> (Option<Self>, usize) {
        let mut fields = Fields::of(self.text());
        while let Some((key, value)) = fields.next() {
            if key_is(key, name) {
                return (Some(self.part(value)), value.start);
            }
        }
        (None, fields.at)
    }

    /// The items of an array.
    pub fn items(&self) -> RawItems {
        let at = skip_blank(self.text().as_bytes(), 0) + 1;
        RawItems { raw: self.clone(), at }
    }

    /// The keys and values of an object.
    pub fn fields(&self) -> impl Iterator<Item = (Cow<'_, str>, Self)> {
        let mut fields = Fields::of(self.text());
        std::iter::from_fn(move || fields.next().map(|(key, value)| (unquote(key), self.part(value))))
    }

    /// Scalars as values; objects and arrays stay as they are.
    pub fn force(self) -> Result<Value, EvalError> {
        let text = self.text().trim_matches(BLANK);
        Ok(match text.as_bytes().first() {
            Some(b'{' | b'[') => Value::Raw(self),
            Some(b'"') => Value::Text(unquote(text).into()),
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            None | Some(b'n') => Value::Null,
            Some(_) => number(text)?,
        })
    }
}

/// A number of a JSON text: an int when it has no fraction and fits, else a double.
fn number(text: &str) -> Result<Value, EvalError> {
    if let Ok(value) = text.parse::<i64>() {
        return Ok(Value::Int(value));
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Value::of_double(value)),
        _ => Err(EvalError::new(code::NUMBER, format!("the number {text} is too large"))),
    }
}

/// The items of a raw array, found one by one.
pub(crate) struct RawItems {
    raw: Raw,
    at: usize,
}

impl RawItems {
    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.at
    }
}

impl Iterator for RawItems {
    type Item = Raw;

    fn next(&mut self) -> Option<Raw> {
        let bytes = self.raw.text().as_bytes();
        let start = skip_separators(bytes, self.at);
        if matches!(bytes.get(start), None | Some(b']')) {
            return None;
        }
        let end = skip_value(bytes, start);
        self.at = end;
        Some(self.raw.part(Part { start, end }))
    }
}

#[derive(Debug, Clone, Copy)]
struct Part {
    start: usize,
    end: usize,
}

/// Walks the fields of an object: quoted key, place of the value.
struct Fields<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Fields<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, at: skip_blank(text.as_bytes(), 0) + 1 }
    }

    fn next(&mut self) -> Option<(&'a str, Part)> {
        let bytes = self.text.as_bytes();
        let key = skip_separators(bytes, self.at);
        if bytes.get(key) != Some(&b'"') {
            return None;
        }
        let key_end = skip_text(bytes, key);
        let start = skip_separators(bytes, key_end);
        let end = skip_value(bytes, start);
        self.at = end;
        Some((&self.text[key..key_end], Part { start, end }))
    }
}

const BLANK: [char; 4] = [' ', '\t', '\n', '\r'];

fn skip_blank(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// White space, commas and colons: in valid JSON nothing else stands between values.
fn skip_separators(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b':')) {
        at += 1;
    }
    at
}

/// Behind the text whose opening quote stands at `at`.
fn skip_text(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            b'"' => return at + 1,
            b'\\' => 2,
            _ => 1,
        };
    }
    bytes.len()
}

/// Behind the value that begins at `at`. Without recursion: the nesting of data is not ours to trust.
fn skip_value(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = skip_text(bytes, at),
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            _ if depth == 0 => {
                while matches!(bytes.get(at), Some(byte) if !matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r'))
                {
                    at += 1;
                }
            }
            _ => {
                at += 1;
                continue;
            }
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

/// How deep the brackets of a JSON text go.
pub(crate) fn depth(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut deepest) = (0, 0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = skip_text(bytes, at);
                continue;
            }
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    deepest
}

/// Appends a JSON text without the white space between its values.
pub(crate) fn write_compact(out: &mut String, text: &str) {
    let bytes = text.as_bytes();
    let (mut at, mut kept) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = skip_text(bytes, at),
            b' ' | b'\t' | b'\n' | b'\r' => {
                out.push_str(&text[kept..at]);
                at = skip_blank(bytes, at);
                kept = at;
            }
            _ => at += 1,
        }
    }
    out.push_str(&text[kept..]);
}

fn key_is(quoted: &str, name: &str) -> bool {
    let inside = &quoted[1..quoted.len() - 1];
    inside == name || (inside.contains('\\') && unquote(quoted) == name)
}

/// The content of a JSON string.
fn unquote(quoted: &str) -> Cow<'_, str> {
    let inside = &quoted[1..quoted.len() - 1];
    if inside.contains('\\') {
        // Lone surrogates are the one thing that valid JSON can hold and a text cannot.
        serde_json::from_str(quoted).map_or_else(|_| Cow::Owned(inside.to_owned()), Cow::Owned)
    } else {
        Cow::Borrowed(inside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Raw {
        Raw::whole(Json::from_text(text.to_owned()).unwrap())
    }

    #[test]
    fn finds_a_field_and_keeps_its_text() {
        let value = raw(r#" { "a" : { "b\"}" : [1, 2.50 ] , "c":"x]" } , "\u0064" : null,"n":-1e3}"#);
        let field = |name: &str| value.field(name).0.map(|found| found.text().to_owned());
        assert_eq!(field("a").as_deref(), Some(r#"{ "b\"}" : [1, 2.50 ] , "c":"x]" }"#));
        assert_eq!(field("d").as_deref(), Some("null"));
        assert_eq!(field("n").as_deref(), Some("-1e3"));
        assert_eq!(field("b"), None);
        let inner = value.field("a").0.unwrap();
        assert_eq!(inner.field("b\"}").0.unwrap().text(), "[1, 2.50 ]");
    }

    #[test]
    fn walks_items_and_fields() {
        let texts = |text| raw(text).items().map(|item| item.text().to_owned()).collect::<Vec<_>>();
        assert_eq!(texts("[ ]"), [""; 0]);
        assert_eq!(texts("[1 , [2,3],{\"a\":4} ,\"]\"]"), ["1", "[2,3]", "{\"a\":4}", "\"]\""]);
        let object = raw(r#"{"a":1,"b":{"c":2}}"#);
        let keys: Vec<_> = object.fields().map(|(key, value)| format!("{key}={}", value.text())).collect();
        assert_eq!(keys, ["a=1", "b={\"c\":2}"]);
        assert_eq!(raw("{}").fields().count(), 0);
    }

    #[test]
    fn knows_the_depth_and_writes_compactly() {
        assert_eq!(depth("[[\"[[[\"],{\"a\":[]}]"), 3);
        let mut out = String::new();
        write_compact(&mut out, " { \"a b\" : [ 1 , 2 ] } ");
        assert_eq!(out, "{\"a b\":[1,2]}");
    }
}
