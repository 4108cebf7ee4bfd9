//! Retention: runs that ended long ago are forgotten, with their lines, in bites.
//!
//! A bite is one small unit on the way of all commits, so that what lives waits for it no longer than for
//! anybody else; between two bites the loop rests.

use crate::{
    clock::Clock,
    fail_points::{self, FailPoint},
    logs::LogSender,
    sequencer::{Inbox, Message},
};
use consort_store::Reader;
use consort_types::{RunId, Timestamp};
use std::{sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// How long a run is kept after its end when nothing is said; the contract's default.
pub const KEEP_RUNS_DEFAULT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How often it is looked for what is old.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Runs in one bite: some milliseconds of the committer's time.
const BITE: usize = 100;

/// Between two bites: with it at most a few per cent of the committer's time go into forgetting.
const REST: Duration = Duration::from_millis(100);

/// What the loop works with.
pub(crate) struct RetentionParts {
    /// Knows what is old.
    pub reader: Arc<dyn Reader>,
    /// Takes the bites.
    pub inbox: Inbox,
    /// Forgets lines.
    pub logs: LogSender,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long a run is kept after its end.
    pub keep_runs: Duration,
}

/// Runs as long as the node.
pub(crate) async fn run(parts: RetentionParts) {
    loop {
        while let Some(old) = parts.old().await {
            if parts.forget(old).await.is_err() {
                return;
            }
            tokio::time::sleep(REST).await;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The sequencer has ended.
struct Gone;

impl RetentionParts {
    /// The next bite; none when nothing is old (any more), or when the store cannot say.
    async fn old(&self) -> Option<Vec<RunId>> {
        let now = self.clock.now().as_millis();
        let keep = i64::try_from(self.keep_runs.as_millis()).unwrap_or(i64::MAX);
        let before = Timestamp::from_millis(now.saturating_sub(keep));
        let reader = self.reader.clone();
        let asked = tokio::task::spawn_blocking(move || reader.closed_before(before, BITE)).await;
        match asked {
            Ok(Ok(old)) => Some(old).filter(|old| !old.is_empty()),
            Ok(Err(error)) => {
                tracing::warn!(%error, "old runs cannot be looked for");
                None
            }
            Err(_) => None,
        }
    }

    async fn forget(&self, old: Vec<RunId>) -> Result<(), Gone> {
        fail_points::reached(FailPoint::Forgetting);
        let (reply, forgotten) = oneshot::channel();
        self.inbox.send(Message::Forget { runs: old, reply });
        // Lines last: a run that is still there must not have lost them.
        let forgotten = forgotten.await.map_err(|_| Gone)?;
        self.logs.forget(forgotten);
        Ok(())
    }
}
