//! A small server that a test scripts, and an invocation to send to it.
#![allow(dead_code, reason = "each test file uses its part")]

use consort_invoke::{Failure, Invocation, Invoker, Outcome, Target};
use consort_runtime::{BoxFuture, Error, Exec, ExecEnd, ExecSpec, LogSink, LogStream};
use consort_types::{Json, Placing, RunId, Timestamp};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

/// What the server does with a request.
#[derive(Clone)]
pub enum Reply {
    /// Answers with these bytes and keeps the connection.
    Bytes(Vec<u8>),
    /// Answers with these bytes and closes the connection.
    Last(Vec<u8>),
    /// Never answers.
    Hang,
}

pub fn reply(status: &str, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Bytes(format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}").into_bytes())
}

pub struct Server {
    pub base: String,
    /// Each request as it came: head and body.
    pub requests: Arc<Mutex<Vec<String>>>,
    /// How many connections were made.
    pub connections: Arc<Mutex<usize>>,
}

impl Server {
    /// Answers the requests with these replies in turn, the last one again and again.
    pub async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (requests, connections) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<Mutex<usize>>::default());
        let (seen, count) = (Arc::clone(&requests), Arc::clone(&connections));
        let replies = Arc::new(replies);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *count.lock().unwrap() += 1;
                tokio::spawn(serve(stream, Arc::clone(&replies), Arc::clone(&seen)));
            }
        });
        Self { base, requests, connections }
    }

    pub fn target(&self) -> Target {
        Target::Http { base: self.base.clone() }
    }

    /// The last request.
    pub fn request(&self) -> String {
        self.requests.lock().unwrap().last().cloned().unwrap()
    }
}

async fn serve(mut stream: TcpStream, replies: Arc<Vec<Reply>>, seen: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read_request(&mut stream).await {
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(request);
            seen.len() - 1
        };
        match &replies[number.min(replies.len() - 1)] {
            Reply::Bytes(bytes) => {
                if stream.write_all(bytes).await.is_err() {
                    return;
                }
            }
            Reply::Last(bytes) => {
                let _ = stream.write_all(bytes).await;
                return;
            }
            Reply::Hang => std::future::pending().await,
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// An exec place that is never used.
pub struct NoExec;

impl Exec for NoExec {
    fn exec<'a>(
        &'a self,
        _: ExecSpec,
        _: LogSink,
        _: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<ExecEnd, Error>> {
        panic!("no process is run in this test")
    }
}

pub fn invoker() -> Invoker {
    Invoker::new(Arc::new(NoExec))
}

pub fn no_log() -> LogSink {
    Arc::new(|_: LogStream, _: &str| {})
}

pub fn in_an_hour() -> Timestamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap()).plus(Duration::from_secs(3600))
}

pub fn invocation(method: &str, path: &str, input: serde_json::Value) -> Invocation {
    Invocation {
        service: "parser".into(),
        operation: "parse".into(),
        method: method.into(),
        path: path.into(),
        placing: Placing::ByMethod,
        input: Json::from(input),
        run: Some(RunId::from_uuid(uuid::Uuid::from_u128(7))),
        step: "fields[3]".into(),
        attempt: 2,
        token: "att_7_3_2".into(),
        idempotency_key: "key-1".into(),
        callback: "http://127.0.0.1:7878/api/v1/attempts/att_7_3_2".into(),
        deadline: in_an_hour(),
        timeout: Duration::from_secs(20),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
        undoes: None,
        headers: vec![],
    }
}

pub async fn call(target: &Target, invocation: &Invocation) -> Outcome {
    invoker().invoke(target, invocation, &CancellationToken::new(), no_log()).await
}

pub fn failure(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Failed(failure) => *failure,
        other => panic!("it did not fail: {other:?}"),
    }
}
