//! Whether the server is there, and ready.

use crate::context::Api;
use axum::{Json, extract::State, http::StatusCode};
use consort_wire::{Health, HealthState};

/// Whether the server is there
#[utoipa::path(get, path = "/healthz", tag = "server", responses((status = 200, body = Health)))]
pub async fn healthz(State(api): Api) -> Json<Health> {
    Json(Health { state: HealthState::Ok, version: api.version.to_owned(), detail: None })
}

/// Whether the server can do its work
#[utoipa::path(
    get, path = "/readyz", tag = "server",
    responses((status = 200, body = Health), (status = 503, body = Health, description = "It cannot: `detail` says why"))
)]
pub async fn readyz(State(api): Api) -> (StatusCode, Json<Health>) {
    let version = api.version.to_owned();
    if api.node.is_disk_full() {
        let detail = "the disk of the data folder is full: nothing new is started until there is room";
        let health = Health { state: HealthState::Failing, version, detail: Some(detail.to_owned()) };
        return (StatusCode::SERVICE_UNAVAILABLE, Json(health));
    }
    (StatusCode::OK, Json(Health { state: HealthState::Ok, version, detail: None }))
}
