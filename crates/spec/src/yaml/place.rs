//! From an offset in the text of a scalar back to its place in the file.

use crate::diagnostics::Span;

/// Where the characters of a scalar's text stand in the file. Kept small: most scalars stand on one line
/// exactly as they read.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// As written, from this column of the scalar's line.
    Exact { column: u32 },
    /// On one line, with escapes: the column of each character.
    Escaped { columns: Box<[u32]> },
    /// A block scalar (`|`): the first line and the columns that are indentation.
    Block { line: u32, indent: u32 },
    /// Folded: only the whole can be marked.
    Whole,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
    Folded,
}

impl Source {
    /// Compares what was written with what was read. `raw` is the scalar in the file, quotes included;
    /// `line_below` the line after its header, for block scalars.
    pub(super) fn of(style: Style, span: Span, raw: &str, text: &str, line_below: &str) -> Self {
        match style {
            Style::Literal => Self::Block {
                line: span.line + 1,
                indent: line_below.chars().take_while(|c| *c == ' ').count() as u32,
            },
            Style::Folded => Self::Whole,
            Style::Plain if raw == text => Self::Exact { column: span.column },
            Style::Plain => Self::Whole,
            Style::Single | Style::Double => {
                let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or("");
                if inner == text {
                    Self::Exact { column: span.column + 1 }
                } else {
                    escaped(style, span, inner, text)
                }
            }
        }
    }

    /// The place of `length` characters from byte `offset` of the text on.
    pub(crate) fn locate(&self, whole: Span, text: &str, offset: usize, length: usize) -> Span {
        let offset = floor_char_boundary(text, offset);
        let chars_before = text[..offset].chars().count();
        let end = floor_char_boundary(text, offset.saturating_add(length));
        let length = (text[offset..end].chars().count() as u32).max(1);
        match self {
            Self::Exact { column } => Span { column: column + chars_before as u32, length, ..whole },
            Self::Escaped { columns } => match columns.get(chars_before) {
                Some(column) => Span { column: *column, length, ..whole },
                None => whole,
            },
            Self::Block { line, indent } => {
                let lines = text[..offset].matches('\n').count() as u32;
                let in_line = text[..offset].rsplit('\n').next().unwrap_or("").chars().count() as u32;
                let length =
                    (text[offset..end].split('\n').next().unwrap_or("").chars().count() as u32).max(1);
                Span { line: line + lines, column: indent + in_line + 1, length, ..whole }
            }
            Self::Whole => whole,
        }
    }
}

fn floor_char_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Walks over the escapes of a quoted scalar on one line.
fn escaped(style: Style, span: Span, inner: &str, text: &str) -> Source {
    let mut columns = Vec::with_capacity(text.len());
    let mut chars = inner.chars();
    let mut column = span.column + 1;
    while let Some(c) = chars.next() {
        if c == '\n' {
            return Source::Whole;
        }
        columns.push(column);
        let skipped = match (style, c) {
            (Style::Single, '\'') => 1,
            (Style::Double, '\\') => match chars.clone().next() {
                Some('x') => 3,
                Some('u') => 5,
                Some('U') => 9,
                _ => 1,
            },
            _ => 0,
        };
        for _ in 0..skipped {
            chars.next();
        }
        column += 1 + skipped;
    }
    if columns.len() == text.chars().count() {
        Source::Escaped { columns: columns.into() }
    } else {
        Source::Whole
    }
}
