//! Namespaces.

use crate::{context::Api, extract::Query, page, problem::Refusal};
use axum::{Json, extract::State};
use consort_wire::{ListQuery, Namespace, Page};

/// Namespaces that were ever applied
#[utoipa::path(get, path = "/namespaces", tag = "server", params(ListQuery), responses((status = 200, body = Page<Namespace>)))]
pub async fn list_namespaces(
    State(api): Api,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Namespace>>, Refusal> {
    let mut names = api.node.namespaces();
    names.retain(|name| query.namespace.as_deref().is_none_or(|asked| name.as_str() == asked));
    let items = names.into_iter().map(|name| Namespace { name: name.to_string() }).collect();
    page::slice(items, query.limit, query.cursor.as_deref()).map(Json)
}
