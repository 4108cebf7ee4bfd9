//! From text to tree. Works on events with a stack of its own, so that no nesting can exhaust the thread's.

use super::{Entry, Key, Kind, Node, Plain, Scalar, core_schema, place};
use crate::{
    codes,
    diagnostics::{Report, Span},
};
use saphyr_parser::{Event, Parser, ScalarStyle, Span as YamlSpan, Tag};
use std::{borrow::Cow, collections::HashMap};

/// The largest file that is read, in bytes: ten times what anybody writes by hand, and small enough that a
/// file given by mistake fails at once.
pub(crate) const FILE_SIZE_MAX: u64 = 4 * 1024 * 1024;

/// The deepest nesting: 64 nested steps need about three levels each; more is no file of a person, and the
/// passes behind this one recurse.
pub(super) const NESTING_MAX: usize = 200;

/// Reads one file. None: it has no tree that further checks could use, and the report says why.
pub(crate) fn read(report: &Report, file: u32, text: &str) -> Option<Node> {
    if let Some(offset) = text.find('\0') {
        let before = &text[..offset];
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1;
        let span = Span { file, line, column, length: 1 };
        report.error(span, codes::E_ENCODING, "a NUL character", hint("write the file as UTF-8 text"));
        return None;
    }
    let mut reader = Reader::new(report, file, text);
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, span)) => reader.event(event, span)?,
            Err(error) => {
                reader.syntax_error(error.marker().line(), error.marker().col(), error.info());
                return None;
            }
        }
    }
    reader.finish()
}

fn hint(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// A list or a map that is not closed yet.
enum Open {
    List { span: Span, items: Vec<Node> },
    Map { span: Span, entries: Vec<Entry>, lines: HashMap<String, u32>, key: Option<Key>, twice: bool },
}

struct Reader<'a> {
    report: &'a Report,
    file: u32,
    text: &'a str,
    /// Where line `n + 1` begins, in bytes.
    lines: Vec<usize>,
    /// Characters and bytes that were passed: places in events are counted in characters.
    cursor: (usize, usize),
    open: Vec<Open>,
    root: Option<Node>,
    documents: u32,
    usable: bool,
}

impl<'a> Reader<'a> {
    fn new(report: &'a Report, file: u32, text: &'a str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self {
            report,
            file,
            text,
            lines,
            cursor: (0, 0),
            open: Vec::new(),
            root: None,
            documents: 0,
            usable: true,
        }
    }

    /// Takes one event. None: reading cannot go on.
    fn event(&mut self, event: Event<'_>, at: YamlSpan) -> Option<()> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.report.error(
                        self.span(at, 3),
                        codes::E_YAML,
                        "a second document in one file",
                        hint("one file holds one document; split it and name the other file under `include`"),
                    );
                    return None;
                }
            }
            Event::Alias(_) => {
                let length = at.end.col().saturating_sub(at.start.col()).max(1) as u32;
                self.refuse(self.span(at, length), "aliases (`*name`) are not read", "write the value out");
                let span = self.span(at, length);
                self.value(Node { span, kind: Kind::List(Vec::new()) });
            }
            Event::Scalar(text, style, _, tag) => self.scalar(text, style, tag.as_deref(), at),
            Event::SequenceStart(_, tag) => {
                let span = self.opened(tag.as_deref(), at)?;
                self.open.push(Open::List { span, items: Vec::new() });
            }
            Event::MappingStart(_, tag) => {
                let span = self.opened(tag.as_deref(), at)?;
                self.open.push(Open::Map {
                    span,
                    entries: Vec::new(),
                    lines: HashMap::new(),
                    key: None,
                    twice: false,
                });
            }
            Event::SequenceEnd | Event::MappingEnd => self.closed(),
        }
        Some(())
    }

    fn span(&self, at: YamlSpan, length: u32) -> Span {
        Span { file: self.file, line: at.start.line() as u32, column: at.start.col() as u32 + 1, length }
    }

    fn refuse(&mut self, span: Span, message: &str, what_to_do: &str) {
        self.usable = false;
        self.report.error(span, codes::E_YAML, message, hint(what_to_do));
    }

    /// A list or a map begins. None: too deep.
    fn opened(&mut self, tag: Option<&Tag>, at: YamlSpan) -> Option<Span> {
        let span = self.span(at, 1);
        self.check_tag(tag, span);
        if let Some(Open::Map { key: None, .. }) = self.open.last() {
            self.refuse(span, "a key must be a text", "lists and maps cannot be keys");
            return None;
        }
        if self.open.len() >= NESTING_MAX {
            let message = format!("nested deeper than {NESTING_MAX} levels");
            self.report.error(span, codes::E_YAML, message, None);
            return None;
        }
        Some(span)
    }

    fn closed(&mut self) {
        let node = match self.open.pop() {
            Some(Open::List { span, items }) => Node { span, kind: Kind::List(items) },
            Some(Open::Map { span, entries, .. }) => Node { span, kind: Kind::Map(entries) },
            None => return,
        };
        self.value(node);
    }

    fn check_tag(&mut self, tag: Option<&Tag>, span: Span) {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            self.refuse(span, &format!("the tag `{tag}` is not known"), "leave custom tags out");
        }
    }

    fn scalar(&mut self, text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>, at: YamlSpan) {
        let style = match style {
            ScalarStyle::Plain => place::Style::Plain,
            ScalarStyle::SingleQuoted => place::Style::Single,
            ScalarStyle::DoubleQuoted => place::Style::Double,
            ScalarStyle::Literal => place::Style::Literal,
            ScalarStyle::Folded => place::Style::Folded,
        };
        let raw = self.raw(at);
        let first_line = raw.lines().next().unwrap_or("");
        let span = self.span(at, (first_line.chars().count() as u32).max(1));
        self.check_tag(tag, span);
        if let Some(Open::Map { key: key @ None, lines, twice, .. }) = self.open.last_mut() {
            let key_text = text.into_owned();
            let merge = key_text == "<<" && style == place::Style::Plain;
            let earlier = lines.insert(key_text.clone(), span.line);
            *key = Some(Key { text: key_text, span });
            *twice = earlier.is_some();
            if merge {
                self.refuse(span, "merge keys (`<<`) are not read", "write the keys out");
            } else if let (Some(line), Some(Key { text, .. })) = (earlier, &*key) {
                let message = format!("the key `{text}` stands here twice, first in line {line}");
                self.report.error(span, codes::E_DUPLICATE_KEY, message, hint("keep one of them"));
            }
            return;
        }
        let value = match style {
            place::Style::Plain if tag.is_none_or(|tag| tag.suffix != "str") => self.plain(&text, span),
            _ => Plain::Text,
        };
        let line_below = self.line(span.line + 1);
        let source = place::Source::of(style, span, raw, &text, line_below);
        self.value(Node { span, kind: Kind::Scalar(Scalar { text: text.into_owned(), value, source }) });
    }

    fn plain(&mut self, text: &str, span: Span) -> Plain {
        core_schema::resolve(text).unwrap_or_else(|| {
            self.refuse(
                span,
                &format!("`{text}` is no number that JSON can hold"),
                "quote it if it is a text",
            );
            Plain::Text
        })
    }

    /// Puts a finished node where it belongs.
    fn value(&mut self, mut node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, twice, .. }) => {
                let Some(key) = key.take() else { return };
                if node.is_null() {
                    // Nothing stands there that could be marked.
                    node.span = key.span;
                }
                // The first of two equal keys counts; the second was reported.
                if !*twice {
                    entries.push(Entry { key, value: node });
                }
            }
        }
    }

    /// The scalar as it stands in the file, quotes included.
    fn raw(&mut self, at: YamlSpan) -> &'a str {
        let (chars, bytes) = self.cursor;
        let rest = &self.text[bytes..];
        let skip = |rest: &str, count: usize| {
            rest.char_indices().nth(count).map_or(rest.len(), |(offset, _)| offset)
        };
        let start = skip(rest, at.start.index().saturating_sub(chars));
        self.cursor = (chars.max(at.start.index()), bytes + start);
        let rest = &rest[start..];
        rest[..skip(rest, at.end.index().saturating_sub(at.start.index()))].trim_end()
    }

    /// A line of the file, from 1.
    fn line(&self, number: u32) -> &'a str {
        let start = self.lines.get(number.saturating_sub(1) as usize).copied().unwrap_or(self.text.len());
        let rest = &self.text[start..];
        rest.split('\n').next().unwrap_or("")
    }

    fn syntax_error(&self, line: usize, column: usize, info: &str) {
        let line = (line as u32).max(1);
        let source = self.line(line);
        let above = self.line(line.saturating_sub(1));
        let span = Span { file: self.file, line, column: column as u32 + 1, length: 1 };
        let what_to_do = if source.contains("${") || (above.contains("${") && line > 1) {
            hint("quote the text around `${…}`: \"${ … }\"")
        } else if source.trim_start_matches(' ').starts_with('\t') || above.starts_with('\t') {
            hint("indent with spaces; YAML takes no tabs there")
        } else {
            None
        };
        self.report.error(span, codes::E_YAML, format!("this is not YAML: {info}"), what_to_do);
    }

    fn finish(self) -> Option<Node> {
        let root = self.root.filter(|root| !root.is_null());
        if root.is_none() && self.usable {
            self.report.error(
                Span::start_of(self.file),
                codes::E_EMPTY_FILE,
                "the file is empty",
                hint("`consort init` writes a small project to start from"),
            );
        }
        root.filter(|_| self.usable)
    }
}
