//! The server itself: apply, namespaces, health, feed.

use crate::{Client, Error, Live};
use consort_wire::{ApplyQuery, ApplyRequest, ApplyResponse, FeedEvent, FeedQuery, Health, Namespace};
use reqwest::Method;
use std::time::Duration;

/// The bound of an apply: the server unpacks and checks every source before it answers.
const APPLY_TIMEOUT: Duration = Duration::from_secs(600);

impl Client {
    /// `POST /apply`: makes the namespace of the file hold what the file says; all or nothing.
    ///
    /// # Errors
    /// `Refused` when the file has errors or a source was not uploaded, and as every call.
    pub async fn apply(&self, request: &ApplyRequest) -> Result<ApplyResponse, Error> {
        self.send_apply(request, ApplyQuery { dry_run: None }).await
    }

    /// `POST /apply?dry_run=true`: what [`Client::apply`] would change.
    ///
    /// # Errors
    /// As [`Client::apply`].
    pub async fn dry_run(&self, request: &ApplyRequest) -> Result<ApplyResponse, Error> {
        self.send_apply(request, ApplyQuery { dry_run: Some(true) }).await
    }

    async fn send_apply(&self, request: &ApplyRequest, query: ApplyQuery) -> Result<ApplyResponse, Error> {
        let request = self.unbounded(Method::POST, &["apply"]).query(&query).json(request);
        self.read(request.timeout(APPLY_TIMEOUT)).await
    }

    /// `GET /namespaces`: all of them.
    ///
    /// # Errors
    /// As every call.
    pub async fn namespaces(&self) -> Result<Vec<Namespace>, Error> {
        self.every(&["namespaces"]).await
    }

    /// `GET /readyz`: whether it takes requests.
    ///
    /// # Errors
    /// `NoServer` when nobody answers; a server that is not ready answers, and says why.
    pub async fn ready(&self) -> Result<Health, Error> {
        let response = self.at_root("/readyz").send().await.map_err(|error| self.broken(&error))?;
        let url = response.url().to_string();
        response.json().await.map_err(|error| Error::Unreadable { url, reason: error.to_string() })
    }

    /// `GET /feed`: what happens, as it happens, across broken connections.
    pub fn feed(&self, query: FeedQuery) -> Live<FeedEvent> {
        let namespace = query.namespace.or_else(|| self.namespace().map(str::to_owned));
        let query = FeedQuery { namespace, ..query };
        Live::of_feed(self.clone(), self.unbounded(Method::GET, &["feed"]).query(&query))
    }
}
