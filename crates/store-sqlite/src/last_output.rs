//! What the last run of a workflow gave that succeeded.

use crate::{
    fault::Fault,
    value::{Columns, first},
};
use consort_store::LastOutput;
use consort_types::Json;
use rusqlite::{Connection, params};

/// Stands for all runs of a workflow: a key is JSON, and so never empty.
const OF_ALL: &str = "";

pub(crate) fn set(connection: &Connection, last: &LastOutput) -> Result<(), Fault> {
    let LastOutput { namespace, workflow, limit_key, document } = last;
    let mut put = connection.prepare_cached("INSERT OR REPLACE INTO last_outputs VALUES (?1, ?2, ?3, ?4)")?;
    let key = limit_key.as_deref().unwrap_or(OF_ALL);
    put.execute(params![namespace.as_str(), workflow.as_str(), key, document.text()])?;
    Ok(())
}

pub(crate) fn get(
    connection: &Connection,
    namespace: &str,
    workflow: &str,
    limit_key: Option<&str>,
) -> Result<Option<Json>, Fault> {
    let sql = "SELECT document FROM last_outputs WHERE namespace = ?1 AND workflow = ?2 AND limit_key = ?3";
    let mut select = connection.prepare_cached(sql)?;
    let key = limit_key.unwrap_or(OF_ALL);
    first(select.query([namespace, workflow, key])?, |row| row.json("document"))
}
