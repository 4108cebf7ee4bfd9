//! Services and their revisions.

use crate::{
    fault::{Fault, conflict},
    value::{Columns, collect, first, integer, one_more},
};
use consort_store::{Page, PageRequest, Service, ServiceRevision};
use consort_types::Name;
use rusqlite::{Connection, Row, params};

pub(crate) fn put_revision(connection: &Connection, revision: &ServiceRevision) -> Result<(), Fault> {
    let ServiceRevision { namespace, name, number, digest, project_sequence, applied_at, document } =
        revision;
    match self::revision(connection, namespace.as_str(), name.as_str(), *number)? {
        Some(known) if known.digest != *digest => {
            return Err(conflict(format!("revision {number} of service {name}")));
        }
        Some(_) => return Ok(()),
        None => {}
    }
    let sql = "INSERT INTO service_revisions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    connection.prepare_cached(sql)?.execute(params![
        namespace.as_str(),
        name.as_str(),
        integer(*number)?,
        digest.to_string(),
        integer(*project_sequence)?,
        applied_at.as_millis(),
        document.text(),
    ])?;
    Ok(())
}

pub(crate) fn set(connection: &Connection, service: &Service) -> Result<(), Fault> {
    let Service { namespace, name, active, previous, state } = service;
    let sql = "INSERT OR REPLACE INTO services VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.execute(params![
        namespace.as_str(),
        name.as_str(),
        active.map(integer).transpose()?,
        previous.map(integer).transpose()?,
        state.text(),
    ])?;
    Ok(())
}

pub(crate) fn remove(connection: &Connection, namespace: &Name, name: &Name) -> Result<(), Fault> {
    let sql = "DELETE FROM services WHERE namespace = ?1 AND name = ?2";
    connection.prepare_cached(sql)?.execute([namespace.as_str(), name.as_str()])?;
    Ok(())
}

pub(crate) fn list(
    connection: &Connection,
    namespace: &str,
    page: &PageRequest,
) -> Result<Page<Service>, Fault> {
    let after: Option<Name> = page.place()?;
    let after = after.as_ref().map_or("", Name::as_str);
    let sql = "SELECT * FROM services WHERE namespace = ?1 AND name > ?2 ORDER BY name LIMIT ?3";
    let mut select = connection.prepare_cached(sql)?;
    let items = collect(select.query(params![namespace, after, one_more(page)])?, read)?;
    Ok(Page::cut(items, page.limit(), |service| service.name.clone()))
}

pub(crate) fn get(connection: &Connection, namespace: &str, name: &str) -> Result<Option<Service>, Fault> {
    let sql = "SELECT * FROM services WHERE namespace = ?1 AND name = ?2";
    first(connection.prepare_cached(sql)?.query([namespace, name])?, read)
}

pub(crate) fn revision(
    connection: &Connection,
    namespace: &str,
    name: &str,
    number: u64,
) -> Result<Option<ServiceRevision>, Fault> {
    let Ok(number) = integer(number) else { return Ok(None) };
    let sql = "SELECT * FROM service_revisions WHERE namespace = ?1 AND name = ?2 AND number = ?3";
    first(connection.prepare_cached(sql)?.query(params![namespace, name, number])?, read_revision)
}

pub(crate) fn revisions(
    connection: &Connection,
    namespace: &str,
    name: &str,
    page: &PageRequest,
) -> Result<Page<ServiceRevision>, Fault> {
    let before = page.place()?.map_or(Ok(i64::MAX), integer)?;
    let mut select = connection.prepare_cached(
        "SELECT * FROM service_revisions WHERE namespace = ?1 AND name = ?2 AND number < ?3
         ORDER BY number DESC LIMIT ?4",
    )?;
    let items = collect(select.query(params![namespace, name, before, one_more(page)])?, read_revision)?;
    Ok(Page::cut(items, page.limit(), |revision| revision.number))
}

fn read(row: &Row<'_>) -> Result<Service, Fault> {
    Ok(Service {
        namespace: row.name("namespace")?,
        name: row.name("name")?,
        active: row.optional_number("active")?,
        previous: row.optional_number("previous")?,
        state: row.json("state")?,
    })
}

fn read_revision(row: &Row<'_>) -> Result<ServiceRevision, Fault> {
    Ok(ServiceRevision {
        namespace: row.name("namespace")?,
        name: row.name("name")?,
        number: row.number("number")?,
        digest: row.digest("digest")?,
        project_sequence: row.number("project_sequence")?,
        applied_at: row.time("applied_at")?,
        document: row.json("document")?,
    })
}
