//! An invocation as an HTTP request. Pure.

use crate::{Invocation, codes::Code, query};
use bytes::Bytes;
use consort_types::{BodyPlace, EmptyBody, Json, Places, Placing, RunError};
use hyper::{
    HeaderMap, Method, Uri,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT},
};
use serde_json::{Map, Value};
use std::fmt::Write;

/// The largest input that a callee gets, in bytes.
pub(crate) const INPUT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What stands before the name and version of the caller in a service's access log.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("consort/", env!("CARGO_PKG_VERSION")));

/// The media type of a body of which nobody says another.
const JSON: &str = "application/json";

/// Method, address and body of a request; the other headers are apart.
pub(crate) struct Request {
    pub method: Method,
    pub uri: Uri,
    pub body: Bytes,
    pub media_type: HeaderValue,
}

/// Puts the input where the method and the path want it, or a document: into the path, the query, the body.
pub(crate) fn request(base: &str, call: &Invocation) -> Result<Request, RunError> {
    if call.input.len() > INPUT_BYTES_MAX {
        let message = format!("the input has {} bytes, a service takes {INPUT_BYTES_MAX}", call.input.len());
        return Err(Code::InputTooLarge.error(message));
    }
    let method: Method = call
        .method
        .parse()
        .map_err(|_| Code::ServiceAddress.error(format!("{:?} is no HTTP method", call.method)))?;
    match &call.placing {
        Placing::ByMethod => by_method(base, call, method),
        Placing::Declared(places) => declared(base, call, method, places),
    }
}

fn by_method(base: &str, call: &Invocation, method: Method) -> Result<Request, RunError> {
    let media_type = HeaderValue::from_static(JSON);
    let in_query = matches!(method, Method::GET | Method::DELETE | Method::HEAD);
    if !in_query && !call.path.contains('{') {
        let uri = uri(base, &call.path, "")?;
        return Ok(Request { method, uri, body: body(&call.input), media_type });
    }
    let mut fields = fields(&call.input)?;
    let path = fill(&call.path, &mut fields)?;
    let (query, body) = match in_query {
        true => (query::of_all(&fields), Bytes::new()),
        false => (String::new(), body(&Json::of(&fields))),
    };
    Ok(Request { method, uri: uri(base, &path, &query)?, body, media_type })
}

fn declared(base: &str, call: &Invocation, method: Method, places: &Places) -> Result<Request, RunError> {
    let mut fields = fields(&call.input)?;
    let also = match &places.body {
        BodyPlace::Rest { also, .. } => also.as_slice(),
        BodyPlace::None | BodyPlace::Field { .. } => &[],
    };
    let also = also.iter().filter_map(|name| Some((name.clone(), fields.get(name)?.clone())));
    let also: Vec<(String, Value)> = also.collect();
    let path = fill(&call.path, &mut fields)?;
    let query = query::of_declared(&places.query, &fields);
    for field in &places.query {
        fields.remove(&field.name);
    }
    let (body, media_type) = match &places.body {
        BodyPlace::None => (Bytes::new(), JSON),
        BodyPlace::Field { name, media_type } => {
            let value = fields.get(name).map(|value| body(&Json::of(value)));
            (value.unwrap_or_default(), media_type.as_str())
        }
        BodyPlace::Rest { when_empty, media_type, .. } => {
            let nothing = fields.is_empty() && *when_empty == EmptyBody::Absent;
            fields.extend(also);
            let body = if nothing { Bytes::new() } else { body(&Json::of(&fields)) };
            (body, media_type.as_str())
        }
    };
    let media_type = HeaderValue::from_str(media_type)
        .map_err(|_| Code::ServiceAddress.error(format!("{media_type:?} is no media type")))?;
    Ok(Request { method, uri: uri(base, &path, &query)?, body, media_type })
}

/// The JSON text as a body, without a copy.
pub(crate) fn body(json: &Json) -> Bytes {
    struct Text(Json);
    impl AsRef<[u8]> for Text {
        fn as_ref(&self) -> &[u8] {
            self.0.text().as_bytes()
        }
    }
    Bytes::from_owner(Text(json.clone()))
}

fn fields(input: &Json) -> Result<Map<String, Value>, RunError> {
    match input.to_value() {
        Value::Object(fields) => Ok(fields),
        Value::Null => Ok(Map::new()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Code::InputPath
                .error("the input must be an object: its fields go into the path or the query"))
        }
    }
}

/// Replaces each `{field}` of a path and takes the field out of the input.
fn fill(template: &str, fields: &mut Map<String, Value>) -> Result<String, RunError> {
    let mut path = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let close = rest[open..].find('}').map(|at| open + at);
        let close = close.ok_or_else(|| {
            Code::ServiceAddress.error(format!("the path {template:?} lacks a closing brace"))
        })?;
        let name = &rest[open + 1..close];
        let text = fields.remove(name).as_ref().and_then(scalar).filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| {
            let message =
                format!("the path {template:?} needs the field `{name}` as text, number or boolean");
            Code::InputPath.error(message)
        })?;
        // A server may take such a segment as a way up the tree, and call something else.
        if text == "." || text == ".." {
            return Err(Code::InputPath.error(format!("the field `{name}` cannot be {text:?} in a path")));
        }
        path.push_str(&rest[..open]);
        percent_encode(&text, &mut path);
        rest = &rest[close + 1..];
    }
    path.push_str(rest);
    Ok(path)
}

/// A text, a number or a boolean as a path or a query writes it.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// All but the unreserved characters of RFC 3986.
pub(crate) fn percent_encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

fn uri(base: &str, path: &str, query: &str) -> Result<Uri, RunError> {
    let bad = |problem: &str| Code::ServiceAddress.error(format!("cannot call {base}{path}: {problem}"));
    let mut text = String::with_capacity(base.len() + path.len() + query.len() + 2);
    text.push_str(base.trim_end_matches('/'));
    if !path.starts_with('/') {
        text.push('/');
    }
    text.push_str(path);
    if !query.is_empty() {
        text.push(if path.contains('?') { '&' } else { '?' });
        text.push_str(query);
    }
    let uri: Uri = text.parse().map_err(|error| bad(&format!("{error}")))?;
    match uri.scheme_str() {
        Some("http") => Ok(uri),
        Some("https") => Err(bad("https is not supported yet; put a local proxy in front of it")),
        Some(_) | None => Err(bad("the address must begin with http://")),
    }
}

/// What the callee may want to know of the call.
pub(crate) fn headers(call: &Invocation, media_type: Option<HeaderValue>) -> Result<HeaderMap, RunError> {
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, AGENT);
    if let Some(media_type) = media_type {
        headers.insert(CONTENT_TYPE, media_type);
    }
    for (name, value) in &call.headers {
        // The value may be a secret, so it never stands in the message.
        let bad = || Code::ServiceAddress.error(format!("the header {name:?} of the service cannot be sent"));
        let name: HeaderName = name.parse().map_err(|_| bad())?;
        let value = HeaderValue::from_str(value).map_err(|_| bad())?;
        headers.insert(name, value);
    }
    if let Some(run) = call.run {
        put(&mut headers, "consort-run", &run.to_string());
    }
    put(&mut headers, "consort-step", &call.step);
    put(&mut headers, "consort-attempt", &call.attempt.to_string());
    put(&mut headers, "idempotency-key", &call.idempotency_key);
    put(&mut headers, "consort-token", &call.token);
    put(&mut headers, "consort-callback", &call.callback);
    put(&mut headers, "consort-deadline", &call.deadline.to_string());
    put(&mut headers, "traceparent", &call.traceparent);
    put(&mut headers, "consort-undoes", call.undoes.as_deref().unwrap_or_default());
    Ok(headers)
}

/// Sets a header of ours; one that has nothing to say is left out. The key of a step may hold the key of an
/// item in any script, which a header cannot: such a value is percent-encoded.
fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if value.is_empty() {
        return;
    }
    let value = if value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        HeaderValue::from_str(value)
    } else {
        let mut encoded = String::new();
        percent_encode(value, &mut encoded);
        HeaderValue::from_str(&encoded)
    };
    headers.insert(name, value.expect("printable ASCII is a header value"));
}
