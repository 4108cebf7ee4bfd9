//! The project file: text → checked, typed, immutable definitions, and every problem of `consort check`.
//!
//! This crate knows files only through [`Files`]; it must never know runs, stores, sockets or clocks, and it
//! never evaluates an expression. Start reading at [`check`] and `lower::project`; what comes out stands in
//! [`definition`].
//!
//! The way of a file: `yaml` (text → tree with places) → `lower` (tree → definitions, one file for each noun)
//! → `lower::resolve` (names → steps) → `lower::cycles` (an order) → `typing` (types through all of it). All
//! of them put what they find into one report, so that every mistake of a project is told in one go.

pub mod codes;
pub mod definition;
mod diagnostics;
mod features;
mod files;
mod graph;
mod json_schema;
mod keys;
mod lower;
mod openapi;
mod schema;
mod typing;
mod yaml;

pub use diagnostics::{Colour, Problem, Severity, SourceFile, render};
pub use features::{Feature, UsedFeature, unsupported};
pub use files::{Entry, FileError, Files, Folder, Folders, Texts};
pub use graph::{EdgeKind, Graph, GraphEdge, GraphNode, graph};
pub use json_schema::json_schema;

use definition::Project;
use std::sync::Arc;

/// What a check found.
#[derive(Debug)]
pub struct Checked {
    /// The project; none when there is an error.
    pub project: Option<Arc<Project>>,
    /// All problems, sorted by file, line and column, each once.
    pub problems: Vec<Problem>,
    /// Every text that was read: the project file, its includes, OpenAPI documents, env files.
    pub files: Vec<SourceFile>,
}

impl Checked {
    /// Whether something keeps the project from being applied.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }
}

/// Checks the project whose root holds `consort.yaml`. Reads through `files` only; never panics, whatever
/// they hold, and takes time in proportion to their length.
pub fn check(files: &dyn Files) -> Checked {
    let report = diagnostics::Report::default();
    let context = lower::Context::new(&report, files);
    let project = lower::Trees::read(&context).and_then(|trees| lower::project(&context, &trees));
    let sources = context.sources.take();
    drop(context);
    let project = project.filter(|_| report.errors() == 0).map(Arc::new);
    Checked { project, problems: report.finish(), files: sources }
}

/// A YAML text as JSON, read as project files are read. None: it is not YAML that a project file may hold.
pub fn yaml_to_json(text: &str) -> Option<serde_json::Value> {
    let report = diagnostics::Report::default();
    let file = report.add_file("text");
    yaml::read(&report, file, text).filter(|_| report.errors() == 0).map(|node| node.to_json())
}
