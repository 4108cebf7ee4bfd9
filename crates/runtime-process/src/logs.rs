//! What replicas write: read without ever making them wait, kept in files of bounded size, passed on.

use crate::lines::Lines;
use consort_runtime::{LogLine, LogStream, Masker, ReplicaId};
use consort_types::Timestamp;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::mpsc,
    task::spawn_blocking,
};

/// How much is read from a pipe at once, in bytes: what a pipe of Linux holds.
const CHUNK_BYTES: usize = 64 * 1024;

/// How many chunks wait for a slow disk. After that lines are left out; the replica never waits.
const CHUNKS_WAITING_MAX: usize = 32;

/// How large the log files of a replica become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLimits {
    /// A file that reaches this is put aside and a new one begun, in bytes.
    pub file_bytes_max: u64,
    /// How many files are kept, the current one included; the oldest goes.
    pub files_max: u32,
}

impl Default for LogLimits {
    /// As Kubernetes keeps them: 10 MiB, five files.
    fn default() -> Self {
        Self { file_bytes_max: 10 * 1024 * 1024, files_max: 5 }
    }
}

/// Now, for what is stamped when it is read.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Reads a pipe to its end. Lines for which the writer has no room are left out and counted.
pub(crate) async fn drain(
    mut pipe: impl AsyncRead + Unpin,
    stream: LogStream,
    replica: ReplicaId,
    masker: Arc<Masker>,
    to: mpsc::Sender<Vec<LogLine>>,
) {
    let mut lines = Lines::default();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut skipped = 0;
    loop {
        let read = pipe.read(&mut chunk).await.unwrap_or(0);
        let at = now();
        let mut batch = Vec::new();
        let mut emit = |line: String| {
            let line = masker.mask(&line).into_owned();
            batch.push(LogLine { replica: replica.clone(), stream, at, line, skipped: 0 });
        };
        if read == 0 {
            lines.finish(&mut emit);
        } else {
            lines.push(&chunk[..read], &mut emit);
        }
        if let Some(first) = batch.first_mut() {
            first.skipped = skipped;
            let count = batch.len() as u64;
            skipped = if to.try_send(batch).is_ok() { 0 } else { skipped + count };
        }
        if read == 0 {
            return;
        }
    }
}

/// Makes the channel between the drains of a replica and its writer.
pub(crate) fn channel() -> (mpsc::Sender<Vec<LogLine>>, mpsc::Receiver<Vec<LogLine>>) {
    mpsc::channel(CHUNKS_WAITING_MAX)
}

/// Writes what the drains read into the replica's file and passes it on, until all drains have ended.
pub(crate) async fn write(
    mut from: mpsc::Receiver<Vec<LogLine>>,
    mut file: LogFile,
    to: mpsc::Sender<LogLine>,
) {
    let mut skipped = 0;
    while let Some(batch) = from.recv().await {
        let written = spawn_blocking(move || {
            let result = file.append(&batch);
            (file, batch, result)
        });
        let Ok((returned, batch, result)) = written.await else { return };
        file = returned;
        if let Err(error) = result {
            tracing::warn!(path = %file.path.display(), %error, "a log file cannot be written");
        }
        for mut line in batch {
            line.skipped += skipped;
            let left_out = line.skipped + 1;
            skipped = if to.try_send(line).is_ok() { 0 } else { left_out };
        }
    }
}

/// The log of one replica: `NAME.log`, and `NAME.log.1` (the newest of the old) and on.
pub(crate) struct LogFile {
    path: PathBuf,
    limits: LogLimits,
    file: Option<(File, u64)>,
}

impl LogFile {
    pub(crate) fn new(logs_dir: &Path, service: &str, replica: &ReplicaId, limits: LogLimits) -> Self {
        Self { path: log_path(logs_dir, service, replica), limits, file: None }
    }

    fn append(&mut self, lines: &[LogLine]) -> io::Result<()> {
        let mut text = Vec::new();
        for line in lines {
            if line.skipped > 0 {
                writeln!(
                    text,
                    "{} {} [{} lines left out: the disk was too slow]",
                    line.at,
                    line.stream.as_str(),
                    line.skipped
                )?;
            }
            writeln!(text, "{} {} {}", line.at, line.stream.as_str(), line.line)?;
        }
        let (file, bytes) = match &mut self.file {
            Some(open) => open,
            None => self.file.insert(open(&self.path)?),
        };
        file.write_all(&text)?;
        *bytes += text.len() as u64;
        if *bytes >= self.limits.file_bytes_max {
            self.file = None;
            rotate(&self.path, self.limits.files_max)?;
        }
        Ok(())
    }
}

fn log_path(logs_dir: &Path, service: &str, replica: &ReplicaId) -> PathBuf {
    logs_dir.join(service).join(format!("{replica}.log"))
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}

fn rotate(path: &Path, files_max: u32) -> io::Result<()> {
    for number in (1..files_max).rev() {
        let from = if number == 1 { path.to_owned() } else { aged(path, number - 1) };
        if from.exists() {
            fs::rename(from, aged(path, number))?;
        }
    }
    // With one file only there is nowhere to put it.
    if files_max <= 1 { fs::remove_file(path) } else { Ok(()) }
}

fn aged(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// The last lines of a replica's current log file, oldest first; none when it never wrote.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn read_log(
    data_dir: &Path,
    service: &str,
    replica: &ReplicaId,
    lines_max: usize,
) -> io::Result<Vec<LogLine>> {
    let text = match fs::read(log_path(&data_dir.join("logs"), service, replica)) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut lines: Vec<_> =
        text.lines().rev().filter_map(|line| parse_line(line, replica)).take(lines_max).collect();
    lines.reverse();
    Ok(lines)
}

fn parse_line(text: &str, replica: &ReplicaId) -> Option<LogLine> {
    let (at, rest) = text.split_once(' ')?;
    let (stream, line) = rest.split_once(' ')?;
    let stream = match stream {
        "stdout" => LogStream::Stdout,
        "stderr" => LogStream::Stderr,
        _ => return None,
    };
    let at = at.parse().ok()?;
    Some(LogLine { replica: replica.clone(), stream, at, line: line.to_owned(), skipped: 0 })
}
