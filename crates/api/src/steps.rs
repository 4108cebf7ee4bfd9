//! Steps of a run.

use crate::{
    context::Api,
    convert,
    extract::{Body, By, Path, Query},
    page,
    problem::Refusal,
    runs,
};
use axum::{Json, extract::State};
use consort_node::{Command, StepRef};
use consort_wire::{CompleteStep, Empty, ListQuery, NamespaceQuery, Page, Run, Step};

/// Steps of a run, in the order of the file
#[utoipa::path(get, path = "/runs/{id}/steps", tag = "runs", params(("id" = String, Path, description = "The run"), ListQuery), responses((status = 200, body = Page<Step>)))]
pub async fn list_steps(
    State(api): Api,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Step>>, Refusal> {
    let (limit, skip) = (page::limit(query.limit)?, page::offset(query.cursor.as_deref())?);
    let run = runs::find(&api, &id, query.namespace.as_deref()).await?.id;
    let steps = api.node.steps(run, usize::try_from(skip).unwrap_or(usize::MAX), limit).await?;
    let steps = steps.ok_or_else(|| runs::no_run(&id))?;
    let next_cursor = steps.next.map(|next| page::offset_cursor(next as u64));
    Ok(Json(Page { items: steps.steps.into_iter().map(convert::step).collect(), next_cursor }))
}

/// Try a step again, now
#[utoipa::path(post, path = "/runs/{id}/steps/{key}/retry", tag = "runs", request_body = Empty, params(("id" = String, Path, description = "The run"), ("key" = String, Path, description = "The step: `fields[3]`, percent-encoded"), NamespaceQuery), responses((status = 200, body = Run)))]
pub async fn retry_step(
    State(api): Api,
    Path((id, key)): Path<(String, String)>,
    Query(query): Query<NamespaceQuery>,
    By(by): By,
    Body(Empty {}): Body<Empty>,
) -> Result<Json<Run>, Refusal> {
    let command = Command::Retry { step: Some(StepRef::Key(key)), by };
    runs::act(&api, &id, query, command).await
}

/// Give a step up: its output is null. Also ends a parked undo
#[utoipa::path(post, path = "/runs/{id}/steps/{key}/skip", tag = "runs", request_body = Empty, params(("id" = String, Path, description = "The run"), ("key" = String, Path, description = "The step: `fields[3]`, percent-encoded"), NamespaceQuery), responses((status = 200, body = Run)))]
pub async fn skip_step(
    State(api): Api,
    Path((id, key)): Path<(String, String)>,
    Query(query): Query<NamespaceQuery>,
    By(by): By,
    Body(Empty {}): Body<Empty>,
) -> Result<Json<Run>, Refusal> {
    let command = Command::Skip { step: StepRef::Key(key), by };
    runs::act(&api, &id, query, command).await
}

/// Give a step its output by hand; also answers an approval. The first answer wins, later ones get 409
#[utoipa::path(post, path = "/runs/{id}/steps/{key}/complete", tag = "runs", request_body = CompleteStep, params(("id" = String, Path, description = "The run"), ("key" = String, Path, description = "The step: `fields[3]`, percent-encoded"), NamespaceQuery), responses((status = 200, body = Run)))]
pub async fn complete_step(
    State(api): Api,
    Path((id, key)): Path<(String, String)>,
    Query(query): Query<NamespaceQuery>,
    By(by): By,
    Body(CompleteStep { output }): Body<CompleteStep>,
) -> Result<Json<Run>, Refusal> {
    let command = Command::Complete { step: StepRef::Key(key), output, by };
    runs::act(&api, &id, query, command).await
}
