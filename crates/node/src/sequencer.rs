//! The sequencer: owns the live runs and takes commands one after the other.
//!
//! It applies a command to memory at once and hands the transition to the committer; what the outside may see
//! is held back there until the commit. It never touches a disk, but for a run that has ended and is asked to
//! be undone, and for the one row that a run begins with whose workflow names `previous`.

mod cache;
mod children;
mod commands;
mod commit;
mod events;
mod feed;
mod gates;
mod message;
mod permits;
mod previous;
mod starts;

pub use events::{PostEvents, PostedEvent};
pub use message::{CommandError, Inbox, Message, StartError, StartRequest, Started};

use crate::{
    admissions::Admissions, cache::Lookup, catalog::Catalog, clock::Clock, committer::Unit, dispatcher::Call,
    feed::Feed, line::SharedGates, people, permits::Permits, runs::RunReader, services::Views,
};
use consort_engine::{
    Recall, Run,
    flights::{Act, Flights},
};
use consort_store::Notice;
use consort_types::{Digest, Name, RunId};
use events::Events;
use previous::Outputs;
use std::{
    collections::{HashMap, HashSet, VecDeque},
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
    /// Calls that equal calls wait for.
    flights: Flights,
    /// What the flights lead to.
    acts: VecDeque<Act>,
    /// Questions that were open when the server ended: asked when all that was in flight is known.
    asked_before: Vec<(Name, Recall)>,
    lookups: mpsc::Sender<Lookup>,
    views: Views,
    /// Runs whose place a newer one takes: told when what they are in the middle of is handed on.
    replaced: Vec<RunId>,
    dirty: HashSet<RunId>,
    summarized: Instant,
    committer: mpsc::SyncSender<Unit>,
    inbox: Inbox,
    clock: Arc<dyn Clock>,
    feed: Arc<Feed>,
    admissions: Arc<Admissions>,
    permits: Arc<Permits<Call>>,
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

/// What a sequencer works with.
pub struct SequencerParts {
    /// Takes what is to be committed.
    pub committer: mpsc::SyncSender<Unit>,
    /// Where what it tells itself is put.
    pub inbox: Inbox,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Readers of what has been committed.
    pub feed: Arc<Feed>,
    /// What is known of calls.
    pub admissions: Arc<Admissions>,
    /// Pools and who holds what of them.
    pub permits: Arc<Permits<Call>>,
    /// Loads runs that are not here.
    pub reader: Arc<RunReader>,
    /// What is deployed.
    pub catalog: Arc<Catalog>,
}

impl Sequencer {
    /// A sequencer without runs.
    pub fn new(parts: SequencerParts) -> Self {
        let SequencerParts { committer, inbox, clock, feed, admissions, permits, reader, catalog } = parts;
        Self {
            runs: HashMap::new(),
            keys: HashMap::new(),
            waiters: HashMap::new(),
            gates: SharedGates::default(),
            flights: Flights::default(),
            acts: VecDeque::new(),
            asked_before: Vec::new(),
            lookups: mpsc::channel().0,
            views: Views::default(),
            replaced: Vec::new(),
            dirty: HashSet::new(),
            summarized: Instant::now(),
            committer,
            inbox,
            clock,
            feed,
            admissions,
            permits,
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
        for (namespace, recall) in std::mem::take(&mut self.asked_before) {
            self.ask(&namespace, recall);
        }
        self.fly();
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
            self.fly();
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
            Message::Looked(key, token, found) => {
                let acts = self.flights.looked(&key, token, found);
                self.acts.extend(acts);
            }
            Message::ResultStored(key, token) => {
                let acts = self.flights.stored(&key, token);
                self.acts.extend(acts);
            }
            Message::Applied(namespace) => self.take_limits(&namespace),
            Message::Stored(run, next_seq) => self.forget(run, next_seq),
            Message::Stop => {
                self.summarize();
                return std::ops::ControlFlow::Break(());
            }
        }
        self.offer_events();
        self.fly();
        std::ops::ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod between_tests;
#[cfg(test)]
mod tests;
