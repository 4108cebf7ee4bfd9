//! Timers: tells the sequencer when a node's time has come.

use crate::{clock::Clock, sequencer::Inbox};
use consort_engine::{Command, NodeId, TimerKind};
use consort_types::{RunId, Timestamp};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::sync::mpsc;

/// The longest sleep in one piece, so that a clock that jumps is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// One timer of one node.
pub type TimerKey = (RunId, NodeId, TimerKind);

/// What the timer loop is told.
#[derive(Debug, Clone, Copy)]
pub enum TimerCommand {
    /// Sets or moves a timer.
    Set(TimerKey, Timestamp),
    /// Forgets all timers of a run that has ended.
    Forget(RunId),
}

/// Runs until the sender is gone.
pub async fn run(mut commands: mpsc::UnboundedReceiver<TimerCommand>, inbox: Inbox, clock: Arc<dyn Clock>) {
    let mut timers = Timers::default();
    loop {
        let now = clock.now();
        for (run, node, kind) in timers.due(now) {
            inbox.command(run, Command::TimerFired { node, kind });
        }
        let sleep = timers.next().map_or(SLEEP_MAX, |at| at.since(now).min(SLEEP_MAX));
        tokio::select! {
            command = commands.recv() => match command {
                Some(command) => {
                    timers.take(command);
                    while let Ok(command) = commands.try_recv() {
                        timers.take(command);
                    }
                }
                None => return,
            },
            () = tokio::time::sleep(sleep.max(Duration::from_millis(1))) => {}
        }
    }
}

/// Timers in the order in which they are due. A moved timer stays in the heap and is left out when it comes.
#[derive(Debug, Default)]
struct Timers {
    heap: BinaryHeap<Reverse<(Timestamp, TimerKey)>>,
    set: HashMap<RunId, HashMap<(NodeId, TimerKind), Timestamp>>,
}

impl Timers {
    fn take(&mut self, command: TimerCommand) {
        match command {
            TimerCommand::Set(key, at) => {
                self.set.entry(key.0).or_default().insert((key.1, key.2), at);
                self.heap.push(Reverse((at, key)));
            }
            TimerCommand::Forget(run) => {
                self.set.remove(&run);
            }
        }
    }

    fn next(&self) -> Option<Timestamp> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    fn due(&mut self, now: Timestamp) -> Vec<TimerKey> {
        let mut due = Vec::new();
        while let Some(Reverse((at, key))) = self.heap.peek().copied() {
            if at > now {
                break;
            }
            self.heap.pop();
            let of_run = self.set.get_mut(&key.0);
            let current = of_run.as_ref().and_then(|timers| timers.get(&(key.1, key.2)));
            if current == Some(&at) {
                due.push(key);
                of_run.expect("it was there").remove(&(key.1, key.2));
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(run: u128, node: u32) -> TimerKey {
        (RunId::from_uuid(uuid::Uuid::from_u128(run)), NodeId(node), TimerKind::Wake)
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_timer_fires_once_and_never_early() {
        let mut timers = Timers::default();
        timers.take(TimerCommand::Set(key(1, 1), at(100)));
        assert!(timers.due(at(99)).is_empty());
        assert_eq!(timers.due(at(100)), [key(1, 1)]);
        assert!(timers.due(at(200)).is_empty());
    }

    #[test]
    fn a_moved_timer_fires_at_its_new_time_only() {
        let mut timers = Timers::default();
        timers.take(TimerCommand::Set(key(1, 1), at(100)));
        timers.take(TimerCommand::Set(key(1, 1), at(300)));
        assert!(timers.due(at(200)).is_empty());
        assert_eq!(timers.due(at(300)), [key(1, 1)]);
    }

    #[test]
    fn a_run_that_has_ended_has_no_timers() {
        let mut timers = Timers::default();
        timers.take(TimerCommand::Set(key(1, 1), at(100)));
        timers.take(TimerCommand::Set(key(2, 1), at(100)));
        timers.take(TimerCommand::Forget(key(1, 1).0));
        assert_eq!(timers.due(at(100)), [key(2, 1)]);
    }
}
