//! Artifacts: immutable bytes by their digest, in a folder of the data folder.
//!
//! ```text
//! DATA/artifacts/ab/abcdef…        the bytes; the name is their SHA-256 in hex
//! DATA/artifacts/ab/abcdef….json   the label of the first upload: file name and media type
//! DATA/artifacts/tmp/…             uploads under way; swept when the folder is opened
//! ```
//!
//! Bytes get their place by a rename after an fsync, so what is there is whole, whatever was killed. The
//! same content is stored once. This crate must never know who refers to an artifact: whoever retains or
//! deletes, decides. Start reading at [`Artifacts`].

mod error;
mod put;
mod range;
mod whole;

pub use error::Error;
pub use range::ByteRange;

use consort_types::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    io::{ErrorKind, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};
use tokio::{
    fs::{self, File},
    io::{AsyncReadExt, AsyncSeekExt, Take},
};

/// The most bytes of one artifact: what fits onto the disk of a small server several times, and is still
/// uploaded in minutes.
pub const ARTIFACT_BYTES_MAX: u64 = 5 << 30;

/// Folders that artifacts are spread over, by the first byte of their digest, so that none grows too long
/// to be listed at once.
pub const SHARDS: u16 = 256;

/// Labels are small; a sidecar that is not was not written here.
const LABEL_BYTES_MAX: u64 = 16 << 10;

/// The folder of artifacts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Artifacts {
    folder: Arc<Path>,
    bytes_max: u64,
}

/// What was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Where it is found.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
}

/// What an uploader said of the bytes. The `file` values of runs carry their own; this is for readers who
/// know only the digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// File name without folders.
    pub name: String,
    /// Media type.
    #[serde(rename = "type")]
    pub media_type: String,
}

/// An artifact that is being read.
#[derive(Debug)]
pub struct Reading {
    /// The bytes of the range, as a stream.
    pub bytes: Take<File>,
    /// Where the range begins.
    pub start: u64,
    /// How many bytes the range has.
    pub length: u64,
    /// How many bytes the artifact has.
    pub size: u64,
}

/// An artifact in a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its digest.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// When it was last uploaded.
    pub stored_at: Timestamp,
}

impl Artifacts {
    /// Opens the artifacts of a data folder, makes their folder where there is none, and sweeps away what
    /// uploads left that were cut short. Take the store's lock on the data folder first: a second server
    /// would sweep the uploads of the first.
    ///
    /// # Errors
    /// [`Error::NotWritable`], [`Error::Full`].
    pub async fn open(data: &Path) -> Result<Self, Error> {
        let folder = data.join("artifacts");
        let artifacts = Self { folder: folder.into(), bytes_max: ARTIFACT_BYTES_MAX };
        let uploads = artifacts.uploads();
        match fs::remove_dir_all(&uploads).await {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::not_writable(&uploads, error));
            }
            _ => {}
        }
        fs::create_dir_all(&uploads).await.map_err(|error| Error::not_writable(&uploads, error))?;
        Ok(artifacts)
    }

    /// The same folder with another bound on one artifact.
    #[must_use]
    pub fn with_bytes_max(self, bytes_max: u64) -> Self {
        Self { bytes_max, ..self }
    }

    /// How many bytes an artifact has; none when it is not there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        let path = self.path(digest);
        match fs::symlink_metadata(&path).await {
            Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(&path, error)),
        }
    }

    /// Opens an artifact for reading. What was opened is read to its end even when it is deleted meanwhile.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::OutOfRange`], [`Error::Io`].
    pub async fn read(&self, digest: &Digest, range: ByteRange) -> Result<Reading, Error> {
        let path = self.path(digest);
        let size = self.size(digest).await?.ok_or(Error::NotFound { digest: *digest })?;
        let (start, length) = range.within(size).ok_or(Error::OutOfRange { size })?;
        let mut file = match File::open(&path).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::NotFound { digest: *digest });
            }
            other => other.map_err(|error| Error::io(&path, error))?,
        };
        file.seek(SeekFrom::Start(start)).await.map_err(|error| Error::io(&path, error))?;
        Ok(Reading { bytes: file.take(length), start, length, size })
    }

    /// What the first uploader said of an artifact; none when the artifact or its label is not there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn label(&self, digest: &Digest) -> Result<Option<Label>, Error> {
        let path = self.label_path(digest);
        let mut text = Vec::new();
        let read = async { File::open(&path).await?.take(LABEL_BYTES_MAX).read_to_end(&mut text).await };
        match read.await {
            // A label that a kill cut short is as good as none.
            Ok(_) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(&path, error)),
        }
    }

    /// Deletes an artifact; tells whether it was there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn delete(&self, digest: &Digest) -> Result<bool, Error> {
        remove(&self.label_path(digest)).await?;
        remove(&self.path(digest)).await
    }

    /// The artifacts of one shard (0 to [`SHARDS`] - 1), in no order. Files that are not artifacts are left
    /// out.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub async fn shard(&self, shard: u16) -> Result<Vec<Listed>, Error> {
        let folder = self.folder.join(format!("{shard:02x}"));
        let mut listed = Vec::new();
        let mut entries = match fs::read_dir(&folder).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(listed),
            other => other.map_err(|error| Error::io(&folder, error))?,
        };
        while let Some(entry) = entries.next_entry().await.map_err(|error| Error::io(&folder, error))? {
            let name = entry.file_name();
            let digest = name.to_str().and_then(|hex| format!("sha256:{hex}").parse::<Digest>().ok());
            let Some(digest) = digest else { continue };
            // Gone meanwhile, or a link: not ours to list.
            let Ok(metadata) = fs::symlink_metadata(entry.path()).await else { continue };
            if metadata.is_file() && self.path(&digest) == entry.path() {
                let stored_at = metadata.modified().map_or(Timestamp::from_millis(0), timestamp);
                listed.push(Listed { digest, size: metadata.len(), stored_at });
            }
        }
        Ok(listed)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.folder.join(&hex[..2]).join(hex)
    }

    fn label_path(&self, digest: &Digest) -> PathBuf {
        self.path(digest).with_extension("json")
    }

    fn uploads(&self) -> PathBuf {
        self.folder.join("tmp")
    }
}

async fn remove(path: &Path) -> Result<bool, Error> {
    match fs::remove_file(path).await {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io(path, error)),
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(0).plus(since_epoch)
}
