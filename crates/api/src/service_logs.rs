//! The log of a service: what its replicas wrote, merged by time.

use crate::{
    context::{Api, Context},
    convert,
    extract::{Path, Query, header},
    page,
    problem::Refusal,
    serve::Ending,
    services,
    sse::{self, Source},
};
use axum::{
    Extension, Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use consort_node::ServiceView;
use consort_runtime::ReplicaId;
use consort_runtime_process::read_log;
use consort_types::Timestamp;
use consort_wire::{LIMIT_MAX, Page, ServiceLogLine, ServiceLogsQuery};
use std::{str::FromStr, sync::Arc, time::Duration};

/// Lines of each replica that are looked at, the newest: what a person reads, not what a file holds.
const LINES_PER_REPLICA_MAX: usize = 10_000;

/// How often a followed log is looked at. Lines of replicas are in files, which tell nobody.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What the replicas of a service wrote, oldest first
///
/// With `follow=true` server-sent events named `log`: the lines that are kept, then each new one.
#[utoipa::path(
    get, path = "/services/{service}/logs", tag = "services",
    params(("service" = String, Path, description = "Its name"), ServiceLogsQuery, ("Last-Event-ID" = Option<String>, Header, description = "With `follow`: the `id` of the last line that was seen")),
    responses((status = 200, description = "A page; with `follow` a stream", content((Page<ServiceLogLine> = "application/json"), (String = "text/event-stream"))))
)]
pub async fn get_service_logs(
    State(api): Api,
    ending: Option<Extension<Ending>>,
    Path(name): Path<String>,
    Query(query): Query<ServiceLogsQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let limit = page::limit(query.limit)?;
    let after: Place = match query.cursor {
        Some(cursor) => cursor.parse().map_err(|()| page::bad_cursor())?,
        None => Place::default(),
    };
    let view = services::find(&api, &name, query.namespace.as_deref())?;
    if query.follow != Some(true) {
        let (items, last, more) = read(&api, view, query.replica, after, limit).await;
        return Ok(Json(Page { items, next_cursor: more.then(|| last.to_string()) }).into_response());
    }
    let after = header(&headers, "last-event-id").unwrap_or(after);
    let namespace = view.key.namespace.to_string();
    let lines =
        Lines { api: api.clone(), namespace, service: name, replica: query.replica, after, idle: false };
    let ending = ending.map(|Extension(Ending(token))| token).unwrap_or_default();
    Ok(sse::response(lines, ending))
}

/// A place in the merged log: a time, and how many lines of that time come before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Place {
    at_ms: i64,
    given: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "l{}.{}", self.at_ms, self.given)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at_ms, given) = text.strip_prefix('l').and_then(|rest| rest.split_once('.')).ok_or(())?;
        let place = Self { at_ms: at_ms.parse().map_err(|_| ())?, given: given.parse().map_err(|_| ())? };
        if place.to_string() == text { Ok(place) } else { Err(()) }
    }
}

impl Place {
    /// The place after a line.
    fn after(self, at: Timestamp) -> Self {
        let at_ms = at.as_millis();
        let given = if at_ms == self.at_ms { self.given + 1 } else { 1 };
        Self { at_ms, given }
    }

    /// The lines after this place, of lines that are sorted by time.
    fn rest(self, lines: Vec<ServiceLogLine>) -> impl Iterator<Item = ServiceLogLine> {
        let mut same = 0;
        lines.into_iter().filter(move |line| {
            same += usize::from(line.at.as_millis() == self.at_ms);
            line.at.as_millis() > self.at_ms || (line.at.as_millis() == self.at_ms && same > self.given)
        })
    }
}

/// Lines after a place, the place after them, and whether there are more.
async fn read(
    api: &Arc<Context>,
    view: ServiceView,
    replica: Option<String>,
    after: Place,
    limit: usize,
) -> (Vec<ServiceLogLine>, Place, bool) {
    let api = api.clone();
    let all = tokio::task::spawn_blocking(move || {
        let past = view.past_replicas.iter().map(|it| (&it.id, it.revision));
        let replicas = past.chain(view.replicas.iter().map(|it| (&it.id, it.revision)));
        let wanted = replicas.filter(|(id, _)| replica.as_ref().is_none_or(|asked| *id == asked));
        let mut lines: Vec<_> =
            wanted.flat_map(|(id, revision)| lines_of(&api, &view, id, revision)).collect();
        // Stable: lines of one replica stay in their order.
        lines.sort_by_key(|line| line.at);
        lines
    });
    let mut rest = after.rest(all.await.unwrap_or_default());
    let items: Vec<_> = rest.by_ref().take(limit).collect();
    let last = items.iter().fold(after, |place, line| place.after(line.at));
    (items, last, rest.next().is_some())
}

fn lines_of(api: &Context, view: &ServiceView, replica: &str, revision: u64) -> Vec<ServiceLogLine> {
    let service = &view.key.service;
    let number = replica.strip_prefix(service.as_str()).and_then(|rest| rest.strip_prefix('-')?.parse().ok());
    let Some(number) = number else { return Vec::new() };
    let id = ReplicaId::new(service, number);
    let lines = read_log(api.node.data_dir(), service.as_str(), &id, LINES_PER_REPLICA_MAX);
    let lines = lines.unwrap_or_else(|error| {
        tracing::warn!(replica = %id, %error, "the log of a replica cannot be read");
        Vec::new()
    });
    lines.into_iter().map(|line| convert::service_line(line, revision)).collect()
}

/// The lines of one service for one reader.
struct Lines {
    api: Arc<Context>,
    namespace: String,
    service: String,
    replica: Option<String>,
    after: Place,
    /// Nothing new was there at the last look.
    idle: bool,
}

impl Source for Lines {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.idle {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            // A service that was removed writes nothing more.
            let view = services::find(&self.api, &self.service, Some(&self.namespace)).ok()?;
            let (lines, last, more) =
                read(&self.api, view, self.replica.clone(), self.after, LIMIT_MAX as usize).await;
            let mut place = self.after;
            let mut chunk = Vec::new();
            for line in &lines {
                place = place.after(line.at);
                let data = serde_json::to_string(line).expect("lines serialize");
                chunk.extend_from_slice(sse::frame(Some(&place.to_string()), "log", &data).as_bytes());
            }
            (self.after, self.idle) = (last, !more);
            if !chunk.is_empty() {
                return Some(chunk.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use consort_wire::Stream;

    fn line(at_ms: i64, text: &str) -> ServiceLogLine {
        let at = Timestamp::from_millis(at_ms);
        ServiceLogLine { at, replica: None, revision: "1".into(), stream: Stream::Stdout, line: text.into() }
    }

    #[test]
    fn a_page_goes_on_in_the_middle_of_a_millisecond() {
        let all = || vec![line(1, "a"), line(2, "b"), line(2, "c"), line(2, "d"), line(3, "e")];
        let mut place = Place::default();
        let mut seen = Vec::new();
        while let Some(next) = place.rest(all()).next() {
            place = place.after(next.at);
            assert_eq!(place.to_string().parse(), Ok(place));
            seen.push(next.line);
        }
        assert_eq!(seen, ["a", "b", "c", "d", "e"]);
        for bad in ["", "l1", "l1.x", "l01.1", "o1"] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
