//! What every part of the lowering needs: where to report, where to read, what was used.

use super::pools::Pools;
use crate::{
    codes,
    diagnostics::{Report, SourceFile, Span},
    features::{Feature, UsedFeature},
    files::{Entry, FileError, Files, PathError, relative_to},
    yaml::{FILE_SIZE_MAX, Node},
};
use consort_types::Name;
use std::{
    cell::{OnceCell, RefCell},
    collections::BTreeSet,
};

/// Shared by all parts of one check.
pub(crate) struct Context<'a> {
    pub report: &'a Report,
    pub files: &'a dyn Files,
    /// The texts that made the project.
    pub sources: RefCell<Vec<SourceFile>>,
    used: RefCell<Vec<UsedFeature>>,
    /// Services whose document is broken: which operations they have is not known.
    undescribed: RefCell<BTreeSet<String>>,
    pools: OnceCell<Pools>,
    inherited: RefCell<Vec<(Name, Name, Span)>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(report: &'a Report, files: &'a dyn Files) -> Self {
        Self {
            report,
            files,
            sources: RefCell::default(),
            used: RefCell::default(),
            undescribed: RefCell::default(),
            pools: OnceCell::new(),
            inherited: RefCell::default(),
        }
    }

    /// Notes that the project uses a part of the language that a build may not run yet.
    pub(crate) fn uses(&self, feature: Feature, span: Span) {
        let Span { file, line, column, length } = span;
        let file = self.report.path(file);
        self.used.borrow_mut().push(UsedFeature { feature, file, line, column, length });
    }

    /// Notes that the document of a service is broken, so that calls of it cannot be judged.
    pub(crate) fn lacks_description(&self, service: &str) {
        self.undescribed.borrow_mut().insert(service.to_owned());
    }

    /// Whether it is known which operations a service has.
    pub(crate) fn is_described(&self, service: &str) -> bool {
        !self.undescribed.borrow().contains(service)
    }

    /// Says which pools the project has. Once, before anything that may use them is read.
    pub(crate) fn set_pools(&self, pools: Pools) {
        let _ = self.pools.set(pools);
    }

    /// The pools of the project.
    pub(crate) fn pools(&self) -> &Pools {
        static NONE: Pools = Pools::new();
        self.pools.get().unwrap_or(&NONE)
    }

    /// Notes that a workflow takes of a pool that only a workflow that runs it can bring.
    pub(crate) fn inherits_pool(&self, workflow: &Name, pool: &Name, place: Span) {
        self.inherited.borrow_mut().push((workflow.clone(), pool.clone(), place));
    }

    /// Everything noted by [`Self::inherits_pool`]: workflow, pool, place.
    pub(crate) fn take_inherited_pools(&self) -> Vec<(Name, Name, Span)> {
        self.inherited.take()
    }

    /// Everything noted by [`Self::uses`].
    pub(crate) fn take_used(&self) -> Vec<UsedFeature> {
        self.used.take()
    }

    /// The path that a node holds, relative to the root.
    pub(crate) fn path(&self, node: &Node) -> Option<String> {
        let text = super::fields::text(self.report, node, "a path")?;
        let holder = self.report.path(node.span.file);
        let error = match relative_to(&holder, &text) {
            Ok(path) => return Some(path),
            Err(error) => error,
        };
        let (message, hint) = match error {
            PathError::Absolute => ("a path is relative to the file that holds it, with `/`", None),
            PathError::Outside => {
                ("the path leads out of the project", Some("keep it under the folder of consort.yaml"))
            }
            PathError::Empty => ("an empty path", None),
        };
        self.report.error(node.span, codes::E_PATH, message, hint.map(str::to_owned));
        None
    }

    /// A path at which there must be a file or a folder.
    pub(crate) fn existing(&self, node: &Node, wanted: Entry) -> Option<String> {
        let path = self.path(node)?;
        match (self.files.entry(&path), wanted) {
            (Ok(Entry::Folder), Entry::Folder) | (Ok(Entry::File), Entry::File) => return Some(path),
            (Ok(Entry::File), Entry::Folder) => {
                self.report.error(
                    node.span,
                    codes::E_PATH,
                    format!("`{path}` is a file, a folder is wanted"),
                    None,
                );
            }
            (Ok(Entry::Folder), Entry::File) => {
                self.report.error(
                    node.span,
                    codes::E_PATH,
                    format!("`{path}` is a folder, a file is wanted"),
                    None,
                );
            }
            (Err(error), _) => self.file_error(node.span, &error),
        }
        None
    }

    /// Reads a text of the project and keeps it. What keeps it from being read is told where it was asked for.
    pub(crate) fn read(&self, span: Span, path: &str) -> Option<String> {
        self.read_as(self.report.add_file(path), span, path)
    }

    /// The same for a file that has a number already: what is no text in it is told at its place.
    pub(crate) fn read_as(&self, file: u32, span: Span, path: &str) -> Option<String> {
        let bytes = match self.files.read(path, FILE_SIZE_MAX) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.file_error(span, &error);
                return None;
            }
        };
        match String::from_utf8(bytes) {
            Ok(text) => {
                let mut sources = self.sources.borrow_mut();
                if !sources.iter().any(|source| source.path == path) {
                    sources.push(SourceFile { path: path.to_owned(), text: text.clone() });
                }
                Some(text)
            }
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let before = text.get(..at).unwrap_or("");
                let line = before.matches('\n').count() as u32 + 1;
                let column = before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1;
                let message = format!("`{path}` is not UTF-8 text");
                let hint = "save the file as UTF-8".to_owned();
                let place = Span { file, line, column, length: 1 };
                self.report.error(place, codes::E_ENCODING, message, Some(hint));
                self.sources.borrow_mut().push(SourceFile { path: path.to_owned(), text });
                None
            }
        }
    }

    fn file_error(&self, span: Span, error: &FileError) {
        let code = match error {
            FileError::Missing(_) | FileError::Outside(_) => codes::E_PATH,
            FileError::TooLarge { .. } | FileError::TooMany(_) | FileError::Unreadable { .. } => {
                codes::E_FILE
            }
        };
        self.report.error(span, code, error.to_string(), None);
    }
}
