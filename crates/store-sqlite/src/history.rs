//! The append-only history.

use crate::{
    fault::{Fault, conflict, is_taken},
    value::{Columns, integer, run_key},
};
use bytes::Bytes;
use consort_store::{HISTORY_PAGE_BYTES_MAX, HistoryPage, HistoryRow};
use consort_types::RunId;
use rusqlite::{Connection, params};

pub(crate) fn append(connection: &Connection, run: RunId, seq: u64, entries: &Bytes) -> Result<(), Fault> {
    let mut insert = connection.prepare_cached("INSERT INTO history VALUES (?1, ?2, ?3)")?;
    match insert.execute(params![run_key(run), integer(seq)?, &entries[..]]) {
        Err(error) if is_taken(&error) => Err(conflict(format!("row {seq} of the history of {run}"))),
        other => other.map(|_| ()).map_err(Fault::from),
    }
}

pub(crate) fn delete(connection: &Connection, run: RunId) -> Result<(), Fault> {
    connection.prepare_cached("DELETE FROM history WHERE run = ?1")?.execute([run_key(run)])?;
    Ok(())
}

pub(crate) fn page(
    connection: &Connection,
    run: RunId,
    from_seq: u64,
    limit: usize,
) -> Result<HistoryPage, Fault> {
    let mut page = HistoryPage::default();
    // No row has a place over what can be stored.
    let Ok(from_seq) = integer(from_seq) else { return Ok(page) };
    let mut select = connection
        .prepare_cached("SELECT seq, entries FROM history WHERE run = ?1 AND seq >= ?2 ORDER BY seq")?;
    let mut rows = select.query(params![run_key(run), from_seq])?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let seq = row.number("seq")?;
        let length = row.get_ref("entries")?.as_blob().map_or(0, <[u8]>::len);
        let too_large = bytes + length > HISTORY_PAGE_BYTES_MAX && !page.rows.is_empty();
        if page.rows.len() >= limit.max(1) || too_large {
            page.next_seq = Some(seq);
            break;
        }
        bytes += length;
        page.rows.push(HistoryRow { seq, entries: Bytes::from(row.plain::<Vec<u8>>("entries")?) });
    }
    Ok(page)
}
