//! A tar as a folder. It may come from anywhere, so nothing in it is believed.

use super::{ENTRIES_MAX, SOURCE_BYTES_MAX, bad, walk};
use consort_runtime::Error;
use std::{
    fs::{self, OpenOptions},
    io::{self, Read},
    os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink},
    path::{Component, Path, PathBuf},
};
use tar::{Archive, Entry, EntryType};

/// Unpacks a tar into a folder that is not there yet. Only regular files, folders and links that stay inside
/// are taken; owners, times and special modes are not.
///
/// # Errors
/// [`Error::BadSource`] names the entry at fault: a path that leaves the folder, a device, too much. What was
/// unpacked until then stays there; the caller removes the folder.
pub fn unpack(tar: impl Read, to: &Path) -> Result<(), Error> {
    fs::create_dir(to).map_err(|error| Error::io("cannot make", to, error))?;
    let mut unpacking = Unpacking { to, links: Vec::new(), entries: 0, bytes: 0 };
    let mut archive = Archive::new(tar);
    let entries = archive.entries().map_err(|error| no_tar(to, &error))?;
    for entry in entries {
        unpacking.entry(entry.map_err(|error| no_tar(to, &error))?)?;
    }
    // Links come last: while there is none, no path leads through one.
    for (path, target) in &unpacking.links {
        let full = to.join(path);
        symlink(target, &full).map_err(|error| Error::io("cannot link", full, error))?;
    }
    // Only now is it seen where each leads to.
    walk::walk(to, walk::Scope::All).map(drop)
}

fn no_tar(to: &Path, error: &io::Error) -> Error {
    bad(to, format!("the upload is no complete tar: {error}"))
}

struct Unpacking<'a> {
    to: &'a Path,
    links: Vec<(PathBuf, PathBuf)>,
    entries: usize,
    bytes: u64,
}

impl Unpacking<'_> {
    fn entry(&mut self, mut entry: Entry<'_, impl Read>) -> Result<(), Error> {
        let named = entry.path().map_err(|error| no_tar(self.to, &error))?.into_owned();
        let Some(path) = plain(&named) else {
            return Err(bad(named, "leaves the folder; a source's paths are relative and without `..`"));
        };
        self.entries += 1;
        self.bytes = self.bytes.saturating_add(entry.size());
        if self.entries > ENTRIES_MAX || self.bytes > SOURCE_BYTES_MAX {
            let problem = format!("a source has at most {ENTRIES_MAX} files and {SOURCE_BYTES_MAX} bytes");
            return Err(bad(named, problem));
        }
        let full = self.to.join(&path);
        match entry.header().entry_type() {
            EntryType::Directory => make_folder(&full),
            EntryType::Regular | EntryType::Continuous => write_file(&mut entry, &full),
            EntryType::Symlink => {
                let target =
                    entry.link_name().ok().flatten().ok_or_else(|| bad(&named, "is a link to nothing"))?;
                make_parent(&full)?;
                self.links.push((path, target.into_owned()));
                Ok(())
            }
            EntryType::XGlobalHeader => Ok(()),
            _ => Err(bad(named, "is a hard link, pipe or device; a source holds files, folders and links")),
        }
    }
}

/// The path without `.`; nothing if it goes anywhere but down.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(plain)
}

fn make_folder(full: &Path) -> Result<(), Error> {
    fs::create_dir_all(full).map_err(|error| Error::io("cannot make", full, error))
}

fn make_parent(full: &Path) -> Result<(), Error> {
    full.parent().map_or(Ok(()), make_folder)
}

fn write_file(entry: &mut Entry<'_, impl Read>, full: &Path) -> Result<(), Error> {
    make_parent(full)?;
    let cannot = |error| Error::io("cannot write", full, error);
    let mode = entry.header().mode().unwrap_or(0o644) & 0o777;
    // Whoever reads the folder as its owner must be able to, also to remove it.
    let mode = mode | 0o600;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(full).map_err(cannot)?;
    let copied = io::copy(entry, &mut file).map_err(cannot)?;
    if copied != entry.size() {
        return Err(bad(full, "the upload breaks off in this file"));
    }
    // Against the umask, which `mode` above is subject to.
    file.set_permissions(fs::Permissions::from_mode(mode)).map_err(cannot)
}
