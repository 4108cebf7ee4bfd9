//! A small HTTP server for tests of the binary.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Output},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// Request lines and bodies.
type Seen = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A server on a free port that answers by a function of the path behind `/api/v1`; it ends with its owner.
pub struct Server {
    address: String,
    seen: Seen,
    over: Arc<AtomicBool>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address.trim_start_matches("http://"));
    }
}

impl Server {
    pub fn start(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (seen, over) = (Seen::default(), Arc::new(AtomicBool::new(false)));
        let (log, stop, answer) = (seen.clone(), over.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (log, answer) = (log.clone(), answer.clone());
                thread::spawn(move || serve(stream, &log, &*answer));
            }
        });
        Self { address, seen, over }
    }

    /// Runs the binary against it.
    pub fn consort(&self, folder: &Path, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_consort"));
        command.args(args).args(["--server", &self.address]).current_dir(folder);
        command.output().expect("the binary runs")
    }

    /// The body of the first request whose line begins so.
    #[track_caller]
    pub fn body(&self, line: &str) -> Vec<u8> {
        let seen = self.seen.lock().unwrap();
        let lines: Vec<_> = seen.iter().map(|(line, _)| line).collect();
        seen.iter()
            .find(|(seen, _)| seen.starts_with(line))
            .unwrap_or_else(|| panic!("{line}: {lines:?}"))
            .1
            .clone()
    }
}

fn serve(
    mut stream: TcpStream,
    log: &Mutex<Vec<(String, Vec<u8>)>>,
    answer: &dyn Fn(&str) -> String,
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).ok()?;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().ok()?;
        }
        if header.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    log.lock().unwrap().push((line.clone(), body));
    let path = line.split([' ', '?']).nth(1).unwrap_or_default().trim_start_matches("/api/v1");
    stream.write_all(answer(path).as_bytes()).ok()
}

/// An answer in JSON.
pub fn json_answer(status: u16, body: &Value) -> String {
    let body = body.to_string();
    format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\nretry-after: 7\r\n\r\n{body}",
        body.len()
    )
}

/// What the binary wrote.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
