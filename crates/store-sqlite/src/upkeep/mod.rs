//! What is done to a data folder from outside of a server: copied whole, and looked over for damage.
//!
//! Neither takes the folder's lock: SQLite lets other processes read beside the one that writes, and both
//! must work while a server runs, or after one that left a damaged file behind.

mod inspect;
mod snapshot;

pub use inspect::{FileReport, Health, Inspection, TableReport, inspect};
pub use snapshot::snapshot;

/// The files of a store, each with the migrations that made its tables.
const FILES: [(&str, crate::file::Migrations); 2] =
    [("consort.db", crate::STORE_MIGRATIONS), ("logs.db", crate::LOG_MIGRATIONS)];
