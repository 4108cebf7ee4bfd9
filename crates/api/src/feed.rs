//! The feed: what happens, as it happens.

use crate::{
    codes,
    context::Api,
    convert,
    extract::{Query, header},
    problem::Refusal,
    serve::Ending,
    sse::{self, Source},
};
use axum::{Extension, extract::State, http::HeaderMap, response::Response};
use bytes::Bytes;
use consort_node::{FeedData, FeedEvent};
use consort_types::RunId;
use consort_wire::{self as wire, FeedQuery};
use std::collections::VecDeque;
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// Events put into one chunk, so that a burst costs one write and a slow reader holds little.
const EVENTS_PER_CHUNK_MAX: usize = 128;

/// Tells a reader to fetch everything anew: events between were lost.
const RESET: &str = "reset";

/// What happens, as it happens, as server-sent events
///
/// Each event's `data` is a `Run`, `RunStep`, `Service` or `RunLog`, as its name says. With `Last-Event-ID`
/// the stream goes on after that event; an event named `reset` comes first when that is not possible.
#[utoipa::path(
    get, path = "/feed", tag = "server",
    params(FeedQuery, ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that was seen")),
    responses((status = 200, body = String, content_type = "text/event-stream", description = "Events, until the reader goes"))
)]
pub async fn follow_feed(
    State(api): Api,
    ending: Option<Extension<Ending>>,
    Query(query): Query<FeedQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let filter = Filter::of(query)?;
    let last: Option<String> = header(&headers, "last-event-id");
    let after = last.as_deref().map(|last| place(last, &api.epoch));
    let subscription = api.node.feed().subscribe(after.flatten());
    let events = Events {
        // An id of another server's life: nothing is known of what happened since.
        reset: subscription.gap || after == Some(None),
        missed: subscription.missed.into(),
        live: subscription.live,
        filter,
        epoch: api.epoch.clone(),
    };
    let ending = ending.map(|Extension(Ending(token))| token).unwrap_or_default();
    Ok(sse::response(events, ending))
}

/// The number of an event of this server's life.
fn place(id: &str, epoch: &str) -> Option<u64> {
    let number = id.strip_prefix(epoch)?.strip_prefix('-')?.parse().ok()?;
    // No event has the largest number.
    Some(number).filter(|number| *number < u64::MAX)
}

/// Which events a reader wants.
struct Filter {
    namespace: Option<String>,
    run: Option<RunId>,
    workflow: Option<String>,
    names: Vec<&'static str>,
}

impl Filter {
    fn of(query: FeedQuery) -> Result<Self, Refusal> {
        let bad = |detail: String| Refusal::new(codes::E_QUERY, detail);
        let run = query.run.map(|run| run.parse::<RunId>()).transpose();
        let run = run.map_err(|error| bad(format!("run: {error}")))?;
        let known = wire::FeedEvent::NAMES;
        let names = match query.events {
            // Lines are many; only who looks at one run wants them unasked.
            None => known.iter().copied().filter(|name| run.is_some() || *name != "log").collect(),
            Some(names) => {
                let one = |name: &str| {
                    let found = known.iter().copied().find(|known| *known == name.trim());
                    found.ok_or_else(|| bad(format!("events: {name:?} is none of {}", known.join(", "))))
                };
                names.split(',').map(one).collect::<Result<_, _>>()?
            }
        };
        Ok(Self { namespace: query.namespace, run, workflow: query.workflow, names })
    }

    fn wants(&self, data: &FeedData) -> bool {
        let name = match data {
            FeedData::Run(_) => "run",
            FeedData::Step { .. } => "step",
            FeedData::Service(_) => "service",
            FeedData::Log { .. } => "log",
        };
        let Self { namespace, run, workflow, names } = self;
        names.contains(&name)
            && namespace.as_deref().is_none_or(|asked| data.namespace().as_str() == asked)
            && run.is_none_or(|run| data.run() == Some(run))
            && workflow.as_deref().is_none_or(|asked| data.workflow().is_some_and(|it| it.as_str() == asked))
    }
}

/// The events of one reader.
struct Events {
    filter: Filter,
    epoch: String,
    reset: bool,
    missed: VecDeque<FeedEvent>,
    live: Receiver<FeedEvent>,
}

impl Events {
    /// The text of an event: made by the first reader, for all of them.
    fn put(&self, event: &FeedEvent, chunk: &mut Vec<u8>) {
        if !self.filter.wants(&event.data) {
            return;
        }
        let text = event.text.get_or_init(|| {
            let named = convert::feed_event(&event.data);
            sse::frame(Some(&format!("{}-{}", self.epoch, event.id)), named.name(), &named.data())
        });
        chunk.extend_from_slice(text.as_bytes());
    }
}

impl Source for Events {
    async fn next(&mut self) -> Option<Bytes> {
        let mut chunk = Vec::new();
        while chunk.is_empty() {
            if std::mem::take(&mut self.reset) {
                return Some(sse::frame(None, RESET, "{}").into());
            }
            let first = match self.missed.pop_front() {
                Some(event) => Ok(event),
                None => self.live.recv().await,
            };
            match first {
                Ok(event) => self.put(&event, &mut chunk),
                Err(RecvError::Lagged(_)) => self.reset = true,
                Err(RecvError::Closed) => return None,
            }
            for _ in 1..EVENTS_PER_CHUNK_MAX {
                let more = self.missed.pop_front().or_else(|| self.live.try_recv().ok());
                match more {
                    Some(event) => self.put(&event, &mut chunk),
                    None => break,
                }
            }
        }
        Some(chunk.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_that_of_an_event_of_this_life() {
        assert_eq!(place("19a-7", "19a"), Some(7));
        for other in ["19b-7", "7", "19a7", "19a-x", "19a-18446744073709551615", ""] {
            assert_eq!(place(other, "19a"), None, "{other}");
        }
    }

    #[test]
    fn lines_come_to_who_asks() {
        let names = |run: Option<&str>, events: Option<&str>| {
            let run = run.map(str::to_owned);
            let query = FeedQuery { run, events: events.map(str::to_owned), ..FeedQuery::default() };
            Filter::of(query).map(|filter| filter.names).ok()
        };
        let run = "run_00000000000000000000000000000007";
        assert_eq!(names(None, None).unwrap(), ["run", "step", "service"]);
        assert_eq!(names(Some(run), None).unwrap(), ["run", "step", "service", "log"]);
        assert_eq!(names(None, Some("log, run")).unwrap(), ["log", "run"]);
        assert!(names(None, Some("logs")).is_none() && names(Some("x"), None).is_none());
    }
}
