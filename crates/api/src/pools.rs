//! Pools: how they stand, and more for a budget.

use crate::{
    codes,
    context::Api,
    convert,
    extract::{Body, Path, Query},
    page,
    problem::Refusal,
};
use axum::{Json, extract::State};
use consort_wire::{AddToBudget, ListQuery, NamespaceQuery, Page, Pool};

/// Pools as they stand now: how full, who holds permits, who waits
#[utoipa::path(get, path = "/pools", tag = "pools", params(ListQuery), responses((status = 200, body = Page<Pool>)))]
pub async fn list_pools(
    State(api): Api,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Pool>>, Refusal> {
    let namespace = api.namespace_if_any(query.namespace.as_deref())?;
    let pools = namespace.map(|namespace| api.node.pools(&namespace)).unwrap_or_default();
    let page = page::slice(pools, query.limit, query.cursor.as_deref())?;
    let items = page.items.into_iter().map(convert::pool).collect();
    Ok(Json(Page { items, next_cursor: page.next_cursor }))
}

/// Give more to a budget until its next reset; runs that stand still for it go on
#[utoipa::path(post, path = "/pools/{pool}/add", tag = "pools", request_body = AddToBudget, params(("pool" = String, Path, description = "Its name"), NamespaceQuery), responses((status = 200, body = Pool)))]
pub async fn add_to_pool(
    State(api): Api,
    Path(name): Path<String>,
    Query(query): Query<NamespaceQuery>,
    Body(AddToBudget { amount, key, run }): Body<AddToBudget>,
) -> Result<Json<Pool>, Refusal> {
    let namespace = api.namespace(query.namespace.as_deref())?;
    if amount.is_zero() {
        return Err(Refusal::new(codes::E_BODY, "amount: a number over 0"));
    }
    let state = api.node.add_to_budget(&namespace, &name, key.as_deref(), run, amount);
    let state = state.ok_or_else(|| {
        Refusal::new(
            codes::E_NOT_FOUND,
            format!("there is no pool {name:?} with a budget, of this key and run"),
        )
    })?;
    Ok(Json(convert::pool(state)))
}
