//! What a run and the runs that its steps started say to each other. Each says it again after a restart, so that
//! no word is lost; a word that comes twice changes nothing.

use crate::NodeId;
use consort_types::{Json, Name, RunError, RunId, RunState, UndoState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The step of another run that a run belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The other run.
    pub run: RunId,
    /// The node of the step there.
    #[serde(rename = "n")]
    pub node: NodeId,
    /// Key of that step.
    pub step: String,
    /// How many runs stand around this one.
    pub depth: u32,
    /// The other run does not wait for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub detached: bool,
}

/// A child run to start.
#[derive(Debug, Clone)]
pub struct ChildStart {
    /// Its id, which the parent chose.
    pub id: RunId,
    /// Its workflow, in the newest revision.
    pub workflow: Name,
    /// Its input, not yet checked.
    pub input: Json,
    /// Whose it is.
    pub parent: Parent,
    /// Pools that it shares, and whose they are.
    pub pools: BTreeMap<Name, RunId>,
}

/// What a run tells a child.
#[derive(Debug, Clone)]
pub struct FromParent {
    /// Who speaks.
    pub parent: RunId,
    /// For which of its nodes.
    pub node: NodeId,
    /// What.
    pub word: ParentWord,
}

/// What a child is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParentWord {
    /// End.
    Cancel,
    /// Stand still with the parent.
    Pause,
    /// Go on with it.
    Resume,
    /// Undo what was completed.
    Undo,
    /// Say how it stands.
    Report,
}

/// What a child tells the run that started it.
#[derive(Debug, Clone)]
pub struct FromChild {
    /// Who speaks.
    pub child: RunId,
    /// To which node.
    pub node: NodeId,
    /// What.
    pub word: ChildWord,
}

/// What a parent is told.
#[derive(Debug, Clone)]
pub enum ChildWord {
    /// It is started.
    Began,
    /// It could not be started.
    Refused(Box<RunError>),
    /// It has ended.
    Ended(Box<ChildEnd>),
    /// Its undo has come to an end, again.
    Undone(UndoState),
    /// Nobody knows it any more.
    Gone,
}

/// How a child has ended.
#[derive(Debug, Clone)]
pub struct ChildEnd {
    /// As what.
    pub state: RunState,
    /// Its output, where it succeeded.
    pub output: Option<Json>,
    /// Its error, where it did not.
    pub error: Option<RunError>,
    /// How far its undo went.
    pub undo: UndoState,
    /// Whether something of it can be undone.
    pub can_undo: bool,
}
