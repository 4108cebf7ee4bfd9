//! One server per data folder.

use consort_store::Error;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
};

/// The file that is locked. It stays when a server ends; only the lock on it counts.
const LOCK_FILE: &str = "lock";

/// Held while a store is open. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Makes the folder and takes it.
    ///
    /// # Errors
    /// [`Error::NotWritable`]; [`Error::Locked`] with the process that has it.
    pub(crate) fn take(folder: &Path) -> Result<Self, Error> {
        let not_writable = |path: &Path| {
            let path = path.to_owned();
            move |source| match source {
                full if is_full(&full) => Error::Full,
                source => Error::NotWritable { path, source },
            }
        };
        std::fs::create_dir_all(folder).map_err(not_writable(folder))?;
        let path = folder.join(LOCK_FILE);
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = options.map_err(not_writable(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Locked { path: folder.to_owned(), pid: owner(&mut file) });
            }
            Err(TryLockError::Error(error)) => {
                let detail = format!("{} cannot be locked: {error}", path.display());
                return Err(Error::Io { detail });
            }
        }
        let write = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        write.map_err(not_writable(&path))?;
        Ok(Self { _file: file })
    }
}

/// Whether a server has the folder now, and its process where it left its id. Takes nothing.
pub(crate) fn holder(folder: &Path) -> Option<Option<u32>> {
    let mut file = OpenOptions::new().read(true).write(true).open(folder.join(LOCK_FILE)).ok()?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Some(owner(&mut file)),
        // Let go of at once, with the file.
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

/// The process that holds the lock, as it left its id there; for the message only.
fn owner(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}
