//! States that users see.

use serde::{Deserialize, Serialize};

macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),* }

        impl $name {
            /// Every state, in the order of a life.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word as users read and write it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|state| state.as_str() == text).ok_or_else(|| {
                    let all: Vec<_> = Self::ALL.iter().map(|state| state.as_str()).collect();
                    format!("{text:?} is not one of {}", all.join(", "))
                })
            }
        }
    };
}

states! {
    /// The state of a run.
    RunState {
        /// Acknowledged, held back by a limit.
        Queued = "queued",
        /// A step is ready or running.
        Running = "running",
        /// No step is ready or running, and one waits.
        Waiting = "waiting",
        /// A person or a rule stopped it; it can go on.
        Paused = "paused",
        /// A cancel was accepted and calls are being ended.
        Cancelling = "cancelling",
        /// What was completed is being undone.
        Undoing = "undoing",
        /// Ended well.
        Succeeded = "succeeded",
        /// Ended badly.
        Failed = "failed",
        /// Ended on request.
        Cancelled = "cancelled",
        /// Ended because its own timeout passed.
        TimedOut = "timed_out",
    }
}

impl RunState {
    /// Whether the run has ended for good.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::TimedOut)
    }
}

states! {
    /// How far a run's undo went.
    UndoState {
        /// Nothing was asked to be undone.
        None = "none",
        /// Undos are being called.
        Running = "running",
        /// All that was completed is undone.
        Complete = "complete",
        /// At least one undo waits for a person.
        Incomplete = "incomplete",
    }
}

states! {
    /// The state of a step.
    StepState {
        /// Its dependencies are not done.
        Pending = "pending",
        /// It may start, and waits for admission.
        Ready = "ready",
        /// An attempt, or something inside it, is going on.
        Running = "running",
        /// It waits for something that it names.
        Waiting = "waiting",
        /// It has its output.
        Succeeded = "succeeded",
        /// It has its error.
        Failed = "failed",
        /// It will not run in this run.
        Skipped = "skipped",
        /// It was cut short on request.
        Cancelled = "cancelled",
        /// It had succeeded and was undone.
        Undone = "undone",
    }
}

impl StepState {
    /// Whether the step has ended.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped | Self::Cancelled | Self::Undone)
    }
}

states! {
    /// The state of one attempt.
    AttemptState {
        /// Sent, no answer yet.
        Running = "running",
        /// Answered well.
        Succeeded = "succeeded",
        /// Answered badly, or not at all.
        Failed = "failed",
        /// Did not answer in time.
        TimedOut = "timed_out",
        /// Its fate is unknown.
        Lost = "lost",
        /// Cut short on request.
        Cancelled = "cancelled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_written_one_way_everywhere() {
        for state in RunState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
            assert_eq!(state.as_str().parse(), Ok(*state));
        }
        assert!("done".parse::<RunState>().unwrap_err().contains("succeeded"));
    }
}
