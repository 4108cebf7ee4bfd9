//! What is wrong with a data folder, and what of it can still be read.

use super::FILES;
use crate::{
    fault::Fault,
    file::{DatabaseFile, Migrations},
    lock,
};
use rusqlite::Connection;
use std::path::Path;

/// Complaints of SQLite that are kept of one file: the first few tell where the damage is.
const COMPLAINTS_MAX: u32 = 20;

/// What was found in a data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The process of the server that has the folder now; `Some(None)` when it did not leave its id.
    pub in_use_by: Option<Option<u32>>,
    /// Each file of the store.
    pub files: Vec<FileReport>,
    /// Runs that were opened and not closed; none where that cannot be read.
    pub open_runs: Option<u64>,
}

/// One file of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// Its name in the folder.
    pub name: &'static str,
    /// Its bytes, and those of its write-ahead log.
    pub bytes: (u64, u64),
    /// What is the matter with it.
    pub health: Health,
    /// What of each table can be read; only looked at where the file is damaged.
    pub tables: Vec<TableReport>,
}

/// What is the matter with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Nothing: every page and index was read and agrees. The format is the number of its migrations.
    Whole {
        /// Its format.
        format: u32,
        /// The newest format that this program reads; it brings older ones there when a server starts.
        known: u32,
    },
    /// It is not there.
    Missing,
    /// A newer program wrote it.
    Newer {
        /// Its format.
        format: u32,
        /// The newest format that this program reads.
        known: u32,
    },
    /// It is damaged, or not a database of Consort.
    Damaged {
        /// What SQLite says of it.
        complaints: Vec<String>,
    },
}

/// What of a table can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableReport {
    /// Its name.
    pub name: String,
    /// Rows that can be read, from both ends up to the damage.
    pub readable_rows: u64,
    /// Whether all of it can be read.
    pub is_whole: bool,
}

/// Reads every page of every file of a store, and says what is wrong. Changes nothing; a server may have the
/// folder meanwhile. Takes as long as reading the files takes.
pub fn inspect(folder: &Path) -> Inspection {
    let files: Vec<FileReport> = FILES.iter().map(|(name, known)| file(folder, name, known)).collect();
    let open = "SELECT count(*) FROM runs WHERE closed_at IS NULL";
    let open_runs = DatabaseFile::at(folder.join(FILES[0].0)).reader().ok().and_then(|db| count(&db, open));
    Inspection { in_use_by: lock::holder(folder), files, open_runs }
}

fn file(folder: &Path, name: &'static str, migrations: Migrations) -> FileReport {
    let path = folder.join(name);
    let bytes_of = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let bytes = (bytes_of(&path), bytes_of(&folder.join(format!("{name}-wal"))));
    if !path.is_file() {
        return FileReport { name, bytes, health: Health::Missing, tables: Vec::new() };
    }
    let known = u32::try_from(migrations.len()).expect("a handful");
    let (health, tables) = match DatabaseFile::at(path).reader() {
        Ok(db) => match look(&db, known) {
            Ok(Health::Damaged { complaints }) => (Health::Damaged { complaints }, tables(&db)),
            Ok(health) => (health, Vec::new()),
            Err(fault) => (damaged(fault), tables(&db)),
        },
        Err(fault) => (damaged(fault), Vec::new()),
    };
    FileReport { name, bytes, health, tables }
}

fn damaged(fault: Fault) -> Health {
    Health::Damaged { complaints: vec![consort_store::Error::from(fault).to_string()] }
}

fn look(db: &Connection, known: u32) -> Result<Health, Fault> {
    let format = crate::file::format(db)?;
    if format > known {
        return Ok(Health::Newer { format, known });
    }
    let mut check = db.prepare(&format!("PRAGMA integrity_check({COMPLAINTS_MAX})"))?;
    let complaints = check.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    if complaints == ["ok"] {
        Ok(Health::Whole { format, known })
    } else {
        Ok(Health::Damaged { complaints })
    }
}

fn tables(db: &Connection) -> Vec<TableReport> {
    let names = || {
        let mut select = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
        select.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
    };
    // Without the list of tables nothing can be said of any of them.
    names().unwrap_or_default().into_iter().map(|name| table(db, name)).collect()
}

/// Reads a table from its beginning, and where that ends in damage also from its end.
fn table(db: &Connection, name: String) -> TableReport {
    let key = key_columns(db, &name);
    let (forward, is_whole) = readable(db, &format!("SELECT * FROM \"{name}\" ORDER BY {key}"));
    if is_whole {
        return TableReport { name, readable_rows: forward, is_whole };
    }
    let backward = key.split(", ").map(|column| format!("{column} DESC")).collect::<Vec<_>>().join(", ");
    let (backward, _) = readable(db, &format!("SELECT * FROM \"{name}\" ORDER BY {backward}"));
    TableReport { name, readable_rows: forward + backward, is_whole }
}

/// The columns that a table stands in the order of.
fn key_columns(db: &Connection, table: &str) -> String {
    let names = || {
        let sql = "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk";
        let mut select = db.prepare(sql)?;
        select.query_map([table], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
    };
    let names: Vec<String> = names().unwrap_or_default();
    if names.is_empty() { "rowid".to_owned() } else { names.join(", ") }
}

/// How many rows a question gives until it ends, and whether it ends well.
fn readable(db: &Connection, sql: &str) -> (u64, bool) {
    let mut read = 0;
    let mut whole = || {
        let mut select = db.prepare(sql)?;
        let columns = select.column_count();
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            // Long values lie on pages of their own: a row counts when all of it was read.
            for column in 0..columns {
                row.get_ref(column)?;
            }
            read += 1;
        }
        Ok::<_, rusqlite::Error>(())
    };
    let is_whole = whole().is_ok();
    (read, is_whole)
}

fn count(db: &Connection, sql: &str) -> Option<u64> {
    db.query_row(sql, [], |row| row.get::<_, i64>(0)).ok().and_then(|count| u64::try_from(count).ok())
}
