//! How things look: on a terminal, in a pipe, as JSON.

pub mod event;
pub mod live;
pub mod run;
pub mod style;
pub mod table;
pub mod time;
pub mod tree;

use crate::failure::Failure;
use serde::Serialize;
use std::io::{IsTerminal, Write};
use style::Style;

/// The width of a terminal that does not tell its own, and the most that a live list takes for granted.
const WIDTH_DEFAULT: usize = 80;

/// The height of a terminal that does not tell its own.
const HEIGHT_DEFAULT: usize = 24;

/// Where standard output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// A person reads it now; it can be redrawn.
    Terminal,
    /// A file, a pipe: a program, or a person later.
    Pipe,
}

/// Standard output, and what it can do.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// Where it goes.
    pub medium: Medium,
    /// Whether colours are wanted.
    pub style: Style,
}

impl Screen {
    /// Looks at standard output and at `NO_COLOR` (<https://no-color.org>).
    pub fn detect() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            medium: if terminal && !dumb { Medium::Terminal } else { Medium::Pipe },
            style: if terminal && !dumb && !no_colour { Style::Colour } else { Style::Plain },
        }
    }

    /// Columns and rows of the terminal.
    pub fn size(self) -> (usize, usize) {
        match terminal_size::terminal_size() {
            Some((width, height)) if width.0 > 0 => (width.0.into(), height.0.max(2).into()),
            _ => (WIDTH_DEFAULT, HEIGHT_DEFAULT),
        }
    }

    /// The width that lines must keep to; none in a pipe, where nothing is cut.
    pub fn width(self) -> Option<usize> {
        match self.medium {
            Medium::Terminal => Some(self.size().0),
            Medium::Pipe => None,
        }
    }

    /// Writes a line.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn line(self, text: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}")?;
        Ok(out.flush()?)
    }

    /// Writes text as it is.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn text(self, text: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// Writes a value as JSON over several lines, for people and programs.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn json(self, value: &impl Serialize) -> Result<(), Failure> {
        self.line(&pretty(value))
    }

    /// Writes a value as one line of JSON, for programs that read line by line.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn json_line(self, value: &impl Serialize) -> Result<(), Failure> {
        self.line(&serde_json::to_string(value).expect("our own types serialize"))
    }

    /// Writes a remark to standard error, beside the result.
    pub fn note(self, text: &str) {
        // Nobody to tell when standard error is gone.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}

/// JSON with indentation. Payloads come as raw text and are laid out too.
pub fn pretty(value: &impl Serialize) -> String {
    let tree = serde_json::to_value(value).expect("our own types serialize");
    serde_json::to_string_pretty(&tree).expect("a tree serializes")
}

/// Text of users and services without what could steer a terminal.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// Cuts a text to a width in characters, with an ellipsis where something was cut.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}
