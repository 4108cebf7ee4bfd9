//! The committer: one commit stream for the whole node.
//!
//! It takes all that is queued, commits it as one transaction, and only then lets go what depends on it:
//! replies, effects, events. It never waits for a fuller batch; while one commit runs, the next grows.

use crate::{
    dispatcher::{Call, Dispatcher},
    health::Health,
    permits::Follows,
    timers::TimerCommand,
};
use consort_engine::Effect;
use consort_store::{Batch, Error, Write, Writer};
use consort_types::{AttemptToken, Name, RunId};
use std::{
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
    /// What follows, in order.
    pub after: Vec<After>,
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
    /// Whether the node can commit.
    pub health: Arc<Health>,
}

/// Runs until the sender is gone and everything is committed.
pub fn run(units: &mpsc::Receiver<Unit>, writer: &mut dyn Writer, outlets: &Outlets) {
    let mut batch = Batch::default();
    let mut after = Vec::new();
    while let Ok(first) = units.recv() {
        let mut next = Some(first);
        while let Some(unit) = next {
            batch.extend(unit.writes);
            after.extend(unit.after);
            next = if batch.len() < WRITES_PER_COMMIT_MAX { units.try_recv().ok() } else { None };
        }
        if !batch.is_empty() {
            commit(writer, &batch, &outlets.health);
        }
        batch.clear();
        after.drain(..).for_each(|after| act(after, outlets));
    }
}

/// Commits, however long the disk stays full. Nothing that depends on it is let go before.
fn commit(writer: &mut dyn Writer, batch: &Batch, health: &Health) {
    loop {
        match writer.commit(batch) {
            Ok(()) => return health.committed(),
            Err(Error::Full) => {
                health.disk_is_full();
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
            Effect::Ended(_) => {
                let _ = outlets.timers.send(TimerCommand::Forget(run));
            }
        },
    }
}
