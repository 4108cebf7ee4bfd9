//! Problems of a project file: where, what, what to do about it.

use serde::Serialize;
use std::{
    cell::{Cell, RefCell},
    fmt::Write,
};

/// How many problems one check keeps: a file in which everything is wrong must not fill the memory.
const PROBLEMS_MAX: usize = 1_000;

/// How many characters of a source line are shown around the mark.
const LINE_SHOWN_MAX: usize = 160;

/// Whether a problem keeps the project from being applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The project cannot be applied.
    Error,
    /// Legal, and probably not meant.
    Warning,
}

impl Severity {
    /// The word as users read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One mistake, at its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, relative to the project root, with `/`.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// How many characters to mark, from the column on.
    #[serde(skip)]
    pub length: u32,
    /// Error or warning.
    pub severity: Severity,
    /// What kind of mistake: one of [`crate::codes`].
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// A file of the project that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Relative to the project root, with `/`.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// Whether [`render`] writes ANSI colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// For pipes and files.
    Never,
    /// For a terminal.
    Always,
}

/// Writes a problem for people: the place and the message, the source line with the mark, the hint.
pub fn render(problem: &Problem, files: &[SourceFile], colour: Colour) -> String {
    let paint = |text: &str, code: &str| match colour {
        Colour::Never => text.to_owned(),
        Colour::Always => format!("\x1b[{code}m{text}\x1b[0m"),
    };
    let tone = match problem.severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
    };
    let place = format!("{}:{}:{}", printable(&problem.file), problem.line, problem.column);
    let what = format!("{} {}", problem.severity.as_str(), problem.code);
    let mut out = format!("{} {}: {}\n", paint(&place, "1"), paint(&what, tone), printable(&problem.message));
    let line = files
        .iter()
        .find(|file| file.path == problem.file)
        .and_then(|file| file.text.lines().nth(problem.line.saturating_sub(1) as usize));
    if let Some(line) = line {
        let (shown, mark) = marked(line, problem);
        let number = problem.line.to_string();
        let _ = writeln!(out, "{} {shown}", paint(&format!("{number:>5} |"), "2"));
        let _ = writeln!(out, "{} {}", paint("      |", "2"), paint(&mark, tone));
    }
    if let Some(hint) = &problem.hint {
        let _ = writeln!(out, "      {} {}", paint("hint:", "1;36"), printable(hint));
    }
    out
}

/// The part of the line around the mark, and the mark under it.
fn marked(line: &str, problem: &Problem) -> (String, String) {
    let column = problem.column.saturating_sub(1) as usize;
    let skipped = column.saturating_sub(LINE_SHOWN_MAX / 2);
    let shown: String = line.chars().skip(skipped).take(LINE_SHOWN_MAX).collect();
    let before = shown.chars().take(column - skipped);
    let room = shown.chars().count().saturating_sub(column - skipped).max(1);
    // A tab under a tab keeps the mark in place, however wide the terminal draws it.
    let mut mark: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    mark.push_str(&"^".repeat((problem.length.max(1) as usize).min(room)));
    (printable(&shown), mark)
}

/// Text of users without what could steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// A place in one of the files of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    /// Index into the files of the check.
    pub file: u32,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// In characters, at least 1.
    pub length: u32,
}

impl Span {
    /// The beginning of a file.
    pub(crate) const fn start_of(file: u32) -> Self {
        Self { file, line: 1, column: 1, length: 1 }
    }
}

/// Where all parts of a check put what they find.
#[derive(Debug, Default)]
pub(crate) struct Report {
    files: RefCell<Vec<String>>,
    problems: RefCell<Vec<Problem>>,
    errors: Cell<usize>,
}

impl Report {
    /// Takes up a file and gives the number that spans carry.
    pub(crate) fn add_file(&self, path: &str) -> u32 {
        let mut files = self.files.borrow_mut();
        files.push(path.to_owned());
        (files.len() - 1) as u32
    }

    /// The path of a file by its number.
    pub(crate) fn path(&self, file: u32) -> String {
        self.files.borrow()[file as usize].clone()
    }

    /// An error.
    pub(crate) fn error(
        &self,
        span: Span,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        self.errors.set(self.errors.get() + 1);
        let hint = hint.into().or_else(|| crate::codes::advice(code).map(str::to_owned));
        self.push(self.problem(span, Severity::Error, code, message.into(), hint));
    }

    /// A warning.
    pub(crate) fn warning(
        &self,
        span: Span,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        self.push(self.problem(span, Severity::Warning, code, message.into(), hint.into()));
    }

    /// A problem that is not kept yet.
    pub(crate) fn problem(
        &self,
        span: Span,
        severity: Severity,
        code: &'static str,
        message: String,
        hint: Option<String>,
    ) -> Problem {
        let Span { file, line, column, length } = span;
        Problem { file: self.path(file), line, column, length, severity, code, message, hint }
    }

    fn push(&self, problem: Problem) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < PROBLEMS_MAX {
            problems.push(problem);
        }
    }

    /// How many errors were found so far.
    pub(crate) fn errors(&self) -> usize {
        self.errors.get()
    }

    /// Does something that may find problems, and forgets them: what is only tried out.
    pub(crate) fn quietly<T>(&self, act: impl FnOnce() -> T) -> T {
        let (length, errors) = (self.problems.borrow().len(), self.errors.get());
        let result = act();
        self.problems.borrow_mut().truncate(length);
        self.errors.set(errors);
        result
    }

    /// Takes back what was said with one of these codes.
    pub(crate) fn forget(&self, codes: &[&str]) {
        self.problems.borrow_mut().retain(|problem| !codes.contains(&problem.code));
    }

    /// Whether more problems were found than anybody reads: no more advice need be looked for.
    pub(crate) fn is_full(&self) -> bool {
        self.problems.borrow().len() >= PROBLEMS_MAX
    }

    /// All problems, sorted by place, each once.
    pub(crate) fn finish(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by(|a, b| {
            (&a.file, a.line, a.column, a.severity, a.code, &a.message)
                .cmp(&(&b.file, b.line, b.column, b.severity, b.code, &b.message))
        });
        problems.dedup();
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(column: u32, length: u32) -> Problem {
        Problem {
            file: "consort.yaml".into(),
            line: 2,
            column,
            length,
            severity: Severity::Error,
            code: "E_UNKNOWN_KEY",
            message: "unknown key `sorce`".into(),
            hint: Some("did you mean `source`?".into()),
        }
    }

    fn files(line: &str) -> Vec<SourceFile> {
        vec![SourceFile { path: "consort.yaml".into(), text: format!("a:\n{line}\n") }]
    }

    #[test]
    fn the_source_line_is_marked() {
        let text = render(&problem(3, 5), &files("  sorce: ./x"), Colour::Never);
        assert_eq!(
            text,
            "consort.yaml:2:3 error E_UNKNOWN_KEY: unknown key `sorce`\n    2 |   sorce: ./x\n      |   ^^^^^\n      hint: did you mean `source`?\n"
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark_and_nothing_steers_the_terminal() {
        let line = format!("{}\x1b[2Jx", "é".repeat(5_000));
        let text = render(&problem(5_000, 9_000), &files(&line), Colour::Never);
        assert!(text.len() < 1_000, "{text}");
        assert!(!text.contains('\x1b'));
        let off_the_end = render(&problem(60_000, 1), &files("x"), Colour::Never);
        assert!(off_the_end.contains('^'));
    }

    #[test]
    fn json_has_the_fields_of_the_contract() {
        let json = serde_json::to_string(&problem(3, 5)).unwrap();
        assert_eq!(
            json,
            r#"{"file":"consort.yaml","line":2,"column":3,"severity":"error","code":"E_UNKNOWN_KEY","message":"unknown key `sorce`","hint":"did you mean `source`?"}"#
        );
    }
}
