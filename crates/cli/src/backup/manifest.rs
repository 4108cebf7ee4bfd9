//! What a backup holds, file by file.

use super::Copied;
use crate::failure::Failure;
use consort_types::{Digest, format_bytes};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, io::Write, path::Path};

/// The file that makes a folder a backup.
const MANIFEST: &str = "manifest.json";

/// The form of the manifest, and of the folder around it.
const FORMAT: u32 = 1;

/// Every file of a backup.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    /// The program that made it.
    consort: String,
    files: BTreeMap<String, FileSum>,
}

/// What a file must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileSum {
    /// Its bytes.
    pub bytes: u64,
    /// Their SHA-256.
    pub digest: Digest,
}

impl FileSum {
    /// # Errors
    /// When the file is another one.
    pub fn compare(&self, path: &str, found: &Self) -> Result<(), Failure> {
        if self == found {
            return Ok(());
        }
        let (expected, found) = (format_bytes(self.bytes), format_bytes(found.bytes));
        let message =
            format!("the backup is damaged: {path} is not what was copied ({found}, was {expected})");
        Err(Failure::usage(message).hint("take another backup"))
    }
}

impl Default for Manifest {
    fn default() -> Self {
        Self { format: FORMAT, consort: env!("CARGO_PKG_VERSION").to_owned(), files: BTreeMap::new() }
    }
}

impl Manifest {
    pub fn add(&mut self, path: &str, sum: FileSum) {
        self.files.insert(path.to_owned(), sum);
    }

    pub fn files(&self) -> impl Iterator<Item = (&str, &FileSum)> {
        self.files.iter().map(|(path, sum)| (path.as_str(), sum))
    }

    pub fn copied(&self) -> Copied {
        let bytes = self.files.values().map(|sum| sum.bytes).sum();
        Copied { files: self.files.len() as u64, bytes }
    }

    /// Written last and fsynced: a folder with it is a whole backup.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&self, backup: &Path) -> Result<(), Failure> {
        let path = backup.join(MANIFEST);
        let text = serde_json::to_vec_pretty(self).expect("paths and numbers are JSON");
        super::tree::sync(backup)?;
        let write = || {
            let mut file = fs::File::create_new(&path)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::File::open(backup)?.sync_all()
        };
        write().map_err(|error: std::io::Error| Failure::usage(format!("{}: {error}", path.display())))
    }

    /// # Errors
    /// When the folder is no backup, a half one, or one of a newer program.
    pub fn read(backup: &Path) -> Result<Self, Failure> {
        let path = backup.join(MANIFEST);
        let text = fs::read(&path).map_err(|error| {
            Failure::usage(format!("{} is no whole backup: {MANIFEST}: {error}", backup.display()))
                .hint("`consort backup` writes it last; without it the copying was cut short")
        })?;
        let manifest: Self = serde_json::from_slice(&text)
            .map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display())))?;
        if manifest.format > FORMAT {
            let message =
                format!("the backup has format {}, this program knows up to {FORMAT}", manifest.format);
            return Err(Failure::usage(message).hint("use a newer consort"));
        }
        let leaves = |path: &str| {
            Path::new(path).components().any(|part| !matches!(part, std::path::Component::Normal(_)))
        };
        match manifest.files.keys().find(|path| leaves(path)) {
            None => Ok(manifest),
            Some(path) => Err(Failure::usage(format!("the manifest names {path:?}, outside of the backup"))),
        }
    }
}
