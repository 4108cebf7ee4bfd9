//! Live streams: what happens, as it happens, across broken connections.

use crate::{
    Client, Error,
    sse::{Frame, Parser},
};
use bytes::Bytes;
use consort_wire::{FeedError, FeedEvent};
use futures_util::{Stream, StreamExt};
use reqwest::{RequestBuilder, header};
use serde::de::DeserializeOwned;
use std::{collections::VecDeque, pin::Pin, time::Duration};
use tokio::time::Instant;

/// The first pause before a broken stream is opened again; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(200);

/// The longest pause: a restarted server is noticed within it.
const PAUSE_MAX: Duration = Duration::from_secs(3);

/// The server sends a comment at least every 15 s; after three missed ones the connection is dead, whatever
/// the network says.
const SILENCE_MAX: Duration = Duration::from_secs(45);

/// The name of the event after which nothing more comes.
const END: &str = "end";

/// What a live stream gives.
#[derive(Debug)]
pub enum LiveItem<T> {
    /// The stream is open, for the first time or again. What happened while it was closed and is no longer
    /// kept by the server does not come: ask once for the state now.
    Opened,
    /// Something happened.
    Event(T),
    /// The connection broke or was not made. The stream opens itself again; how long to go on is the
    /// caller's to say.
    Lost(Error),
}

type Chunks = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

/// A stream of server-sent events that goes on where it broke off, by `Last-Event-ID`.
pub struct Live<T> {
    client: Client,
    request: RequestBuilder,
    read: fn(&Frame) -> Result<Option<T>, String>,
    chunks: Option<Chunks>,
    parser: Parser,
    ready: VecDeque<Frame>,
    last_id: Option<String>,
    pause: Duration,
    /// When the stream may be opened again, or counts as dead while it is open. Kept here, so that a caller
    /// who drops the future at every tick of a clock does not put it off for ever.
    deadline: Instant,
    ended: bool,
}

impl<T> std::fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("last_id", &self.last_id).finish_non_exhaustive()
    }
}

impl Live<FeedEvent> {
    pub(crate) fn of_feed(client: Client, request: RequestBuilder) -> Self {
        Self::new(client, request, |frame| match FeedEvent::parse(&frame.event, &frame.data) {
            Ok(event) => Ok(Some(event)),
            Err(FeedError::Unknown(_)) => Ok(None),
            Err(error @ FeedError::Malformed(_)) => Err(error.to_string()),
        })
    }
}

impl<T: DeserializeOwned> Live<T> {
    /// A stream of events named `log`.
    pub(crate) fn of_lines(client: Client, request: RequestBuilder) -> Self {
        Self::new(client, request, |frame| match frame.event.as_str() {
            "log" => serde_json::from_str(&frame.data).map(Some).map_err(|error| error.to_string()),
            _ => Ok(None),
        })
    }
}

impl<T> Live<T> {
    fn new(client: Client, request: RequestBuilder, read: fn(&Frame) -> Result<Option<T>, String>) -> Self {
        Self {
            client,
            request: request.header(header::ACCEPT, "text/event-stream"),
            read,
            chunks: None,
            parser: Parser::default(),
            ready: VecDeque::new(),
            last_id: None,
            pause: PAUSE_MIN,
            deadline: Instant::now(),
            ended: false,
        }
    }

    /// What comes next; none after the server ended the stream for good. Opens the stream when it is not
    /// open. Dropping the future loses no event; while it connects, it begins the connecting anew.
    ///
    /// # Errors
    /// When going on is of no use: the server refuses the stream, or sends what cannot be read.
    pub async fn next(&mut self) -> Result<Option<LiveItem<T>>, Error> {
        loop {
            while let Some(frame) = self.ready.pop_front() {
                if let Some(event) = self.take(frame)? {
                    return Ok(Some(LiveItem::Event(event)));
                }
            }
            if self.ended {
                return Ok(None);
            }
            let Some(chunks) = &mut self.chunks else { return self.open().await.map(Some) };
            let lost = match tokio::time::timeout_at(self.deadline, chunks.next()).await {
                Ok(Some(Ok(bytes))) => {
                    self.deadline = Instant::now() + SILENCE_MAX;
                    let frames = self.parser.push(&bytes).map_err(|_| self.unreadable("an endless event"))?;
                    self.ready.extend(frames);
                    continue;
                }
                Ok(Some(Err(error))) => self.client.broken(&error),
                Ok(None) => self.lost("the stream ended"),
                Err(_) => self.lost("nothing came for 45 s"),
            };
            self.chunks = None;
            self.put_off();
            return Ok(Some(LiveItem::Lost(lost)));
        }
    }

    fn take(&mut self, frame: Frame) -> Result<Option<T>, Error> {
        if frame.event == END {
            self.ended = true;
            return Ok(None);
        }
        let event = (self.read)(&frame).map_err(|reason| self.unreadable(&reason))?;
        // Only what was handed on counts as seen.
        if frame.id.is_some() {
            self.last_id = frame.id;
        }
        Ok(event)
    }

    async fn open(&mut self) -> Result<LiveItem<T>, Error> {
        tokio::time::sleep_until(self.deadline).await;
        let mut request = self.request.try_clone().expect("a request without a body can be sent again");
        if let Some(id) = &self.last_id {
            request = request.header("Last-Event-ID", id);
        }
        match self.client.send(request).await {
            Ok(response) => {
                self.chunks = Some(Box::pin(response.bytes_stream()));
                self.parser = Parser::default();
                self.pause = PAUSE_MIN;
                self.deadline = Instant::now() + SILENCE_MAX;
                Ok(LiveItem::Opened)
            }
            Err(error) if error.may_pass() => {
                self.put_off();
                Ok(LiveItem::Lost(error))
            }
            Err(error) => Err(error),
        }
    }

    fn put_off(&mut self) {
        self.deadline = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }

    fn lost(&self, reason: &str) -> Error {
        Error::NoServer { server: self.client.server().to_owned(), reason: reason.to_owned() }
    }

    fn unreadable(&self, reason: &str) -> Error {
        Error::Unreadable { url: self.client.server().to_owned(), reason: reason.to_owned() }
    }
}
