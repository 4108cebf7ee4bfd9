//! Refusals: made anywhere, written in one place as RFC 9457 problems.

use crate::codes::{self, Code};
use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use consort_types::FieldError;
use consort_wire::{PROBLEM_MEDIA_TYPE, Problem};
use std::any::Any;

/// Why a request is refused. As a response it carries itself in the extensions; [`render`] writes it.
#[derive(Debug, Clone)]
pub struct Refusal {
    code: &'static Code,
    detail: String,
    errors: Vec<FieldError>,
    retry_after_s: Option<u64>,
}

impl Refusal {
    /// A refusal with a code; the detail says what, where, and what to do.
    pub fn new(code: &'static Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after_s: None }
    }

    /// The same, naming each field that does not fit.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// The same, saying when another try is worth it, in seconds.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    fn document(self, instance: &str) -> Problem {
        Problem {
            problem_type: format!("/errors/{}", self.code.name),
            title: self.code.title.to_owned(),
            status: self.code.status,
            detail: self.detail,
            instance: Some(instance.to_owned()),
            code: self.code.name.to_owned(),
            errors: self.errors,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status).expect("codes have real statuses");
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the refusal that a response carries, with the path that was asked for.
pub async fn render(request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    let mut response = next.run(request).await;
    let Some(refusal) = response.extensions_mut().remove::<Refusal>() else { return response };
    let retry_after_s = refusal.retry_after_s;
    let body = serde_json::to_vec(&refusal.document(uri.path())).expect("problems serialize");
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    *response.body_mut() = body.into();
    response
}

/// What a route answers to a method that it does not have.
pub async fn method_not_allowed(request: Request) -> Refusal {
    let detail = format!("{} does not take {}", request.uri().path(), request.method());
    Refusal::new(codes::E_METHOD, detail)
}

/// What becomes of a panic: a problem for the caller, the cause in the log only.
#[allow(clippy::needless_pass_by_value)] // The layer hands it over.
pub fn of_panic(cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("no message");
    tracing::error!(panic = text, "a request ended in a panic");
    Refusal::new(codes::E_INTERNAL, "a fault of the server; its log says more").into_response()
}
