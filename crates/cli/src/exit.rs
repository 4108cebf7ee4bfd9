//! Exit codes: what a script learns without reading a word.

use crate::failure::Failure;
use consort_types::RunState;

/// How the program ends. The numbers are fixed by the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The run failed, was cancelled or timed out; a rollout or a call failed.
    Failed = 1,
    /// A bad file, a bad input or bad usage.
    Usage = 2,
    /// No server, or none that could answer.
    NoServer = 3,
    /// There is no such thing.
    NotFound = 4,
    /// Not for this caller.
    NotAllowed = 5,
    /// A limit refused it.
    Limit = 6,
    /// The time of `--wait` is over; the run goes on.
    WaitOver = 124,
    /// Ctrl-C; the run goes on. The number is what shells give for it.
    Interrupted = 130,
}

impl Exit {
    /// What the end of a run means to a script; none while it lives.
    pub fn of_run(state: RunState) -> Option<Self> {
        match state {
            RunState::Succeeded => Some(Self::Done),
            RunState::Failed | RunState::Cancelled | RunState::TimedOut => Some(Self::Failed),
            RunState::Queued
            | RunState::Running
            | RunState::Waiting
            | RunState::Paused
            | RunState::Cancelling
            | RunState::Undoing => None,
        }
    }
}

/// What every command gives.
pub type Outcome = Result<Exit, Failure>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_run_is_an_exit_code() {
        for state in RunState::ALL {
            let code = Exit::of_run(*state).map(|exit| exit as u8);
            let expected = match state.as_str() {
                "succeeded" => Some(0),
                "failed" | "cancelled" | "timed_out" => Some(1),
                _ => None,
            };
            assert_eq!(code, expected, "{state}");
            assert_eq!(code.is_some(), state.is_terminal(), "{state}");
        }
    }
}
