//! The history of a run.

use crate::{
    context::Api,
    convert,
    extract::{Path, Query},
    page,
    problem::Refusal,
    runs,
};
use axum::{Json, extract::State};
use consort_wire::{HistoryEntry, ListQuery, Page};

/// The history of a run, oldest first
#[utoipa::path(get, path = "/runs/{id}/history", tag = "runs", params(("id" = String, Path, description = "The run"), ListQuery), responses((status = 200, body = Page<HistoryEntry>)))]
pub async fn get_history(
    State(api): Api,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<HistoryEntry>>, Refusal> {
    let (limit, offset) = (page::limit(query.limit)?, page::offset(query.cursor.as_deref())?);
    let run = runs::find(&api, &id, query.namespace.as_deref()).await?.id;
    // One more than asked for tells whether another page follows.
    let entries = api.node.history(run, usize::try_from(offset).unwrap_or(usize::MAX), limit + 1).await?;
    let mut items: Vec<_> =
        entries.ok_or_else(|| runs::no_run(&id))?.into_iter().map(convert::history_entry).collect();
    let more = items.len() > limit;
    items.truncate(limit);
    Ok(Json(Page { items, next_cursor: more.then(|| page::offset_cursor(offset + limit as u64)) }))
}
