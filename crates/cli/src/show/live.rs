//! A run while it goes: redrawn on a terminal, one line per change in a pipe.

use super::{Medium, Screen, cut, printable, run, style::of_step, time, tree};
use crate::failure::Failure;
use consort_types::Timestamp;
use consort_wire::{Run, Step};
use std::{collections::HashMap, fmt::Write as _, io::Write as _};

/// Where the progress of a run goes.
#[derive(Debug)]
pub enum Progress {
    /// Standard output is a terminal: the tree is drawn again and again in its place.
    Redraw(Redraw),
    /// One line for each change.
    Lines(Lines),
}

impl Progress {
    /// Takes standard output for it; with `--json` that belongs to the run, and lines go to standard error.
    pub fn new(screen: Screen, json: bool) -> Self {
        match (screen.medium, json) {
            (Medium::Terminal, false) => Self::Redraw(Redraw { screen, lines: 0 }),
            (Medium::Pipe, false) => Self::Lines(Lines::new(To::Stdout)),
            (Medium::Terminal | Medium::Pipe, true) => Self::Lines(Lines::new(To::Stderr)),
        }
    }

    /// Shows what is known now.
    ///
    /// # Errors
    /// When the output is gone.
    pub fn show(&mut self, run: &Run, steps: &[Step]) -> Result<(), Failure> {
        match self {
            Self::Redraw(redraw) => redraw.show(run, steps),
            Self::Lines(lines) => lines.show(run, steps),
        }
    }

    /// Says something beside it: that the server is gone for a moment.
    pub fn remark(&mut self, text: &str) {
        if let Self::Redraw(redraw) = self {
            // The remark stands where the tree was; the next drawing comes below it.
            redraw.lines = 0;
        }
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}

/// Draws a tree in the place of the one before.
#[derive(Debug)]
pub struct Redraw {
    screen: Screen,
    lines: usize,
}

impl Redraw {
    fn show(&mut self, run: &Run, steps: &[Step]) -> Result<(), Failure> {
        let (width, height) = self.screen.size();
        let now = time::now();
        let mut lines: Vec<String> = tree::render(steps, now, self.screen.style, Some(width));
        if !run.state.is_terminal() {
            let verdict = run::verdict(run, now, Screen { style: super::style::Style::Plain, ..self.screen });
            lines.extend(verdict.lines().map(|line| cut(line, width)));
        }
        // What scrolled out at the top cannot be drawn over: of a longer list the end is shown.
        let room = height.saturating_sub(1);
        if lines.len() > room && !run.state.is_terminal() {
            lines.drain(..lines.len() - room);
        }
        let mut text = String::new();
        if self.lines > 0 {
            let _ = write!(text, "\x1b[{}A", self.lines);
        }
        for line in &lines {
            let _ = writeln!(text, "\x1b[2K{line}");
        }
        text.push_str("\x1b[J");
        self.lines = lines.len();
        self.screen.text(&text)
    }
}

#[derive(Debug, Clone, Copy)]
enum To {
    Stdout,
    Stderr,
}

/// One line for each change.
#[derive(Debug)]
pub struct Lines {
    to: To,
    seen: HashMap<String, String>,
    run_seen: String,
}

impl Lines {
    fn new(to: To) -> Self {
        Self { to, seen: HashMap::new(), run_seen: String::new() }
    }

    fn show(&mut self, run: &Run, steps: &[Step]) -> Result<(), Failure> {
        let text = self.changes(run, steps, time::now());
        if text.is_empty() {
            return Ok(());
        }
        match self.to {
            To::Stdout => {
                let mut out = std::io::stdout().lock();
                out.write_all(text.as_bytes())?;
                Ok(out.flush()?)
            }
            // The run on standard output is what counts; its progress may be closed away.
            To::Stderr => {
                let _ = std::io::stderr().lock().write_all(text.as_bytes());
                Ok(())
            }
        }
    }

    /// The lines for what differs from the last time.
    fn changes(&mut self, run: &Run, steps: &[Step], now: Timestamp) -> String {
        let mut text = String::new();
        let since = |at: Option<Timestamp>| time::short(at.unwrap_or(now).since(run.created_at));
        for step in steps.iter().filter(|step| !is_quiet(step)) {
            let line = step_line(step);
            if self.seen.get(&step.key) == Some(&line) {
                continue;
            }
            let at = if step.state.is_terminal() { step.finished_at } else { None };
            let _ = writeln!(text, "{:>7}  {line}", since(at));
            self.seen.insert(step.key.clone(), line);
        }
        let waits = run.waiting_on.as_ref().filter(|_| !run.state.is_terminal() && steps.is_empty());
        let line = waits
            .map_or_else(String::new, |waiting| format!("{}: {}", run.state, printable(&waiting.detail)));
        if line != self.run_seen {
            if !line.is_empty() {
                let _ = writeln!(text, "{:>7}  {line}", since(None));
            }
            self.run_seen = line;
        }
        text
    }
}

/// What has not begun is no news.
fn is_quiet(step: &Step) -> bool {
    use consort_types::StepState::{Pending, Ready};
    matches!(step.state, Pending) || (step.state == Ready && step.waiting_on.is_none())
}

fn step_line(step: &Step) -> String {
    let (glyph, _) = of_step(step.state);
    let mut line = format!("{glyph} {} {}", printable(&step.key), step.state);
    if step.state.is_terminal() {
        let span = time::span(
            step.started_at,
            step.finished_at,
            step.finished_at.unwrap_or(Timestamp::from_millis(0)),
        );
        if !span.is_empty() {
            let _ = write!(line, " {span}");
        }
    }
    if step.attempts.len() > 1 {
        let _ = write!(line, " (attempt {})", step.attempts.len());
    }
    let remark = printable(&tree::remark(step));
    if !remark.is_empty() {
        let _ = write!(line, ": {remark}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::{run::tests::run, tree::tests::step};
    use consort_types::{RunState, StepState};

    #[test]
    fn a_pipe_gets_a_line_for_each_change_and_only_then() {
        let at = Timestamp::from_millis;
        let mut lines = Lines::new(To::Stdout);
        let live = run(RunState::Running);
        let pages = |state| Step { started_at: Some(at(0)), ..step("pages", None, state) };
        let first = [pages(StepState::Running), step("notice", None, StepState::Pending)];
        assert_eq!(lines.changes(&live, &first, at(300)), "  300ms  ● pages running\n");
        assert_eq!(lines.changes(&live, &first, at(400)), "");
        let done = [Step { finished_at: Some(at(1_500)), ..pages(StepState::Succeeded) }];
        assert_eq!(lines.changes(&live, &done, at(1_600)), "   1.5s  ✓ pages succeeded 1.5s\n");
    }
}
