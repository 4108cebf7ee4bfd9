//! What waits for a person.

use crate::{
    fault::Fault,
    value::{Columns, collect, one_more, run_key},
};
use consort_store::{Notice, NoticeKind, NoticeOfRun, NoticePlace, Page, PageRequest};
use consort_types::{Name, RunId};
use rusqlite::{Connection, params};

pub(crate) fn set(
    connection: &Connection,
    run: RunId,
    namespace: &Name,
    notices: &[Notice],
) -> Result<(), Fault> {
    delete(connection, run)?;
    let mut insert = connection.prepare_cached("INSERT INTO notices VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for notice in notices {
        let Notice { kind, since, step, document } = notice;
        insert.execute(params![
            run_key(run),
            kind.as_str(),
            step,
            namespace.as_str(),
            since.as_millis(),
            document.text()
        ])?;
    }
    Ok(())
}

pub(crate) fn delete(connection: &Connection, run: RunId) -> Result<(), Fault> {
    connection.prepare_cached("DELETE FROM notices WHERE run = ?1")?.execute([run_key(run)])?;
    Ok(())
}

pub(crate) fn list(
    connection: &Connection,
    namespace: &str,
    kind: NoticeKind,
    page: &PageRequest,
) -> Result<Page<NoticeOfRun>, Fault> {
    let place: Option<NoticePlace> = page.place()?;
    let (since, run, step) = match &place {
        Some((since, run, step)) => (since.as_millis(), run_key(*run).to_vec(), step.as_str()),
        None => (i64::MIN, Vec::new(), ""),
    };
    let mut select = connection.prepare_cached(
        "SELECT run, step, since, document FROM notices
         WHERE namespace = ?1 AND kind = ?2 AND (since, run, step) > (?3, ?4, ?5)
         ORDER BY since, run, step LIMIT ?6",
    )?;
    let rows = select.query(params![namespace, kind.as_str(), since, run, step, one_more(page)])?;
    let found = collect(rows, |row| {
        let notice = Notice {
            kind,
            since: row.time("since")?,
            step: row.plain("step")?,
            document: row.json("document")?,
        };
        Ok(NoticeOfRun { run: row.run("run")?, notice })
    })?;
    Ok(Page::cut(found, page.limit(), NoticeOfRun::place))
}
