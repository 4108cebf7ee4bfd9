//! The sources of services, kept by content: `DATA/sources/HEX.tar`.

mod ignore;
mod pack;
mod unpack;
mod walk;

pub use pack::pack;
pub use unpack::unpack;

use consort_runtime::Error;
use consort_types::Digest;
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// How many files, folders and links a source may have. More is mostly a folder of packages or data that
/// should be left out by a `.consortignore`.
pub(crate) const ENTRIES_MAX: usize = 50_000;

/// How many bytes the files of a source may have together.
pub(crate) const SOURCE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// What the names of half-done things begin with.
const TEMPORARY_PREFIX: &str = ".new-";

/// The store of sources. All of its functions block: call them where that is allowed.
#[derive(Debug, Clone)]
pub struct Sources {
    dir: PathBuf,
}

impl Sources {
    /// The store in a data folder; made if missing, and cleaned of what a crash left behind.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be written.
    pub fn open(data_dir: &Path) -> Result<Self, Error> {
        let dir = data_dir.join("sources");
        fs::create_dir_all(&dir).map_err(|error| Error::io("cannot make", &dir, error))?;
        remove_leftovers(&dir);
        Ok(Self { dir })
    }

    /// Takes a copy of a folder and tells its content address: of paths, modes, bytes and links, whatever
    /// their times and owners. Left out are `.git`, `.venv`, `node_modules`, `__pycache__`, and what a
    /// `.consortignore` in the folder names. Twice the same content is stored once.
    ///
    /// # Errors
    /// [`Error::BadSource`] names what cannot be taken; [`Error::Io`] when the disk refuses.
    pub fn add_folder(&self, folder: &Path) -> Result<Digest, Error> {
        let temporary = self.temporary();
        let stored = self.pack_into(folder, &temporary);
        if stored.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        stored
    }

    /// Takes a source that was packed elsewhere, by [`pack`] or any tar that writes regular files, folders and
    /// links. It gets the address that its folder would get.
    ///
    /// # Errors
    /// [`Error::BadSource`] when it is no tar, holds anything else, leaves its root or is too large.
    pub fn add_tar(&self, tar: impl Read) -> Result<Digest, Error> {
        let temporary = self.temporary();
        let stored = unpack(tar, &temporary).and_then(|()| self.add_folder(&temporary));
        let _ = fs::remove_dir_all(&temporary);
        stored
    }

    /// The packed source of this address, where it is stored.
    pub fn get(&self, digest: &Digest) -> Option<PathBuf> {
        let path = self.path(digest);
        path.is_file().then_some(path)
    }

    fn pack_into(&self, folder: &Path, temporary: &Path) -> Result<Digest, Error> {
        let cannot = |error| Error::io("cannot write", temporary, error);
        let mut file = io::BufWriter::new(File::create(temporary).map_err(cannot)?);
        let digest = pack(folder, &mut file)?;
        file.flush().map_err(cannot)?;
        file.get_ref().sync_all().map_err(cannot)?;
        fs::rename(temporary, self.path(&digest)).map_err(cannot)?;
        sync_folder(&self.dir)?;
        Ok(digest)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.dir.join(format!("{}.tar", digest.hex()))
    }

    fn temporary(&self) -> PathBuf {
        self.dir.join(temporary_name())
    }
}

/// A name that no other part of this process uses; leftovers of a dead one are removed at the next start.
pub(crate) fn temporary_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{TEMPORARY_PREFIX}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Removes what a crash left half-done in a folder. What cannot be removed only takes room.
pub(crate) fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(TEMPORARY_PREFIX.as_bytes()) {
            let _ = fs::remove_file(entry.path()).or_else(|_| fs::remove_dir_all(entry.path()));
        }
    }
}

/// Makes what was renamed in a folder outlast a power cut.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), Error> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| Error::io("cannot sync", folder, error))
}

pub(crate) fn bad(path: impl Into<PathBuf>, problem: impl Into<String>) -> Error {
    Error::BadSource { path: path.into(), problem: problem.into() }
}
