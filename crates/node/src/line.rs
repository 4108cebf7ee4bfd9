//! Runs that wait in line for a place among the live runs of their workflow: what is said of them.
//!
//! The sequencer owns the gates and is the only one that changes them; who reads sees how many are ahead now,
//! not when the run was last written down.

use crate::record::RunRecord;
use consort_engine::gates::{GateKey, Gates};
use consort_types::RunState;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The gates of a server.
#[derive(Debug, Clone, Default)]
pub struct SharedGates(Arc<Mutex<Gates>>);

impl SharedGates {
    /// The gates, for a moment.
    pub fn lock(&self) -> MutexGuard<'_, Gates> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says of a run that waits in line how it stands.
    pub fn tell(&self, record: &mut RunRecord) {
        if record.state != RunState::Queued {
            return;
        }
        let Some(standing) = self.lock().standing(record.id) else { return };
        let Some(waiting) = &mut record.waiting_on else { return };
        waiting.ahead = Some(standing.ahead as u64);
        let live = who_is_live(&standing.gate, standing.live, standing.limit);
        let ahead = match standing.ahead {
            0 => "it is the next".to_owned(),
            1 => "1 run is ahead".to_owned(),
            ahead => format!("{ahead} runs are ahead"),
        };
        waiting.detail = format!("waits in line: {live}; {ahead}");
    }
}

/// `2 runs of `w` for "ann" are live, and its `concurrency` allows 2`.
pub fn who_is_live(gate: &GateKey, live: usize, limit: u32) -> String {
    let of_key = gate.key.as_deref().map(|key| format!(" for {key}")).unwrap_or_default();
    let (runs, are) = if live == 1 { ("run", "is") } else { ("runs", "are") };
    format!("{live} {runs} of `{}`{of_key} {are} live, and its `concurrency` allows {limit}", gate.workflow)
}
