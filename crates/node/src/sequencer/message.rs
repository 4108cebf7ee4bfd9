//! What the sequencer is told, and what it answers.

use super::PostEvents;
use crate::{committer::Unit, runs::LoadError};
use consort_engine::{
    ChildStart, Command, NodeId, Recalled, Rejected, Start,
    flights::FlightKey,
    gates::{GateKey, Rule},
};
use consort_spec::definition::WhenFull;
use consort_types::{AttemptToken, Digest, Name, RunId};
use std::sync::mpsc;
use tokio::sync::oneshot;

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
    /// Events from outside.
    PostEvents(PostEvents),
    /// A step waits for an event; said again after a restart.
    Listen(RunId, NodeId),
    /// Events up to this number are committed.
    EventsStored(u64),
    /// Go on with what is to be offered.
    OfferEvents,
    /// Writes that go the way of all commits, and what follows them.
    Write(Unit),
    /// Forget runs that ended long ago; those that live again stay.
    Forget {
        /// Which.
        runs: Vec<RunId>,
        /// Told after the commit which are forgotten.
        reply: oneshot::Sender<Vec<RunId>>,
    },
    /// What the dispatcher knows of a call has changed: readers of the feed want to see it.
    Touched(RunId, NodeId),
    /// The store was asked for an earlier result.
    Looked(FlightKey, AttemptToken, Recalled),
    /// The result of an attempt is kept, and can be found.
    ResultStored(FlightKey, AttemptToken),
    /// A project was applied: its limits hold from now on.
    Applied(Name),
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
    /// Its workflow has as many live runs as its `concurrency` allows.
    #[error("{}", full(.0, .1))]
    Full(Box<GateKey>, Rule),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] consort_store::Error),
    /// What the last run gave cannot be read.
    #[error("`previous` cannot be read: {0}")]
    Previous(#[from] LoadError),
}

fn full(gate: &GateKey, rule: &Rule) -> String {
    let (line, what) = match rule.when_full {
        WhenFull::Reject => ("", "try again when one has ended"),
        WhenFull::Queue | WhenFull::CancelOldest => (", and the line is full", "try again later"),
    };
    format!("{}{line}; {what}", crate::line::who_is_live(gate, rule.limit as usize, rule.limit))
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
