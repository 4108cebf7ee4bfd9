//! What was spent of budgets.

use crate::{
    fault::Fault,
    value::{Columns, collect, integer, run_key},
};
use consort_store::{BudgetChange, BudgetKey, BudgetState};
use consort_types::{Amount, RunId};
use rusqlite::{Connection, Row, params};

pub(crate) fn change(connection: &Connection, change: &BudgetChange) -> Result<(), Fault> {
    let BudgetKey { namespace, run, pool, key } = &change.budget;
    let run = run.map(run_key).map(Vec::from).unwrap_or_default();
    let place = params![namespace.as_str(), run, pool.as_str(), key_text(key.as_deref())];
    let sql = "SELECT * FROM budgets WHERE namespace = ?1 AND run = ?2 AND pool = ?3 AND key = ?4";
    let known = collect(connection.prepare_cached(sql)?.query(place)?, state)?.pop();
    let known = known.unwrap_or_else(|| BudgetState::new(change.budget.clone(), change.period));
    let BudgetState { period, spent, added, .. } = known.after(change);
    let sql = "INSERT OR REPLACE INTO budgets VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    connection.prepare_cached(sql)?.execute(params![
        namespace.as_str(),
        run,
        pool.as_str(),
        key_text(key.as_deref()),
        period.as_millis(),
        integer(spent.parts())?,
        integer(added.parts())?,
    ])?;
    Ok(())
}

pub(crate) fn forget_run(connection: &Connection, run: RunId) -> Result<(), Fault> {
    let sql = "DELETE FROM budgets WHERE run = ?1";
    connection.prepare_cached(sql)?.execute(params![Vec::from(run_key(run))])?;
    Ok(())
}

pub(crate) fn all(connection: &Connection) -> Result<Vec<BudgetState>, Fault> {
    let sql = "SELECT * FROM budgets ORDER BY namespace, run, pool, key";
    collect(connection.prepare_cached(sql)?.query([])?, state)
}

/// No key and an empty one are two pools; a primary key takes no NULL.
fn key_text(key: Option<&str>) -> String {
    key.map_or_else(String::new, |key| format!("={key}"))
}

fn state(row: &Row<'_>) -> Result<BudgetState, Fault> {
    let run: Vec<u8> = row.plain("run")?;
    let key: String = row.plain("key")?;
    let budget = BudgetKey {
        namespace: row.name("namespace")?,
        run: if run.is_empty() { None } else { Some(row.run("run")?) },
        pool: row.name("pool")?,
        key: key.strip_prefix('=').map(str::to_owned),
    };
    let (spent, added) = (row.number("spent")?, row.number("added")?);
    let (spent, added) = (Amount::from_parts(spent), Amount::from_parts(added));
    Ok(BudgetState { budget, period: row.time("period")?, spent, added })
}
