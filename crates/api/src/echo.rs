//! The service that `consort bench` calls: it answers each call with its own input, and does nothing else.

use axum::{Router, body::Bytes, http::header, response::IntoResponse, routing::post};
use std::io;
use tokio::net::TcpListener;

/// Answers until the listener fails.
///
/// # Errors
/// When the listener fails.
pub async fn serve_echo(listener: TcpListener) -> io::Result<()> {
    let echo =
        |body: Bytes| async move { ([(header::CONTENT_TYPE, "application/json")], body).into_response() };
    axum::serve(listener, Router::new().route("/echo", post(echo))).await
}
