//! Requests and answers: addresses, time-outs, problems.

use crate::Error;
use consort_wire::{LIMIT_MAX, ListQuery, NamespaceQuery, Page, Problem};
use reqwest::{Method, RequestBuilder, Response, Url, header};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

/// A server on this machine or network accepts within this, or it is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The bound of a plain request: each is answered from memory or one look into the store.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Pages followed for one list, so that a server that never ends its list does not fill the memory:
/// 100,000 items, as many as one `for_each` has at most.
const PAGES_MAX: usize = 200;

/// The most one answer may hold: a full page of steps, each with an input and an output of the inline limit.
const ANSWER_BYTES_MAX: usize = 500 * 2 * 256 * 1024;

/// The client of one server, seeing one namespace. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
    namespace: Option<String>,
    by: Option<header::HeaderValue>,
}

impl Client {
    /// A client of the server at `address`, `http://HOST:PORT`. Nothing is sent yet.
    ///
    /// # Errors
    /// When the address is not one that can be reached: no URL, `https`, a path behind the port.
    pub fn new(address: &str) -> Result<Self, Error> {
        let bad = |reason: String| Error::Address { address: address.to_owned(), reason };
        let server = Url::parse(address).map_err(|error| bad(format!("{error}; write http://HOST:PORT")))?;
        match server.scheme() {
            "http" => {}
            "https" => {
                let reason =
                    "this build speaks plain http only; use a tunnel (ssh -L 7878:127.0.0.1:7878 HOST)";
                return Err(bad(reason.to_owned()));
            }
            other => return Err(bad(format!("{other:?} is no scheme for it; write http://HOST:PORT"))),
        }
        if !server.has_host() || server.path() != "/" || server.query().is_some() {
            return Err(bad("write http://HOST:PORT and nothing behind it".to_owned()));
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            // The server is the next hop: a proxy of the environment is for other people's hosts.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("consort/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| bad(error.to_string()))?;
        Ok(Self { http, server, namespace: None, by: None })
    }

    /// The same client, seeing a namespace. Without one the server takes its only one, or refuses.
    #[must_use]
    pub fn in_namespace(mut self, namespace: Option<String>) -> Self {
        self.namespace = namespace;
        self
    }

    /// The same client, saying who acts. What cannot stand in a header is left out.
    #[must_use]
    pub fn acting_as(mut self, who: Option<String>) -> Self {
        self.by = who.and_then(|who| header::HeaderValue::from_str(who.trim()).ok());
        self
    }

    /// The server's address, without a slash at the end.
    pub fn server(&self) -> &str {
        self.server.as_str().trim_end_matches('/')
    }

    /// The namespace that is seen, if one was chosen.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    pub(crate) fn scope(&self) -> NamespaceQuery {
        NamespaceQuery { namespace: self.namespace.clone() }
    }

    /// A request to `/api/v1/…`, each part encoded by itself, with the usual bound in time.
    pub(crate) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.unbounded(method, path).timeout(REQUEST_TIMEOUT)
    }

    /// The same without a bound in time: for streams, uploads and calls that bring their own.
    pub(crate) fn unbounded(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.server.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(["api", "v1"]).extend(path);
        }
        let request = self.http.request(method, url);
        match &self.by {
            Some(by) => request.header("consort-by", by),
            None => request,
        }
    }

    /// A request outside of `/api/v1`.
    pub(crate) fn at_root(&self, path: &str) -> RequestBuilder {
        let mut url = self.server.clone();
        url.set_path(path);
        self.http.get(url).timeout(REQUEST_TIMEOUT)
    }

    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<T, Error> {
        self.read(self.request(Method::GET, path).query(query)).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.read(self.request(Method::POST, path).query(&self.scope()).json(body)).await
    }

    /// Every item of a list, page after page.
    pub(crate) async fn every<T: DeserializeOwned>(&self, path: &[&str]) -> Result<Vec<T>, Error> {
        let mut query = ListQuery { namespace: self.namespace.clone(), limit: Some(LIMIT_MAX), cursor: None };
        let mut items = Vec::new();
        for _ in 0..PAGES_MAX {
            let page: Page<T> = self.get(path, &query).await?;
            items.extend(page.items);
            match page.next_cursor {
                Some(cursor) => query.cursor = Some(cursor),
                None => break,
            }
        }
        Ok(items)
    }

    /// Sends, and reads the answer as JSON.
    pub(crate) async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        let response = self.send(request).await?;
        let url = response.url().to_string();
        let body = self.body(response).await?;
        serde_json::from_slice(&body).map_err(|error| Error::Unreadable { url, reason: error.to_string() })
    }

    /// Sends, and takes anything but a success apart.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let response = request.send().await.map_err(|error| self.broken(&error))?;
        if response.status().is_success() { Ok(response) } else { Err(self.refusal(response).await) }
    }

    /// The whole body, up to the bound.
    pub(crate) async fn body(&self, mut response: Response) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(&error))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                let reason = format!("it holds more than {} MiB", ANSWER_BYTES_MAX >> 20);
                return Err(Error::Unreadable { url: response.url().to_string(), reason });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    async fn refusal(&self, response: Response) -> Error {
        let (status, url) = (response.status(), response.url().to_string());
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let body = match self.body(response).await {
            Ok(body) => body,
            Err(error) => return error,
        };
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Error::of_problem(Problem { status: status.as_u16(), ..problem }, retry_after),
            Err(_) => Error::Unreadable { url, reason: format!("{status} without a problem that says why") },
        }
    }

    /// A connection that was not made, or broke.
    pub(crate) fn broken(&self, error: &reqwest::Error) -> Error {
        let mut deepest: &dyn std::error::Error = error;
        while let Some(source) = deepest.source() {
            deepest = source;
        }
        let reason = if error.is_timeout() { "no answer in time".to_owned() } else { deepest.to_string() };
        Error::NoServer { server: self.server().to_owned(), reason }
    }
}
