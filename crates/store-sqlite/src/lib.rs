//! The embedded store: the contract of `consort-store` in two SQLite files of one data folder.
//!
//! `consort.db` holds everything that must not be lost, `logs.db` the lines that attempts wrote, and `lock`
//! keeps a second server out. There is one writing connection a file; its checkpoints run beside it on a
//! thread. This crate must never know what a history says; SQL stands here and nowhere else.
//!
//! Start reading at [`open`], then `migrations/` for the tables, then `writer.rs`. Each noun has a file with
//! its writes and its questions.

mod budget;
mod cache;
mod checkpoint;
mod definition;
mod event;
mod fault;
mod file;
mod history;
mod last_output;
mod list;
mod lock;
mod log;
mod notice;
mod reader;
mod run;
mod service;
mod summary;
mod upkeep;
mod value;
mod writer;

pub use file::Durability;
pub use upkeep::{FileReport, Health, Inspection, TableReport, inspect, snapshot};

use checkpoint::Checkpointer;
use consort_store::{Error, Store};
use fault::Fault;
use file::{DatabaseFile, Migrations};
use lock::FolderLock;
use std::{path::Path, sync::Arc};

const STORE_MIGRATIONS: Migrations = &[
    include_str!("../migrations/store/0001_first.sql"),
    include_str!("../migrations/store/0002_notices.sql"),
    include_str!("../migrations/store/0003_events.sql"),
    include_str!("../migrations/store/0004_cache.sql"),
    include_str!("../migrations/store/0005_budgets.sql"),
    include_str!("../migrations/store/0006_last_outputs.sql"),
];
const LOG_MIGRATIONS: Migrations = &[include_str!("../migrations/logs/0001_first.sql")];

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// How safe a commit is when it returns. Logs are always [`Durability::Relaxed`].
    pub durability: Durability,
}

/// Opens the store of a data folder; makes both where they are not there. The folder belongs to this
/// process until every handle is dropped or the process ends.
///
/// # Errors
/// [`Error::Locked`] while another server has the folder, [`Error::NotWritable`], [`Error::Full`],
/// [`Error::Corrupt`] when a file is damaged or not one of ours, [`Error::Newer`] when a newer program
/// wrote it. The files are then left as they were.
pub fn open(folder: &Path, options: Options) -> Result<Store, Error> {
    let lock = Arc::new(FolderLock::take(folder)?);
    Ok(open_files(folder, options, &lock)?)
}

fn open_files(folder: &Path, options: Options, lock: &Arc<FolderLock>) -> Result<Store, Fault> {
    let store = DatabaseFile::prepare(folder.join("consort.db"), STORE_MIGRATIONS)?;
    let logs = DatabaseFile::prepare(folder.join("logs.db"), LOG_MIGRATIONS)?;
    Ok(Store {
        writer: Box::new(writer::SqliteWriter::open(&store, options.durability, Arc::clone(lock))?),
        reader: Arc::new(reader::SqliteReader::new(store, Arc::clone(lock))),
        log_writer: Box::new(log::SqliteLogWriter::open(&logs, Arc::clone(lock))?),
        log_reader: Arc::new(log::SqliteLogReader::new(logs, Arc::clone(lock))),
    })
}
