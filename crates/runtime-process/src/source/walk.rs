//! What a source folder holds.

use super::{ENTRIES_MAX, SOURCE_BYTES_MAX, bad, ignore::Ignore};
use consort_runtime::Error;
use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Component, Path, PathBuf},
};

/// Never part of a source: what tools make out of it, bound to the machine and folder where they made it.
const LEFT_OUT: &[&str] = &[".git", ".venv", "node_modules", "__pycache__"];

/// One thing in a source folder.
pub(crate) struct Entry {
    /// Relative to the folder.
    pub path: PathBuf,
    pub kind: Kind,
}

pub(crate) enum Kind {
    Folder,
    File { mode: u32, bytes: u64 },
    Link { target: PathBuf },
}

/// How much of a folder to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// What belongs to a source.
    Source,
    /// Really everything.
    All,
}

/// What is in a folder, in the order of paths.
pub(crate) fn walk(root: &Path, scope: Scope) -> Result<Vec<Entry>, Error> {
    let metadata = fs::metadata(root).map_err(|error| bad(root, format!("cannot be read: {error}")))?;
    if !metadata.is_dir() {
        return Err(bad(root, "is no folder"));
    }
    let real_root = fs::canonicalize(root).map_err(|error| Error::io("cannot read", root, error))?;
    let ignore = Ignore::read(root)?;
    let mut walk = Walk { root, real_root, scope, ignore, entries: Vec::new(), bytes: 0 };
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        walk.folder(&folder, &mut folders)?;
    }
    walk.entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(walk.entries)
}

struct Walk<'a> {
    root: &'a Path,
    real_root: PathBuf,
    scope: Scope,
    ignore: Ignore,
    entries: Vec<Entry>,
    bytes: u64,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, folders: &mut Vec<PathBuf>) -> Result<(), Error> {
        let full = self.root.join(folder);
        let unreadable = |error| Error::io("cannot read", &full, error);
        for entry in fs::read_dir(&full).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name();
            let path = folder.join(&name);
            let metadata = entry.metadata().map_err(|error| Error::io("cannot read", entry.path(), error))?;
            let left_out = is_left_out(&name) || self.ignore.matches(&path, metadata.is_dir());
            if left_out && self.scope == Scope::Source {
                continue;
            }
            let kind = self.kind(&path, &metadata)?;
            if matches!(kind, Kind::Folder) {
                folders.push(path.clone());
            }
            self.entries.push(Entry { path, kind });
            if self.entries.len() > ENTRIES_MAX {
                let problem =
                    format!("has more than {ENTRIES_MAX} files; leave some out with a .consortignore");
                return Err(bad(self.root, problem));
            }
        }
        Ok(())
    }

    fn kind(&mut self, path: &Path, metadata: &fs::Metadata) -> Result<Kind, Error> {
        let kind = metadata.file_type();
        if kind.is_dir() {
            return Ok(Kind::Folder);
        }
        if kind.is_symlink() {
            return self.link(path);
        }
        if !kind.is_file() {
            return Err(bad(self.root.join(path), "is a socket, pipe or device; a source holds only files"));
        }
        self.bytes += metadata.len();
        if self.bytes > SOURCE_BYTES_MAX {
            let problem =
                format!("has more than {SOURCE_BYTES_MAX} bytes; leave data out with a .consortignore");
            return Err(bad(self.root, problem));
        }
        Ok(Kind::File { mode: metadata.permissions().mode() & 0o777, bytes: metadata.len() })
    }

    fn link(&self, path: &Path) -> Result<Kind, Error> {
        let full = self.root.join(path);
        let target = fs::read_link(&full).map_err(|error| Error::io("cannot read", &full, error))?;
        // The text must stay inside, so that it does wherever the folder is; and so must what it leads to,
        // which other links on its way may have turned.
        let inside = stays_inside(path.parent().unwrap_or(Path::new("")), &target)
            && fs::canonicalize(&full).map_or(true, |real| real.starts_with(&self.real_root));
        if !inside {
            let problem = format!("is a link out of the folder, to {}; copy what it means", target.display());
            return Err(bad(full, problem));
        }
        Ok(Kind::Link { target })
    }
}

fn is_left_out(name: &OsStr) -> bool {
    LEFT_OUT.iter().any(|left_out| name == *left_out)
}

/// Whether a relative path, taken from a folder inside the root, never climbs out of it.
fn stays_inside(folder: &Path, target: &Path) -> bool {
    let mut depth = folder.components().count();
    for component in target.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    true
}
