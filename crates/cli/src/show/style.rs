//! Colours, and what carries the meaning without them: a glyph and a word for each state.

use consort_types::{RunState, StepState};

/// Whether colours are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// ANSI colours.
    Colour,
    /// None.
    Plain,
}

/// What a colour is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It went well.
    Good,
    /// It went badly.
    Bad,
    /// It is going on.
    Busy,
    /// It waits.
    Wait,
    /// It matters less.
    Dim,
    /// As it is.
    None,
}

impl Style {
    /// The text in the colour of its tone.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Busy => "36",
            Tone::Wait => "33",
            Tone::Dim => "2",
            Tone::None => return text.to_owned(),
        };
        match self {
            Self::Colour if !text.is_empty() => format!("\x1b[{code}m{text}\x1b[0m"),
            Self::Colour | Self::Plain => text.to_owned(),
        }
    }
}

/// Glyph and tone of a step.
pub const fn of_step(state: StepState) -> (&'static str, Tone) {
    match state {
        StepState::Pending => ("·", Tone::Dim),
        StepState::Ready => ("○", Tone::Wait),
        StepState::Running => ("●", Tone::Busy),
        StepState::Waiting => ("◌", Tone::Wait),
        StepState::Succeeded => ("✓", Tone::Good),
        StepState::Failed => ("✗", Tone::Bad),
        StepState::Skipped => ("–", Tone::Dim),
        StepState::Cancelled => ("⊘", Tone::Dim),
        StepState::Undone => ("↶", Tone::Wait),
    }
}

/// Glyph and tone of a run.
pub const fn of_run(state: RunState) -> (&'static str, Tone) {
    match state {
        RunState::Queued => ("○", Tone::Wait),
        RunState::Running => ("●", Tone::Busy),
        RunState::Waiting | RunState::Paused => ("◌", Tone::Wait),
        RunState::Cancelling | RunState::Undoing => ("↶", Tone::Wait),
        RunState::Succeeded => ("✓", Tone::Good),
        RunState::Failed | RunState::TimedOut => ("✗", Tone::Bad),
        RunState::Cancelled => ("⊘", Tone::Bad),
    }
}
