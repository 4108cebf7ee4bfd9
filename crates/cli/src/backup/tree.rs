//! Files and folders, copied and digested on the way.

use super::{
    UPLOADS,
    manifest::{FileSum, Manifest},
};
use crate::failure::Failure;
use consort_types::Digester;
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};

/// Bytes copied at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// Copies what lies under `inner` from one root to another, and puts each file into the manifest. Files that
/// are gone before their turn are left out: retention may be at work. Links and sockets are left out, too:
/// nothing of ours is one, and following those of a service would lead out of the folder.
///
/// # Errors
/// When something cannot be read or written.
pub(super) fn copy(from: &Path, to: &Path, inner: &Path, manifest: &mut Manifest) -> Result<(), Failure> {
    let failed = |path: &Path, error: &io::Error| Failure::usage(format!("{}: {error}", path.display()));
    let mut folders = vec![inner.to_owned()];
    while let Some(folder) = folders.pop() {
        let here = from.join(&folder);
        let entries = match fs::read_dir(&here) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other.map_err(|error| failed(&here, &error))?,
        };
        for entry in entries {
            let entry = entry.map_err(|error| failed(&here, &error))?;
            let path = folder.join(entry.file_name());
            let kind = entry.file_type().map_err(|error| failed(&entry.path(), &error))?;
            if kind.is_dir() && path != Path::new(UPLOADS) {
                folders.push(path);
            } else if kind.is_file() {
                let Some(name) = path.to_str() else {
                    return Err(Failure::usage(format!("{} has a name that is no text", path.display())));
                };
                match copy_file(&entry.path(), &to.join(&path)) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(failed(&entry.path(), &error)),
                    Ok(sum) => manifest.add(name, sum),
                }
            }
        }
    }
    Ok(())
}

/// Copies one file and its mode; the folders above it are made.
///
/// # Errors
/// When it cannot be read or written; then nothing of the copy is left.
pub(super) fn copy_file(from: &Path, to: &Path) -> io::Result<FileSum> {
    let source = File::open(from)?;
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut copy = File::create_new(to)?;
    let copied = pour(source, &mut copy).and_then(|sum| {
        fs::set_permissions(to, fs::metadata(from)?.permissions())?;
        copy.sync_all().map(|()| sum)
    });
    if copied.is_err() {
        let _ = fs::remove_file(to);
    }
    copied
}

/// # Errors
/// When the file cannot be read.
pub(super) fn digest(path: &Path) -> io::Result<FileSum> {
    pour(File::open(path)?, &mut io::sink())
}

fn pour(mut from: impl Read, to: &mut impl Write) -> io::Result<FileSum> {
    let mut digester = Digester::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut bytes = 0;
    loop {
        let read = match from.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if read == 0 {
            return Ok(FileSum { bytes, digest: digester.finish() });
        }
        digester.update(&chunk[..read]);
        to.write_all(&chunk[..read])?;
        bytes += read as u64;
    }
}

/// Fsyncs every folder under a root, so that the files in them are found after a loss of power.
///
/// # Errors
/// When a folder cannot be read.
pub(super) fn sync(root: &Path) -> Result<(), Failure> {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let synced = File::open(&folder).and_then(|file| file.sync_all()).and_then(|()| {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                }
            }
            Ok(())
        });
        synced.map_err(|error| Failure::usage(format!("{}: {error}", folder.display())))?;
    }
    Ok(())
}
