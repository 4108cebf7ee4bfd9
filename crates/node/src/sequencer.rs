//! The sequencer: owns the live runs and takes commands one after the other.
//!
//! It applies a command to memory at once and hands the transition to the committer; what the outside may see
//! is held back there until the commit. It never touches a disk, but for a run that has ended and is asked to
//! be undone.

use crate::{
    admissions::Admissions,
    catalog::Catalog,
    clock::Clock,
    committer::{After, Unit},
    feed::{Feed, FeedData},
    record::{BRIEF_BYTES_MAX, RunRecord},
    runs::RunReader,
};
use bytes::Bytes;
use consort_engine::{ChildStart, Command, Effect, NodeId, Rejected, Run, Start, StepView, Transition};
use consort_store::{OpenRun, Write};
use consort_types::{Digest, Name, RunId};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

mod children;

/// How far the lists may lag behind while runs move.
const SUMMARY_LAG: Duration = Duration::from_millis(100);

/// Summaries written in one go, so that they never stall the runs.
const SUMMARIES_MAX: usize = 500;

/// Commands taken before the transitions are handed on, at most.
const COMMANDS_PER_TURN_MAX: usize = 500;

/// A step without a large input or output: who wants those asks for the step.
fn brief(mut step: StepView) -> StepView {
    for value in [&mut step.input, &mut step.output] {
        if value.as_ref().is_some_and(|value| value.len() > BRIEF_BYTES_MAX) {
            *value = None;
        }
    }
    step
}

/// Whether a command comes from another run, which may also speak to one that has ended.
const fn is_of_kin(command: &Command) -> bool {
    matches!(command, Command::FromParent(_) | Command::FromChild(_))
}

/// What the sequencer is told.
pub enum Message {
    /// Start a run.
    Start(Box<StartRequest>),
    /// A command for a run.
    Command {
        /// Which run.
        run: RunId,
        /// What.
        command: Command,
        /// Where the answer goes, after the commit.
        reply: Option<oneshot::Sender<Result<(), CommandError>>>,
    },
    /// Start a child run of a namespace, unless it is known already.
    StartChild(Name, Box<ChildStart>),
    /// Tell when a run has ended.
    Wait {
        /// Which run.
        run: RunId,
        /// Told after the commit of its end; dropped when the run is not live.
        reply: oneshot::Sender<()>,
    },
    /// Writes that go the way of all commits, and what follows them.
    Write(Unit),
    /// What the dispatcher knows of a call has changed: readers of the feed want to see it.
    Touched(RunId, NodeId),
    /// The end of a run is committed, up to this row of its history.
    Stored(RunId, u64),
    /// Hand on what is left and end.
    Stop,
}

/// A start and what its answer needs.
pub struct StartRequest {
    /// The start.
    pub start: Start,
    /// Address of the input, to see whether a repeated key brings the same.
    pub input_digest: Digest,
    /// Where the answer goes, after the commit.
    pub reply: oneshot::Sender<Result<Started, StartError>>,
}

/// A start that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// The run.
    pub run: RunId,
    /// Whether it is new, or was started before under the same key.
    pub new: bool,
}

/// Why a start was not taken.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The key was used before with another input.
    #[error("the key was used before for {0}, with another input")]
    KeyTaken(RunId),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] consort_store::Error),
}

/// Why a command was not taken.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// No such run.
    #[error("there is no run {0}")]
    NoSuchRun(RunId),
    /// The run does not take it.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// The store cannot be read.
    #[error("{0}")]
    Store(String),
}

/// Where commands are put. Cheap to clone.
#[derive(Clone)]
pub struct Inbox(mpsc::Sender<Message>);

impl Inbox {
    /// An inbox and what is put into it.
    pub fn new() -> (Self, mpsc::Receiver<Message>) {
        let (sender, receiver) = mpsc::channel();
        (Self(sender), receiver)
    }

    /// Puts a message. After the sequencer has ended nobody needs it any more.
    pub fn send(&self, message: Message) {
        let _ = self.0.send(message);
    }

    /// Puts a command whose answer nobody waits for.
    pub fn command(&self, run: RunId, command: Command) {
        self.send(Message::Command { run, command, reply: None });
    }
}

/// The live runs.
pub struct Sequencer {
    runs: HashMap<RunId, Live>,
    /// Keys of the runs that are here; those of the others are in the store.
    keys: HashMap<(Name, Name, String), (RunId, Digest)>,
    waiters: HashMap<RunId, Vec<oneshot::Sender<()>>>,
    dirty: HashSet<RunId>,
    summarized: Instant,
    committer: mpsc::SyncSender<Unit>,
    inbox: Inbox,
    clock: Arc<dyn Clock>,
    feed: Arc<Feed>,
    admissions: Arc<Admissions>,
    reader: Arc<RunReader>,
    catalog: Arc<Catalog>,
}

struct Live {
    run: Run,
    next_seq: u64,
    /// It has ended, and that is on its way to the store. Until it is there the run stays, with its key: the
    /// store is asked about what is not here, and does not know yet.
    is_leaving: bool,
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
            dirty: HashSet::new(),
            summarized: Instant::now(),
            committer,
            inbox,
            clock,
            feed,
            admissions,
            reader,
            catalog,
        }
    }

    /// Takes over a run that was open when the server ended; returns what must be done again.
    pub fn adopt(&mut self, open: &OpenRun, run: Run, next_seq: u64) -> Vec<After> {
        if let Some(key) = &open.key {
            let key = (open.namespace.clone(), open.workflow.clone(), key.clone());
            self.keys.insert(key, (open.run, open.input_digest));
        }
        let effects = run.pending_effects(self.clock.now());
        let namespace = run.namespace().clone();
        self.dirty.insert(open.run);
        self.runs.insert(open.run, Live { run, next_seq, is_leaving: false });
        effects.into_iter().map(|effect| After::Effect(namespace.clone(), open.run, effect)).collect()
    }

    /// Runs until told to stop.
    pub fn run(mut self, messages: &mpsc::Receiver<Message>) {
        loop {
            match messages.recv_timeout(SUMMARY_LAG) {
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
            Message::Write(unit) => self.hand_on(unit),
            Message::Touched(run, node) => self.show(run, &[node]),
            Message::Stored(run, next_seq) => self.forget(run, next_seq),
            Message::Stop => {
                self.summarize();
                return std::ops::ControlFlow::Break(());
            }
        }
        std::ops::ControlFlow::Continue(())
    }

    fn start(&mut self, request: StartRequest) {
        let StartRequest { start, input_digest, reply } = request;
        match self.known_key(&start) {
            Ok(Some((run, digest))) => {
                let same = digest == input_digest;
                let answer =
                    if same { Ok(Started { run, new: false }) } else { Err(StartError::KeyTaken(run)) };
                // The first start may not be committed yet: the answer goes the same way behind it.
                let after = vec![After::Call(Box::new(move || drop(reply.send(answer))))];
                return self.hand_on(Unit { writes: Vec::new(), after });
            }
            Err(error) => return drop(reply.send(Err(error.into()))),
            Ok(None) => {}
        }
        let id = start.id;
        if let Some(key) = &start.key {
            let key = (start.namespace.clone(), start.workflow.name.clone(), key.clone());
            self.keys.insert(key, (id, input_digest));
        }
        let now = self.clock.now();
        let (run, transition) = Run::start(start, now);
        let open = Write::OpenRun(OpenRun {
            run: id,
            namespace: run.namespace().clone(),
            workflow: run.workflow().name.clone(),
            key: run.key().map(str::to_owned),
            input_digest,
            created_at: now,
        });
        self.runs.insert(id, Live { run, next_seq: 0, is_leaving: false });
        let answer = After::Call(Box::new(move || drop(reply.send(Ok(Started { run: id, new: true })))));
        self.commit(id, transition, vec![open], vec![answer]);
    }

    fn known_key(&self, start: &Start) -> Result<Option<(RunId, Digest)>, consort_store::Error> {
        let Some(key) = &start.key else { return Ok(None) };
        let full = (start.namespace.clone(), start.workflow.name.clone(), key.clone());
        if let Some(known) = self.keys.get(&full) {
            return Ok(Some(*known));
        }
        let stored = self.reader.run_by_key(&full.0, &full.1, key)?;
        Ok(stored.map(|stored| (stored.run, stored.input_digest)))
    }

    fn command(
        &mut self,
        id: RunId,
        command: Command,
        reply: Option<oneshot::Sender<Result<(), CommandError>>>,
    ) {
        if self.runs.get(&id).is_some_and(|live| !live.is_leaving) {
            return self.apply(id, command, Vec::new(), reply);
        }
        // An answer or a timer that comes after the end is for nobody.
        if reply.is_none() && !is_of_kin(&command) {
            return;
        }
        match (self.reopen(id, &command), reply) {
            (Ok(()), reply) => self.apply(id, command, vec![Write::ReopenRun { run: id }], reply),
            (Err(error), Some(reply)) => drop(reply.send(Err(error))),
            (Err(error), None) => self.word_was_lost(id, &command, &error),
        }
    }

    fn apply(
        &mut self,
        id: RunId,
        command: Command,
        writes: Vec<Write>,
        reply: Option<oneshot::Sender<Result<(), CommandError>>>,
    ) {
        let now = self.clock.now();
        let live = self.runs.get_mut(&id).expect("the caller looked");
        match live.run.apply(command, now) {
            Ok(transition) => {
                // One that was only looked at is not open again.
                let writes = if transition.is_empty() { Vec::new() } else { writes };
                if transition.is_empty() && transition.effects.is_empty() {
                    self.let_go(id);
                } else {
                    live.is_leaving = false;
                }
                let answer = reply.map(|reply| After::Call(Box::new(move || drop(reply.send(Ok(()))))));
                self.commit(id, transition, writes, answer.into_iter().collect());
            }
            Err(rejected) => {
                self.let_go(id);
                if let Some(reply) = reply {
                    drop(reply.send(Err(rejected.into())));
                }
            }
        }
    }

    /// A run that was brought back and stays as it was is not kept.
    fn let_go(&mut self, id: RunId) {
        if self.runs.get(&id).is_some_and(|live| live.run.is_at_rest() && !live.is_leaving) {
            self.runs.remove(&id);
        }
    }

    /// Brings back a run that has ended, for the few commands that still mean something.
    fn reopen(&mut self, id: RunId, command: &Command) -> Result<(), CommandError> {
        let takes = is_of_kin(command)
            || matches!(command, Command::Undo { .. } | Command::Skip { .. } | Command::Retry { .. });
        let refusal = |run: &Run| CommandError::Rejected(Rejected::Ended(run.view(&|_| None).state));
        if let Some(leaving) = self.runs.get(&id) {
            return if takes { Ok(()) } else { Err(refusal(&leaving.run)) };
        }
        let loaded = self.reader.load(id, &self.catalog);
        let loaded = loaded.map_err(|error| CommandError::Store(error.to_string()))?;
        let (run, next_seq) = loaded.ok_or(CommandError::NoSuchRun(id))?;
        if !takes {
            return Err(refusal(&run));
        }
        self.runs.insert(id, Live { run, next_seq, is_leaving: false });
        Ok(())
    }

    /// Hands a transition to the committer, with what must go before and come after it.
    fn commit(&mut self, id: RunId, transition: Transition, mut writes: Vec<Write>, mut after: Vec<After>) {
        let Some(live) = self.runs.get(&id) else {
            if !after.is_empty() {
                self.hand_on(Unit { writes, after });
            }
            return;
        };
        let namespace = live.run.namespace().clone();
        let children = self.take_in(id, transition, &mut writes, &mut after);
        for (place, start) in children.into_iter().enumerate() {
            if place < children::CHILDREN_PER_COMMIT_MAX {
                self.begin_child(&namespace, *start, &mut writes, &mut after);
            } else {
                after.push(After::Effect(namespace.clone(), id, Effect::StartChild(start)));
            }
        }
        if !(writes.is_empty() && after.is_empty()) {
            self.hand_on(Unit { writes, after });
        }
    }

    /// What a transition writes and what follows it. The children that it starts are given back.
    fn take_in(
        &mut self,
        id: RunId,
        transition: Transition,
        writes: &mut Vec<Write>,
        after: &mut Vec<After>,
    ) -> Vec<Box<ChildStart>> {
        let Some(live) = self.runs.get_mut(&id) else { return Vec::new() };
        if transition.is_empty() && transition.effects.is_empty() {
            return Vec::new();
        }
        if !transition.is_empty() {
            let entries = Bytes::from(transition.record.encode());
            writes.push(Write::Append { run: id, seq: live.next_seq, entries });
            live.next_seq += 1;
            self.dirty.insert(id);
        }
        let namespace = live.run.namespace().clone();
        let mut ended = false;
        let mut children = Vec::new();
        // Replies are there already: a caller hears of its start before its steps answer.
        for effect in transition.effects {
            ended |= matches!(effect, Effect::Ended(_));
            match effect {
                Effect::StartChild(start) => children.push(start),
                effect => after.push(After::Effect(namespace.clone(), id, effect)),
            }
        }
        self.see(id, &transition.record, after);
        if ended {
            let waiters = self.waiters.remove(&id).unwrap_or_default();
            after.push(After::Call(Box::new(move || {
                waiters.into_iter().for_each(|waiter| _ = waiter.send(()));
            })));
        }
        if self.runs[&id].run.is_at_rest() {
            self.put_away(id, writes, after);
        }
        children
    }

    /// The run has ended: its last summary goes with its last entry, and it leaves once that is stored.
    fn put_away(&mut self, id: RunId, writes: &mut Vec<Write>, after: &mut Vec<After>) {
        let Some(live) = self.runs.get_mut(&id) else { return };
        live.is_leaving = true;
        self.dirty.remove(&id);
        if let Some(parent) = live.run.parent() {
            self.admissions.forget_child((parent.run, parent.node));
        }
        let record = RunRecord::new(&live.run, live.run.view(&|_| None));
        writes.push(Write::Summarize(Box::new(record.summary())));
        writes.push(Write::CloseRun { run: id, at: self.clock.now() });
        let (inbox, next_seq) = (self.inbox.clone(), live.next_seq);
        after.push(After::Call(Box::new(move || inbox.send(Message::Stored(id, next_seq)))));
    }

    /// A run leaves the memory, unless it went on since then.
    fn forget(&mut self, id: RunId, next_seq: u64) {
        if !self.runs.get(&id).is_some_and(|live| live.is_leaving && live.next_seq == next_seq) {
            return;
        }
        let Some(Live { run, .. }) = self.runs.remove(&id) else { return };
        if let Some(key) = run.key() {
            self.keys.remove(&(run.namespace().clone(), run.workflow().name.clone(), key.to_owned()));
        }
        self.waiters.remove(&id).unwrap_or_default().into_iter().for_each(|waiter| _ = waiter.send(()));
    }

    /// Events of a transition, for readers of the feed, once it is committed.
    fn see(&self, id: RunId, record: &consort_engine::Record, after: &mut Vec<After>) {
        if !self.feed.is_heard(self.clock.now().as_millis()) {
            return;
        }
        let mut touched: Vec<NodeId> =
            record.entries.iter().filter_map(consort_engine::Entry::node).collect();
        touched.sort_unstable();
        touched.dedup();
        let events = self.events(id, &touched);
        let feed = self.feed.clone();
        after.push(After::Call(Box::new(move || events.into_iter().for_each(|event| feed.publish(event)))));
    }

    /// Events that need no commit: they show what was committed before.
    fn show(&self, id: RunId, touched: &[NodeId]) {
        if self.runs.contains_key(&id) && self.feed.is_heard(self.clock.now().as_millis()) {
            let feed = self.feed.clone();
            let events = self.events(id, touched);
            let publish = move || events.into_iter().for_each(|event| feed.publish(event));
            self.hand_on(Unit { writes: Vec::new(), after: vec![After::Call(Box::new(publish))] });
        }
    }

    fn events(&self, id: RunId, touched: &[NodeId]) -> Vec<FeedData> {
        let Some(live) = self.runs.get(&id) else { return Vec::new() };
        let ask = |token| self.admissions.of(token);
        let namespace = live.run.namespace();
        let workflow = &live.run.workflow().name;
        let views = touched.iter().filter_map(|node| live.run.step_at(*node, &ask));
        let steps = views.map(|step| FeedData::Step {
            namespace: namespace.clone(),
            workflow: workflow.clone(),
            run: id,
            step: Box::new(brief(step)),
        });
        let run = RunRecord::new(&live.run, live.run.view(&ask)).brief();
        steps.chain(std::iter::once(FeedData::Run(Box::new(run)))).collect()
    }

    /// Brings the lists up to date.
    fn summarize(&mut self) {
        let some: Vec<RunId> = self.dirty.iter().copied().take(SUMMARIES_MAX).collect();
        let ask = |token| self.admissions.of(token);
        let records = some.iter().filter_map(|id| self.runs.get(id));
        let records: Vec<RunRecord> =
            records.map(|live| RunRecord::new(&live.run, live.run.view(&ask))).collect();
        for id in some {
            self.dirty.remove(&id);
        }
        let summarize = |record: &RunRecord| Write::Summarize(Box::new(record.summary()));
        let writes: Vec<Write> = records.iter().map(summarize).collect();
        records.iter().for_each(|record| self.show_child(record));
        self.summarized = Instant::now();
        if !writes.is_empty() {
            self.hand_on(Unit { writes, after: Vec::new() });
        }
    }

    /// Waits when the committer is far behind: that is the back-pressure of the whole node.
    fn hand_on(&self, unit: Unit) {
        let _ = self.committer.send(unit);
    }
}

#[cfg(test)]
mod tests;
