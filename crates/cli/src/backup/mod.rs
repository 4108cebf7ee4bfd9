//! Backups: a folder with everything that a data folder holds, and a manifest that says so.
//!
//! ```text
//! BACKUP/consort.db, logs.db       the databases, each as it was at one moment
//! BACKUP/artifacts, sources, …     the folders beside them, as files
//! BACKUP/manifest.json             every file with its size and digest; written last
//! ```
//!
//! A backup without a manifest was cut short and is refused. What can be made again from the rest, revisions
//! of services that are unpacked and set up, is left out.

mod manifest;
mod tree;

use crate::failure::Failure;
use manifest::Manifest;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The folders of a data folder that are copied file by file. The databases come first: whatever they name
/// is in the folders by then, since bytes are stored before anything refers to them.
const FOLDERS: [&str; 4] = ["artifacts", "sources", "services", "logs"];

/// Where uploads lie that are under way; the next server sweeps it anyway.
const UPLOADS: &str = "artifacts/tmp";

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// How many files.
    pub files: u64,
    /// How many bytes they have together.
    pub bytes: u64,
}

/// Copies a data folder into a new folder, also while a server writes to it.
///
/// # Errors
/// When there is no store, the backup's folder holds something, or the disk refuses.
pub fn make(data: &Path, backup: &Path) -> Result<Copied, Failure> {
    make_empty(backup)?;
    let databases = consort_store_sqlite::snapshot(data, backup)
        .map_err(|error| Failure::usage(format!("cannot back up {}: {error}", data.display())))?;
    let mut manifest = Manifest::default();
    for name in databases {
        manifest.add(name, tree::digest(&backup.join(name)).map_err(unreadable(&backup.join(name)))?);
    }
    for folder in FOLDERS {
        tree::copy(data, backup, Path::new(folder), &mut manifest)?;
    }
    manifest.write(backup)?;
    Ok(manifest.copied())
}

/// Makes a data folder from a backup; each byte is compared with the manifest on its way. Half a copy is taken
/// away again.
///
/// # Errors
/// When the backup is not whole, the folder holds something, or the disk refuses.
pub fn restore(backup: &Path, data: &Path) -> Result<Copied, Failure> {
    let manifest = Manifest::read(backup)?;
    make_empty(data)?;
    let restored = manifest.files().try_for_each(|(path, expected)| {
        let (from, to) = (backup.join(path), data.join(path));
        let found = tree::copy_file(&from, &to).map_err(unreadable(&from))?;
        expected.compare(path, &found)
    });
    if let Err(failure) = restored.and_then(|()| tree::sync(data)).and_then(|()| looked_over(data)) {
        let _ = fs::remove_dir_all(data);
        return Err(failure);
    }
    Ok(manifest.copied())
}

/// Reads a whole backup and compares it with its manifest. Changes nothing.
///
/// # Errors
/// When it is not whole.
pub fn verify(backup: &Path) -> Result<Copied, Failure> {
    let manifest = Manifest::read(backup)?;
    for (path, expected) in manifest.files() {
        let from = backup.join(path);
        expected.compare(path, &tree::digest(&from).map_err(unreadable(&from))?)?;
    }
    looked_over(backup)?;
    Ok(manifest.copied())
}

/// The databases are read through once: a backup of a damaged store has the right digests, too.
fn looked_over(folder: &Path) -> Result<(), Failure> {
    let broken = consort_store_sqlite::inspect(folder).files.into_iter().find_map(|file| match file.health {
        consort_store_sqlite::Health::Whole { .. } => None,
        health => Some((file.name, health)),
    });
    match broken {
        None => Ok(()),
        Some((name, health)) => {
            Err(Failure::usage(format!("{} of the backup cannot be used: {health:?}", name))
                .hint("`consort doctor --data` on the backup says more; take an older backup"))
        }
    }
}

fn make_empty(folder: &Path) -> Result<(), Failure> {
    let refused = |error: io::Error| Failure::usage(format!("cannot make {}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(refused)?;
    if fs::read_dir(folder).map_err(refused)?.next().is_some() {
        let message = format!("{} holds something already", folder.display());
        return Err(
            Failure::usage(message).hint("name a new or an empty folder; nothing is ever overwritten")
        );
    }
    Ok(())
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Failure + use<> {
    let path: PathBuf = path.to_owned();
    move |error| Failure::usage(format!("{}: {error}", path.display()))
}
