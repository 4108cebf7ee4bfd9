//! A project as a list of texts: what `POST /apply` brings, and what tests write.

use super::{Entry, FileError, Files, glob};
use std::collections::{BTreeMap, BTreeSet};

/// What [`Texts`] knows of folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folders {
    /// Exactly these, beside those that hold a text.
    Known(BTreeSet<String>),
    /// Whatever the file names: the sources come by another way, and who takes them checks them.
    Assumed,
}

/// A project as a list of texts.
#[derive(Debug, Clone)]
pub struct Texts {
    files: BTreeMap<String, String>,
    folders: Folders,
}

impl Texts {
    /// Takes texts by their paths.
    pub fn new(files: impl IntoIterator<Item = (String, String)>, folders: Folders) -> Self {
        Self { files: files.into_iter().collect(), folders }
    }
}

impl Files for Texts {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        let text = self.files.get(path).ok_or_else(|| FileError::Missing(path.to_owned()))?;
        let size = text.len() as u64;
        if size > limit {
            return Err(FileError::TooLarge { path: path.to_owned(), size, limit });
        }
        Ok(text.clone().into_bytes())
    }

    fn entry(&self, path: &str) -> Result<Entry, FileError> {
        if self.files.contains_key(path) {
            return Ok(Entry::File);
        }
        let inside = format!("{path}/");
        let known = match &self.folders {
            Folders::Assumed => true,
            Folders::Known(folders) => path == "." || folders.contains(path),
        };
        if known || self.files.keys().any(|file| file.starts_with(&inside)) {
            Ok(Entry::Folder)
        } else {
            Err(FileError::Missing(path.to_owned()))
        }
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, FileError> {
        if !glob::is_pattern(pattern) && !self.files.contains_key(pattern) {
            return Err(FileError::Missing(pattern.to_owned()));
        }
        Ok(self.files.keys().filter(|path| glob::matches(pattern, path)).cloned().collect())
    }
}
