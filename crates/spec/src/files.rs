//! Where the texts of a project come from: a folder, or a list that somebody sent.

mod folder;
mod glob;
mod path;
mod texts;

pub use folder::Folder;
pub(crate) use path::{PathError, relative_to};
pub use texts::{Folders, Texts};

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// Why a path of the project cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Nothing there.
    #[error("there is no `{0}`")]
    Missing(String),
    /// It, or what it links to, lies outside of the project root.
    #[error("`{0}` leads out of the project")]
    Outside(String),
    /// Over the size that a text of a project may have.
    #[error("`{path}` has {size} bytes, more than the {limit} that are read")]
    TooLarge {
        /// Which.
        path: String,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A pattern that matches more files than a project may have.
    #[error("`{0}` matches more files than a project may have")]
    TooMany(String),
    /// The system refused.
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable {
        /// Which.
        path: String,
        /// What the system said.
        reason: String,
    },
}

/// The files of one project. Paths are relative to its root, with `/`, without `.` and `..`.
pub trait Files {
    /// The bytes of a file, not more than `limit`.
    ///
    /// # Errors
    /// When it is not there, not inside the root, too large or unreadable.
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FileError>;

    /// What stands at a path; symbolic links are followed and must stay inside the root.
    ///
    /// # Errors
    /// When nothing is there, or what is there lies outside the root.
    fn entry(&self, path: &str) -> Result<Entry, FileError>;

    /// The files that match a pattern (`*`, `?` within a name, `**` for folders), sorted.
    ///
    /// # Errors
    /// When there are too many, or a folder cannot be read.
    fn glob(&self, pattern: &str) -> Result<Vec<String>, FileError>;
}
