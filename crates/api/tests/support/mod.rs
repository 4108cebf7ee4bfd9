//! A real node with a store in memory and a runtime in memory, behind the routes.
#![allow(dead_code)]

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
    response::Response,
};
use consort_api::{ApiOptions, router};
use consort_artifacts::Artifacts;
use consort_node::{Node, Options, SystemClock};
use consort_runtime::{BoxFuture, Error, Exec, ExecEnd, ExecSpec, FakeRuntime, LogSink};
use consort_runtime_process::Sources;
use consort_store::memory::MemoryStore;
use futures_util::StreamExt;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Nothing in these tests takes longer, whatever the machine does.
pub const DEADLINE: Duration = Duration::from_secs(10);

pub const HOST: &str = "127.0.0.1:7878";

/// Workflows that need no service.
pub const PROJECT: &str = r#"
name: demo
workflows:
  greet:
    input_schema:
      type: object
      properties: { who: { type: string }, times: { type: integer, default: 1 } }
      required: [who]
      additionalProperties: false
    steps:
      hello: { value: "hello ${input.who}" }
      size:
        switch:
          - when: default(input.times, 1) > 5
            value: { size: large }
          - else:
            value: { size: small }
    output: { text: "${hello}", size: "${size.size}" }
  ask:
    input: { who: string }
    steps:
      answer: { await: { approval: { ask: "Let ${input.who} in?", show: "${input}", form: { approved: boolean } } } }
      done: { value: "${answer.approved}" }
    output: "${done}"
  hear:
    steps:
      word: { await: { signal: word } }
    output: "${word}"
"#;

/// A project with a service, which the runtime in memory runs.
pub const WITH_SERVICE: &str = r#"
name: shop
services:
  echo:
    url: "http://127.0.0.1:9"
    operations: { say: { input: { text: string }, output: { text: string } } }
workflows:
  talk:
    input: { text: string }
    steps:
      said: { call: echo.say, with: { text: "${input.text}" }, retry: { attempts: 1 } }
    output: "${said}"
"#;

struct NoExec;

impl Exec for NoExec {
    fn exec<'a>(
        &'a self,
        _: ExecSpec,
        _: LogSink,
        _: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<ExecEnd, Error>> {
        Box::pin(async { Err(Error::ShuttingDown) })
    }
}

/// What a request was answered with.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// A refusal with its status and code, in the shape of a problem.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.bytes));
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["type"], format!("/errors/{code}"), "{problem}");
        for text in ["title", "detail", "instance"] {
            assert!(problem[text].as_str().is_some_and(|text| !text.is_empty()), "{text} of {problem}");
        }
        problem
    }

    #[track_caller]
    pub fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()
    }
}

pub struct Server {
    pub router: Router,
    pub node: Arc<Node>,
    pub data: TempDir,
}

impl Server {
    pub async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let (runtime, observations) = FakeRuntime::new();
        let address: SocketAddr = HOST.parse().unwrap();
        let node = Node::start(Options {
            data_dir: data.path().to_owned(),
            secrets_root: None,
            server_url: format!("http://{address}"),
            store: MemoryStore::default().open().unwrap(),
            runtime,
            exec: Arc::new(NoExec),
            observations,
            keep_runs: consort_node::KEEP_RUNS_DEFAULT,
            clock: Arc::new(SystemClock),
        })
        .unwrap();
        let artifacts = Arc::new(Artifacts::open(data.path()).await.unwrap());
        let sources = Sources::open(data.path()).unwrap();
        let router = router(ApiOptions {
            node: node.clone(),
            artifacts,
            sources,
            local_address: address,
            version: "1.2.3",
        });
        Self { router, node, data }
    }

    /// With the workflows that need no service.
    pub async fn with_demo() -> Self {
        let server = Self::start().await;
        server.apply(PROJECT).await.ok(200);
        server
    }

    pub async fn apply(&self, text: &str) -> Answer {
        let body = json!({ "files": [{ "path": "consort.yaml", "text": text }] });
        self.post("/api/v1/apply", &body).await
    }

    pub async fn send(&self, request: Request<Body>) -> Response {
        tokio::time::timeout(DEADLINE, self.router.clone().oneshot(request)).await.unwrap().unwrap()
    }

    pub async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.send(request).await;
        let (parts, body) = response.into_parts();
        let bytes =
            tokio::time::timeout(DEADLINE, body.collect()).await.unwrap().unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(request("GET", path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, &body.to_string()).await
    }

    pub async fn post_text(&self, path: &str, body: &str) -> Answer {
        let request = request("POST", path).header("content-type", "application/json");
        self.ask(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Starts a run and gives its id.
    pub async fn run(&self, workflow: &str, input: Value) -> String {
        let body = json!({ "input": input });
        let run = self.post(&format!("/api/v1/workflows/{workflow}/runs"), &body).await.ok(201);
        run["id"].as_str().unwrap().to_owned()
    }

    /// Starts a run and waits for its end.
    pub async fn finished(&self, workflow: &str, input: Value) -> Value {
        let body = json!({ "input": input });
        self.post(&format!("/api/v1/workflows/{workflow}/runs?wait=30s"), &body).await.ok(200)
    }

    /// Looks until what is at a path is as wanted.
    pub async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let began = std::time::Instant::now();
        loop {
            let value = self.get(path).await.json();
            if wanted(&value) {
                return value;
            }
            assert!(began.elapsed() < DEADLINE, "{path} never was as wanted: {value}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn live(&self, path: &str, last: Option<&str>) -> Events {
        let mut request = request("GET", path);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = self.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { chunks: Box::pin(response.into_body().into_data_stream()), text: String::new() }
    }
}

pub fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("host", HOST)
}

/// One event of a stream.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: Option<String>,
    pub name: String,
    pub data: Value,
}

pub struct Events {
    chunks: std::pin::Pin<Box<axum::body::BodyDataStream>>,
    text: String,
}

impl Events {
    /// The next event; none when the stream has ended.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let (frame, rest) = (frame.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    frame.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim().to_owned())
                };
                if let Some(name) = field("event:") {
                    let data = serde_json::from_str(&field("data:").unwrap()).unwrap();
                    return Some(Event { id: field("id:"), name, data });
                }
                continue;
            }
            let chunk =
                tokio::time::timeout(DEADLINE, self.chunks.next()).await.expect("an event in time")?;
            self.text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
    }

    /// The next event that is as wanted.
    pub async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if wanted(&event) {
                return event;
            }
        }
    }
}
