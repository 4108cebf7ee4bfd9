//! What lists show of a run: written by the projector, read one at a time here and many in `list.rs`.

use crate::{
    fault::{Fault, conflict, corrupt},
    value::{Columns, collect, first, integer, run_key},
};
use consort_store::{RunCount, RunSummary, SummaryError, Waiting, wait_word};
use consort_types::{Json, Name, RunId, RunState, Timestamp, WaitKind};
use rusqlite::{Connection, Row, params};
use std::collections::BTreeMap;

/// What an older summary of the run left in tables that are derived from it.
struct Known {
    id: i64,
    namespace: Name,
    workflow: Name,
    created_at: Timestamp,
    state: RunState,
    tags: String,
}

pub(crate) fn put(connection: &Connection, summary: &RunSummary) -> Result<(), Fault> {
    let tags = serde_json::to_string(&summary.tags).expect("a map of texts is JSON");
    let known = known(connection, summary.run)?;
    let id = match &known {
        None => insert(connection, summary, &tags)?,
        Some(known) => {
            let Known { namespace, workflow, created_at, .. } = known;
            if (namespace, workflow, *created_at)
                != (&summary.namespace, &summary.workflow, summary.created_at)
            {
                return Err(conflict(format!("the place of {} in lists", summary.run)));
            }
            update(connection, known.id, summary, &tags)?;
            known.id
        }
    };
    let mut document = connection.prepare_cached("INSERT OR REPLACE INTO documents VALUES (?1, ?2)")?;
    document.execute(params![id, summary.document.text()])?;
    if known.as_ref().is_none_or(|known| known.tags != tags) {
        if let Some(known) = &known {
            untag(connection, known, summary.run)?;
        }
        tag(connection, summary)?;
    }
    match known {
        Some(known) if known.state == summary.state => Ok(()),
        known => {
            if let Some(known) = known {
                count(connection, &known.namespace, &known.workflow, known.state, -1)?;
            }
            count(connection, &summary.namespace, &summary.workflow, summary.state, 1)
        }
    }
}

pub(crate) fn delete(connection: &Connection, run: RunId) -> Result<(), Fault> {
    let Some(known) = known(connection, run)? else { return Ok(()) };
    untag(connection, &known, run)?;
    connection.prepare_cached("DELETE FROM documents WHERE id = ?1")?.execute([known.id])?;
    connection.prepare_cached("DELETE FROM summaries WHERE id = ?1")?.execute([known.id])?;
    count(connection, &known.namespace, &known.workflow, known.state, -1)
}

fn known(connection: &Connection, run: RunId) -> Result<Option<Known>, Fault> {
    let sql = "SELECT id, namespace, workflow, created_at, state, tags FROM summaries WHERE run = ?1";
    first(connection.prepare_cached(sql)?.query([run_key(run)])?, |row| {
        Ok(Known {
            id: row.plain("id")?,
            namespace: row.name("namespace")?,
            workflow: row.name("workflow")?,
            created_at: row.time("created_at")?,
            state: row.word("state")?,
            tags: row.plain("tags")?,
        })
    })
}

fn insert(connection: &Connection, summary: &RunSummary, tags: &str) -> Result<i64, Fault> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO summaries (run, namespace, workflow, revision, state, created_at, started_at, finished_at,
             waiting_kind, waiting_name, undo, tags, triggered_by, error_code, error_message, search)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )?;
    Ok(insert.insert(params![
        run_key(summary.run),
        summary.namespace.as_str(),
        summary.workflow.as_str(),
        integer(summary.revision)?,
        summary.state.as_str(),
        summary.created_at.as_millis(),
        summary.started_at.map(Timestamp::as_millis),
        summary.finished_at.map(Timestamp::as_millis),
        summary.waiting.as_ref().map(|waiting| wait_word(waiting.kind)),
        summary.waiting.as_ref().map(|waiting| &waiting.name),
        summary.undo.as_str(),
        tags,
        summary.trigger.as_ref().map(Json::text),
        summary.error.as_ref().map(|error| &error.code),
        summary.error.as_ref().map(|error| &error.message),
        summary.search,
    ])?)
}

fn update(connection: &Connection, id: i64, summary: &RunSummary, tags: &str) -> Result<(), Fault> {
    let mut update = connection.prepare_cached(
        "UPDATE summaries SET revision = ?2, state = ?3, started_at = ?4, finished_at = ?5, waiting_kind = ?6,
             waiting_name = ?7, undo = ?8, tags = ?9, triggered_by = ?10, error_code = ?11,
             error_message = ?12, search = ?13
         WHERE id = ?1",
    )?;
    update.execute(params![
        id,
        integer(summary.revision)?,
        summary.state.as_str(),
        summary.started_at.map(Timestamp::as_millis),
        summary.finished_at.map(Timestamp::as_millis),
        summary.waiting.as_ref().map(|waiting| wait_word(waiting.kind)),
        summary.waiting.as_ref().map(|waiting| &waiting.name),
        summary.undo.as_str(),
        tags,
        summary.trigger.as_ref().map(Json::text),
        summary.error.as_ref().map(|error| &error.code),
        summary.error.as_ref().map(|error| &error.message),
        summary.search,
    ])?;
    Ok(())
}

fn tag(connection: &Connection, summary: &RunSummary) -> Result<(), Fault> {
    // A key may look like another tag's `KEY=VALUE`; one row answers for both.
    let mut insert =
        connection.prepare_cached("INSERT OR IGNORE INTO summary_tags VALUES (?1, ?2, ?3, ?4)")?;
    for (key, value) in &summary.tags {
        for tag in [key, &format!("{key}={value}")] {
            let namespace = summary.namespace.as_str();
            insert.execute(params![namespace, tag, summary.created_at.as_millis(), run_key(summary.run)])?;
        }
    }
    Ok(())
}

fn untag(connection: &Connection, known: &Known, run: RunId) -> Result<(), Fault> {
    let tags: BTreeMap<String, String> =
        serde_json::from_str(&known.tags).map_err(|error| corrupt("tags", error))?;
    let mut delete = connection.prepare_cached(
        "DELETE FROM summary_tags WHERE namespace = ?1 AND tag = ?2 AND created_at = ?3 AND run = ?4",
    )?;
    for (key, value) in &tags {
        for tag in [key, &format!("{key}={value}")] {
            let namespace = known.namespace.as_str();
            delete.execute(params![namespace, tag, known.created_at.as_millis(), run_key(run)])?;
        }
    }
    Ok(())
}

fn count(
    connection: &Connection,
    namespace: &Name,
    workflow: &Name,
    state: RunState,
    change: i64,
) -> Result<(), Fault> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO run_counts VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET runs = runs + ?4",
    )?;
    upsert.execute(params![namespace.as_str(), workflow.as_str(), state.as_str(), change])?;
    Ok(())
}

pub(crate) fn counts(connection: &Connection, namespace: &str) -> Result<Vec<RunCount>, Fault> {
    let sql = "SELECT workflow, state, runs FROM run_counts WHERE namespace = ?1 AND runs > 0";
    let mut counts = collect(connection.prepare_cached(sql)?.query([namespace])?, |row| {
        Ok(RunCount { workflow: row.name("workflow")?, state: row.word("state")?, runs: row.number("runs")? })
    })?;
    counts.sort_by(|a, b| (&a.workflow, a.state).cmp(&(&b.workflow, b.state)));
    Ok(counts)
}

pub(crate) fn get(connection: &Connection, run: RunId) -> Result<Option<RunSummary>, Fault> {
    let mut select = connection.prepare_cached("SELECT * FROM summaries WHERE run = ?1")?;
    first(select.query([run_key(run)])?, |row| read(connection, row))
}

/// A row of `summaries` and its document.
pub(crate) fn read(connection: &Connection, row: &Row<'_>) -> Result<RunSummary, Fault> {
    let mut document = connection.prepare_cached("SELECT document FROM documents WHERE id = ?1")?;
    let document = first(document.query([row.plain::<i64>("id")?])?, |row| row.json("document"))?;
    Ok(RunSummary {
        run: row.run("run")?,
        namespace: row.name("namespace")?,
        workflow: row.name("workflow")?,
        revision: row.number("revision")?,
        state: row.word("state")?,
        created_at: row.time("created_at")?,
        started_at: row.optional_time("started_at")?,
        finished_at: row.optional_time("finished_at")?,
        tags: row.record("tags")?,
        trigger: row.optional_json("triggered_by")?,
        waiting: waiting(row)?,
        error: error(row)?,
        undo: row.word("undo")?,
        document: document.ok_or_else(|| corrupt("documents", "the document of a run is missing"))?,
        search: row.plain("search")?,
    })
}

fn waiting(row: &Row<'_>) -> Result<Option<Waiting>, Fault> {
    let Some(word) = row.plain::<Option<String>>("waiting_kind")? else { return Ok(None) };
    let kind: WaitKind =
        serde_json::from_value(word.into()).map_err(|error| corrupt("waiting_kind", error))?;
    Ok(Some(Waiting { kind, name: row.plain("waiting_name")? }))
}

fn error(row: &Row<'_>) -> Result<Option<SummaryError>, Fault> {
    let Some(code) = row.plain("error_code")? else { return Ok(None) };
    Ok(Some(SummaryError { code, message: row.plain("error_message")? }))
}
