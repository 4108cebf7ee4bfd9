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

/// The header in which a caller says who acts.
const BY_HEADER: &str = "consort-by";

/// How long that may be, in bytes: it stands in every history.
const BY_BYTES_MAX: usize = 100;

/// Who acts, as histories say: what the header `Consort-By` says, else `api`. A word of the caller's own, and
/// believed as such, until keys tell people apart.
pub struct By(pub String);

impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Some(value) = parts.headers.get(BY_HEADER) else { return Ok(Self("api".to_owned())) };
        let text = std::str::from_utf8(value.as_bytes()).unwrap_or_default().trim();
        if text.is_empty() || text.len() > BY_BYTES_MAX || text.chars().any(char::is_control) {
            let detail = format!("Consort-By names who acts, in 1 to {BY_BYTES_MAX} bytes");
            return Err(Refusal::new(codes::E_HEADER, detail));
        }
        Ok(Self(text.to_owned()))
    }
}

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
        read(bytes).map(Self)
    }
}

/// Reads JSON, and names the field that does not fit.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        misfit(error.inner(), &path)
    })
}

/// A JSON body that is passed on as it is; none when there is no body.
pub struct Raw(pub Option<Json>);

impl<S: Sync> FromRequest<S> for Raw {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let bytes = json_bytes(request).await?;
        let json = (!bytes.is_empty()).then(|| Json::from_slice(&bytes));
        json.transpose().map(Self).map_err(|error| misfit(&error, ""))
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
    json::check(&bytes).map_err(|error| misfit(&error, ""))?;
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

/// Text that is no JSON is 400; JSON of another shape is 422 and names the field.
fn misfit(error: &serde_json::Error, path: &str) -> Refusal {
    match error.classify() {
        Category::Syntax | Category::Eof | Category::Io => {
            Refusal::new(codes::E_JSON, format!("the body is not JSON: {error}"))
        }
        Category::Data => {
            let field = field_error(&error.to_string(), path);
            let detail = match field.path.as_str() {
                path if path.is_empty() || field.message.contains(&format!("`{path}`")) => {
                    field.message.clone()
                }
                path => format!("{path}: {}", field.message),
            };
            Refusal::new(codes::E_BODY, detail).with_errors(vec![field])
        }
    }
}

/// The field of an error: where the reader stood, and for a field that is unknown or missing its name.
fn field_error(message: &str, path: &str) -> FieldError {
    let code = if message.starts_with("unknown field") {
        "unknown"
    } else if message.starts_with("missing field") {
        "missing"
    } else {
        "type"
    };
    let path = if path == "." || path == "?" { "" } else { path };
    let named = message.split('`').nth(1).filter(|_| code != "type");
    let path = match named {
        Some(name) if path.is_empty() || path == name => name.to_owned(),
        Some(name) if path.ends_with(&format!(".{name}")) => path.to_owned(),
        Some(name) => format!("{path}.{name}"),
        None => path.to_owned(),
    };
    FieldError { path, code: code.to_owned(), message: message.to_owned() }
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
            (r#"{"input": {}, "x": 2}"#, "x", "unknown"),
            (r#"{"input": {}, "key": 5}"#, "key", "type"),
            (r#"{"tags": {"a": "b", "branch": [1]}}"#, "tags.branch", "type"),
            (r#"{"tags": []}"#, "tags", "type"),
        ] {
            let field = fields_of::<consort_wire::StartRun>(body);
            assert_eq!((field.path.as_str(), field.code.as_str()), (path, code), "{body}");
        }
        for (body, path, code) in [
            (r#"{"replicas": 1, "x": 2}"#, "x", "unknown"),
            ("{}", "replicas", "missing"),
            (r#"{"replicas": -1}"#, "replicas", "type"),
        ] {
            let field = fields_of::<consort_wire::Scale>(body);
            assert_eq!((field.path.as_str(), field.code.as_str()), (path, code), "{body}");
        }
        let field =
            fields_of::<consort_wire::ApplyRequest>(r#"{"files": [{"path": "a", "text": "", "z": 1}]}"#);
        assert_eq!((field.path.as_str(), field.code.as_str()), ("files[0].z", "unknown"));
    }

    fn fields_of<T: DeserializeOwned>(body: &str) -> FieldError {
        let mut deserializer = serde_json::Deserializer::from_str(body);
        let error = serde_path_to_error::deserialize::<_, T>(&mut deserializer).err().unwrap();
        field_error(&error.inner().to_string(), &error.path().to_string())
    }
}
