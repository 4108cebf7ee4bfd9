//! Lines of cron.

mod field;
mod next;
mod parse;

use field::{DaysOfMonth, DaysOfWeek, Set};

/// A line of cron, read: five fields, or six with the seconds in front.
///
/// | field | takes | and |
/// |---|---|---|
/// | second (only with six) | 0–59 | |
/// | minute, hour | 0–59, 0–23 | |
/// | day of month | 1–31 | `L` the last day, `L-3` three before it, `15W` the working day nearest to the 15th, `LW` the last working day |
/// | month | 1–12, `JAN`–`DEC` | |
/// | day of week | 0–7 (0 and 7 are Sunday), `SUN`–`SAT` | `FRI#2` the second Friday, `FRIL` the last one |
///
/// Each field is `*` (in the fields of days also `?`), a value, a range `1-5`, steps `*/15` `0-30/10`, or a list
/// of these with commas. If both fields of days are restricted, either of them is enough, as everywhere with
/// cron. `@yearly @monthly @weekly @daily @hourly` stand for the whole line.
///
/// Where the clock is put forward, a slot that falls into the gap is as far behind it as it would have been; where
/// it is put back, a slot comes once, unless the hour is `*`: what fires every hour fires every hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    seconds: Set,
    minutes: Set,
    hours: Set,
    days: DaysOfMonth,
    months: Set,
    weekdays: DaysOfWeek,
}

/// A text that is no line of cron.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CronError {
    /// Where, in bytes from the start of the text.
    pub offset: usize,
    /// How many bytes.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Cron {
    /// The line as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}
