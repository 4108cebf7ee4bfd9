//! The page of the browser, out of the program itself.

use crate::{codes, problem::Refusal};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

/// Nothing but our own files runs or loads in the page; styles may be set by its libraries.
const CSP: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Where files have a hash of their content in their name.
const HASHED: &str = "assets/";

const INDEX: &str = "index.html";

#[derive(RustEmbed)]
#[cfg_attr(ui_built, folder = "../../ui/dist")]
#[cfg_attr(not(ui_built), folder = "placeholder")]
struct Files;

/// Whatever no route takes: files of the page, addresses of the page, or nothing.
pub async fn fallback(request: Request) -> Result<Response, Refusal> {
    let path = request.uri().path();
    let missing =
        || Refusal::new(codes::E_NO_ROUTE, format!("there is no {path}; GET /openapi.json lists all routes"));
    let is_api = path == "/api" || path.starts_with("/api/");
    if is_api || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(missing());
    }
    let name = path.trim_start_matches('/');
    if let Some(file) = Files::get(name) {
        return Ok(answer(name, file, request.headers()));
    }
    let is_page = name.is_empty() || (!last_part(name).contains('.') && accepts_html(request.headers()));
    let index = Files::get(INDEX).filter(|_| is_page).ok_or_else(missing)?;
    Ok(answer(INDEX, index, request.headers()))
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts.into_iter().any(|value| value.contains("text/html"))
}

fn answer(name: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let hash: String = file.metadata.sha256_hash()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let etag = HeaderValue::try_from(format!("\"{hash}\"")).expect("hex is plain ASCII");
    let cache = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = headers.get(header::IF_NONE_MATCH) == Some(&etag);
    let fixed = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type(name))),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP)),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::ETAG, etag),
    ];
    if known {
        return (axum::http::StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    (fixed, Body::from(file.data.into_owned())).into_response()
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("webp") => "image/webp",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
