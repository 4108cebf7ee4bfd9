//! Lines of attempts, in a file of their own that is not fsynced with each batch.

use crate::{
    Checkpointer, Durability,
    fault::{Fault, corrupt},
    file::DatabaseFile,
    lock::FolderLock,
    reader::Readers,
    value::{Columns, first, integer, run_key},
};
use consort_store::{
    Error, LOG_BYTES_PER_RUN_MAX, LOG_LINES_PER_RUN_MAX, LOG_PAGE_MAX, LogFilter, LogLine, LogPage,
    LogReader, LogStream, LogWriter, NumberedLine, PAGE_BYTES_MAX,
};
use consort_types::RunId;
use rusqlite::{Connection, Row, TransactionBehavior, params};
use std::{collections::HashMap, sync::Arc};

pub(crate) struct SqliteLogWriter {
    connection: Connection,
    _checkpointer: Checkpointer,
    _lock: Arc<FolderLock>,
}

impl SqliteLogWriter {
    pub(crate) fn open(file: &DatabaseFile, lock: Arc<FolderLock>) -> Result<Self, Fault> {
        let mut connection = file.writer(Durability::Relaxed)?;
        let checkpointer = Checkpointer::start(file, &mut connection)?;
        Ok(Self { connection, _checkpointer: checkpointer, _lock: lock })
    }

    fn within(&mut self, work: impl FnOnce(&Connection) -> Result<(), Fault>) -> Result<(), Error> {
        let attempt = || {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            work(&transaction)?;
            Ok::<_, Fault>(transaction.commit()?)
        };
        Ok(attempt()?)
    }
}

impl LogWriter for SqliteLogWriter {
    fn append(&mut self, lines: &[LogLine]) -> Result<(), Error> {
        self.within(|db| append(db, lines))
    }

    fn delete(&mut self, run: RunId) -> Result<(), Error> {
        self.within(|db| {
            for table in ["lines", "run_logs"] {
                db.execute(&format!("DELETE FROM {table} WHERE run = ?1"), [run_key(run)])?;
            }
            Ok(())
        })
    }
}

/// How much of its bounds a run has used.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    lines: u64,
    bytes: u64,
    dropped: u64,
}

impl Used {
    fn of(connection: &Connection, run: RunId) -> Result<Self, Fault> {
        let mut select = connection.prepare_cached("SELECT * FROM run_logs WHERE run = ?1")?;
        let used = first(select.query([run_key(run)])?, |row| {
            Ok(Self {
                lines: row.number("lines")?,
                bytes: row.number("bytes")?,
                dropped: row.number("dropped")?,
            })
        })?;
        Ok(used.unwrap_or_default())
    }

    /// The number of the next line; none when it has to be dropped.
    fn take(&mut self, line: &LogLine) -> Option<u64> {
        let bytes = self.bytes + line.line.len() as u64;
        if self.lines >= LOG_LINES_PER_RUN_MAX || bytes > LOG_BYTES_PER_RUN_MAX {
            self.dropped += 1;
            return None;
        }
        self.lines += 1;
        self.bytes = bytes;
        Some(self.lines)
    }

    fn keep(self, connection: &Connection, run: RunId) -> Result<(), Fault> {
        let Self { lines, bytes, dropped } = self;
        let sql = "INSERT OR REPLACE INTO run_logs VALUES (?1, ?2, ?3, ?4)";
        let row = params![run_key(run), integer(lines)?, integer(bytes)?, integer(dropped)?];
        connection.prepare_cached(sql)?.execute(row)?;
        Ok(())
    }
}

fn append(connection: &Connection, lines: &[LogLine]) -> Result<(), Fault> {
    let mut used: HashMap<RunId, Used> = HashMap::new();
    let mut insert = connection.prepare_cached("INSERT INTO lines VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    for line in lines {
        let used = match used.entry(line.run) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => entry.insert(Used::of(connection, line.run)?),
        };
        let Some(number) = used.take(line) else { continue };
        insert.execute(params![
            run_key(line.run),
            integer(number)?,
            line.step,
            line.attempt,
            line.at.as_millis(),
            stream_word(line.stream),
            line.line,
        ])?;
    }
    used.into_iter().try_for_each(|(run, used)| used.keep(connection, run))
}

pub(crate) struct SqliteLogReader {
    readers: Readers,
}

impl SqliteLogReader {
    pub(crate) const fn new(file: DatabaseFile, lock: Arc<FolderLock>) -> Self {
        Self { readers: Readers::new(file, lock) }
    }
}

impl LogReader for SqliteLogReader {
    fn lines(&self, filter: &LogFilter, after: u64, limit: usize) -> Result<LogPage, Error> {
        self.readers.ask(|db| page(db, filter, after, limit.clamp(1, LOG_PAGE_MAX)))
    }
}

fn page(connection: &Connection, filter: &LogFilter, after: u64, limit: usize) -> Result<LogPage, Fault> {
    let dropped = Used::of(connection, filter.run)?.dropped;
    let mut page = LogPage { next_after: after, dropped, ..LogPage::default() };
    let Ok(after) = integer(after) else { return Ok(page) };
    let mut select = connection.prepare_cached(
        "SELECT * FROM lines WHERE run = ?1 AND number > ?2 AND (?3 IS NULL OR step = ?3) ORDER BY number",
    )?;
    let mut rows = select.query(params![run_key(filter.run), after, filter.step])?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        if page.lines.len() >= limit || bytes >= PAGE_BYTES_MAX {
            page.more = true;
            break;
        }
        let line = read(row)?;
        bytes += line.line.line.len();
        page.next_after = line.number;
        page.lines.push(line);
    }
    Ok(page)
}

fn read(row: &Row<'_>) -> Result<NumberedLine, Fault> {
    let line = LogLine {
        run: row.run("run")?,
        step: row.plain("step")?,
        attempt: row.plain("attempt")?,
        at: row.time("at")?,
        stream: stream(&row.plain::<String>("stream")?)?,
        line: row.plain("line")?,
    };
    Ok(NumberedLine { number: row.number("number")?, line })
}

const fn stream_word(stream: LogStream) -> &'static str {
    match stream {
        LogStream::Stdout => "stdout",
        LogStream::Stderr => "stderr",
        LogStream::System => "system",
    }
}

fn stream(word: &str) -> Result<LogStream, Fault> {
    let streams = [LogStream::Stdout, LogStream::Stderr, LogStream::System];
    let known = streams.into_iter().find(|stream| stream_word(*stream) == word);
    known.ok_or_else(|| corrupt("stream", word))
}
