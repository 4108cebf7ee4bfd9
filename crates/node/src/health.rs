//! Whether the node can do its work.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

const WELL: u8 = 0;
const FULL: u8 = 1;

/// Shared by the committer, which knows, and the API, which asks.
#[derive(Debug, Default)]
pub struct Health {
    disk: AtomicU8,
    ending: AtomicBool,
}

impl Health {
    /// There is room on the disk, the reserve included.
    pub fn has_room(&self) {
        if self.disk.swap(WELL, Ordering::Relaxed) == FULL {
            tracing::info!("the disk has room again; work goes on");
        }
    }

    /// A commit found no room.
    pub fn disk_is_full(&self) {
        if self.disk.swap(FULL, Ordering::Relaxed) != FULL {
            tracing::error!("the disk of the data folder is full: starts are refused until there is room");
        }
    }

    /// Whether starts must be refused because nothing can be committed.
    pub fn is_full(&self) -> bool {
        self.disk.load(Ordering::Relaxed) == FULL
    }

    /// The node ends: nobody waits for a full disk any more.
    pub fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// Whether the node ends.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }
}
