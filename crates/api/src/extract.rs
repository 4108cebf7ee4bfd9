//! What handlers take from a request. What does not fit is refused by name.

use crate::{codes, json, problem::Refusal};
use axum::{
    body::Body as HttpBody,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use consort_types::{FieldError, Json};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use std::{str::FromStr, time::Duration};

/// The most bytes of a request, artifacts excepted: the limit of the contract.
pub const REQUEST_BYTES_MAX: usize = 8 << 20;

/// How long a body may take to arrive: 8 MiB at the pace of a poor line, and no longer, so that slow
/// senders do not pile up.
const BODY_TIME_MAX: Duration = Duration::from_secs(60);

/// How long an idempotency key may be, in bytes: it stands in an index.
const KEY_BYTES_MAX: usize = 255;

/// What stands behind the `?`.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        axum::extract::Query::try_from_uri(&parts.uri).map(|query| Self(query.0)).map_err(|rejection| {
            let text = rejection.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            Refusal::new(codes::E_QUERY, text)
        })
    }
}

/// The parts of the path that the route names, percent-decoded.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|error| Refusal::new(codes::E_NO_ROUTE, error.body_text()))
    }
}

/// A JSON body of a known shape. No body at all counts as `{}`.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let bytes = json_bytes(request).await?;
        let bytes = if bytes.is_empty() { b"{}" } else { bytes.as_slice() };
        // Derived readers also take a list of the fields' values, which nobody means.
        if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Err(Refusal::new(codes::E_BODY, "the body must be a JSON object"));
        }
        serde_json::from_slice(bytes).map(Self).map_err(|error| misfit(&error))
    }
}

/// A JSON body that is passed on as it is; none when there is no body.
pub struct Raw(pub Option<Json>);

impl<S: Sync> FromRequest<S> for Raw {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let bytes = json_bytes(request).await?;
        let json = (!bytes.is_empty()).then(|| Json::from_slice(&bytes));
        json.transpose().map(Self).map_err(|error| misfit(&error))
    }
}

/// The bytes of a body that is JSON that everything behind can read, or empty.
async fn json_bytes(request: Request) -> Result<Vec<u8>, Refusal> {
    let (parts, body) = request.into_parts();
    let bytes = gather(&parts.headers, body).await?;
    if bytes.is_empty() {
        return Ok(bytes);
    }
    if !is_json(&parts.headers) {
        return Err(Refusal::new(codes::E_MEDIA_TYPE, "send JSON, with Content-Type: application/json"));
    }
    json::check(&bytes).map_err(|error| misfit(&error))?;
    Ok(bytes)
}

fn is_json(headers: &HeaderMap) -> bool {
    let declared =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The bytes of a body, within the bounds of a request.
pub async fn gather(headers: &HeaderMap, body: HttpBody) -> Result<Vec<u8>, Refusal> {
    let too_large = || {
        let detail = format!(
            "a request has at most {} MiB; put large values into artifacts (POST /api/v1/artifacts)",
            REQUEST_BYTES_MAX >> 20
        );
        Refusal::new(codes::E_TOO_LARGE, detail)
    };
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > REQUEST_BYTES_MAX) {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(declared.unwrap_or(0));
    let mut chunks = body.into_data_stream();
    let all = async {
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| Refusal::new(codes::E_BODY_BROKEN, error.to_string()))?;
            if bytes.len() + chunk.len() > REQUEST_BYTES_MAX {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(())
    };
    let late = |_| {
        let detail = format!("the body did not come within {} s", BODY_TIME_MAX.as_secs());
        Refusal::new(codes::E_BODY_TIMEOUT, detail)
    };
    tokio::time::timeout(BODY_TIME_MAX, all).await.map_err(late)??;
    Ok(bytes)
}

/// Text that is no JSON is 400; JSON of another shape is 422 and names the field where it can.
fn misfit(error: &serde_json::Error) -> Refusal {
    match error.classify() {
        Category::Syntax | Category::Eof | Category::Io => {
            Refusal::new(codes::E_JSON, format!("the body is not JSON: {error}"))
        }
        Category::Data => {
            Refusal::new(codes::E_BODY, error.to_string()).with_errors(vec![field_error(&error.to_string())])
        }
    }
}

fn field_error(message: &str) -> FieldError {
    let code = if message.starts_with("unknown field") {
        "unknown"
    } else if message.starts_with("missing field") {
        "missing"
    } else {
        "type"
    };
    let named = message.split('`').nth(1).filter(|_| code != "type").unwrap_or_default();
    FieldError { path: named.to_owned(), code: code.to_owned(), message: message.to_owned() }
}

/// The `Idempotency-Key` of a request, from its header or its body. Both may be there if they agree.
pub fn idempotency_key(headers: &HeaderMap, in_body: Option<String>) -> Result<Option<String>, Refusal> {
    let bad = |detail: &str| Err(Refusal::new(codes::E_HEADER, detail));
    let in_header = match headers.get("idempotency-key").map(|value| value.to_str()) {
        None => None,
        Some(Ok(text)) => Some(text.to_owned()),
        Some(Err(_)) => return bad("Idempotency-Key must be plain ASCII"),
    };
    if in_header.is_some() && in_body.is_some() && in_header != in_body {
        return bad("Idempotency-Key and `key` say different things: send one of them");
    }
    let key = in_body.or(in_header);
    match &key {
        Some(key) if key.is_empty() || key.len() > KEY_BYTES_MAX => bad("a key has 1 to 255 bytes"),
        _ => Ok(key),
    }
}

/// A header as one of our words; none when it is missing or something else.
pub fn header<T: FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_that_does_not_fit_is_named() {
        for (body, path, code) in [
            (r#"{"replicas": 1, "x": 2}"#, "x", "unknown"),
            ("{}", "replicas", "missing"),
            (r#"{"replicas": -1}"#, "", "type"),
        ] {
            let error = serde_json::from_str::<consort_wire::Scale>(body).unwrap_err();
            let field = field_error(&error.to_string());
            assert_eq!((field.path.as_str(), field.code.as_str()), (path, code), "{body}");
        }
    }
}
