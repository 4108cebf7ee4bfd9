//! Events.

use crate::{
    fault::{Fault, conflict, is_taken},
    value::{Columns, first, integer},
};
use consort_store::{EventFilter, EventOrder, EventPlace, Page, PageRequest, StoredEvent, page_of_events};
use consort_types::{EventKey, Timestamp};
use rusqlite::{Connection, Row, params, types::Value};

pub(crate) fn put(connection: &Connection, event: &StoredEvent) -> Result<(), Fault> {
    let StoredEvent { seq, namespace, key, id, source, event_type, subject, received_at, document } = event;
    let mut insert =
        connection.prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    let row = params![
        integer(*seq)?,
        namespace.as_str(),
        key.as_bytes(),
        id,
        source,
        event_type,
        subject,
        received_at.as_millis(),
        document.text()
    ];
    match insert.execute(row) {
        Err(error) if is_taken(&error) => Err(conflict(format!("event {key}"))),
        other => other.map(|_| ()).map_err(Fault::from),
    }
}

pub(crate) fn drop_old(connection: &Connection, through: u64, before: Timestamp) -> Result<(), Fault> {
    connection.prepare_cached("DELETE FROM events WHERE seq <= ?1")?.execute([integer(through)?])?;
    connection.prepare_cached("DELETE FROM events WHERE received_at < ?1")?.execute([before.as_millis()])?;
    Ok(())
}

pub(crate) fn by_key(connection: &Connection, key: EventKey) -> Result<Option<StoredEvent>, Fault> {
    let mut select = connection.prepare_cached("SELECT * FROM events WHERE key = ?1")?;
    first(select.query([key.as_bytes()])?, read)
}

pub(crate) fn newest(connection: &Connection) -> Result<u64, Fault> {
    let mut select = connection.prepare_cached("SELECT coalesce(max(seq), 0) AS seq FROM events")?;
    Ok(first(select.query([])?, |row| row.number("seq"))?.unwrap_or(0))
}

/// Walks the index that leaves the fewest events, and looks at each.
pub(crate) fn page(
    connection: &Connection,
    filter: &EventFilter,
    order: EventOrder,
    page: &PageRequest,
) -> Result<Page<StoredEvent>, Fault> {
    let place: Option<EventPlace> = page.place()?;
    let mut sql = "SELECT * FROM events WHERE namespace = ?1".to_owned();
    let mut values = vec![Value::from(filter.namespace.to_string())];
    let mut bind = |sql: &mut String, condition: &str, value: Value| {
        values.push(value);
        sql.push_str(&format!(" AND {condition}").replace('?', &format!("?{}", values.len())));
    };
    match (&filter.id, filter.types.as_ref().filter(|types| types.is_exact())) {
        (Some(id), _) => bind(&mut sql, "id = ?", id.clone().into()),
        (None, Some(types)) => bind(&mut sql, "type = ?", types.as_str().to_owned().into()),
        (None, None) => {}
    }
    if let Some(since) = filter.since {
        // Events are accepted in the order of their numbers.
        let first =
            "seq >= (SELECT coalesce(min(seq), 9223372036854775807) FROM events WHERE received_at >= ?)";
        bind(&mut sql, first, since.as_millis().into());
    }
    let (beyond, direction) = match order {
        EventOrder::NewestFirst => ("seq < ?", "DESC"),
        EventOrder::OldestFirst => ("seq > ?", "ASC"),
    };
    if let Some(place) = place {
        bind(&mut sql, beyond, integer(place.0)?.into());
    }
    sql.push_str(&format!(" ORDER BY seq {direction}"));
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query(rusqlite::params_from_iter(&values))?;
    let rows = std::iter::from_fn(|| match rows.next() {
        Ok(row) => row.map(read),
        Err(error) => Some(Err(error.into())),
    });
    page_of_events(rows, filter, page.limit())
}

fn read(row: &Row<'_>) -> Result<StoredEvent, Fault> {
    let key: [u8; 16] = row.plain("key")?;
    Ok(StoredEvent {
        seq: row.number("seq")?,
        namespace: row.name("namespace")?,
        key: EventKey::from_bytes(key),
        id: row.plain("id")?,
        source: row.plain("source")?,
        event_type: row.plain("type")?,
        subject: row.plain("subject")?,
        received_at: row.time("received_at")?,
        document: row.json("document")?,
    })
}
