//! What a caller of a store can do something about.

use consort_types::RunId;
use std::{io, path::PathBuf};

/// Why a store did not do what it was asked. Nothing of a refused batch is stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No room on the disk. Nothing was stored; the same batch may be committed again once there is room.
    #[error("the disk of the data folder is full: make room, the server goes on by itself")]
    Full,
    /// The batch contradicts what is stored: two owners wrote for the same run or definition.
    #[error("{what} was written by somebody else: two servers on one store, or a bug")]
    Conflict {
        /// What is there already, in words.
        what: String,
    },
    /// The idempotency key of an [`OpenRun`](crate::OpenRun) belongs to another run.
    #[error("the key belongs to {run}")]
    KeyTaken {
        /// The run that has the key.
        run: RunId,
    },
    /// The stored bytes are damaged, or not a store of Consort.
    #[error("the store is damaged: {detail}. Restore a backup; the damaged files were left as they are")]
    Corrupt {
        /// What was found, and where.
        detail: String,
    },
    /// A newer program wrote this store.
    #[error("the store has format {found}, this program knows up to {known}: use a newer consort")]
    Newer {
        /// The format of the store.
        found: u32,
        /// The newest format that this program reads.
        known: u32,
    },
    /// Another server works on the same data folder.
    #[error("{} is in use by another server{}", path.display(), of_process(*pid))]
    Locked {
        /// The data folder.
        path: PathBuf,
        /// Its process, where it left its id.
        pid: Option<u32>,
    },
    /// The data folder cannot be made or written.
    #[error("{} cannot be written: {source}", path.display())]
    NotWritable {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A cursor that no page of this list gave out.
    #[error("the cursor is not one that this list gave out: start again without it")]
    BadCursor,
    /// Anything else that the system refused.
    #[error("the store could not be used: {detail}")]
    Io {
        /// What was tried and what the system said.
        detail: String,
    },
}

fn of_process(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}
