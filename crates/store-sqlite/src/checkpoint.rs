//! Moves commits from the write-ahead log into the database without holding up the next commit.

use crate::{Durability, fault::Fault, file::DatabaseFile};
use consort_store::Error;
use rusqlite::{Connection, hooks::Wal};
use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::JoinHandle,
};

/// Pages in the log that wake the thread: 32 MiB. A thousand live runs rewrite the same thousand pages with
/// each batch, and a round copies each of them once, so rounds should be few; but the whole log is read
/// again when a server starts after a kill, which takes some tens of milliseconds at this length.
const PAGES_SOFT: i32 = 8_192;

/// Pages in the log after which the writer checkpoints itself: 256 MiB. Under load that never pauses, new
/// commits are always behind the thread's work, and the log is never at an end where it can begin anew.
const PAGES_HARD: i32 = 65_536;

/// A thread that checkpoints one database file with a connection of its own.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    /// Room for one call: a round takes all that is there, so a second one has nothing to add.
    calls: SyncSender<Call>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Call {
    Checkpoint,
    Stop,
}

impl Checkpointer {
    /// Starts the thread, and makes the writer's commits call it.
    pub(crate) fn start(file: &DatabaseFile, writer: &mut Connection) -> Result<Self, Fault> {
        let connection = file.writer(Durability::Full)?;
        let (calls, received) = sync_channel(1);
        let thread = std::thread::Builder::new().name("checkpoint".to_owned());
        let thread = thread.spawn(move || run(&connection, &received));
        let thread = thread.map_err(|error| Error::Io { detail: format!("no thread: {error}") })?;
        let caller = calls.clone();
        writer.wal_hook(Some(move |log: &mut Wal, pages| {
            if pages >= PAGES_HARD {
                // Refused while the thread is at it; then the next commit tries. An error returned here
                // would be taken for one of the commit, which is done.
                let _ = log.checkpoint();
            } else if pages >= PAGES_SOFT {
                let _ = caller.try_send(Call::Checkpoint);
            }
            Ok(())
        }))?;
        Ok(Self { calls, thread: Some(thread) })
    }
}

fn run(connection: &Connection, calls: &Receiver<Call>) {
    while let Ok(Call::Checkpoint) = calls.recv() {
        // PASSIVE waits for nobody and stops nobody: what readers still need is left to the next round.
        let round = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = round {
            tracing::warn!(%error, "a checkpoint failed; the write-ahead log grows until one succeeds");
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        let _ = self.calls.send(Call::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
