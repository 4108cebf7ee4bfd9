//! The index of runs, and their keys.

use crate::{
    fault::{Fault, conflict, is_taken},
    value::{Columns, collect, first, run_key},
};
use consort_store::{Error, KeyedRun, OpenRun};
use consort_types::{RunId, Timestamp};
use rusqlite::{Connection, params};

pub(crate) fn open(connection: &Connection, start: &OpenRun) -> Result<(), Fault> {
    let OpenRun { run, namespace, workflow, key, input_digest, created_at } = start;
    let (namespace, workflow) = (namespace.as_str(), workflow.as_str());
    let mut insert = connection.prepare_cached("INSERT INTO runs VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL)")?;
    let row =
        params![run_key(*run), namespace, workflow, key, input_digest.to_string(), created_at.as_millis()];
    match insert.execute(row) {
        Err(error) if is_taken(&error) => return Err(conflict(run.to_string())),
        other => other?,
    };
    let Some(key) = key else { return Ok(()) };
    let mut insert = connection.prepare_cached("INSERT INTO run_keys VALUES (?1, ?2, ?3, ?4)")?;
    match insert.execute(params![namespace, workflow, key, run_key(*run)]) {
        Err(error) if is_taken(&error) => {
            let owner = by_key(connection, namespace, workflow, key)?;
            Err(owner.map_or_else(|| error.into(), |owner| Error::KeyTaken { run: owner.run }.into()))
        }
        other => other.map(|_| ()).map_err(Fault::from),
    }
}

pub(crate) fn close(connection: &Connection, run: RunId, at: Timestamp) -> Result<(), Fault> {
    let sql = "UPDATE runs SET closed_at = ?2 WHERE run = ?1 AND closed_at IS NULL";
    connection.prepare_cached(sql)?.execute(params![run_key(run), at.as_millis()])?;
    Ok(())
}

pub(crate) fn reopen(connection: &Connection, run: RunId) -> Result<(), Fault> {
    let sql = "UPDATE runs SET closed_at = NULL WHERE run = ?1 AND closed_at IS NOT NULL";
    connection.prepare_cached(sql)?.execute([run_key(run)])?;
    Ok(())
}

pub(crate) fn delete(connection: &Connection, run: RunId) -> Result<(), Fault> {
    let sql = "SELECT EXISTS (SELECT 1 FROM runs WHERE run = ?1 AND closed_at IS NULL)";
    let is_open: bool = connection.prepare_cached(sql)?.query_row([run_key(run)], |row| row.get(0))?;
    if is_open {
        return Err(conflict(format!("{run}, which is open,")));
    }
    let key = "DELETE FROM run_keys WHERE (namespace, workflow, key) IN
               (SELECT namespace, workflow, key FROM runs WHERE run = ?1)";
    connection.prepare_cached(key)?.execute([run_key(run)])?;
    connection.prepare_cached("DELETE FROM runs WHERE run = ?1")?.execute([run_key(run)])?;
    Ok(())
}

pub(crate) fn all_open(connection: &Connection) -> Result<Vec<OpenRun>, Fault> {
    let mut select = connection.prepare_cached("SELECT * FROM runs WHERE closed_at IS NULL ORDER BY run")?;
    collect(select.query([])?, |row| {
        Ok(OpenRun {
            run: row.run("run")?,
            namespace: row.name("namespace")?,
            workflow: row.name("workflow")?,
            key: row.plain("key")?,
            input_digest: row.digest("input_digest")?,
            created_at: row.time("created_at")?,
        })
    })
}

pub(crate) fn by_key(
    connection: &Connection,
    namespace: &str,
    workflow: &str,
    key: &str,
) -> Result<Option<KeyedRun>, Fault> {
    let mut select = connection.prepare_cached(
        "SELECT run, input_digest FROM run_keys JOIN runs USING (run)
         WHERE run_keys.namespace = ?1 AND run_keys.workflow = ?2 AND run_keys.key = ?3",
    )?;
    first(select.query([namespace, workflow, key])?, |row| {
        Ok(KeyedRun { run: row.run("run")?, input_digest: row.digest("input_digest")? })
    })
}

pub(crate) fn closed_before(
    connection: &Connection,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<RunId>, Fault> {
    let mut select = connection.prepare_cached(
        "SELECT run FROM runs WHERE closed_at < ?1 AND closed_at IS NOT NULL ORDER BY closed_at, run LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    collect(select.query(params![before.as_millis(), limit])?, |row| row.run("run"))
}
