//! Every route in one place, and the document that is made of them.

use crate::{
    apply, artifacts, attempts, context::Context, events, feed, health, history, namespaces, people, pools,
    run_logs, runs, service_logs, services, starts, steps, workflows,
};
use axum::Json;
use consort_wire as wire;
use std::sync::{Arc, LazyLock};
use utoipa::{
    OpenApi as _,
    openapi::{
        ContentBuilder, Info, OpenApi, Paths, Ref, RefOr, ResponseBuilder, path::Operation, path::PathItem,
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Schemas that no route names by itself: problems, and the events of the feed.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(wire::Problem, wire::RunStep, wire::RunLog, wire::ServiceLogLine)))]
struct Components;

/// All routes with their operations.
pub fn routes() -> OpenApiRouter<Arc<Context>> {
    let api = OpenApiRouter::new()
        .routes(routes!(apply::apply))
        .routes(routes!(workflows::list_workflows))
        .routes(routes!(workflows::get_workflow))
        .routes(routes!(workflows::get_graph))
        .routes(routes!(workflows::list_workflow_revisions))
        .routes(routes!(starts::start_run))
        .routes(routes!(runs::list_runs))
        .routes(routes!(runs::get_run))
        .routes(routes!(steps::list_steps))
        .routes(routes!(history::get_history))
        .routes(routes!(run_logs::get_run_logs))
        .routes(routes!(runs::cancel_run))
        .routes(routes!(runs::pause_run))
        .routes(routes!(runs::resume_run))
        .routes(routes!(runs::retry_run))
        .routes(routes!(runs::undo_run))
        .routes(routes!(starts::rerun))
        .routes(routes!(runs::signal_run))
        .routes(routes!(steps::retry_step))
        .routes(routes!(steps::skip_step))
        .routes(routes!(steps::complete_step))
        .routes(routes!(services::list_services))
        .routes(routes!(services::get_service))
        .routes(routes!(services::list_service_revisions))
        .routes(routes!(services::list_replicas))
        .routes(routes!(services::get_service_stats))
        .routes(routes!(service_logs::get_service_logs))
        .routes(routes!(services::scale_service))
        .routes(routes!(services::restart_service))
        .routes(routes!(services::roll_back_service))
        .routes(routes!(services::call_operation))
        .routes(routes!(pools::list_pools))
        .routes(routes!(pools::add_to_pool))
        .routes(routes!(attempts::complete_attempt))
        .routes(routes!(attempts::fail_attempt))
        .routes(routes!(attempts::heartbeat_attempt))
        .routes(routes!(attempts::progress_attempt))
        .routes(routes!(people::list_approvals))
        .routes(routes!(people::list_incidents))
        .routes(routes!(artifacts::upload_artifact))
        .routes(routes!(artifacts::download_artifact))
        .routes(routes!(events::post_events))
        .routes(routes!(events::list_events))
        .routes(routes!(events::get_event))
        .routes(routes!(namespaces::list_namespaces))
        .routes(routes!(feed::follow_feed));
    OpenApiRouter::with_openapi(base())
        .nest("/api/v1", api)
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(get_openapi))
}

fn base() -> OpenApi {
    let mut base = OpenApi::new(Info::new("Consort", env!("CARGO_PKG_VERSION")), Paths::new());
    base.info.description =
        Some("A microservice orchestrator: workflows, and running the services.".to_owned());
    base.components = Components::openapi().components;
    base
}

/// The OpenAPI 3.1 document of all routes.
pub fn openapi() -> OpenApi {
    let mut document = routes().into_openapi();
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let refused =
                ResponseBuilder::new().description("Refused: a problem (RFC 9457) with a stable code");
            let refused = refused.content(wire::PROBLEM_MEDIA_TYPE, problem).build();
            operation.responses.responses.entry("default".to_owned()).or_insert(RefOr::T(refused));
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, options, head, patch, trace, .. } = item;
    [get, put, post, delete, options, head, patch, trace].into_iter().filter_map(Option::as_mut)
}

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "server", responses((status = 200, body = Value, description = "OpenAPI 3.1")))]
async fn get_openapi() -> Json<&'static OpenApi> {
    static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(openapi);
    Json(&DOCUMENT)
}
