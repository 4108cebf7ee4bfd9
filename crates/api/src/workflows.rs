//! Workflows: definitions, graphs, revisions.

use crate::{
    codes,
    context::{Api, Context},
    convert,
    extract::{Path, Query},
    page,
    problem::Refusal,
};
use axum::{Json, extract::State};
use consort_node::{CurrentWorkflow, PageRequest};
use consort_types::{Name, NameKind, Timestamp};
use consort_wire::{Graph, GraphQuery, ListQuery, NamespaceQuery, Page, Workflow, WorkflowRevision};

/// Workflows in their newest revisions, by name
#[utoipa::path(get, path = "/workflows", tag = "workflows", params(ListQuery), responses((status = 200, body = Page<Workflow>)))]
pub async fn list_workflows(
    State(api): Api,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Workflow>>, Refusal> {
    let namespace = api.namespace_if_any(query.namespace.as_deref())?;
    let Some(namespace) = namespace else { return Ok(Json(Page::default())) };
    let deployed = api.node.deployed(namespace.as_str());
    let names = deployed.iter().flat_map(|deployed| deployed.project.workflows.keys()).cloned().collect();
    let names: Page<Name> = page::slice(names, query.limit, query.cursor.as_deref())?;
    let mut items = Vec::with_capacity(names.items.len());
    for name in &names.items {
        // Removed by an apply meanwhile: not in the list any more.
        let Some(current) = api.node.workflow(namespace.as_str(), name.as_str()) else { continue };
        items.push(describe(&api, &namespace, &current).await?);
    }
    Ok(Json(Page { items, next_cursor: names.next_cursor }))
}

/// A workflow in its newest revision
#[utoipa::path(get, path = "/workflows/{workflow}", tag = "workflows", params(("workflow" = String, Path, description = "Its name"), NamespaceQuery), responses((status = 200, body = Workflow)))]
pub async fn get_workflow(
    State(api): Api,
    Path(name): Path<String>,
    Query(query): Query<NamespaceQuery>,
) -> Result<Json<Workflow>, Refusal> {
    let namespace = api.namespace(query.namespace.as_deref())?;
    let current = find(&api, &namespace, &name)?;
    describe(&api, &namespace, &current).await.map(Json)
}

/// The graph of a revision, the newest without one
#[utoipa::path(get, path = "/workflows/{workflow}/graph", tag = "workflows", params(("workflow" = String, Path, description = "Its name"), GraphQuery), responses((status = 200, body = Graph)))]
pub async fn get_graph(
    State(api): Api,
    Path(name): Path<String>,
    Query(query): Query<GraphQuery>,
) -> Result<Json<Graph>, Refusal> {
    let namespace = api.namespace(query.namespace.as_deref())?;
    let Some(revision) = query.revision else {
        let CurrentWorkflow { workflow, revision } = find(&api, &namespace, &name)?;
        return Ok(Json(convert::graph(&workflow, revision)));
    };
    let number = convert::revision_number(&revision)?;
    let workflow = api.node.workflow_at(namespace.clone(), known_name(&name)?, number).await?;
    let missing = || Refusal::new(codes::E_NOT_FOUND, format!("`{name}` has no revision {number}"));
    let workflow = workflow.ok_or_else(missing)?;
    Ok(Json(convert::graph(&workflow, number)))
}

/// Revisions of a workflow, newest first
#[utoipa::path(get, path = "/workflows/{workflow}/revisions", tag = "workflows", params(("workflow" = String, Path, description = "Its name"), ListQuery), responses((status = 200, body = Page<WorkflowRevision>)))]
pub async fn list_workflow_revisions(
    State(api): Api,
    Path(name): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<WorkflowRevision>>, Refusal> {
    let namespace = api.namespace(query.namespace.as_deref())?;
    let current = api.node.workflow(namespace.as_str(), &name).map(|current| current.revision);
    let request = PageRequest::at(page::limit(query.limit)?, query.cursor.clone());
    let revisions = api.node.workflow_revisions(namespace, known_name(&name)?, request).await?;
    if current.is_none() && revisions.items.is_empty() && query.cursor.is_none() {
        return Err(no_workflow(&name));
    }
    let items = revisions.items.iter().map(|stored| convert::workflow_revision(stored, current)).collect();
    Ok(Json(Page { items, next_cursor: revisions.next_cursor }))
}

async fn describe(
    api: &std::sync::Arc<Context>,
    namespace: &Name,
    current: &CurrentWorkflow,
) -> Result<Workflow, Refusal> {
    let name = current.workflow.name.clone();
    let newest = api.node.workflow_revisions(namespace.clone(), name, PageRequest::first(1)).await?;
    let applied_at = newest.items.first().map_or(Timestamp::from_millis(0), |newest| newest.applied_at);
    Ok(convert::workflow(namespace, current, applied_at))
}

fn find(api: &Context, namespace: &Name, name: &str) -> Result<CurrentWorkflow, Refusal> {
    api.node.workflow(namespace.as_str(), name).ok_or_else(|| no_workflow(name))
}

/// A text as a name; what cannot be one names nothing.
fn known_name(name: &str) -> Result<Name, Refusal> {
    Name::new(name, NameKind::Kebab).map_err(|_| no_workflow(name))
}

fn no_workflow(name: &str) -> Refusal {
    Refusal::new(codes::E_NOT_FOUND, format!("there is no workflow {name:?}"))
}
