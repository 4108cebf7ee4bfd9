//! Runs: look, list, act.

use crate::{
    codes,
    context::{Api, Context},
    convert,
    extract::{Body, By, Path, Query, Raw},
    page,
    problem::Refusal,
};
use axum::{Json, extract::State};
use consort_node::{Command, PageRequest, RunFilter, RunRecord};
use consort_types::{Json as Value, Name, NameKind, RunId};
use consort_wire::{Empty, NamespaceQuery, Page, Run, RunsQuery};
use std::sync::Arc;

/// Runs, newest first
#[utoipa::path(get, path = "/runs", tag = "runs", params(RunsQuery), responses((status = 200, body = Page<Run>)))]
pub async fn list_runs(State(api): Api, Query(query): Query<RunsQuery>) -> Result<Json<Page<Run>>, Refusal> {
    let request = PageRequest::at(page::limit(query.limit)?, query.cursor.clone());
    let namespace = api.namespace_if_any(query.namespace.as_deref())?;
    let Some(namespace) = namespace else { return Ok(Json(Page::default())) };
    let records = api.node.runs(filter(namespace, query)?, request).await?;
    let items = records.items.into_iter().map(|record| convert::slim(convert::run(record))).collect();
    Ok(Json(Page { items, next_cursor: records.next_cursor }))
}

fn filter(namespace: Name, query: RunsQuery) -> Result<RunFilter, Refusal> {
    let bad = |error: consort_types::NameError| Refusal::new(codes::E_QUERY, format!("workflow: {error}"));
    let workflow = query.workflow.map(|name| Name::new(&name, NameKind::Kebab)).transpose().map_err(bad)?;
    Ok(RunFilter {
        namespace,
        workflow,
        states: query.state.into_iter().collect(),
        tag: query.tag,
        since: query.since,
        until: query.until,
        waiting_on: query.waiting_on,
        text: query.q,
    })
}

/// One run
#[utoipa::path(get, path = "/runs/{id}", tag = "runs", params(("id" = String, Path, description = "The run"), NamespaceQuery), responses((status = 200, body = Run)))]
pub async fn get_run(
    State(api): Api,
    Path(id): Path<String>,
    Query(query): Query<NamespaceQuery>,
) -> Result<Json<Run>, Refusal> {
    find(&api, &id, query.namespace.as_deref()).await.map(convert::run).map(Json)
}

/// End a run; what was completed is undone
#[utoipa::path(post, path = "/runs/{id}/cancel", tag = "runs", request_body = Empty, params(("id" = String, Path, description = "The run"), NamespaceQuery), responses((status = 200, body = Run)))]
pub async fn cancel_run(
    State(api): Api,
    Path(id): Path<String>,
    Query(query): Query<NamespaceQuery>,
    By(by): By,
    Body(Empty {}): Body<Empty>,
) -> Result<Json<Run>, Refusal> {
    act(&api, &id, query, Command::Cancel { by }).await
}

/// Start nothing new in a run until it is resumed
#[utoipa::path(post, path = "/runs/{id}/pause", tag = "runs", request_body = Empty, params(("id" = String, Path, description = "The run"), NamespaceQuery), responses((status = 200, body = Run)))]
pub async fn pause_run(
    State(api): Api,
    Path(id): Path<String>,
    Query(query): Query<NamespaceQuery>,
    By(by): By,
    Body(Empty {}): Body<Empty>,
) -> Result<Json<Run>, Refusal> {
    act(&api, &id, query, Command::Pause { by }).await
}

/// Let a paused run go on
#[utoipa::path(post, path = "/runs/{id}/resume", tag = "runs", request_body = Empty, params(("id" = String, Path, description = "The run"), NamespaceQuery), responses((status = 200, body = Run)))]
pub async fn resume_run(
    State(api): Api,
    Path(id): Path<String>,
    Query(query): Query<NamespaceQuery>,
    By(by): By,
    Body(Empty {}): Body<Empty>,
) -> Result<Json<Run>, Refusal> {
    act(&api, &id, query, Command::Resume { by }).await
}

/// Try all failed steps of a run again, now
#[utoipa::path(post, path = "/runs/{id}/retry", tag = "runs", request_body = Empty, params(("id" = String, Path, description = "The run"), NamespaceQuery), responses((status = 200, body = Run)))]
pub async fn retry_run(
    State(api): Api,
    Path(id): Path<String>,
    Query(query): Query<NamespaceQuery>,
    By(by): By,
    Body(Empty {}): Body<Empty>,
) -> Result<Json<Run>, Refusal> {
    act(&api, &id, query, Command::Retry { step: None, by }).await
}

/// Undo what a run completed: ends a live one, cleans up after a failed one
#[utoipa::path(post, path = "/runs/{id}/undo", tag = "runs", request_body = Empty, params(("id" = String, Path, description = "The run"), NamespaceQuery), responses((status = 200, body = Run)))]
pub async fn undo_run(
    State(api): Api,
    Path(id): Path<String>,
    Query(query): Query<NamespaceQuery>,
    By(by): By,
    Body(Empty {}): Body<Empty>,
) -> Result<Json<Run>, Refusal> {
    act(&api, &id, query, Command::Undo { only: Vec::new(), by }).await
}

/// Send a named message to a run; the body is the message
#[utoipa::path(post, path = "/runs/{id}/signals/{name}", tag = "runs", request_body = Value, params(("id" = String, Path, description = "The run"), ("name" = String, Path, description = "The signal"), NamespaceQuery), responses((status = 200, body = Run)))]
pub async fn signal_run(
    State(api): Api,
    Path((id, name)): Path<(String, String)>,
    Query(query): Query<NamespaceQuery>,
    By(by): By,
    Raw(body): Raw,
) -> Result<Json<Run>, Refusal> {
    let kebab = Name::new(&name, NameKind::Kebab).or_else(|_| Name::new(&name, NameKind::Snake));
    let name = kebab.map_err(|error| Refusal::new(codes::E_NOT_FOUND, format!("signal: {error}")))?;
    let body = body.unwrap_or_else(Value::null);
    act(&api, &id, query, Command::Signal { name, body, by }).await
}

/// Gives a command to a run and answers with the run as it is then.
pub async fn act(
    api: &Arc<Context>,
    id: &str,
    query: NamespaceQuery,
    command: Command,
) -> Result<Json<Run>, Refusal> {
    let run = find(api, id, query.namespace.as_deref()).await?.id;
    api.node.command(run, command).await?;
    find(api, id, None).await.map(convert::run).map(Json)
}

/// A run by the text of its id. A namespace is not needed; one that is not the run's finds nothing.
pub async fn find(api: &Arc<Context>, id: &str, namespace: Option<&str>) -> Result<RunRecord, Refusal> {
    let run: RunId = id.parse().map_err(|_| no_run(id))?;
    let record = api.node.run(run).await?;
    let record = record.filter(|run| namespace.is_none_or(|asked| run.namespace.as_str() == asked));
    record.ok_or_else(|| no_run(id))
}

/// What an id that nothing has is answered with.
pub fn no_run(id: &str) -> Refusal {
    Refusal::new(codes::E_NOT_FOUND, format!("there is no run {id:?}"))
}
