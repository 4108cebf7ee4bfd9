//! Making the server hold what a project file says.

use crate::{
    codes,
    context::{Api, Context},
    convert,
    extract::{Body, Query},
    problem::Refusal,
};
use axum::{Json, extract::State};
use consort_artifacts::ByteRange;
use consort_node::{ApplyRequest, DryRun, ProjectFile};
use consort_types::Digest;
use consort_wire::{self as wire, ApplyQuery, ApplyResponse};
use std::{collections::BTreeMap, io::Read};

/// Apply a project: all or nothing
///
/// The sources are tars that were uploaded as artifacts before. A project with errors is refused as a whole;
/// each `path` of the problem is then `FILE:LINE:COLUMN`.
#[utoipa::path(post, path = "/apply", tag = "server", request_body = wire::ApplyRequest, params(ApplyQuery), responses((status = 200, body = ApplyResponse)))]
pub async fn apply(
    State(api): Api,
    Query(query): Query<ApplyQuery>,
    Body(request): Body<wire::ApplyRequest>,
) -> Result<Json<ApplyResponse>, Refusal> {
    let mut sources = BTreeMap::new();
    for (service, tar) in request.sources {
        let content = unpack(&api, &service, tar).await?;
        sources.insert(service, content);
    }
    let files = request.files.into_iter();
    let files = files.map(|wire::SourceFile { path, text }| ProjectFile { path, text }).collect();
    let dry_run = if query.dry_run == Some(true) { DryRun::Yes } else { DryRun::No };
    let applied = api.node.apply(ApplyRequest { files, sources }, dry_run).await?;
    Ok(Json(convert::applied(applied)))
}

/// Takes an uploaded tar as a source, by its content: whatever the times and owners in the tar, the same
/// folder is the same revision.
async fn unpack(api: &Context, service: &str, tar: Digest) -> Result<Digest, Refusal> {
    let missing = |error: consort_artifacts::Error| match error {
        consort_artifacts::Error::NotFound { digest } => {
            let detail =
                format!("the source of `{service}` ({digest}) was not uploaded: POST /api/v1/artifacts");
            Refusal::new(codes::E_SOURCE, detail)
        }
        other => other.into(),
    };
    let reading = api.artifacts.read(&tar, ByteRange::All).await.map_err(missing)?;
    let length = reading.length;
    let file = reading.bytes.into_inner().into_std().await;
    let sources = api.sources.clone();
    let added = tokio::task::spawn_blocking(move || sources.add_tar(file.take(length))).await;
    let added = added.map_err(|_| Refusal::new(codes::E_INTERNAL, "unpacking a source failed"))?;
    added.map_err(|error| match error {
        consort_runtime::Error::BadSource { path, problem } => {
            let at = path.display();
            Refusal::new(codes::E_SOURCE, format!("the source of `{service}`: {at}: {problem}"))
        }
        other => {
            tracing::error!(%service, error = %other, "a source cannot be stored");
            Refusal::new(codes::E_UNAVAILABLE, format!("the source of `{service}` cannot be stored: {other}"))
        }
    })
}
