//! Small artifacts, written and read whole by threads that may block: values that are too large for a history.

use crate::{Artifacts, Error, Label, Stored};
use consort_types::Digest;
use std::{
    fs::{self, File},
    io::{ErrorKind, Read, Write},
    path::Path,
};

impl Artifacts {
    /// The artifacts of a data folder that somebody else opens: nothing is swept, nothing is made yet.
    pub fn at(data: &Path) -> Self {
        Self { folder: data.join("artifacts").into(), bytes_max: crate::ARTIFACT_BYTES_MAX }
    }

    /// Stores bytes that are at hand. On return they are on the disk. Content that is there already is left as
    /// it is.
    ///
    /// # Errors
    /// [`Error::Full`], [`Error::Io`]. Nothing is kept then.
    pub fn put_whole(&self, bytes: &[u8], label: &Label) -> Result<Stored, Error> {
        let stored = Stored { digest: Digest::of(bytes), size: bytes.len() as u64 };
        let place = self.path(&stored.digest);
        if place.is_file() {
            return Ok(stored);
        }
        let shard = place.parent().expect("a place is in a shard");
        for folder in [shard, &self.uploads()] {
            fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        }
        let label = serde_json::to_vec(label).expect("two texts are JSON");
        // First the label: whoever sees the artifact sees its label too.
        self.write_whole(&label, &self.label_path(&stored.digest))?;
        self.write_whole(bytes, &place)?;
        for folder in [shard, &self.folder] {
            let synced = File::open(folder).and_then(|folder| folder.sync_all());
            synced.map_err(|error| Error::io(folder, error))?;
        }
        Ok(stored)
    }

    fn write_whole(&self, bytes: &[u8], place: &Path) -> Result<(), Error> {
        let upload = self.upload();
        let written = File::create_new(&upload.path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(|error| Error::io(&upload.path, error))?;
        fs::rename(&upload.path, place).map_err(|error| Error::io(place, error))
    }

    /// Reads an artifact whole.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::TooLarge`] over `bytes_max`; [`Error::Io`].
    pub fn read_whole(&self, digest: &Digest, bytes_max: u64) -> Result<Vec<u8>, Error> {
        let path = self.path(digest);
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes));
        match read {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::NotFound { digest: *digest }),
            Err(error) => Err(Error::io(&path, error)),
            Ok(_) if bytes.len() as u64 > bytes_max => Err(Error::TooLarge { limit: bytes_max }),
            Ok(_) => Ok(bytes),
        }
    }
}
