//! Services: how they stand, and what one may do with them.

use crate::{
    codes,
    context::{Api, Context},
    convert,
    extract::{Body, Path, Query, Raw, idempotency_key},
    page,
    problem::Refusal,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use consort_node::{Failure, Outcome, PageRequest, ServiceKey, ServiceView};
use consort_types::{ErrorKind, Json as Value};
use consort_wire::{
    Empty, ListQuery, NamespaceQuery, Page, Replica, Rollback, Scale, Service, ServiceRevision, ServiceStats,
};

/// Services as they stand now, by name
#[utoipa::path(get, path = "/services", tag = "services", params(ListQuery), responses((status = 200, body = Page<Service>)))]
pub async fn list_services(
    State(api): Api,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Service>>, Refusal> {
    let namespace = api.namespace_if_any(query.namespace.as_deref())?;
    let views = namespace.map(|namespace| api.node.services(namespace.as_str())).unwrap_or_default();
    let page = page::slice(views, query.limit, query.cursor.as_deref())?;
    let items = page.items.iter().map(convert::service).collect();
    Ok(Json(Page { items, next_cursor: page.next_cursor }))
}

/// A service as it stands now
#[utoipa::path(get, path = "/services/{service}", tag = "services", params(("service" = String, Path, description = "Its name"), NamespaceQuery), responses((status = 200, body = Service)))]
pub async fn get_service(
    State(api): Api,
    Path(name): Path<String>,
    Query(query): Query<NamespaceQuery>,
) -> Result<Json<Service>, Refusal> {
    find(&api, &name, query.namespace.as_deref()).map(|view| Json(convert::service(&view)))
}

/// Revisions of a service, newest first
#[utoipa::path(get, path = "/services/{service}/revisions", tag = "services", params(("service" = String, Path, description = "Its name"), ListQuery), responses((status = 200, body = Page<ServiceRevision>)))]
pub async fn list_service_revisions(
    State(api): Api,
    Path(name): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<ServiceRevision>>, Refusal> {
    let view = find(&api, &name, query.namespace.as_deref())?;
    let ServiceKey { namespace, service } = view.key.clone();
    let deployed = api.node.deployed(namespace.as_str()).ok_or_else(|| no_service(&name))?;
    let request = PageRequest::at(page::limit(query.limit)?, query.cursor);
    let revisions = api.node.service_revisions(namespace, service, request).await?;
    let items = revisions.items.iter();
    let items = items.map(|stored| convert::service_revision(stored, &deployed, &view)).collect();
    Ok(Json(Page { items, next_cursor: revisions.next_cursor }))
}

/// Replicas of a service
#[utoipa::path(get, path = "/services/{service}/replicas", tag = "services", params(("service" = String, Path, description = "Its name"), ListQuery), responses((status = 200, body = Page<Replica>)))]
pub async fn list_replicas(
    State(api): Api,
    Path(name): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Replica>>, Refusal> {
    let view = find(&api, &name, query.namespace.as_deref())?;
    let replicas = view.replicas.iter().map(convert::replica).collect();
    page::slice(replicas, query.limit, query.cursor.as_deref()).map(Json)
}

/// How calls of a service have gone since the server started
///
/// In memory only: a restart of the server begins anew.
#[utoipa::path(get, path = "/services/{service}/stats", tag = "services", params(("service" = String, Path, description = "Its name"), NamespaceQuery), responses((status = 200, body = ServiceStats)))]
pub async fn get_service_stats(
    State(api): Api,
    Path(name): Path<String>,
    Query(query): Query<NamespaceQuery>,
) -> Result<Json<ServiceStats>, Refusal> {
    let view = find(&api, &name, query.namespace.as_deref())?;
    Ok(Json(convert::service_stats(&view, &api.node.call_stats(&view.key))))
}

/// Set the number of replicas by hand
#[utoipa::path(post, path = "/services/{service}/scale", tag = "services", request_body = Scale, params(("service" = String, Path, description = "Its name"), NamespaceQuery), responses((status = 200, body = Service)))]
pub async fn scale_service(
    State(api): Api,
    Path(name): Path<String>,
    Query(query): Query<NamespaceQuery>,
    Body(Scale { replicas }): Body<Scale>,
) -> Result<Json<Service>, Refusal> {
    let key = find(&api, &name, query.namespace.as_deref())?.key;
    api.node.scale(key.clone(), Some(replicas)).await?;
    after(&api, &key)
}

/// Replace the replicas of a service one by one
#[utoipa::path(post, path = "/services/{service}/restart", tag = "services", request_body = Empty, params(("service" = String, Path, description = "Its name"), NamespaceQuery), responses((status = 200, body = Service)))]
pub async fn restart_service(
    State(api): Api,
    Path(name): Path<String>,
    Query(query): Query<NamespaceQuery>,
    Body(Empty {}): Body<Empty>,
) -> Result<Json<Service>, Refusal> {
    let key = find(&api, &name, query.namespace.as_deref())?.key;
    api.node.restart(key.clone()).await?;
    after(&api, &key)
}

/// Go back to a revision, the one before without one
#[utoipa::path(post, path = "/services/{service}/rollback", tag = "services", request_body = Rollback, params(("service" = String, Path, description = "Its name"), NamespaceQuery), responses((status = 200, body = Service)))]
pub async fn roll_back_service(
    State(api): Api,
    Path(name): Path<String>,
    Query(query): Query<NamespaceQuery>,
    Body(Rollback { to }): Body<Rollback>,
) -> Result<Json<Service>, Refusal> {
    let to = to.as_deref().map(convert::revision_number).transpose()?;
    let key = find(&api, &name, query.namespace.as_deref())?.key;
    api.node.roll_back(key.clone(), to).await?;
    after(&api, &key)
}

/// Call an operation directly: load-balanced, from zero replicas if need be, validated
///
/// The body is the input, the answer the output.
#[utoipa::path(
    post, path = "/services/{service}/operations/{operation}", tag = "services", request_body = Value,
    params(
        ("service" = String, Path, description = "The service"), ("operation" = String, Path, description = "Its operation"),
        NamespaceQuery, ("Idempotency-Key" = Option<String>, Header, description = "Passed on to the service"),
    ),
    responses((status = 200, body = Value, description = "The output"))
)]
pub async fn call_operation(
    State(api): Api,
    Path((service, operation)): Path<(String, String)>,
    Query(query): Query<NamespaceQuery>,
    headers: HeaderMap,
    Raw(input): Raw,
) -> Result<Response, Refusal> {
    let namespace = api.namespace(query.namespace.as_deref())?;
    let key = idempotency_key(&headers, None)?.unwrap_or_else(|| api.call_key());
    let input = input.unwrap_or_else(|| Value::of(&serde_json::Map::new()));
    match api.node.call(&namespace, &service, &operation, &input, key).await? {
        Outcome::Succeeded(output) => {
            Ok(([(header::CONTENT_TYPE, "application/json")], output.text().to_owned()).into_response())
        }
        Outcome::Accepted => {
            let detail =
                format!("`{service}` answered 202: the answer comes later, which only a step can wait for");
            Err(Refusal::new(codes::E_NOT_BUILT, detail))
        }
        Outcome::Failed(failure) => Err(failed(&failure)),
    }
}

fn failed(failure: &Failure) -> Refusal {
    let code = match failure.error.kind {
        ErrorKind::Timeout => codes::E_CALL_TIMEOUT,
        ErrorKind::InvalidOutput => codes::E_CALL_OUTPUT,
        ErrorKind::Unavailable => codes::E_UNAVAILABLE,
        ErrorKind::Operation
        | ErrorKind::Failed
        | ErrorKind::InvalidInput
        | ErrorKind::Expression
        | ErrorKind::Limit
        | ErrorKind::Lost
        | ErrorKind::Cancelled => codes::E_CALL_FAILED,
    };
    let refusal = Refusal::new(code, failure.error.to_string());
    match failure.retry_after {
        Some(after) => refusal.retry_after(after.as_secs().max(1)),
        None => refusal,
    }
}

/// A service by its name.
pub fn find(api: &Context, name: &str, namespace: Option<&str>) -> Result<ServiceView, Refusal> {
    let namespace = api.namespace(namespace)?;
    let views = api.node.services(namespace.as_str());
    views.into_iter().find(|view| view.key.service.as_str() == name).ok_or_else(|| no_service(name))
}

fn after(api: &Context, key: &ServiceKey) -> Result<Json<Service>, Refusal> {
    let view = find(api, key.service.as_str(), Some(key.namespace.as_str()))?;
    Ok(Json(convert::service(&view)))
}

fn no_service(name: &str) -> Refusal {
    Refusal::new(codes::E_NOT_FOUND, format!("there is no service {name:?}"))
}
