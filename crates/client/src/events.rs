//! Events.

use crate::{Client, Error};
use consort_wire::{Event, EventsAccepted, EventsQuery, Page};
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Map, Value};

impl Client {
    /// `POST /events`: one event, by its attributes. When this returns it is stored.
    ///
    /// # Errors
    /// When it is no event (`Refused`), or too many wait (`Limit`).
    pub async fn send_event(&self, attributes: &Map<String, Value>) -> Result<EventsAccepted, Error> {
        let body = serde_json::to_vec(attributes).expect("JSON serializes");
        let request = self.request(Method::POST, &["events"]).query(&self.scope());
        self.read(request.header(CONTENT_TYPE, "application/cloudevents+json").body(body)).await
    }

    /// `GET /events`: one page, newest first.
    ///
    /// # Errors
    /// As every call.
    pub async fn events(&self, query: EventsQuery) -> Result<Page<Event>, Error> {
        let namespace = query.namespace.or_else(|| self.namespace().map(str::to_owned));
        self.get(&["events"], &EventsQuery { namespace, ..query }).await
    }

    /// `GET /events/{id}`, by the key or the id.
    ///
    /// # Errors
    /// `NotFound` for an unknown event, and as every call.
    pub async fn event(&self, id: &str) -> Result<Event, Error> {
        self.get(&["events", id], &self.scope()).await
    }
}
