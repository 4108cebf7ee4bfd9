//! Starts of runs.

use crate::{
    codes,
    context::{Api, Context},
    convert,
    extract::{Body, By, Path, Query, idempotency_key},
    problem::Refusal,
    runs,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use consort_node::{Clean, Reading, RerunBody, StartRequestBody, Started};
use consort_types::{RunId, parse_duration};
use consort_wire::{NamespaceQuery, Rerun, Run, StartQuery, StartRun};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The longest a start may be waited for: proxies and clients give up on longer silence.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Tags of one start: they stand in an index.
const TAGS_MAX: usize = 64;

/// Bytes of the name or the value of a tag.
const TAG_BYTES_MAX: usize = 256;

/// What a start answers: the run, and where it is found.
type Answer = (StatusCode, [(header::HeaderName, String); 1], Json<Run>);

/// Start a run
///
/// 201 with the new run at once. With `wait`: 200 with the finished run, 202 with the live one when the time
/// is over. The same key (in the body or as `Idempotency-Key`) gives 200 and the same run, with another input
/// 409.
#[utoipa::path(
    post, path = "/workflows/{workflow}/runs", tag = "runs", request_body = StartRun,
    params(
        ("workflow" = String, Path, description = "Its name"), StartQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "The same as `key` of the body"),
    ),
    responses(
        (status = 201, body = Run, description = "The new run"),
        (status = 200, body = Run, description = "The finished run, or the known run of the key"),
        (status = 202, body = Run, description = "The time to wait is over; the run goes on"),
    )
)]
pub async fn start_run(
    State(api): Api,
    Path(workflow): Path<String>,
    Query(query): Query<StartQuery>,
    headers: HeaderMap,
    Body(start): Body<StartRun>,
) -> Result<Answer, Refusal> {
    let wait = query.wait.as_deref().map(wait_of).transpose()?;
    check_tags(&start.tags)?;
    let namespace = api.namespace(query.namespace.as_deref())?;
    let key = idempotency_key(&headers, start.key)?;
    let reading = if start.no_cache { Reading::Bypassed } else { Reading::Allowed };
    let (input, tags, trigger) = (start.input, start.tags, "api".to_owned());
    let body = StartRequestBody { input, key, tags, reading, trigger, copies: None };
    let started = api.node.start_run(&namespace, &workflow, body).await?;
    answer(&api, started, wait).await
}

/// Start a new run like another one
///
/// The newest revision of the workflow, with the input of the old run or another one. With `from`, the steps
/// that do not depend on that step keep their outputs, where those still fit; they say so in `copied_from`.
/// With `clean`, what is done again is first undone in the old run, which must have ended; no new run begins
/// while an undo goes on (409 `E_NOT_NOW`) or waits for a person (409 `E_UNDO_PARKED`).
#[utoipa::path(
    post, path = "/runs/{id}/rerun", tag = "runs", request_body = Rerun,
    params(
        ("id" = String, Path, description = "The run"), NamespaceQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "One new run per key"),
    ),
    responses((status = 201, body = Run, description = "The new run"), (status = 200, body = Run, description = "The known run of the key"))
)]
pub async fn rerun(
    State(api): Api,
    Path(id): Path<String>,
    Query(query): Query<NamespaceQuery>,
    By(by): By,
    headers: HeaderMap,
    Body(rerun): Body<Rerun>,
) -> Result<Answer, Refusal> {
    let old = runs::find(&api, &id, query.namespace.as_deref()).await?;
    let clean = if rerun.clean == Some(true) { Clean::Yes } else { Clean::No };
    let key = idempotency_key(&headers, None)?;
    let body = RerunBody { from: rerun.from, clean, input: rerun.input, key, by };
    let started = api.node.rerun(old.id, body).await?;
    answer(&api, started, None).await
}

async fn answer(api: &Arc<Context>, started: Started, wait: Option<Duration>) -> Result<Answer, Refusal> {
    let ended = match wait {
        Some(wait) => api.node.wait(started.run, wait).await,
        None => false,
    };
    let record = api.node.run(started.run).await?;
    let record = record.ok_or_else(|| runs::no_run(&started.run.to_string()))?;
    let status = match (wait, ended || record.state.is_terminal()) {
        (Some(_), true) => StatusCode::OK,
        (Some(_), false) => StatusCode::ACCEPTED,
        (None, _) if started.new => StatusCode::CREATED,
        (None, _) => StatusCode::OK,
    };
    Ok((status, [(header::LOCATION, location(started.run))], Json(convert::run(record))))
}

fn location(run: RunId) -> String {
    format!("/api/v1/runs/{run}")
}

fn wait_of(text: &str) -> Result<Duration, Refusal> {
    let bad = |why: String| Refusal::new(codes::E_QUERY, format!("wait: {why}"));
    let wait = parse_duration(text).map_err(|error| bad(error.to_string()))?;
    if wait > WAIT_MAX {
        return Err(bad(format!("at most {} s, not {text}; ask again for longer", WAIT_MAX.as_secs())));
    }
    Ok(wait)
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let fits = |text: &str| text.len() <= TAG_BYTES_MAX;
    let fit = tags.iter().all(|(name, value)| !name.is_empty() && fits(name) && fits(value));
    if fit && tags.len() <= TAGS_MAX {
        return Ok(());
    }
    let detail =
        format!("tags: at most {TAGS_MAX}, each name and value at most {TAG_BYTES_MAX} bytes, no empty name");
    Err(Refusal::new(codes::E_BODY, detail))
}
