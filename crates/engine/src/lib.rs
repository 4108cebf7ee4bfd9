//! The state machine of one run: `(state, command, now) → entries and effects`, a pure function.
//!
//! Three verbs in a fixed order move a run: **decide** here, **commit** in a store, **act** in the node.
//! [`Run::apply`] takes a [`Command`] and answers with a [`Transition`]: the [`Entry`] facts to commit and the
//! [`Effect`]s to carry out after the commit. Every change of state goes through [`Run::absorb`] of an entry, so
//! a run that is rebuilt from its history equals the one that lived; recovery decides nothing anew.
//!
//! What must never be here: a clock, randomness, I/O, `async`. Time comes in as an argument; jitter is a hash.
//!
//! Start reading at `commands/` (one file per command), then `decide/` (what follows from it), then
//! `run/absorb.rs` (what an entry means).

mod cached;
mod command;
mod commands;
mod copies;
mod decide;
mod effect;
mod entry;
mod family;
pub mod flights;
pub mod gates;
mod large;
mod record;
mod rerun;
mod run;
mod run_started;

pub use cached::{Cached, Hit, Keep, Miss, Reading, Recall, Recalled};
pub use command::{AttemptResult, Command, EventOffer, Rejected, Start, StepRef};
pub use copies::{Copied, Copies};
pub use decide::{RUN_EVENTS, event_source};
pub use effect::{Dispatch, Effect, HeldPermits, PermitWant, TimerKind};
pub use entry::{Entry, OpenedAs, Outcome, PauseReason, ProgressNote, UndoInput, UndoPurpose, WaitFor};
pub use family::{ChildEnd, ChildStart, ChildWord, FromChild, FromParent, Parent, ParentWord};
pub use large::{INLINE_BYTES_MAX, Reference};
pub use record::{Record, RecordError};
pub use rerun::{Rerun, RerunError};
pub use run::{
    Accepted, Admission, Attempt, Incident, IncidentKind, NodeId, PassRecord, Phase, Question, Run, RunView,
    Sending, StepView, Transition, history,
};
pub(crate) use run_started::RunStarted;
