//! The committer: one commit stream for the whole node.
//!
//! It takes all that is queued, commits it as one transaction, and only then lets go what depends on it:
//! replies, effects, events. It never waits for a fuller batch; while one commit runs, the next grows.

use crate::{
    dispatcher::{Call, Dispatcher},
    fail_points::{self, FailPoint},
    health::Health,
    large,
    permits::Follows,
    reserve::Reserve,
    sequencer::{Inbox, Message},
    timers::TimerCommand,
};
use consort_artifacts::Artifacts;
use consort_engine::Effect;
use consort_store::{Batch, Error, Write, Writer};
use consort_types::{AttemptToken, Json, Name, RunId};
use std::{
    ops::ControlFlow,
    sync::{Arc, mpsc},
    time::Duration,
};
use tokio::sync::mpsc::UnboundedSender;

/// Writes in one transaction at most, so that one commit never holds up replies for long.
const WRITES_PER_COMMIT_MAX: usize = 2_000;

/// How often a full disk is tried again.
const FULL_RETRY: Duration = Duration::from_millis(250);

/// Work that must not be seen outside before its commit.
pub struct Unit {
    /// What to commit.
    pub writes: Vec<Write>,
    /// Values that are too large for a history: stored as artifacts before it is.
    pub values: Vec<Json>,
    /// What follows, in order.
    pub after: Vec<After>,
}

impl Unit {
    /// Writes without large values, and what follows them.
    pub const fn of(writes: Vec<Write>, after: Vec<After>) -> Self {
        Self { writes, values: Vec::new(), after }
    }
}

/// What follows a commit.
pub enum After {
    /// An effect of a run of a namespace.
    Effect(Name, RunId, Effect),
    /// What follows from permits that a run has given back.
    Permits(Follows<Call>),
    /// An attempt counts no more.
    Over(AttemptToken),
    /// Anything else: a reply, events.
    Call(Box<dyn FnOnce() + Send>),
}

/// Where effects go.
pub struct Outlets {
    /// Calls.
    pub dispatcher: Arc<Dispatcher>,
    /// Timers.
    pub timers: UnboundedSender<TimerCommand>,
    /// What runs say to each other.
    pub inbox: Inbox,
    /// Whether the node can commit.
    pub health: Arc<Health>,
    /// Where values go that are too large for a history.
    pub artifacts: Artifacts,
}

/// Runs until the sender is gone and everything is committed, or until the node ends and nothing can be: then
/// what is left was never acknowledged.
pub fn run(units: &mpsc::Receiver<Unit>, writer: &mut dyn Writer, mut reserve: Reserve, outlets: &Outlets) {
    if !reserve.is_held() {
        outlets.health.disk_is_full();
    }
    let mut batch = Batch::default();
    let mut after = Vec::new();
    while let Some(first) = next_unit(units, &mut reserve, &outlets.health) {
        let mut next = Some(first);
        while let Some(unit) = next {
            for value in &unit.values {
                if store_value(&outlets.artifacts, value, &mut reserve, &outlets.health).is_break() {
                    return;
                }
            }
            batch.extend(unit.writes);
            after.extend(unit.after);
            next = if batch.len() < WRITES_PER_COMMIT_MAX { units.try_recv().ok() } else { None };
        }
        if !batch.is_empty() {
            fail_points::reached(FailPoint::BeforeCommit);
            if commit(writer, &batch, &mut reserve, &outlets.health).is_break() {
                return;
            }
            fail_points::reached(FailPoint::Committed);
        }
        batch.clear();
        after.drain(..).for_each(|after| act(after, outlets));
    }
}

/// Stores a value as an artifact by itself, however long the disk stays full. Breaks when the node ends and
/// there is no room: what refers to the value is never acknowledged then.
fn store_value(
    artifacts: &Artifacts,
    value: &Json,
    reserve: &mut Reserve,
    health: &Health,
) -> ControlFlow<()> {
    loop {
        match artifacts.put_whole(value.text().as_bytes(), &large::label()) {
            Ok(_) => return ControlFlow::Continue(()),
            Err(consort_artifacts::Error::Full) => {
                health.disk_is_full();
                if reserve.give_up() {
                    continue;
                }
                if health.is_ending() {
                    return ControlFlow::Break(());
                }
                std::thread::sleep(FULL_RETRY);
            }
            Err(error) => {
                // As with a commit that is refused.
                tracing::error!(%error, "a large value could not be stored; the server ends");
                std::process::abort();
            }
        }
    }
}

/// The next unit; none when nobody is left to send one. While the reserve is gone it is tried to make it again
/// also when nothing is to be committed: starts are refused until then.
fn next_unit(units: &mpsc::Receiver<Unit>, reserve: &mut Reserve, health: &Health) -> Option<Unit> {
    while !reserve.is_held() {
        match units.recv_timeout(FULL_RETRY) {
            Ok(unit) => return Some(unit),
            Err(mpsc::RecvTimeoutError::Disconnected) => return None,
            Err(mpsc::RecvTimeoutError::Timeout) if reserve.restore() => health.has_room(),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
    units.recv().ok()
}

/// Commits, however long the disk stays full. Nothing that depends on it is let go before.
fn commit(writer: &mut dyn Writer, batch: &Batch, reserve: &mut Reserve, health: &Health) -> ControlFlow<()> {
    loop {
        match writer.commit(batch) {
            Ok(()) => {
                if reserve.restore() {
                    health.has_room();
                }
                return ControlFlow::Continue(());
            }
            Err(Error::Full) => {
                health.disk_is_full();
                if reserve.give_up() {
                    continue;
                }
                if health.is_ending() {
                    tracing::error!(
                        "the disk is full: what was not acknowledged is given up with the server"
                    );
                    return ControlFlow::Break(());
                }
                std::thread::sleep(FULL_RETRY);
            }
            Err(error) => {
                // What is in memory has run ahead of what is stored and cannot be taken back: end at once,
                // so that a restart goes on from what was committed.
                tracing::error!(%error, "the store refused a commit; the server ends");
                std::process::abort();
            }
        }
    }
}

fn act(after: After, outlets: &Outlets) {
    fail_points::reached(FailPoint::Acting);
    match after {
        After::Call(call) => call(),
        After::Permits(follows) => outlets.dispatcher.act_on(follows),
        After::Over(token) => outlets.dispatcher.over(token),
        After::Effect(namespace, run, effect) => match effect {
            Effect::Dispatch(dispatch) => outlets.dispatcher.dispatch(&namespace, *dispatch),
            Effect::Withdraw(token) => outlets.dispatcher.withdraw(token),
            Effect::Abort(token) => outlets.dispatcher.abort(token),
            Effect::SetTimer { node, kind, at } => {
                let _ = outlets.timers.send(TimerCommand::Set((run, node, kind), at));
            }
            // Taken care of before the commit, with which it is kept.
            Effect::Settle { .. } => {}
            Effect::StartChild(start) => outlets.inbox.send(Message::StartChild(namespace, start)),
            // The sequencer has put it into the commit.
            Effect::Emit(_) => {}
            Effect::Listen(node) => outlets.inbox.send(Message::Listen(run, node)),
            Effect::Tell(run, command) => outlets.inbox.command(run, *command),
            // The sequencer has carried them out: what is kept belongs to the commit.
            Effect::Recall(_) | Effect::Keep(_) | Effect::Drop(_) => {}
            Effect::Ended(_) => {
                let _ = outlets.timers.send(TimerCommand::Forget(run));
            }
        },
    }
}
