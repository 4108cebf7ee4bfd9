//! A run in words.

use super::{
    Screen, printable,
    style::of_run,
    table::{Cell, Table},
    time,
};
use consort_types::{RunState, Timestamp, UndoState};
use consort_wire::Run;

/// How a run ended, or where it stands, in a line or two.
pub fn verdict(run: &Run, now: Timestamp, screen: Screen) -> String {
    let (glyph, tone) = of_run(run.state);
    let mut text = format!("{} {} {} {}", screen.style.paint(tone, glyph), run.workflow, run.id, run.state);
    let span = time::span(run.started_at, run.finished_at, now);
    if !span.is_empty() {
        let word = if run.state.is_terminal() { "after" } else { "for" };
        text.push_str(&format!(" {word} {span}"));
    }
    if let Some(error) = &run.error {
        let place = error.step.as_ref().map_or_else(String::new, |step| format!(" at {step}"));
        text.push_str(&format!("{}: {}", printable(&place), printable(&error.to_string())));
    }
    if let Some(waiting) = run.waiting_on.as_ref().filter(|_| !run.state.is_terminal()) {
        text.push_str(&format!("\n  waits: {}", printable(&waiting.detail)));
    }
    match run.undo {
        UndoState::None => {}
        UndoState::Running => text.push_str("\n  what was completed is being undone"),
        UndoState::Complete => text.push_str("\n  what was completed is undone"),
        UndoState::Incomplete => text.push_str("\n  an undo is parked and waits for a person"),
    }
    text
}

/// What to type next about a run, if there is something to do.
pub fn next(run: &Run) -> Option<String> {
    match run.state {
        RunState::Failed | RunState::TimedOut | RunState::Cancelled => {
            Some(format!("look at it with `consort runs show {}`", run.id))
        }
        RunState::Paused => Some(format!("go on with `consort runs resume {}`", run.id)),
        RunState::Queued
        | RunState::Running
        | RunState::Waiting
        | RunState::Cancelling
        | RunState::Undoing
        | RunState::Succeeded => None,
    }
}

/// Runs as a table.
pub fn table(runs: &[Run], now: Timestamp, screen: Screen) -> String {
    let mut table = Table::new(["RUN", "WORKFLOW", "STATE", "CREATED", "TOOK", "DETAIL"]);
    for run in runs {
        let (_, tone) = of_run(run.state);
        table.row([
            run.id.to_string().into(),
            run.workflow.clone().into(),
            Cell::toned(tone, run.state.as_str()),
            time::ago(run.created_at, now).into(),
            time::span(run.started_at, run.finished_at, now).into(),
            detail(run).into(),
        ]);
    }
    table.render(screen)
}

fn detail(run: &Run) -> String {
    match (&run.waiting_on, &run.error) {
        (Some(waiting), _) if !run.state.is_terminal() => waiting.detail.clone(),
        (_, Some(error)) => error.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::show::{Medium, style::Style};
    use consort_types::{ErrorKind, RunError, RunId, WaitKind, WaitingOn};

    pub const PIPE: Screen = Screen { medium: Medium::Pipe, style: Style::Plain };

    pub fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    pub fn id() -> RunId {
        "run_00000000000000000000000000000007".parse().unwrap()
    }

    pub fn run(state: RunState) -> Run {
        Run {
            id: id(),
            namespace: "lending".into(),
            workflow: "loan".into(),
            revision: "3f2a".into(),
            state,
            input: None,
            output: None,
            error: None,
            tags: Default::default(),
            created_at: at(0),
            started_at: Some(at(0)),
            finished_at: state.is_terminal().then(|| at(3_200)),
            trigger: None,
            parent: None,
            undo: UndoState::None,
            waiting_on: None,
            attempts: vec![],
        }
    }

    #[test]
    fn a_verdict_says_state_cause_and_undo() {
        let error = RunError::new("HTTP_422", ErrorKind::Operation, "not a PDF").at_step("pages");
        let failed = Run { error: Some(error), undo: UndoState::Complete, ..run(RunState::Failed) };
        assert_eq!(
            verdict(&failed, at(9_000), PIPE),
            "✗ loan run_00000000000000000000000000000007 failed after 3.2s at pages: not a PDF (HTTP_422)\n  what was completed is undone"
        );
        let waiting_on = WaitingOn {
            kind: WaitKind::Pool,
            name: "gpu".into(),
            since: at(0),
            until: None,
            ahead: Some(3),
            detail: "pool gpu is full (2/2), 3 ahead".into(),
        };
        let waiting = Run { waiting_on: Some(waiting_on), ..run(RunState::Waiting) };
        assert_eq!(
            verdict(&waiting, at(240_000), PIPE),
            "◌ loan run_00000000000000000000000000000007 waiting for 4m00s\n  waits: pool gpu is full (2/2), 3 ahead"
        );
    }

    #[test]
    fn runs_stand_in_a_table() {
        assert_eq!(
            table(&[run(RunState::Succeeded)], at(10_000), PIPE),
            "\
RUN                                   WORKFLOW  STATE      CREATED  TOOK  DETAIL
run_00000000000000000000000000000007  loan      succeeded  10s ago  3.2s
"
        );
    }
}
