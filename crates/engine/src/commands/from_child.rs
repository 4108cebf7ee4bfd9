//! A child run says that it has begun, ended, or was undone.

use crate::{ChildWord, Entry, FromChild, NodeId, Rejected, Transition, decide::Decider, run::Run};
use consort_types::{ErrorKind, Json, RunError, RunId, UndoState};

pub(super) fn apply(mut decider: Decider<'_>, from: FromChild) -> Result<Transition, Rejected> {
    let FromChild { child, node, word } = from;
    decider.run.is_child_of(child, node).then_some(()).ok_or(Rejected::Stale)?;
    let awaited = decider.run.awaited_child(node) == Some(child);
    match word {
        ChildWord::Began if awaited && decider.run.is_detached(node) => {
            decider.body_succeeded(node, Json::of(&child));
        }
        ChildWord::Ended(end) if awaited => decider.child_run_ended(node, *end),
        ChildWord::Refused(error) if awaited => decider.child_refused(node, *error),
        ChildWord::Gone if awaited => decider.child_refused(node, gone(child)),
        ChildWord::Undone(state) => decider.child_undone(node, child, state),
        ChildWord::Gone => decider.child_undo_failed(node, child, gone(child)),
        // It was settled otherwise in the meantime.
        ChildWord::Began | ChildWord::Ended(_) | ChildWord::Refused(_) => {}
    }
    Ok(decider.finish())
}

fn gone(child: RunId) -> RunError {
    RunError::new("E_CHILD_GONE", ErrorKind::Lost, format!("{child} is not known any more"))
}

impl Decider<'_> {
    fn child_undone(&mut self, of: NodeId, child: RunId, state: UndoState) {
        match state {
            UndoState::Running => {}
            UndoState::Incomplete => {
                let message = format!("an undo of {child} waits for a person: act on that run");
                self.child_undo_failed(of, child, RunError::new("E_CHILD_UNDO", ErrorKind::Failed, message));
            }
            UndoState::None | UndoState::Complete => match self.run.undo_waiting_for(of, child) {
                Some(undo) => self.undo_succeeded(undo),
                // It was parked, and a person has mended it in the child.
                None if self.run.parked_of(of) == Some(of) && self.run.child_to_undo(of) == Some(child) => {
                    self.record(Entry::UndoUnparked { n: of });
                    self.record(Entry::UndoStarted { n: of });
                    self.record(Entry::Undone { n: of });
                    self.undo_settled(of);
                }
                None => {}
            },
        }
    }

    fn child_undo_failed(&mut self, of: NodeId, child: RunId, error: RunError) {
        if let Some(undo) = self.run.undo_waiting_for(of, child) {
            self.undo_failed(undo, error, None);
        }
    }
}

impl Run {
    fn is_child_of(&self, child: RunId, node: NodeId) -> bool {
        let node = self.nodes.get(node.0 as usize);
        node.and_then(|node| node.child.as_deref()).is_some_and(|known| known.run == child)
    }

    fn is_detached(&self, id: NodeId) -> bool {
        matches!(self.step_of(id).body, consort_spec::definition::Body::Run { detach: true, .. })
    }

    /// The undo of a node, while that waits for a child.
    fn undo_waiting_for(&self, of: NodeId, child: RunId) -> Option<NodeId> {
        self.undo_node(of).filter(|undo| self.awaited_child(*undo) == Some(child))
    }
}
