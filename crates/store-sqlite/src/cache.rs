//! Results that are kept.

use crate::{
    fault::Fault,
    value::{Columns, first, integer, run_key},
};
use consort_store::{CacheBounds, CachedResult, DROPPED_PER_RESULT_MAX};
use consort_types::{Digest, Name, RunId};
use rusqlite::{Connection, params};

pub(crate) fn keep(connection: &Connection, result: &CachedResult, bounds: CacheBounds) -> Result<(), Fault> {
    let CachedResult { namespace, key, revision, run, step, at, expires_at, output } = result;
    let (key, revision) = (key.to_string(), integer(*revision)?);
    // Not replaced in one go: the triggers that add up would not hear of the old one.
    let sql = "DELETE FROM cached_results WHERE namespace = ?1 AND key = ?2 AND revision = ?3";
    connection.prepare_cached(sql)?.execute(params![namespace.as_str(), key, revision])?;
    let sql =
        "INSERT INTO cached_results (namespace, key, revision, run, step, at, expires_at, bytes, output)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    connection.prepare_cached(sql)?.execute(params![
        namespace.as_str(),
        key,
        revision,
        run_key(*run),
        step,
        at.as_millis(),
        expires_at.as_millis(),
        integer(output.len() as u64)?,
        output.text(),
    ])?;
    let expired = "DELETE FROM cached_results WHERE id IN
                   (SELECT id FROM cached_results WHERE expires_at <= ?1 ORDER BY expires_at, id LIMIT ?2)";
    connection.prepare_cached(expired)?.execute(params![at.as_millis(), DROPPED_PER_RESULT_MAX])?;
    for _ in 0..DROPPED_PER_RESULT_MAX {
        let over = "DELETE FROM cached_results WHERE id =
                    (SELECT id FROM cached_results ORDER BY expires_at, id LIMIT 1)
                    AND EXISTS (SELECT 1 FROM cache_totals WHERE results > ?1 OR bytes > ?2)";
        let bounds = params![integer(bounds.results)?, integer(bounds.bytes)?];
        if connection.prepare_cached(over)?.execute(bounds)? == 0 {
            break;
        }
    }
    Ok(())
}

pub(crate) fn drop(connection: &Connection, namespace: &Name, key: Digest, run: RunId) -> Result<(), Fault> {
    let sql = "DELETE FROM cached_results WHERE namespace = ?1 AND key = ?2 AND run = ?3";
    connection.prepare_cached(sql)?.execute(params![namespace.as_str(), key.to_string(), run_key(run)])?;
    Ok(())
}

pub(crate) fn get(
    connection: &Connection,
    namespace: &str,
    key: Digest,
    revision: u64,
) -> Result<Option<CachedResult>, Fault> {
    let Ok(revision) = integer(revision) else { return Ok(None) };
    let sql = "SELECT * FROM cached_results WHERE namespace = ?1 AND key = ?2 AND revision = ?3";
    first(connection.prepare_cached(sql)?.query(params![namespace, key.to_string(), revision])?, |row| {
        Ok(CachedResult {
            namespace: row.name("namespace")?,
            key: row.digest("key")?,
            revision: row.number("revision")?,
            run: row.run("run")?,
            step: row.plain("step")?,
            at: row.time("at")?,
            expires_at: row.time("expires_at")?,
            output: row.json("output")?,
        })
    })
}

pub(crate) fn has(connection: &Connection, namespace: &str, key: Digest) -> Result<bool, Fault> {
    let sql = "SELECT EXISTS (SELECT 1 FROM cached_results WHERE namespace = ?1 AND key = ?2)";
    Ok(connection.prepare_cached(sql)?.query_row(params![namespace, key.to_string()], |row| row.get(0))?)
}
