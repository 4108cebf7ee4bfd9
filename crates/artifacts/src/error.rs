//! What a caller can do something about.

use consort_types::{Digest, format_bytes};
use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// Why an artifact was not stored or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No room on the disk. Nothing was kept of the upload.
    #[error("the disk of the data folder is full: make room and upload again")]
    Full,
    /// More bytes than one artifact may have. Nothing was kept of the upload.
    #[error("an artifact has at most {}; this one has more", format_bytes(*limit))]
    TooLarge {
        /// The bound, in bytes.
        limit: u64,
    },
    /// The bytes stopped coming. Nothing was kept of the upload.
    #[error("the upload broke off: {0}")]
    BrokenOff(#[source] io::Error),
    /// No such artifact.
    #[error("there is no artifact {digest}")]
    NotFound {
        /// What was asked for.
        digest: Digest,
    },
    /// The range begins behind the end.
    #[error("the range is not within the {size} bytes of the artifact")]
    OutOfRange {
        /// How many bytes the artifact has.
        size: u64,
    },
    /// The folder cannot be made or written.
    #[error("{} cannot be written: {source}", path.display())]
    NotWritable {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Anything else that the system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                Self::NotWritable { path: path.to_owned(), source }
            }
            _ => Self::Io { path: path.to_owned(), source },
        }
    }

    pub(crate) fn not_writable(path: &Path, source: io::Error) -> Self {
        match Self::io(path, source) {
            Self::Io { path, source } => Self::NotWritable { path, source },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_can_mend_is_told_apart() {
        let error = |code| Error::io(Path::new("a"), io::Error::from_raw_os_error(code));
        // ENOSPC and EDQUOT, EACCES and EROFS, EIO.
        assert!(matches!(error(28), Error::Full));
        assert!(matches!(error(122), Error::Full));
        assert!(matches!(error(13), Error::NotWritable { .. }));
        assert!(matches!(error(30), Error::NotWritable { .. }));
        assert!(matches!(error(5), Error::Io { .. }));
    }
}
