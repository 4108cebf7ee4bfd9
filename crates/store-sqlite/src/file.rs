//! One database file: made, brought to the newest format, looked over for damage, connected to.

use crate::fault::{Fault, corrupt};
use consort_store::Error;
use rusqlite::{Connection, OpenFlags};
use std::path::PathBuf;

/// Files up to this size are read through at every start: some tens of milliseconds. In larger ones SQLite
/// still finds damage when it reads the damaged page.
const CHECKED_BYTES_MAX: u64 = 16 << 20;

/// How long a connection waits for another one's moment of exclusivity, as when a log is restarted.
const BUSY_TIMEOUT_MS: u32 = 5_000;

/// Statements that a connection keeps prepared: more than this crate has.
const STATEMENTS_MAX: usize = 128;

/// Writes through the whole life of a database, in order. A migration that was released never changes.
pub(crate) type Migrations = &'static [&'static str];

/// How safe a commit is when it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// On the disk: it survives the loss of power.
    #[default]
    Full,
    /// With the operating system: it survives the death of the process. The loss of power may take back the
    /// last commits, never a part of one.
    Relaxed,
}

/// One database file of a data folder.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
}

impl DatabaseFile {
    /// The file as it is.
    pub(crate) const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Makes the file where there is none, and brings it to the newest format in one transaction.
    ///
    /// # Errors
    /// [`Error::Newer`], [`Error::Corrupt`], [`Error::NotWritable`], [`Error::Full`].
    pub(crate) fn prepare(path: PathBuf, migrations: Migrations) -> Result<Self, Fault> {
        let file = Self { path };
        file.make_ready(migrations).map_err(|fault| file.named(fault))?;
        Ok(file)
    }

    fn make_ready(&self, migrations: Migrations) -> Result<(), Fault> {
        let mut connection = self.writer(Durability::Full)?;
        migrate(&mut connection, migrations)?;
        self.look_over(&connection)
    }

    /// A connection that writes. Checkpoints are left to [`Checkpointer`](crate::checkpoint::Checkpointer).
    pub(crate) fn writer(&self, durability: Durability) -> Result<Connection, Fault> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        let synchronous = match durability {
            Durability::Full => "FULL",
            Durability::Relaxed => "NORMAL",
        };
        // 16 MiB of pages hold the right edge of every index of a busy store; memory is taken as it fills.
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous};
             PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;"
        ))?;
        Ok(connection)
    }

    /// A connection that only reads.
    pub(crate) fn reader(&self) -> Result<Connection, Fault> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.execute_batch("PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY;")?;
        Ok(connection)
    }

    fn connect(&self, mode: OpenFlags) -> Result<Connection, Fault> {
        let flags = mode | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MS.into()))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Ok(connection)
    }

    fn look_over(&self, connection: &Connection) -> Result<(), Fault> {
        let bytes = std::fs::metadata(&self.path).map_or(u64::MAX, |metadata| metadata.len());
        if bytes > CHECKED_BYTES_MAX {
            return Ok(());
        }
        let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found == "ok" { Ok(()) } else { Err(Error::Corrupt { detail: found.replace('\n', " ") }.into()) }
    }

    /// The fault of an opening, which tells which file it is about.
    fn named(&self, fault: Fault) -> Fault {
        match fault.into() {
            Error::Corrupt { detail } => {
                corrupt(&self.path.file_name().unwrap_or_default().to_string_lossy(), detail)
            }
            Error::Io { detail } => {
                let source = std::io::Error::other(detail);
                Error::NotWritable { path: self.path.clone(), source }.into()
            }
            other => other.into(),
        }
    }
}

fn migrate(connection: &mut Connection, migrations: Migrations) -> Result<(), Fault> {
    let known = u32::try_from(migrations.len()).expect("a handful");
    let found = format(connection)?;
    if found > known {
        return Err(Error::Newer { found, known }.into());
    }
    if found == known {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS meta (name TEXT NOT NULL PRIMARY KEY, value NOT NULL) WITHOUT ROWID;",
    )?;
    for migration in &migrations[found as usize..] {
        transaction.execute_batch(migration)?;
    }
    transaction.execute("INSERT OR REPLACE INTO meta VALUES ('format', ?1)", [known])?;
    Ok(transaction.commit()?)
}

/// How many migrations the file has had; 0 when it is new.
pub(crate) fn format(connection: &Connection) -> Result<u32, Fault> {
    let tables = "SELECT count(*), count(*) FILTER (WHERE name = 'meta') FROM sqlite_schema";
    match connection.query_row(tables, [], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?)))? {
        (0, _) => Ok(0),
        (_, 0) => Err(Error::Corrupt { detail: "a database, but not one of Consort".to_owned() }.into()),
        _ => {
            let sql = "SELECT value FROM meta WHERE name = 'format'";
            Ok(connection.query_row(sql, [], |row| row.get(0))?)
        }
    }
}
