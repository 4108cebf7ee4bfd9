//! Storing: hashed while written, then fsynced, then renamed to its place.

use crate::{Artifacts, Error, Label, Stored};
use consort_types::Digest;
use sha2::{Digest as _, Sha256};
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::{
    fs::{self, File},
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
};

/// Bytes read and hashed at a time: some tens of microseconds of hashing between two awaits.
const CHUNK_BYTES: usize = 64 << 10;

/// Tells uploads of one process apart; those of earlier processes were swept.
static UPLOADS: AtomicU64 = AtomicU64::new(0);

/// A file that is deleted unless it got its place.
pub(crate) struct Upload {
    pub(crate) path: PathBuf,
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Gone when it was renamed. Else the upload failed or its future was dropped.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Artifacts {
    /// Stores bytes, read until their end. On return they are on the disk. Content that is there already
    /// counts as uploaded again: it keeps its label and gets a new time.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::BrokenOff`], [`Error::Full`], [`Error::NotWritable`], [`Error::Io`].
    /// Nothing is kept then, nor when the future is dropped; a kill leaves a file that the next start sweeps.
    pub async fn put(&self, bytes: impl AsyncRead + Unpin, label: &Label) -> Result<Stored, Error> {
        let upload = self.upload();
        let stored = self.write(&upload.path, bytes).await.map_err(|fault| match fault {
            Error::Io { path, source } => Error::NotWritable { path, source },
            other => other,
        })?;
        let place = self.path(&stored.digest);
        self.make_shard(&place).await?;
        // First the label: whoever sees the artifact sees its label too.
        self.put_label(&stored.digest, label).await?;
        fs::rename(&upload.path, &place).await.map_err(|error| Error::io(&place, error))?;
        sync_folder(parent(&place)).await?;
        Ok(stored)
    }

    pub(crate) fn upload(&self) -> Upload {
        let number = UPLOADS.fetch_add(1, Ordering::Relaxed);
        Upload { path: self.uploads().join(number.to_string()) }
    }

    async fn write(&self, path: &Path, mut bytes: impl AsyncRead + Unpin) -> Result<Stored, Error> {
        let failed = |error| Error::io(path, error);
        let mut file = File::create_new(path).await.map_err(failed)?;
        let mut hash = Sha256::new();
        let mut size = 0;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = bytes.read(&mut chunk).await.map_err(Error::BrokenOff)?;
            if read == 0 {
                break;
            }
            size += read as u64;
            if size > self.bytes_max {
                return Err(Error::TooLarge { limit: self.bytes_max });
            }
            hash.update(&chunk[..read]);
            file.write_all(&chunk[..read]).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)?;
        file.sync_all().await.map_err(failed)?;
        Ok(Stored { digest: Digest::from_bytes(hash.finalize().into()), size })
    }

    async fn make_shard(&self, place: &Path) -> Result<(), Error> {
        let shard = parent(place);
        if fs::try_exists(shard).await.unwrap_or(false) {
            return Ok(());
        }
        fs::create_dir_all(shard).await.map_err(|error| Error::io(shard, error))?;
        sync_folder(&self.folder).await
    }

    async fn put_label(&self, digest: &Digest, label: &Label) -> Result<(), Error> {
        let place = self.label_path(digest);
        if fs::try_exists(&place).await.unwrap_or(false) {
            return Ok(());
        }
        let upload = self.upload();
        let text = serde_json::to_vec(label).expect("two texts are JSON");
        fs::write(&upload.path, text).await.map_err(|error| Error::io(&upload.path, error))?;
        fs::rename(&upload.path, &place).await.map_err(|error| Error::io(&place, error))
    }
}

fn parent(place: &Path) -> &Path {
    place.parent().expect("a place is in a shard")
}

/// Makes a rename survive the loss of power.
async fn sync_folder(folder: &Path) -> Result<(), Error> {
    let synced = async { File::open(folder).await?.sync_all().await };
    synced.await.map_err(|error| Error::io(folder, error))
}
