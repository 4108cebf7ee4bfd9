//! The sequencer: owns the live runs and takes commands one after the other.
//!
//! It applies a command to memory at once and hands the transition to the committer; what the outside may see
//! is held back there until the commit. It never touches a disk, but for a run that has ended and is asked to
//! be undone, and for the one row that a run begins with whose workflow names `previous`.

mod children;
mod commands;
mod commit;
mod events;
mod feed;
mod gates;
mod message;
mod previous;
mod starts;

pub use events::{PostEvents, PostedEvent};
pub use message::{CommandError, Inbox, Message, StartError, StartRequest, Started};

use crate::{
    admissions::Admissions, catalog::Catalog, clock::Clock, committer::Unit, feed::Feed, line::SharedGates,
    people, runs::RunReader,
};
use consort_engine::Run;
use consort_store::Notice;
use consort_types::{Digest, Name, RunId};
use events::Events;
use previous::Outputs;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// How far the lists may lag behind while runs move.
const SUMMARY_LAG: Duration = Duration::from_millis(100);

/// Summaries written in one go, so that they never stall the runs.
const SUMMARIES_MAX: usize = 500;

/// Commands taken before the transitions are handed on, at most.
const COMMANDS_PER_TURN_MAX: usize = 500;

/// The live runs.
pub struct Sequencer {
    runs: HashMap<RunId, Live>,
    /// Keys of the runs that are here; those of the others are in the store.
    keys: HashMap<(Name, Name, String), (RunId, Digest)>,
    waiters: HashMap<RunId, Vec<oneshot::Sender<()>>>,
    gates: SharedGates,
    /// Runs whose place a newer one takes: told when what they are in the middle of is handed on.
    replaced: Vec<RunId>,
    dirty: HashSet<RunId>,
    summarized: Instant,
    committer: mpsc::SyncSender<Unit>,
    inbox: Inbox,
    clock: Arc<dyn Clock>,
    feed: Arc<Feed>,
    admissions: Arc<Admissions>,
    reader: Arc<RunReader>,
    catalog: Arc<Catalog>,
    events: Events,
    outputs: Outputs,
}

struct Live {
    run: Run,
    next_seq: u64,
    /// It has ended, and that is on its way to the store. Until it is there the run stays, with its key: the
    /// store is asked about what is not here, and does not know yet.
    is_leaving: bool,
    /// What of it waits for a person, as it is stored.
    notices: Vec<Notice>,
}

impl Live {
    /// A run of which nothing is stored yet.
    fn begun(run: Run) -> Self {
        Self { run, next_seq: 0, is_leaving: false, notices: Vec::new() }
    }

    /// A run that comes back from the store.
    fn loaded(run: Run, next_seq: u64) -> Self {
        let notices = people::notices(&run);
        Self { run, next_seq, is_leaving: false, notices }
    }
}

impl Sequencer {
    /// A sequencer without runs.
    pub fn new(
        committer: mpsc::SyncSender<Unit>,
        inbox: Inbox,
        clock: Arc<dyn Clock>,
        feed: Arc<Feed>,
        admissions: Arc<Admissions>,
        reader: Arc<RunReader>,
        catalog: Arc<Catalog>,
    ) -> Self {
        Self {
            runs: HashMap::new(),
            keys: HashMap::new(),
            waiters: HashMap::new(),
            gates: SharedGates::default(),
            replaced: Vec::new(),
            dirty: HashSet::new(),
            summarized: Instant::now(),
            committer,
            inbox,
            clock,
            feed,
            admissions,
            reader,
            catalog,
            events: Events::after(0),
            outputs: Outputs::default(),
        }
    }

    /// Numbers new events after the newest that is stored.
    pub fn number_events_after(&mut self, newest: u64) {
        self.events = Events::after(newest);
    }

    /// Runs until told to stop.
    pub fn run(mut self, messages: &mpsc::Receiver<Message>) {
        // What was taken over may have room that nobody had told it of.
        let mut more = self.let_in();
        loop {
            let patience = if more { Duration::ZERO } else { SUMMARY_LAG };
            match messages.recv_timeout(patience) {
                Ok(first) => {
                    let rest = std::iter::from_fn(|| messages.try_recv().ok());
                    for message in std::iter::once(first).chain(rest).take(COMMANDS_PER_TURN_MAX) {
                        if self.take(message).is_break() {
                            return;
                        }
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
            more = self.let_in();
            if !self.dirty.is_empty() && self.summarized.elapsed() >= SUMMARY_LAG {
                self.summarize();
            }
        }
    }

    fn take(&mut self, message: Message) -> std::ops::ControlFlow<()> {
        match message {
            Message::Start(request) => self.start(*request),
            Message::Command { run, command, reply } => self.command(run, command, reply),
            Message::StartChild(namespace, start) => self.start_child(&namespace, *start),
            Message::Wait { run, reply } => {
                if self.runs.contains_key(&run) {
                    // Of one that is leaving: told once it has left.
                    let waiters = self.waiters.entry(run).or_default();
                    // Those who gave up must not pile up while a run takes days.
                    waiters.retain(|waiter| !waiter.is_closed());
                    waiters.push(reply);
                }
            }
            Message::PostEvents(post) => self.post_events(post),
            Message::Listen(run, node) => self.listen(run, node),
            Message::EventsStored(through) => self.events_stored(through),
            // They are offered below.
            Message::OfferEvents => {}
            Message::Write(unit) => self.hand_on(unit),
            Message::Forget { runs, reply } => self.forget_for_good(runs, reply),
            Message::Touched(run, node) => self.show(run, &[node]),
            Message::Applied(namespace) => self.take_limits(&namespace),
            Message::Stored(run, next_seq) => self.forget(run, next_seq),
            Message::Stop => {
                self.summarize();
                return std::ops::ControlFlow::Break(());
            }
        }
        self.offer_events();
        std::ops::ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod between_tests;
#[cfg(test)]
mod tests;
