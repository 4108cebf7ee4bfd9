//! The log of a run: what its attempts wrote.

use crate::{
    context::{Api, Context},
    convert,
    extract::{Path, Query, header},
    page,
    problem::Refusal,
    runs,
    serve::Ending,
    sse::{self, Source},
};
use axum::{
    Extension, Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use consort_node::{FeedData, FeedEvent, LogFilter};
use consort_wire::{LIMIT_MAX, LogLine, Page, RunLogsQuery};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::Instant,
};

/// How long after the end of a run its last lines may come: they go another way than its history.
const LAST_LINES_MAX: Duration = Duration::from_millis(300);

/// What the attempts of a run wrote, oldest first
///
/// With `follow=true` server-sent events named `log`, and one named `end` after the last line of a run that
/// has ended. `Last-Event-ID` goes on after that line.
#[utoipa::path(
    get, path = "/runs/{id}/logs", tag = "runs",
    params(("id" = String, Path, description = "The run"), RunLogsQuery, ("Last-Event-ID" = Option<String>, Header, description = "With `follow`: the `id` of the last line that was seen")),
    responses((status = 200, description = "A page; with `follow` a stream", content((Page<LogLine> = "application/json"), (String = "text/event-stream"))))
)]
pub async fn get_run_logs(
    State(api): Api,
    ending: Option<Extension<Ending>>,
    Path(id): Path<String>,
    Query(query): Query<RunLogsQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (limit, after) = (page::limit(query.limit)?, page::offset(query.cursor.as_deref())?);
    // Before the run is looked at, so that its end is not missed.
    let live = api.node.feed().subscribe(None).live;
    let run = runs::find(&api, &id, query.namespace.as_deref()).await?;
    let filter = LogFilter { run: run.id, step: query.step };
    if query.follow != Some(true) {
        drop(live);
        return read(&api, filter, after, limit).await.map(|page| Json(page).into_response());
    }
    let after = header(&headers, "last-event-id").unwrap_or(after);
    let ended = run.state.is_terminal().then(|| Instant::now() + LAST_LINES_MAX);
    let lines = Lines { api: api.clone(), filter, after, live, unread: true, ended, done: false };
    let ending = ending.map(|Extension(Ending(token))| token).unwrap_or_default();
    Ok(sse::response(lines, ending))
}

async fn read(
    api: &Arc<Context>,
    filter: LogFilter,
    after: u64,
    limit: usize,
) -> Result<Page<LogLine>, Refusal> {
    let page = api.node.run_logs(filter, after, limit).await?;
    let items = page.lines.into_iter().map(|numbered| convert::log_line(numbered.line)).collect();
    Ok(Page { items, next_cursor: page.more.then(|| page::offset_cursor(page.next_after)) })
}

/// The lines of one run for one reader.
struct Lines {
    api: Arc<Context>,
    filter: LogFilter,
    after: u64,
    live: Receiver<FeedEvent>,
    /// Whether there may be lines in the store that were not read.
    unread: bool,
    /// The run has ended; until then further lines may come.
    ended: Option<Instant>,
    done: bool,
}

impl Lines {
    /// The next lines of the store.
    async fn read(&mut self) -> Result<Vec<u8>, Refusal> {
        let page = self.api.node.run_logs(self.filter.clone(), self.after, LIMIT_MAX as usize).await?;
        (self.after, self.unread) = (page.next_after, page.more);
        Ok(page.lines.into_iter().fold(Vec::new(), |mut chunk, numbered| {
            let id = numbered.number.to_string();
            let data = serde_json::to_string(&convert::log_line(numbered.line)).expect("lines serialize");
            chunk.extend_from_slice(sse::frame(Some(&id), "log", &data).as_bytes());
            chunk
        }))
    }

    /// Waits until there may be something new. False: nothing comes any more.
    async fn wait(&mut self) -> bool {
        let event = match self.ended {
            None => self.live.recv().await,
            Some(until) => match tokio::time::timeout_at(until, self.live.recv()).await {
                Ok(event) => event,
                Err(_) => {
                    (self.unread, self.done) = (true, true);
                    return true;
                }
            },
        };
        match event {
            Ok(event) if event.data.run() != Some(self.filter.run) => {}
            Ok(event) => match &*event.data {
                FeedData::Log { .. } => self.unread = true,
                FeedData::Run(run) if run.state.is_terminal() => self.end(),
                FeedData::Run(_) | FeedData::Step { .. } | FeedData::Service(_) => {}
            },
            Err(RecvError::Lagged(_)) => {
                self.unread = true;
                let run = self.api.node.run(self.filter.run).await;
                if run.is_ok_and(|run| run.is_none_or(|run| run.state.is_terminal())) {
                    self.end();
                }
            }
            Err(RecvError::Closed) => return false,
        }
        true
    }

    fn end(&mut self) {
        self.ended.get_or_insert_with(|| Instant::now() + LAST_LINES_MAX);
    }
}

impl Source for Lines {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.unread {
                match self.read().await {
                    Ok(chunk) if chunk.is_empty() => {}
                    Ok(chunk) => return Some(chunk.into()),
                    // The reader opens the stream again, where it broke off.
                    Err(error) => {
                        tracing::warn!(?error, "a log cannot be read");
                        return None;
                    }
                }
            } else if self.done {
                return self.ended.take().map(|_| sse::frame(None, sse::END, "{}").into());
            } else if !self.wait().await {
                return None;
            }
        }
    }
}
