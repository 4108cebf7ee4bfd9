//! JSON documents as the same small tree. YAML would read most of them, but not `\ud83d\ude00`, and slowly:
//! documents that machines write are long.

use super::{Entry, Key, Kind, Node, Plain, Scalar, place, read::NESTING_MAX};
use crate::{
    codes,
    diagnostics::{Report, Span},
};
use std::collections::HashSet;

/// Reads one JSON document. None: it is not JSON, and the report says where.
pub(crate) fn read_json(report: &Report, file: u32, text: &str) -> Option<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { report, file, text, at: 0, line: 1, mark: (0, 0), depth: 0 };
    let read = reader.value().and_then(|node| {
        reader.space();
        if reader.at < text.len() { Err("something follows the document") } else { Ok(node) }
    });
    match read {
        Ok(node) => Some(node),
        Err(problem) => {
            let message = format!("this is not JSON: {problem}");
            let place = reader.span(reader.at, 1);
            report.error(place, codes::E_OPENAPI, message, None);
            None
        }
    }
}

struct Reader<'a> {
    report: &'a Report,
    file: u32,
    text: &'a str,
    /// The next byte.
    at: usize,
    line: u32,
    /// A byte of the line, and how many characters of the line stand before it: lines of a document that
    /// machines write may be megabytes long.
    mark: (usize, u32),
    depth: usize,
}

type Read<T> = Result<T, &'static str>;

impl Reader<'_> {
    /// A place on the line that is being read, not before one that was asked for already.
    fn span(&mut self, start: usize, length: u32) -> Span {
        let start = start.min(self.text.len());
        let (byte, chars) = self.mark;
        let passed = self.text.get(byte..start).unwrap_or("").chars().count() as u32;
        self.mark = (start.max(byte), chars + passed);
        Span { file: self.file, line: self.line, column: chars + passed + 1, length: length.max(1) }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\n' | b'\r')) = self.peek() {
            self.at += 1;
            if byte == b'\n' {
                self.line += 1;
                self.mark = (self.at, 0);
            }
        }
    }

    fn expect(&mut self, byte: u8, otherwise: &'static str) -> Read<()> {
        self.space();
        if self.peek() != Some(byte) {
            return Err(otherwise);
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self) -> Read<Node> {
        self.space();
        match self.peek() {
            Some(b'{') => self.nested(Self::map),
            Some(b'[') => self.nested(Self::list),
            Some(b'"') => {
                let (text, span) = self.text()?;
                Ok(scalar(span, text, Plain::Text, span.column + 1))
            }
            Some(_) => self.word(),
            None => Err("it ends in the middle"),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Read<Kind>) -> Read<Node> {
        if self.depth >= NESTING_MAX {
            return Err("it is nested too deep");
        }
        let span = self.span(self.at, 1);
        self.depth += 1;
        self.at += 1;
        let kind = read(self)?;
        self.depth -= 1;
        Ok(Node { span, kind })
    }

    fn list(&mut self) -> Read<Kind> {
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Kind::List(items));
        }
        loop {
            items.push(self.value()?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Kind::List(items));
                }
                _ => return Err("`,` or `]` is wanted"),
            }
        }
    }

    fn map(&mut self) -> Read<Kind> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut known: HashSet<String> = HashSet::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Kind::Map(entries));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err("a key in quotes is wanted");
            }
            let (text, span) = self.text()?;
            self.expect(b':', "`:` is wanted")?;
            let value = self.value()?;
            if known.insert(text.clone()) {
                entries.push(Entry { key: Key { text, span }, value });
            } else {
                let message = format!("the key `{text}` stands here twice");
                let hint = "keep one of them".to_owned();
                self.report.error(span, codes::E_DUPLICATE_KEY, message, Some(hint));
            }
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Kind::Map(entries));
                }
                _ => return Err("`,` or `}` is wanted"),
            }
        }
    }

    /// A text in quotes. The rules of escapes are serde_json's.
    fn text(&mut self) -> Read<(String, Span)> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(b'\n') | None => return Err("a text is not closed"),
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let raw = self.text.get(start..self.at).ok_or("a text is not closed")?;
        let text = serde_json::from_str(raw).map_err(|_| "a text with an escape that is none")?;
        let length = raw.chars().count() as u32;
        Ok((text, self.span(start, length)))
    }

    /// `true`, `false`, `null`, a number.
    fn word(&mut self) -> Read<Node> {
        let start = self.at;
        while matches!(self.peek(), Some(b'+' | b'-' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')) {
            self.at += 1;
        }
        let raw = &self.text[start..self.at];
        let length = raw.len() as u32;
        let span = self.span(start, length);
        let plain = match serde_json::from_str(raw) {
            Ok(serde_json::Value::Null) => Plain::Null,
            Ok(serde_json::Value::Bool(value)) => Plain::Boolean(value),
            Ok(serde_json::Value::Number(number)) => match number.as_i64() {
                Some(integer) => Plain::Integer(integer),
                None => Plain::Number(number.as_f64().ok_or("a number that no machine holds")?),
            },
            _ => {
                self.at = start;
                return Err("a value is wanted");
            }
        };
        Ok(scalar(span, raw.to_owned(), plain, span.column))
    }
}

/// A scalar whose text begins in this column.
fn scalar(span: Span, text: String, value: Plain, column: u32) -> Node {
    let source = place::Source::Exact { column };
    Node { span, kind: Kind::Scalar(Scalar { text, value, source }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<serde_json::Value>, Vec<(u32, u32, String)>) {
        let report = Report::default();
        let file = report.add_file("api.json");
        let node = read_json(&report, file, text);
        let problems = report.finish().into_iter().map(|it| (it.line, it.column, it.message)).collect();
        (node.map(|node| node.to_json()), problems)
    }

    #[test]
    fn json_reads_as_serde_json_reads_it() {
        for text in [
            r#"{"a": "\ud83d\ude00 \u00e9\n\/", "b": [1, -2.5e3, true, null, []], "c": {}}"#,
            "\u{feff}{\n\t\"a\":\t1\r\n}",
            "\"x\"",
            "18446744073709551615",
        ] {
            let expected: serde_json::Value =
                serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
            let (read, problems) = read(text);
            let read = read.unwrap_or_else(|| panic!("{problems:?}"));
            // Beyond 64 bits with a sign it is a double, as in YAML.
            assert!(read == expected || read.as_f64() == expected.as_f64(), "{read} {expected}");
        }
    }

    #[test]
    fn what_is_no_json_is_told_at_its_place() {
        for (text, line, column, word) in [
            ("{\n  \"é\": x}", 2, 8, "a value"),
            ("{\"a\": 1,}", 1, 9, "a key"),
            ("[1 2]", 1, 4, "`,`"),
            ("{\"a\": 1} x", 1, 10, "follows"),
            ("{\"a\": \"b\n\"}", 1, 9, "not closed"),
            ("", 1, 1, "ends"),
            ("{\"a\": 1, \"a\": 2}", 1, 10, "twice"),
            ("\"\\", 1, 3, "not closed"),
        ] {
            let (_, problems) = read(text);
            assert_eq!(problems.len(), 1, "{text} {problems:?}");
            let (at, to, message) = &problems[0];
            assert!((*at, *to) == (line, column) && message.contains(word), "{text}: {problems:?}");
        }
        assert!(read(&"[".repeat(100_000)).1[0].2.contains("too deep"));
    }
}
