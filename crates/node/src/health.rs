//! Whether the node can do its work.

use std::sync::atomic::{AtomicU8, Ordering};

const WELL: u8 = 0;
const FULL: u8 = 1;

/// Shared by the committer, which knows, and the API, which asks.
#[derive(Debug, Default)]
pub struct Health(AtomicU8);

impl Health {
    /// A commit went through.
    pub fn committed(&self) {
        if self.0.swap(WELL, Ordering::Relaxed) == FULL {
            tracing::info!("the disk has room again; work goes on");
        }
    }

    /// A commit found no room.
    pub fn disk_is_full(&self) {
        if self.0.swap(FULL, Ordering::Relaxed) != FULL {
            tracing::error!("the disk of the data folder is full: starts are refused until there is room");
        }
    }

    /// Whether starts must be refused because nothing can be committed.
    pub fn is_full(&self) -> bool {
        self.0.load(Ordering::Relaxed) == FULL
    }
}
