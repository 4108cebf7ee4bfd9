//! The project in a folder, as far as the command line needs it.

use crate::{
    failure::Failure,
    show::{Screen, style::Style},
};
use consort_spec::{Colour, Folder, Problem, Severity, SourceFile, definition::Project, render};
use consort_types::{Name, NameKind};
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The name of the project file.
pub const FILE: &str = "consort.yaml";

/// The namespace that the project file of a folder names; none without a file, or when the name is none.
///
/// Only the one line is read, so that looking at runs works while the rest of the file is being edited.
pub fn namespace_in(folder: &Path) -> Option<String> {
    name_in(&std::fs::read_to_string(folder.join(FILE)).ok()?)
}

fn name_in(text: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix("name:"))?;
    let value = value.split(" #").next().unwrap_or(value).trim().trim_matches(['"', '\'']);
    Name::new(value, NameKind::Kebab).ok().map(|name| name.as_str().to_owned())
}

/// A project that was checked.
#[derive(Debug)]
pub struct Checked {
    /// Its folder.
    pub root: PathBuf,
    /// What it holds; none when it has errors.
    pub project: Option<Arc<Project>>,
    /// Its mistakes, sorted.
    pub problems: Vec<Problem>,
    /// The files that were read.
    pub files: Vec<SourceFile>,
}

impl Checked {
    /// The same, where what this build cannot run yet is an error too: legal in a file, and not to be applied.
    #[must_use]
    pub fn for_apply(mut self) -> Self {
        if let Some(project) = &self.project {
            self.problems.extend(consort_spec::unsupported(project));
        }
        self
    }

    /// How many of the problems are errors.
    pub fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }
}

/// Checks the project in a folder, or of a `consort.yaml`.
///
/// # Errors
/// When there is no such folder, or no project in it.
pub fn check(path: &Path) -> Result<Checked, Failure> {
    let root = if path.file_name().is_some_and(|name| name == FILE) && path.is_file() {
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
    } else {
        path
    };
    let failed = |error| Failure::usage(format!("{}: {error}", root.display()));
    let folder = Folder::new(root).map_err(failed)?;
    if !root.join(FILE).exists() {
        let message = format!("there is no {FILE} in {}", folder.root().display());
        return Err(
            Failure::usage(message).hint("write one with `consort init`, or name the folder of a project")
        );
    }
    let consort_spec::Checked { project, problems, files } = consort_spec::check(&folder);
    Ok(Checked { root: folder.root().to_owned(), project, problems, files })
}

/// Writes the problems for people to standard error.
pub fn print_problems(checked: &Checked, screen: Screen) {
    let colour = match screen.style {
        Style::Colour => Colour::Always,
        Style::Plain => Colour::Never,
    };
    let mut out = std::io::stderr().lock();
    for problem in &checked.problems {
        // Nobody to tell when standard error is gone.
        let _ = out.write_all(render(problem, &checked.files, colour).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_found_however_it_is_written() {
        for (text, name) in [
            ("name: lending", Some("lending")),
            ("# a\n\nname:   lending   # mine\nservices: {}", Some("lending")),
            ("name: \"lending\"", Some("lending")),
            ("services:\n  name: x", None),
            ("name: Bad Name", None),
            ("", None),
        ] {
            assert_eq!(name_in(text).as_deref(), name, "{text:?}");
        }
    }
}
