//! Whether a replica is well.

use crate::process::{Launch, Process, Stdin};
use consort_runtime::{HealthCheck, HealthProbe};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

/// How soon a starting replica is asked again; doubles up to its interval. A quick one is ready at once.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// How much of an answer is read to find its status.
const STATUS_BYTES_MAX: usize = 64;

/// A change of health.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Ready,
    Unready(String),
}

/// What a probe needs to know of its replica.
pub(crate) struct Subject {
    pub address: SocketAddr,
    pub shim: PathBuf,
    pub dir: PathBuf,
    pub environment: Vec<(String, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Starting,
    Ready,
    Unready,
}

/// Asks a replica again and again and tells each change, until nobody listens. Without a check: until the
/// port accepts for the first time.
pub(crate) async fn watch(check: Option<HealthCheck>, subject: Subject, changes: mpsc::Sender<Change>) {
    let once = check.is_none();
    let check = check.unwrap_or_default();
    let began = Instant::now();
    let mut state = State::Starting;
    let mut was_ready = false;
    let mut failures = 0;
    let mut pause = FIRST_PAUSE;
    while !changes.is_closed() {
        let change = match ask(&check, &subject).await {
            Ok(()) => {
                was_ready = true;
                failures = 0;
                (state != State::Ready).then_some((State::Ready, Change::Ready))
            }
            Err(reason) => {
                // While it starts, it has its time.
                failures += u32::from(was_ready || began.elapsed() >= check.start_period);
                let late = failures >= check.retries.max(1) && state != State::Unready;
                late.then(|| (State::Unready, Change::Unready(explain(was_ready, began, &reason))))
            }
        };
        if let Some((next, change)) = change {
            state = next;
            if changes.send(change).await.is_err() {
                return;
            }
        }
        if once && was_ready {
            return;
        }
        pause = if state == State::Starting { pause.min(check.interval) } else { check.interval };
        sleep(pause).await;
        pause *= 2;
    }
}

fn explain(was_ready: bool, began: Instant, reason: &str) -> String {
    if was_ready {
        return format!("the health check fails: {reason}");
    }
    format!("not ready {} after the start: {reason}", consort_types::format_duration(began.elapsed()))
}

async fn ask(check: &HealthCheck, subject: &Subject) -> Result<(), String> {
    let probe = async {
        match &check.probe {
            HealthProbe::Tcp => connect(subject.address).await.map(drop),
            HealthProbe::Http { path } => http(subject.address, path).await,
            HealthProbe::Test(argv) => test(argv, subject).await,
        }
    };
    let late = || format!("no answer within {}", consort_types::format_duration(check.timeout));
    timeout(check.timeout, probe).await.unwrap_or_else(|_| Err(late()))
}

async fn connect(address: SocketAddr) -> Result<TcpStream, String> {
    TcpStream::connect(address)
        .await
        .map_err(|error| format!("port {} of 127.0.0.1: {error}", address.port()))
}

/// A whole client for one status line would be too much.
/// How much of a healthy answer is read, beyond its first line.
const REST_BYTES_MAX: u64 = 64 * 1024;

async fn http(address: SocketAddr, path: &str) -> Result<(), String> {
    let mut stream = connect(address).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nuser-agent: consort-healthcheck\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    let mut head = stream.take(STATUS_BYTES_MAX as u64);
    while !answer.contains(&b'\n') {
        let read = head.read_buf(&mut answer).await.map_err(|error| error.to_string())?;
        if read == 0 {
            break;
        }
    }
    // A server whose answer is not taken to its end sees a broken connection and tells so in its log.
    let mut rest = head.into_inner().take(REST_BYTES_MAX);
    let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
    match status(&answer) {
        Some(200..=399) => Ok(()),
        Some(status) => Err(format!("GET {path} answered {status}")),
        None => Err(format!("GET {path} was not answered in HTTP")),
    }
}

fn status(answer: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(answer.split(|byte| *byte == b'\r' || *byte == b'\n').next()?).ok()?;
    line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
}

async fn test(argv: &[String], subject: &Subject) -> Result<(), String> {
    let dir: &Path = &subject.dir;
    let launch =
        Launch { shim: &subject.shim, argv, dir, environment: &subject.environment, stdin: Stdin::Nothing };
    let mut process = Process::start(launch).await.map_err(|error| error.to_string())?;
    // What it says is not kept; a closed pipe could kill it, so it is read.
    let pipes = [
        process.stdout.take().map(|pipe| tokio::spawn(discard(pipe))),
        process.stderr.take().map(|pipe| tokio::spawn(discard(pipe))),
    ];
    let end = process.wait().await;
    drop(pipes);
    match end.code {
        Some(0) => Ok(()),
        Some(code) => Err(format!("`{}` exited with {code}", argv.join(" "))),
        None => Err(format!("`{}` was killed by signal {}", argv.join(" "), end.signal.unwrap_or_default())),
    }
}

async fn discard(mut pipe: impl tokio::io::AsyncRead + Unpin) {
    let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
}
