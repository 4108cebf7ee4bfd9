//! A project in a folder on disk.

use super::{Entry, FileError, Files, glob};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// How many files and folders a pattern walks over before it gives up.
const WALKED_MAX: usize = 100_000;

/// The deepest folder that a pattern looks into.
const DEPTH_MAX: usize = 32;

/// A project in a folder on disk. Links that leave the folder are refused.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Takes the project root.
    ///
    /// # Errors
    /// When it is no folder that can be opened.
    pub fn new(root: &Path) -> io::Result<Self> {
        let root = root.canonicalize()?;
        if !root.is_dir() {
            return Err(io::Error::from(io::ErrorKind::NotADirectory));
        }
        Ok(Self { root })
    }

    /// The root, absolute and without links.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn resolve(&self, path: &str) -> Result<PathBuf, FileError> {
        let full = self.root.join(path).canonicalize().map_err(|error| unreadable(path, &error))?;
        if full.starts_with(&self.root) { Ok(full) } else { Err(FileError::Outside(path.to_owned())) }
    }
}

fn unreadable(path: &str, error: &io::Error) -> FileError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileError::Missing(path.to_owned()),
        _ => FileError::Unreadable { path: path.to_owned(), reason: error.to_string() },
    }
}

impl Files for Folder {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        let full = self.resolve(path)?;
        let metadata = fs::metadata(&full).map_err(|error| unreadable(path, &error))?;
        // A pipe or a device has no size and may never end.
        if !metadata.is_file() {
            let reason = "it is not a file".to_owned();
            return Err(FileError::Unreadable { path: path.to_owned(), reason });
        }
        let too_large = |size| FileError::TooLarge { path: path.to_owned(), size, limit };
        if metadata.len() > limit {
            return Err(too_large(metadata.len()));
        }
        let mut bytes = Vec::new();
        File::open(&full)
            .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
            .map_err(|error| unreadable(path, &error))?;
        // It may have grown since.
        if bytes.len() as u64 > limit { Err(too_large(bytes.len() as u64)) } else { Ok(bytes) }
    }

    fn entry(&self, path: &str) -> Result<Entry, FileError> {
        Ok(if self.resolve(path)?.is_dir() { Entry::Folder } else { Entry::File })
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, FileError> {
        if !glob::is_pattern(pattern) {
            return Ok(match self.entry(pattern)? {
                Entry::File => vec![pattern.to_owned()],
                Entry::Folder => Vec::new(),
            });
        }
        let mut walk = Walk { folder: self, pattern, walked: 0, found: Vec::new() };
        let fixed: Vec<&str> = pattern.split('/').take_while(|part| !glob::is_pattern(part)).collect();
        match walk.visit(&fixed.join("/"), 0) {
            Ok(()) | Err(FileError::Missing(_)) => {}
            Err(error) => return Err(error),
        }
        walk.found.sort();
        Ok(walk.found)
    }
}

struct Walk<'a> {
    folder: &'a Folder,
    pattern: &'a str,
    walked: usize,
    found: Vec<String>,
}

impl Walk<'_> {
    fn visit(&mut self, folder: &str, depth: usize) -> Result<(), FileError> {
        let full = self.folder.resolve(if folder.is_empty() { "." } else { folder })?;
        for entry in fs::read_dir(full).map_err(|error| unreadable(folder, &error))? {
            let entry = entry.map_err(|error| unreadable(folder, &error))?;
            self.walked += 1;
            if self.walked > WALKED_MAX {
                return Err(FileError::TooMany(self.pattern.to_owned()));
            }
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
            // Links to folders are not followed: they are how a walk runs in a circle.
            if kind.is_dir() && depth < DEPTH_MAX {
                self.visit(&path, depth + 1)?;
            } else if !kind.is_dir() && glob::matches(self.pattern, &path) {
                self.found.push(path);
            }
        }
        Ok(())
    }
}
