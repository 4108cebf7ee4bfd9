//! Server-sent events (HTML Living Standard, section 9.2).

use axum::{
    body::Body,
    http::header,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{Stream, stream};
use std::{collections::VecDeque, convert::Infallible, fmt::Write, future::Future, time::Duration};
use tokio_util::sync::CancellationToken;

/// How often something is sent at least, so that a dead connection is noticed: the contract with clients
/// says 15 s.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// What keeps a connection alive.
const COMMENT: &[u8] = b":\n\n";

/// The event after which nothing more comes.
pub const END: &str = "end";

/// One event as it is sent. `data` is one line.
pub fn frame(id: Option<&str>, event: &str, data: &str) -> String {
    let mut text = String::with_capacity(data.len() + event.len() + 48);
    if let Some(id) = id {
        let _ = writeln!(text, "id: {id}");
    }
    let _ = write!(text, "event: {event}\ndata: {data}\n\n");
    text
}

/// Where the frames of a stream come from.
pub trait Source: Send + 'static {
    /// The next frames; none when nothing more comes. Must lose nothing when the future is dropped.
    fn next(&mut self) -> impl Future<Output = Option<Bytes>> + Send;
}

/// A response that stays open until its source or the server ends.
pub fn response(source: impl Source, ending: CancellationToken) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // Proxies must not wait for more.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(chunks(source, ending))).into_response()
}

fn chunks(
    source: impl Source,
    ending: CancellationToken,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    // The first comment goes out at once: it tells the reader that the stream is open.
    let first = VecDeque::from([Bytes::from_static(COMMENT)]);
    stream::unfold((source, ending, first), |(mut source, ending, mut waiting)| async move {
        if let Some(chunk) = waiting.pop_front() {
            return Some((Ok(chunk), (source, ending, waiting)));
        }
        let next = tokio::select! {
            () = ending.cancelled() => None,
            next = tokio::time::timeout(KEEP_ALIVE, source.next()) => match next {
                Ok(chunk) => chunk,
                Err(_) => Some(Bytes::from_static(COMMENT)),
            },
        };
        next.map(|chunk| (Ok(chunk), (source, ending, waiting)))
    })
}
