//! What can be undone, and the undoing of it.

use crate::{NodeId, UndoInput, UndoPurpose};
use consort_types::RunError;

/// A completed step that can be undone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct UndoItem {
    /// The step's node.
    pub of: NodeId,
    /// What its undo is called with.
    pub input: UndoInput,
    /// It waits for a person.
    pub parked: Option<Box<RunError>>,
}

/// The undoing of all that was completed inside a node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct UndoTask {
    /// Inside which node.
    pub within: NodeId,
    /// Why, which says what comes after.
    pub why: UndoPurpose,
}
