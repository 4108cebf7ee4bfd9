//! Runs, steps, history and lines.

use super::revision;
use consort_node::{Cached, HistoryEntry, LogLine, LogStream, Miss, Pass, RunRecord, StepView};
use consort_types::{Json, RunId, RunState};
use consort_wire as wire;

/// Above this, the input and the output of a thing are left out of lists and of the feed, in bytes.
const INLINE_MAX: usize = 16 << 10;

/// A run with all that belongs to it.
pub fn run(record: RunRecord) -> wire::Run {
    let passes = record.attempts.len();
    let attempts = record.attempts.into_iter().enumerate();
    let attempts = attempts.map(|(n, it)| pass(it, record.state, n + 1 == passes)).collect();
    wire::Run {
        id: record.id,
        namespace: record.namespace.to_string(),
        workflow: record.workflow.to_string(),
        revision: revision(record.revision),
        state: record.state,
        input: Some(record.input),
        output: record.output,
        error: record.error,
        tags: record.tags,
        created_at: record.created_at,
        started_at: record.started_at,
        finished_at: record.finished_at,
        trigger: trigger(&record.trigger).map(|trigger| of_step(trigger, record.parent.as_ref())),
        parent: record.parent.map(|(run, step)| wire::RunParent { run, step }),
        undo: record.undo,
        waiting_on: record.waiting_on,
        attempts,
    }
}

/// Leaves the input and the output of a run out when they are large together.
pub fn slim(mut run: wire::Run) -> wire::Run {
    slim_pair(&mut run.input, &mut run.output);
    run
}

pub(super) fn slim_pair(input: &mut Option<Json>, output: &mut Option<Json>) {
    let bytes = |json: &Option<Json>| json.as_ref().map_or(0, Json::len);
    if bytes(input) + bytes(output) > INLINE_MAX {
        (*input, *output) = (None, None);
    }
}

fn pass(pass: Pass, of_run: RunState, last: bool) -> wire::RunPass {
    let Pass { number, started_at, finished_at, error } = pass;
    let state = match (last, &error, finished_at) {
        (true, None, _) | (true, _, Some(_)) => of_run,
        _ => RunState::Failed,
    };
    wire::RunPass { number, state, started_at: Some(started_at), finished_at, error }
}

/// `api`, `rerun:ID`, `run:ID`, or a kind and the name of a trigger.
fn trigger(text: &str) -> Option<wire::RunTrigger> {
    use wire::TriggerKind as Kind;
    let (kind, rest) = text.split_once(':').map_or((text, None), |(kind, rest)| (kind, Some(rest)));
    let kind = match kind {
        "api" => Kind::Api,
        "rerun" => Kind::Rerun,
        "run" => Kind::Run,
        "schedule" => Kind::Schedule,
        "event" => Kind::Event,
        "webhook" => Kind::Webhook,
        "files" => Kind::Files,
        _ => return None,
    };
    let run: Option<RunId> = rest.and_then(|rest| rest.parse().ok());
    let name = rest.filter(|_| run.is_none()).map(str::to_owned);
    Some(wire::RunTrigger { kind, name, run })
}

/// What started a child run is a step.
fn of_step(trigger: wire::RunTrigger, parent: Option<&(RunId, String)>) -> wire::RunTrigger {
    let name = trigger.name.or_else(|| parent.map(|(_, step)| step.clone()));
    wire::RunTrigger { name, ..trigger }
}

/// A step.
pub fn step(view: StepView) -> wire::Step {
    let attempts = view.attempts.into_iter().map(|attempt| wire::Attempt {
        number: attempt.number,
        state: attempt.state,
        started_at: attempt.started_at,
        finished_at: attempt.finished_at,
        replica: attempt.replica,
        revision: attempt.revision.map(revision),
        error: attempt.error.map(|error| *error),
    });
    wire::Step {
        key: view.key,
        kind: view.kind.to_owned(),
        call: view.call,
        state: view.state,
        started_at: view.started_at,
        finished_at: view.finished_at,
        attempts: attempts.collect(),
        input: view.input,
        output: view.output,
        error: view.error,
        cached: view.cached.map(cached),
        copied_from: view.copied_from,
        progress: view.progress.map(|(note, at)| wire::Progress {
            fraction: note.fraction,
            message: note.message,
            at,
        }),
        waiting_on: view.waiting_on,
        child: view.run,
        parent: view.parent,
        index: view.index.map(u64::from),
    }
}

/// An entry of a history by its place, from 0.
pub fn history_entry((place, entry): (usize, HistoryEntry)) -> wire::HistoryEntry {
    let HistoryEntry { at, kind, step, attempt, by, data } = entry;
    wire::HistoryEntry { seq: place as u64 + 1, at, entry_type: kind, step, attempt, by, data }
}

/// A line of an attempt.
pub fn log_line(line: LogLine) -> wire::LogLine {
    let LogLine { run: _, step, attempt, at, stream, line } = line;
    wire::LogLine { at, step, attempt, stream: stream_word(stream), line }
}

const fn stream_word(stream: LogStream) -> wire::Stream {
    match stream {
        LogStream::Stdout => wire::Stream::Stdout,
        LogStream::Stderr => wire::Stream::Stderr,
        LogStream::System => wire::Stream::System,
    }
}

/// Whether a step took an earlier result, and whose, or why not.
fn cached(cached: Cached) -> wire::Cached {
    let miss = wire::Cached { hit: false, run: None, step: None, at: None, expires_at: None, why: None };
    match cached {
        Cached::Hit { run, step, at, until } => wire::Cached {
            hit: true,
            run: Some(run),
            step: Some(step),
            at: Some(at),
            expires_at: Some(until),
            why: None,
        },
        Cached::Miss { why, .. } => wire::Cached { why: Some(why_missed(why)), ..miss },
    }
}

const fn why_missed(why: Miss) -> wire::CacheMiss {
    match why {
        Miss::NoEntry => wire::CacheMiss::NoEntry,
        Miss::Expired => wire::CacheMiss::Expired,
        Miss::NewRevision => wire::CacheMiss::NewRevision,
        Miss::NoCache => wire::CacheMiss::NoCache,
        Miss::Unfit => wire::CacheMiss::Unfit,
        Miss::Unreadable => wire::CacheMiss::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_says_what_it_was() {
        let id = "run_00000000000000000000000000000007";
        let of = |text: &str| trigger(text).map(|it| (it.kind, it.name, it.run.map(|run| run.to_string())));
        assert_eq!(of("api"), Some((wire::TriggerKind::Api, None, None)));
        assert_eq!(of(&format!("rerun:{id}")), Some((wire::TriggerKind::Rerun, None, Some(id.to_owned()))));
        assert_eq!(
            of("schedule:nightly"),
            Some((wire::TriggerKind::Schedule, Some("nightly".to_owned()), None))
        );
        assert_eq!(of("moon"), None);
    }
}
