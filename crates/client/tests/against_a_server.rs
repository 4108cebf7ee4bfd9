//! The client against a small HTTP server that answers what the test tells it to.

use consort_client::{Client, Error, LiveItem};
use consort_types::{Digest, Json};
use consort_wire::{FeedEvent, FeedQuery, RunsQuery, StartRun};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What came in.
#[derive(Debug, Clone)]
struct Request {
    line: String,
    headers: String,
    body: Vec<u8>,
}

/// Answers each request by a function; remembers all of them; ends with its owner.
struct Server {
    address: String,
    seen: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    async fn start(answer: impl Fn(&Request, usize) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let Some(request) = read_request(&mut stream).await else { continue };
                let number = log.lock().unwrap().len();
                let text = answer(&request, number);
                log.lock().unwrap().push(request);
                let _ = stream.write_all(text.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { address, seen, task }
    }

    fn client(&self) -> Client {
        Client::new(&self.address).unwrap()
    }

    fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|request| request.line.clone()).collect()
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut headers, mut body) = (String::new(), String::new(), Vec::new());
    reader.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    while !headers.ends_with("\r\n\r\n") && headers != "\r\n" {
        reader.read_line(&mut headers).await.ok()?;
    }
    let headers = headers.to_ascii_lowercase();
    if let Some((_, rest)) = headers.split_once("content-length: ") {
        body.resize(rest.split("\r\n").next()?.parse().ok()?, 0);
        reader.read_exact(&mut body).await.ok()?;
    }
    Some(Request { line: line.trim().trim_end_matches(" HTTP/1.1").to_owned(), headers, body })
}

fn answer(status: &str, body: &Value) -> String {
    let body = body.to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\nretry-after: 7\r\n\r\n{body}"
    )
}

fn events(text: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{text}")
}

fn run(id: u8, state: &str) -> Value {
    json!({"id": format!("run_{id:032x}"), "namespace": "n", "workflow": "w", "revision": "r", "state": state,
        "created_at": "2026-11-24T09:30:00Z", "undo": "none"})
}

#[tokio::test]
async fn a_start_names_its_workflow_and_namespace() {
    let server = Server::start(|_, _| answer("201 Created", &run(1, "running"))).await;
    let client = server.client().in_namespace(Some("lending".into()));
    let start = StartRun::with_input(Json::of(&json!({"declared": 1})));
    assert_eq!(client.start("loan", &start).await.unwrap().workflow, "w");
    assert_eq!(server.lines(), ["POST /api/v1/workflows/loan/runs?namespace=lending"]);
    assert_eq!(server.seen.lock().unwrap()[0].body, br#"{"input":{"declared":1}}"#);
}

#[tokio::test]
async fn pages_are_followed_to_the_end() {
    let server = Server::start(|_, number| {
        let cursor = if number < 2 { json!(format!("c{number}")) } else { Value::Null };
        answer("200 OK", &json!({"items": [{"name": format!("n{number}")}], "next_cursor": cursor}))
    })
    .await;
    let names: Vec<_> =
        server.client().namespaces().await.unwrap().into_iter().map(|namespace| namespace.name).collect();
    assert_eq!(names, ["n0", "n1", "n2"]);
    assert_eq!(server.lines()[2], "GET /api/v1/namespaces?limit=500&cursor=c1");
}

#[tokio::test]
async fn filters_travel_as_they_are_named() {
    let server = Server::start(|_, _| answer("200 OK", &json!({"items": [], "next_cursor": null}))).await;
    let query =
        RunsQuery { state: Some("failed".parse().unwrap()), q: Some("a b".into()), ..RunsQuery::default() };
    assert!(server.client().runs(query).await.unwrap().items.is_empty());
    assert_eq!(server.lines(), ["GET /api/v1/runs?state=failed&q=a+b"]);
}

#[tokio::test]
async fn keys_of_steps_are_encoded() {
    let server = Server::start(|_, _| answer("200 OK", &run(1, "running"))).await;
    let id = "run_00000000000000000000000000000001".parse().unwrap();
    server.client().skip_step(id, "tables[a/b ?c].x").await.unwrap();
    let line = &server.lines()[0];
    assert!(line.ends_with("/steps/tables[a%2Fb%20%3Fc].x/skip"), "{line}");
}

#[tokio::test]
async fn each_status_is_its_own_situation() {
    let problem = |status: u16| json!({"type": "about:blank", "title": "t", "status": status, "detail": "why", "code": "EX"});
    let server = Server::start(move |_, number| {
        let statuses = ["404 X", "401 X", "403 X", "429 X", "413 X", "422 X", "409 X", "500 X", "503 X"];
        let status = statuses[number];
        answer(status, &problem(status[..3].parse().unwrap()))
    })
    .await;
    let client = server.client();
    let mut seen = Vec::new();
    for _ in 0..9 {
        let error = client.workflow("w").await.unwrap_err();
        assert_eq!(error.to_string(), "why");
        seen.push(match error {
            Error::NotFound(_) => "not found",
            Error::NotAllowed(_) => "not allowed",
            Error::Limit { retry_after, .. } => {
                assert_eq!(retry_after, Some(Duration::from_secs(7)));
                "limit"
            }
            Error::Refused(_) => "refused",
            Error::Failed(_) => "failed",
            other => panic!("{other:?}"),
        });
    }
    let expected = "not found,not allowed,not allowed,limit,limit,refused,refused,failed,failed";
    assert_eq!(seen.join(","), expected);
}

#[tokio::test]
async fn somebody_elses_server_is_recognised() {
    let server = Server::start(|_, number| match number {
        0 => "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello".into(),
        _ => "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello".into(),
    })
    .await;
    for _ in 0..2 {
        assert!(matches!(server.client().workflow("w").await, Err(Error::Unreadable { .. })));
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let client = Client::new(&format!("http://127.0.0.1:{port}")).unwrap();
    let error = client.workflows().await.unwrap_err();
    assert!(matches!(error, Error::NoServer { .. }), "{error:?}");
    assert!(error.to_string().starts_with(&format!("no server at http://127.0.0.1:{port}: ")), "{error}");
}

#[test]
fn addresses_that_are_none_are_refused() {
    for (address, hint) in [
        ("127.0.0.1:7878", "http://HOST:PORT"),
        ("https://consort.internal", "plain http"),
        ("http://127.0.0.1:7878/api", "nothing behind it"),
        ("unix:///x", "http://HOST:PORT"),
        ("", "http://HOST:PORT"),
    ] {
        let error = Client::new(address).unwrap_err().to_string();
        assert!(error.contains(hint), "{address}: {error}");
    }
}

#[tokio::test]
async fn a_file_travels_as_a_stream_with_its_name_and_type() {
    let bytes = vec![7_u8; 300_000];
    let digest = Digest::of(&bytes);
    let artifact = json!({"artifact": digest, "name": "stub.pdf", "type": "application/pdf", "size": 300_000, "url": "http://x/y"});
    let server = Server::start(move |_, _| answer("201 Created", &artifact)).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stub.pdf");
    std::fs::write(&path, &bytes).unwrap();

    assert_eq!(server.client().upload_file(&path).await.unwrap().artifact, digest);
    let seen = server.seen.lock().unwrap();
    assert_eq!(seen[0].line, "POST /api/v1/artifacts?name=stub.pdf");
    assert!(seen[0].headers.contains("content-type: application/pdf"));
    assert_eq!(seen[0].body, bytes);
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let error =
        Client::new("http://127.0.0.1:1").unwrap().upload_file("no/such.pdf".as_ref()).await.unwrap_err();
    assert!(error.to_string().starts_with("no/such.pdf: "), "{error}");
}

#[tokio::test]
async fn the_feed_goes_on_where_it_broke_off() {
    let server = Server::start(|_, number| match number {
        0 => events(&format!("id: 41\nevent: run\ndata: {}\n\nid: 42\nevent: ru", run(1, "running"))),
        1 => answer("503 X", &json!({"title": "starting", "status": 503})),
        2 => events(&format!(
            ": alive\n\nid: 42\nevent: tide\ndata: 1\n\nid: 43\nevent: run\ndata: {}\n\nevent: end\ndata:\n\n",
            run(1, "succeeded")
        )),
        _ => panic!("nothing to ask after the end"),
    })
    .await;
    let mut feed = server.client().feed(FeedQuery::default());
    let mut seen = Vec::new();
    while let Some(item) = feed.next().await.unwrap() {
        seen.push(match item {
            LiveItem::Opened => "opened".to_owned(),
            LiveItem::Event(FeedEvent::Run(run)) => run.state.to_string(),
            LiveItem::Event(other) => panic!("{other:?}"),
            LiveItem::Lost(_) => "lost".to_owned(),
        });
    }
    assert_eq!(seen, ["opened", "running", "lost", "lost", "opened", "succeeded"]);
    let seen = server.seen.lock().unwrap();
    assert!(!seen[0].headers.contains("last-event-id"));
    assert!(seen[2].headers.contains("last-event-id: 41"), "the cut event was not seen: {}", seen[2].headers);
}

#[tokio::test]
async fn a_refused_feed_is_not_tried_again() {
    let server = Server::start(|_, _| answer("404 X", &json!({"title": "no such run", "status": 404}))).await;
    let mut feed = server.client().feed(FeedQuery::default());
    assert!(matches!(feed.next().await, Err(Error::NotFound(_))));
}
