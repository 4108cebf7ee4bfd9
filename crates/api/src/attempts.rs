//! Answers that come later: what a service says at `Consort-Callback` after it answered a call with 202.

use crate::{
    codes,
    context::{Api, Context},
    extract::{Body, Path},
    problem::Refusal,
};
use axum::{Json, extract::State};
use consort_node::{AttemptResult, AttemptToken, Command, ProgressNote};
use consort_types::{AttemptState, ErrorKind, RunError};
use consort_wire::{CompleteStep, Empty, FailAttempt, ProgressAttempt};
use std::sync::Arc;

/// The call is done: its output, checked against the operation's schema
#[utoipa::path(post, path = "/attempts/{token}/complete", tag = "attempts", request_body = CompleteStep, params(("token" = String, Path, description = "`Consort-Token` of the call")), responses((status = 200, body = Empty)))]
pub async fn complete_attempt(
    State(api): Api,
    Path(token): Path<String>,
    Body(CompleteStep { output }): Body<CompleteStep>,
) -> Result<Json<Empty>, Refusal> {
    finish(&api, &token, AttemptResult::Succeeded(output)).await
}

/// The call has failed
#[utoipa::path(post, path = "/attempts/{token}/fail", tag = "attempts", request_body = FailAttempt, params(("token" = String, Path, description = "`Consort-Token` of the call")), responses((status = 200, body = Empty)))]
pub async fn fail_attempt(
    State(api): Api,
    Path(token): Path<String>,
    Body(fail): Body<FailAttempt>,
) -> Result<Json<Empty>, Refusal> {
    let FailAttempt { error, message, retryable, details } = fail;
    let failed = RunError::new(error, ErrorKind::Operation, message);
    let error = RunError { retryable, details, ..failed };
    let result = AttemptResult::Failed { state: AttemptState::Failed, error, retry_after: None };
    finish(&api, &token, result).await
}

/// The service still works on the call
#[utoipa::path(post, path = "/attempts/{token}/heartbeat", tag = "attempts", request_body = Empty, params(("token" = String, Path, description = "`Consort-Token` of the call")), responses((status = 200, body = Empty)))]
pub async fn heartbeat_attempt(
    State(api): Api,
    Path(token): Path<String>,
    Body(Empty {}): Body<Empty>,
) -> Result<Json<Empty>, Refusal> {
    let token = parse(&token)?;
    command(&api, token, Command::AttemptHeartbeat { token, progress: None }).await
}

/// How far the call is; keeps it alive as a heartbeat does
#[utoipa::path(post, path = "/attempts/{token}/progress", tag = "attempts", request_body = ProgressAttempt, params(("token" = String, Path, description = "`Consort-Token` of the call")), responses((status = 200, body = Empty)))]
pub async fn progress_attempt(
    State(api): Api,
    Path(token): Path<String>,
    Body(ProgressAttempt { fraction, message }): Body<ProgressAttempt>,
) -> Result<Json<Empty>, Refusal> {
    if fraction.is_some_and(|fraction| !(0.0..=1.0).contains(&fraction)) {
        return Err(Refusal::new(codes::E_INPUT, "fraction: must be from 0 to 1"));
    }
    let token = parse(&token)?;
    let progress = Some(ProgressNote { fraction, message });
    command(&api, token, Command::AttemptHeartbeat { token, progress }).await
}

async fn finish(api: &Arc<Context>, token: &str, result: AttemptResult) -> Result<Json<Empty>, Refusal> {
    let token = parse(token)?;
    let started_at = api.node.now();
    let finished = Command::AttemptFinished { token, started_at, replica: None, revision: None, result };
    command(api, token, finished).await
}

async fn command(api: &Arc<Context>, token: AttemptToken, command: Command) -> Result<Json<Empty>, Refusal> {
    api.node.command(token.run, command).await?;
    Ok(Json(Empty {}))
}

fn parse(token: &str) -> Result<AttemptToken, Refusal> {
    token.parse().map_err(|_| Refusal::new(codes::E_NOT_FOUND, format!("there is no attempt {token:?}")))
}
