//! What waits for a person: questions to answer, and incidents to mend.

use crate::{context::Api, convert, extract::Query, page, problem::Refusal};
use axum::{Json, extract::State};
use consort_node::PageRequest;
use consort_wire::{Approval, Incident, ListQuery, Page};

/// Questions that wait for an answer, the longest wait first
///
/// Answered by `POST /runs/{run}/steps/{step}/complete` with the form as `output`.
#[utoipa::path(get, path = "/approvals", tag = "people", params(ListQuery), responses((status = 200, body = Page<Approval>)))]
pub async fn list_approvals(
    State(api): Api,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Approval>>, Refusal> {
    let request = PageRequest::at(page::limit(query.limit)?, query.cursor);
    let namespace = api.namespace_if_any(query.namespace.as_deref())?;
    let Some(namespace) = namespace else { return Ok(Json(Page::default())) };
    let found = api.node.questions(namespace.clone(), request).await?;
    let items = found.items.into_iter().map(|question| convert::approval(&namespace, question)).collect();
    Ok(Json(Page { items, next_cursor: found.next_cursor }))
}

/// What does not go on without a person, the longest wait first
///
/// Parked undos, and runs that pause because a step failed. An incident ends by itself when its cause is gone.
#[utoipa::path(get, path = "/incidents", tag = "people", params(ListQuery), responses((status = 200, body = Page<Incident>)))]
pub async fn list_incidents(
    State(api): Api,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Incident>>, Refusal> {
    let request = PageRequest::at(page::limit(query.limit)?, query.cursor);
    let namespace = api.namespace_if_any(query.namespace.as_deref())?;
    let Some(namespace) = namespace else { return Ok(Json(Page::default())) };
    let found = api.node.incidents(namespace.clone(), request).await?;
    let items = found.items.into_iter().map(|incident| convert::incident(&namespace, incident)).collect();
    Ok(Json(Page { items, next_cursor: found.next_cursor }))
}
