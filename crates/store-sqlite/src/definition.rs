//! Projects and the workflows in them.

use crate::{
    fault::{Fault, conflict, is_taken},
    value::{Columns, collect, first, integer, one_more},
};
use consort_store::{Page, PageRequest, Project, WorkflowRevision};
use consort_types::Name;
use rusqlite::{Connection, Row, params};

pub(crate) fn put_project(connection: &Connection, project: &Project) -> Result<(), Fault> {
    let Project { namespace, sequence, files, sources, applied_at } = project;
    let files = serde_json::to_string(files).expect("texts are JSON");
    let sources = serde_json::to_string(sources).expect("a map of digests is JSON");
    let mut insert = connection.prepare_cached("INSERT INTO projects VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let row = params![namespace.as_str(), integer(*sequence)?, files, sources, applied_at.as_millis()];
    match insert.execute(row) {
        Err(error) if is_taken(&error) => Err(conflict(format!("project {sequence} of {namespace}"))),
        other => other.map(|_| ()).map_err(Fault::from),
    }
}

pub(crate) fn namespaces(connection: &Connection) -> Result<Vec<Name>, Fault> {
    let mut select =
        connection.prepare_cached("SELECT DISTINCT namespace FROM projects ORDER BY namespace")?;
    collect(select.query([])?, |row| row.name("namespace"))
}

pub(crate) fn newest_project(connection: &Connection, namespace: &str) -> Result<Option<Project>, Fault> {
    let sql = "SELECT * FROM projects WHERE namespace = ?1 ORDER BY sequence DESC LIMIT 1";
    first(connection.prepare_cached(sql)?.query([namespace])?, read_project)
}

pub(crate) fn project_at(
    connection: &Connection,
    namespace: &str,
    sequence: u64,
) -> Result<Option<Project>, Fault> {
    let Ok(sequence) = integer(sequence) else { return Ok(None) };
    let sql = "SELECT * FROM projects WHERE namespace = ?1 AND sequence = ?2";
    first(connection.prepare_cached(sql)?.query(params![namespace, sequence])?, read_project)
}

fn read_project(row: &Row<'_>) -> Result<Project, Fault> {
    Ok(Project {
        namespace: row.name("namespace")?,
        sequence: row.number("sequence")?,
        files: row.record("files")?,
        sources: row.record("sources")?,
        applied_at: row.time("applied_at")?,
    })
}

pub(crate) fn put_workflow(connection: &Connection, revision: &WorkflowRevision) -> Result<(), Fault> {
    let WorkflowRevision { namespace, name, number, digest, project_sequence, applied_at, document } =
        revision;
    match workflow_revision(connection, namespace.as_str(), name.as_str(), *number)? {
        Some(known) if known.digest != *digest => {
            return Err(conflict(format!("revision {number} of workflow {name}")));
        }
        Some(_) => {}
        None => {
            let sql = "INSERT INTO workflow_revisions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            connection.prepare_cached(sql)?.execute(params![
                namespace.as_str(),
                name.as_str(),
                integer(*number)?,
                digest.to_string(),
                integer(*project_sequence)?,
                applied_at.as_millis(),
                document.text(),
            ])?;
        }
    }
    let mut current = connection.prepare_cached("INSERT OR REPLACE INTO workflows VALUES (?1, ?2, ?3)")?;
    current.execute(params![namespace.as_str(), name.as_str(), integer(*number)?])?;
    Ok(())
}

pub(crate) fn remove_workflow(connection: &Connection, namespace: &Name, name: &Name) -> Result<(), Fault> {
    let sql = "DELETE FROM workflows WHERE namespace = ?1 AND name = ?2";
    connection.prepare_cached(sql)?.execute([namespace.as_str(), name.as_str()])?;
    Ok(())
}

pub(crate) fn workflows(
    connection: &Connection,
    namespace: &str,
    page: &PageRequest,
) -> Result<Page<WorkflowRevision>, Fault> {
    let after: Option<Name> = page.place()?;
    let after = after.as_ref().map_or("", Name::as_str);
    let mut select = connection.prepare_cached(
        "SELECT r.* FROM workflows w JOIN workflow_revisions r USING (namespace, name, number)
         WHERE w.namespace = ?1 AND w.name > ?2 ORDER BY w.name LIMIT ?3",
    )?;
    let items = collect(select.query(params![namespace, after, one_more(page)])?, read_workflow)?;
    Ok(Page::cut(items, page.limit(), |workflow| workflow.name.clone()))
}

pub(crate) fn workflow(
    connection: &Connection,
    namespace: &str,
    name: &str,
) -> Result<Option<WorkflowRevision>, Fault> {
    let mut select = connection.prepare_cached(
        "SELECT r.* FROM workflows w JOIN workflow_revisions r USING (namespace, name, number)
         WHERE w.namespace = ?1 AND w.name = ?2",
    )?;
    first(select.query([namespace, name])?, read_workflow)
}

pub(crate) fn workflow_revision(
    connection: &Connection,
    namespace: &str,
    name: &str,
    number: u64,
) -> Result<Option<WorkflowRevision>, Fault> {
    let Ok(number) = integer(number) else { return Ok(None) };
    let sql = "SELECT * FROM workflow_revisions WHERE namespace = ?1 AND name = ?2 AND number = ?3";
    first(connection.prepare_cached(sql)?.query(params![namespace, name, number])?, read_workflow)
}

pub(crate) fn workflow_revisions(
    connection: &Connection,
    namespace: &str,
    name: &str,
    page: &PageRequest,
) -> Result<Page<WorkflowRevision>, Fault> {
    let before = page.place()?.map_or(Ok(i64::MAX), integer)?;
    let mut select = connection.prepare_cached(
        "SELECT * FROM workflow_revisions WHERE namespace = ?1 AND name = ?2 AND number < ?3
         ORDER BY number DESC LIMIT ?4",
    )?;
    let items = collect(select.query(params![namespace, name, before, one_more(page)])?, read_workflow)?;
    Ok(Page::cut(items, page.limit(), |revision| revision.number))
}

fn read_workflow(row: &Row<'_>) -> Result<WorkflowRevision, Fault> {
    Ok(WorkflowRevision {
        namespace: row.name("namespace")?,
        name: row.name("name")?,
        number: row.number("number")?,
        digest: row.digest("digest")?,
        project_sequence: row.number("project_sequence")?,
        applied_at: row.time("applied_at")?,
        document: row.json("document")?,
    })
}
