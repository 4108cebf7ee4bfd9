//! The feed: what has just been committed, for everybody who looks.
//!
//! Each event has a number; a reader that lost its connection goes on after the last one it saw, as long as
//! it is kept. Events are made only while somebody listens, or did a moment ago.

use crate::{record::RunRecord, services::ServiceView};
use consort_engine::StepView;
use consort_store::LogLine;
use consort_types::{Name, RunId};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
};
use tokio::sync::broadcast;

/// Events kept for readers that come back: a few seconds of a busy server.
const KEPT_MAX: usize = 10_000;

/// How long after the last reader left events are still made, so that one that reconnects misses none.
const LINGER_MS: i64 = 30_000;

/// What an event is about.
#[derive(Debug)]
pub enum FeedData {
    /// A run has moved.
    Run(Box<RunRecord>),
    /// A step has moved.
    Step {
        /// The namespace.
        namespace: Name,
        /// The workflow.
        workflow: Name,
        /// The run.
        run: RunId,
        /// The step.
        step: Box<StepView>,
    },
    /// A service has changed.
    Service(Box<ServiceView>),
    /// An attempt wrote a line.
    Log {
        /// The namespace.
        namespace: Name,
        /// The line.
        line: Box<LogLine>,
    },
}

impl FeedData {
    /// The namespace that it is about.
    pub fn namespace(&self) -> &Name {
        match self {
            Self::Run(run) => &run.namespace,
            Self::Step { namespace, .. } | Self::Log { namespace, .. } => namespace,
            Self::Service(service) => &service.key.namespace,
        }
    }

    /// The workflow, where it is about one.
    pub fn workflow(&self) -> Option<&Name> {
        match self {
            Self::Run(run) => Some(&run.workflow),
            Self::Step { workflow, .. } => Some(workflow),
            Self::Service(_) | Self::Log { .. } => None,
        }
    }

    /// The run, where it is about one.
    pub fn run(&self) -> Option<RunId> {
        match self {
            Self::Run(run) => Some(run.id),
            Self::Step { run, .. } => Some(*run),
            Self::Log { line, .. } => Some(line.run),
            Self::Service(_) => None,
        }
    }
}

/// One event of the feed. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FeedEvent {
    /// Its number, rising.
    pub id: u64,
    /// What it is about.
    pub data: Arc<FeedData>,
    /// The text that readers get, made by the first of them.
    pub text: Arc<OnceLock<String>>,
}

/// Sends events to all readers.
#[derive(Debug)]
pub struct Feed {
    sender: broadcast::Sender<FeedEvent>,
    kept: Mutex<Kept>,
    /// When somebody was last seen to listen, in milliseconds since the epoch.
    heard_ms: AtomicI64,
}

#[derive(Debug, Default)]
struct Kept {
    events: VecDeque<FeedEvent>,
    next: u64,
}

/// What a reader gets first.
#[derive(Debug)]
pub struct Subscription {
    /// Events since the last one that the reader saw.
    pub missed: Vec<FeedEvent>,
    /// Whether events between were lost: the reader must fetch everything anew.
    pub gap: bool,
    /// Events from now on.
    pub live: broadcast::Receiver<FeedEvent>,
}

impl Default for Feed {
    fn default() -> Self {
        // A reader that is this far behind is told to fetch everything anew.
        const BEHIND_MAX: usize = 4_096;
        let sender = broadcast::Sender::new(BEHIND_MAX);
        let kept = Mutex::new(Kept { events: VecDeque::new(), next: 1 });
        Self { sender, kept, heard_ms: AtomicI64::new(i64::MIN / 2) }
    }
}

impl Feed {
    /// Whether events are worth making at a time.
    pub fn is_heard(&self, now_ms: i64) -> bool {
        if self.sender.receiver_count() > 0 {
            self.heard_ms.store(now_ms, Ordering::Relaxed);
            return true;
        }
        now_ms - self.heard_ms.load(Ordering::Relaxed) < LINGER_MS
    }

    /// Sends one event.
    pub fn publish(&self, data: FeedData) {
        let mut kept = self.kept.lock().expect("no panic while held");
        let event = FeedEvent { id: kept.next, data: Arc::new(data), text: Arc::default() };
        kept.next += 1;
        if kept.events.len() >= KEPT_MAX {
            kept.events.pop_front();
        }
        kept.events.push_back(event.clone());
        // Sent under the lock, so that a new reader neither misses an event nor sees one twice.
        let _ = self.sender.send(event);
    }

    /// Listens from now on, or from after an event that the reader saw.
    pub fn subscribe(&self, after: Option<u64>) -> Subscription {
        let kept = self.kept.lock().expect("no panic while held");
        let live = self.sender.subscribe();
        let Some(after) = after else { return Subscription { missed: Vec::new(), gap: false, live } };
        let oldest = kept.events.front().map_or(kept.next, |event| event.id);
        let gap = after + 1 < oldest || after >= kept.next;
        let missed = kept.events.iter().filter(|event| event.id > after && !gap).cloned().collect();
        Subscription { missed, gap, live }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use consort_store::LogStream;
    use consort_types::{NameKind, Timestamp};

    fn publish(feed: &Feed, text: &str) {
        let line = LogLine {
            run: RunId::from_uuid(uuid::Uuid::from_u128(1)),
            step: "a".to_owned(),
            attempt: 1,
            at: Timestamp::from_millis(0),
            stream: LogStream::Stdout,
            line: text.to_owned(),
        };
        let namespace = Name::new("n", NameKind::Kebab).unwrap();
        feed.publish(FeedData::Log { namespace, line: Box::new(line) });
    }

    fn text(event: &FeedEvent) -> &str {
        match &*event.data {
            FeedData::Log { line, .. } => &line.line,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_reader_that_comes_back_misses_nothing_and_sees_nothing_twice() {
        let feed = Feed::default();
        let mut first = feed.subscribe(None);
        publish(&feed, "a");
        publish(&feed, "b");
        let seen = first.live.try_recv().unwrap().id;
        let mut again = feed.subscribe(Some(seen));
        publish(&feed, "c");
        assert!(!again.gap);
        assert_eq!(again.missed.iter().map(text).collect::<Vec<_>>(), ["b"]);
        assert_eq!(text(&again.live.try_recv().unwrap()), "c");
    }

    #[test]
    fn a_reader_from_long_ago_or_from_another_server_is_told() {
        let feed = Feed::default();
        for _ in 0..KEPT_MAX + 10 {
            publish(&feed, "x");
        }
        assert!(feed.subscribe(Some(3)).gap);
        assert!(feed.subscribe(Some(99_999_999)).gap);
    }
}
