//! Logs of attempts: gathered from everywhere, written by one thread, never in anybody's way.

use crate::feed::{Feed, FeedData};
use consort_store::{LogLine, LogWriter};
use consort_types::{Name, RunId};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
    mpsc,
};

/// Lines that wait to be written at most; further ones are counted and left out.
const WAITING_MAX: usize = 16_384;

/// Lines in one write.
const LINES_PER_WRITE_MAX: usize = 1_000;

/// What the writer is told.
pub enum LogMessage {
    /// A line of a run of a namespace.
    Line(Name, LogLine),
    /// The runs are gone, and their lines with them.
    Forget(Vec<RunId>),
}

/// Takes lines without ever blocking. Cheap to clone.
#[derive(Clone)]
pub struct LogSender {
    lines: mpsc::SyncSender<LogMessage>,
    left_out: Arc<AtomicU64>,
}

impl LogSender {
    /// A sender and what it sends.
    pub fn new() -> (Self, mpsc::Receiver<LogMessage>) {
        let (lines, receiver) = mpsc::sync_channel(WAITING_MAX);
        (Self { lines, left_out: Arc::default() }, receiver)
    }

    /// Takes a line of a run of a namespace.
    pub fn send(&self, namespace: &Name, line: LogLine) {
        if self.lines.try_send(LogMessage::Line(namespace.clone(), line)).is_err() {
            let before = self.left_out.fetch_add(1, Ordering::Relaxed);
            // Told once for every thousand: a flood of lines must not become a flood of warnings.
            if before.is_multiple_of(1_000) {
                tracing::warn!(
                    left_out = before + 1,
                    "lines of logs are left out: the disk is too slow for them"
                );
            }
        }
    }

    /// Forgets the lines of runs. When the writer is far behind they stay until the doctor or a person looks:
    /// nobody waits for this.
    pub fn forget(&self, runs: Vec<RunId>) {
        if self.lines.try_send(LogMessage::Forget(runs)).is_err() {
            tracing::warn!("lines of forgotten runs stay: the writer of logs is too far behind");
        }
    }
}

/// Lines of runs that are gone. What cannot be deleted stays, and is told.
fn forget(runs: &[RunId], writer: &mut dyn LogWriter) {
    for run in runs {
        if let Err(error) = writer.delete(*run) {
            tracing::warn!(%error, %run, "lines of a forgotten run could not be deleted");
        }
    }
}

/// Writes until all senders are gone.
pub fn run(messages: &mpsc::Receiver<LogMessage>, writer: &mut dyn LogWriter, feed: &Feed) {
    while let Ok(first) = messages.recv() {
        let rest = std::iter::from_fn(|| messages.try_recv().ok()).take(LINES_PER_WRITE_MAX - 1);
        let mut batch: Vec<(Name, LogLine)> = Vec::new();
        for message in std::iter::once(first).chain(rest) {
            match message {
                LogMessage::Line(namespace, line) => batch.push((namespace, line)),
                LogMessage::Forget(runs) => forget(&runs, writer),
            }
        }
        let text: Vec<LogLine> = batch.iter().map(|(_, line)| line.clone()).collect();
        if !text.is_empty()
            && let Err(error) = writer.append(&text)
        {
            tracing::warn!(%error, lines = text.len(), "lines of logs could not be written");
        }
        for (namespace, line) in batch {
            if feed.is_heard(line.at.as_millis()) {
                feed.publish(FeedData::Log { namespace, line: Box::new(line) });
            }
        }
    }
}
