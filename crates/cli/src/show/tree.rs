//! The steps of a run as a tree.

use super::{
    cut, printable,
    style::{Style, Tone, of_step},
    time,
};
use consort_types::{AttemptState, StepState, Timestamp};
use consort_wire::{Cached, Step};
use std::collections::{BTreeMap, HashMap, HashSet};

/// So many items of a fan-out are drawn one by one; of more only those that are under way or went wrong.
const ITEMS_SHOWN_WHOLE: usize = 8;

/// Column at which what follows the name begins, unless names are longer.
const NAME_WIDTH_MAX: usize = 36;

/// The lines of the tree, each at most `width` characters when one is given.
pub fn render(steps: &[Step], now: Timestamp, style: Style, width: Option<usize>) -> Vec<String> {
    let rows = rows(steps);
    let name_width = rows.iter().map(Row::name_width).max().unwrap_or(0).min(NAME_WIDTH_MAX);
    rows.iter().map(|row| row.line(name_width, now, style, width)).collect()
}

/// What is known of a step in a few words: why it waits, what went wrong, how far it is.
pub fn remark(step: &Step) -> String {
    if step.state == StepState::Running
        && let Some(progress) = &step.progress
    {
        let percent = progress.fraction.map(|fraction| format!("{:.0} %", fraction * 100.0));
        let words = percent.into_iter().chain(progress.message.clone());
        return words.collect::<Vec<_>>().join(" ");
    }
    if let Some(waiting) = step.waiting_on.as_ref().filter(|_| !step.state.is_terminal()) {
        return waiting.detail.clone();
    }
    match (&step.error, step.state) {
        (Some(error), StepState::Succeeded) => format!("caught: {error}"),
        (Some(error), _) => error.to_string(),
        (None, StepState::Succeeded) if step.copied_from.is_some() => "copied".to_owned(),
        (None, StepState::Succeeded) => step.cached.as_ref().map_or_else(String::new, from_cache),
        (None, StepState::Running) => after_a_failure(step),
        (None, _) => String::new(),
    }
}

/// Whose result it took; nothing where it made its call itself.
fn from_cache(cached: &Cached) -> String {
    let step = cached.step.as_deref().unwrap_or_default();
    match &cached.run {
        Some(run) if cached.hit => format!("cached: from {step} of {run}"),
        Some(_) | None => String::new(),
    }
}

/// While a try runs: why the one before it failed.
fn after_a_failure(step: &Step) -> String {
    let failed = |state| matches!(state, AttemptState::Failed | AttemptState::TimedOut | AttemptState::Lost);
    let last = step.attempts.iter().rev().find(|attempt| failed(attempt.state));
    last.and_then(|attempt| attempt.error.as_ref())
        .map_or_else(String::new, |error| format!("after: {error}"))
}

enum Row<'a> {
    Step {
        step: &'a Step,
        depth: usize,
        name: String,
    },
    /// What was left out of a fan-out.
    More {
        depth: usize,
        counts: BTreeMap<StepState, usize>,
    },
}

impl Row<'_> {
    fn name_width(&self) -> usize {
        match self {
            Self::Step { depth, name, .. } => depth * 2 + name.chars().count(),
            Self::More { .. } => 0,
        }
    }

    fn line(&self, name_width: usize, now: Timestamp, style: Style, width: Option<usize>) -> String {
        let (glyph, tone, rest, rest_tone) = match self {
            Self::Step { step, depth, name } => {
                let (glyph, tone) = of_step(step.state);
                let name = format!("{}{name}", "  ".repeat(*depth));
                let rest = format!("{name:name_width$}  {}", facts(step, now));
                let rest_tone = if step.state == StepState::Failed { Tone::Bad } else { Tone::None };
                (glyph, tone, rest, rest_tone)
            }
            Self::More { depth, counts } => {
                let words: Vec<_> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
                (" ", Tone::None, format!("{}… {}", "  ".repeat(*depth), words.join(", ")), Tone::Dim)
            }
        };
        // Glyph and two spaces stand before it.
        let rest = width.map_or_else(|| rest.clone(), |width| cut(&rest, width.saturating_sub(3)));
        format!("{} {}", style.paint(tone, glyph), style.paint(rest_tone, rest.trim_end()))
    }
}

fn facts(step: &Step, now: Timestamp) -> String {
    let mut facts = vec![step.state.to_string()];
    facts.extend(Some(time::span(step.started_at, step.finished_at, now)).filter(|span| !span.is_empty()));
    if step.attempts.len() > 1 {
        facts.push(format!("{} attempts", step.attempts.len()));
    }
    // One that waits says so in its remark.
    facts.extend(step.child.filter(|_| step.waiting_on.is_none()).map(|run| run.to_string()));
    facts.extend(Some(printable(&remark(step))).filter(|remark| !remark.is_empty()));
    facts.join("  ")
}

fn rows(steps: &[Step]) -> Vec<Row<'_>> {
    let known: HashSet<&str> = steps.iter().map(|step| step.key.as_str()).collect();
    let mut children: HashMap<Option<&str>, Vec<&Step>> = HashMap::new();
    for step in steps {
        // A step whose parent is not in the list stands at the top rather than nowhere.
        let parent = step.parent.as_deref().filter(|parent| known.contains(parent) && *parent != step.key);
        children.entry(parent).or_default().push(step);
    }
    let mut rows = Vec::new();
    add(&mut rows, &children, None, 0);
    rows
}

fn add<'a>(
    rows: &mut Vec<Row<'a>>,
    children: &HashMap<Option<&str>, Vec<&'a Step>>,
    parent: Option<&'a str>,
    depth: usize,
) {
    let Some(steps) = children.get(&parent) else { return };
    let whole = steps.len() <= ITEMS_SHOWN_WHOLE || steps.iter().any(|step| step.index.is_none());
    let (mut shown, mut left_out) = (0, BTreeMap::new());
    for &step in steps {
        let notable = matches!(step.state, StepState::Running | StepState::Waiting | StepState::Failed);
        if whole || (notable && shown < ITEMS_SHOWN_WHOLE) {
            shown += 1;
            let name = short_name(&step.key, parent);
            rows.push(Row::Step { step, depth, name });
            add(rows, children, Some(&step.key), depth + 1);
        } else {
            *left_out.entry(step.state).or_insert(0) += 1;
        }
    }
    if !left_out.is_empty() {
        rows.push(Row::More { depth, counts: left_out });
    }
}

/// The key without its parent's: under `decision`, `decision.else` is `else`.
fn short_name(key: &str, parent: Option<&str>) -> String {
    let rest = parent.and_then(|parent| key.strip_prefix(parent)).unwrap_or(key);
    printable(rest.strip_prefix('.').filter(|rest| !rest.is_empty()).unwrap_or(rest))
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use consort_types::{ErrorKind, RunError, WaitKind, WaitingOn};
    use consort_wire::Attempt;

    pub fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    pub fn step(key: &str, parent: Option<&str>, state: StepState) -> Step {
        Step {
            key: key.into(),
            kind: "call".into(),
            call: None,
            state,
            started_at: None,
            finished_at: None,
            attempts: vec![],
            input: None,
            output: None,
            error: None,
            cached: None,
            copied_from: None,
            progress: None,
            waiting_on: None,
            child: None,
            parent: parent.map(Into::into),
            index: None,
        }
    }

    fn attempt(number: u32, state: AttemptState, error: Option<RunError>) -> Attempt {
        Attempt { number, state, started_at: at(0), finished_at: None, replica: None, revision: None, error }
    }

    #[test]
    fn a_run_reads_as_a_tree() {
        let unavailable = RunError::new("HTTP_503", ErrorKind::Unavailable, "the parser is busy");
        let waiting = WaitingOn {
            kind: WaitKind::Approval,
            name: "decision.else".into(),
            since: at(0),
            until: None,
            ahead: None,
            detail: "a person must answer: Approve ann?".into(),
        };
        let steps = [
            Step {
                started_at: Some(at(0)),
                finished_at: Some(at(1_200)),
                ..step("pages", None, StepState::Succeeded)
            },
            step("fields", None, StepState::Running),
            Step {
                index: Some(0),
                started_at: Some(at(1_200)),
                attempts: vec![
                    attempt(1, AttemptState::Failed, Some(unavailable.clone())),
                    attempt(2, AttemptState::Running, None),
                ],
                ..step("fields[0]", Some("fields"), StepState::Running)
            },
            Step {
                error: Some(unavailable),
                index: Some(1),
                ..step("fields[1]", Some("fields"), StepState::Failed)
            },
            step("decision", None, StepState::Waiting),
            Step { waiting_on: Some(waiting), ..step("decision.else", Some("decision"), StepState::Waiting) },
            step("notice", None, StepState::Pending),
        ];
        let lines = render(&steps, at(3_200), Style::Plain, Some(80));
        assert_eq!(
            lines.join("\n"),
            "\
✓ pages     succeeded  1.2s
● fields    running
●   [0]     running  2.0s  2 attempts  after: the parser is busy (HTTP_503)
✗   [1]     failed  the parser is busy (HTTP_503)
◌ decision  waiting
◌   else    waiting  a person must answer: Approve ann?
· notice    pending"
        );
        assert!(
            render(&steps, at(3_200), Style::Plain, Some(40)).iter().all(|line| line.chars().count() <= 40)
        );
        assert!(render(&steps, at(3_200), Style::Colour, None)[0].starts_with("\x1b[32m✓\x1b[0m pages"));
    }

    #[test]
    fn a_wide_fan_out_is_counted() {
        let mut steps = vec![step("each", None, StepState::Running)];
        steps.extend((0..100).map(|n| Step {
            index: Some(n),
            ..step(
                &format!("each[{n}]"),
                Some("each"),
                match n {
                    0..50 => StepState::Succeeded,
                    50 => StepState::Failed,
                    51..53 => StepState::Running,
                    _ => StepState::Ready,
                },
            )
        }));
        let lines = render(&steps, at(0), Style::Plain, Some(80));
        assert_eq!(
            lines.join("\n"),
            "● each    running\n✗   [50]  failed\n●   [51]  running\n●   [52]  running\n    … 47 ready, 50 succeeded"
        );
    }

    #[test]
    fn a_step_without_its_parent_is_not_lost() {
        let lines = render(&[step("a.b", Some("a"), StepState::Ready)], at(0), Style::Plain, None);
        assert_eq!(lines, ["○ a.b  ready"]);
    }
}
