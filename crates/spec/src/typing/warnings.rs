//! What is legal and probably not meant, and what can never run.

use crate::{
    codes,
    definition::{Body, ScopeId, Step, StepId, Wait},
    diagnostics::Report,
    lower::draft::{Draft, FrameKind, Meaning, Role},
};
use consort_expr::Expr;
use std::{collections::HashSet, time::Duration};

/// The time that the `finally` of a workflow has, whatever the time of the run.
const FINALLY_TIME: Duration = Duration::from_secs(5 * 60);

/// Reports all of it.
pub(super) fn warn(report: &Report, draft: &Draft<'_>, timeout: Option<Duration>) {
    let used = used(draft);
    let shaped = draft.sites.iter().any(|site| site.step.is_none() && site.role == Role::Output);
    let failing = failing(draft);
    for step in &draft.steps {
        too_long(report, draft, step, timeout);
        not_idempotent(report, draft, step);
        if !used.contains(&step.id) && has_no_effect(draft, step) && is_lost(draft, step, shaped) {
            unused(report, draft, step);
        }
        unreachable(report, draft, step, &failing);
        if let Body::Group { scope, first: Some(first) } = &step.body {
            beaten_by_its_own(report, draft, *scope, *first);
        }
    }
}

/// In a race, a step that waits for as many as must succeed: they end the race before it begins.
fn beaten_by_its_own(report: &Report, draft: &Draft<'_>, scope: ScopeId, first: u32) {
    for id in &draft.scopes[scope.0 as usize].steps {
        let mut before: Vec<StepId> = Vec::new();
        let mut open = vec![*id];
        while let Some(step) = open.pop() {
            let inside = draft.step(step).waits_for.iter().filter(|on| draft.step(**on).scope == scope);
            // One with a `when` may be skipped, which is no success.
            let certain = inside.copied().filter(|on| draft.step(*on).when.is_none());
            let new: Vec<StepId> = certain.filter(|on| !before.contains(on)).collect();
            before.extend(&new);
            open.extend(&new);
        }
        if before.len() as u32 >= first {
            let step = draft.step(*id);
            let message = format!(
                "`{}` never runs: the steps that it waits for are enough for `first: {first}`",
                step.path
            );
            let hint = "put it and what it waits for into a group of their own".to_owned();
            let span = draft.notes[id.0 as usize].name;
            report.warning(span, codes::W_UNREACHABLE, message, Some(hint));
        }
    }
}

/// The steps whose output somebody reads or whose end somebody waits for.
fn used(draft: &Draft<'_>) -> HashSet<StepId> {
    let named = draft.sites.iter().flat_map(|site| &site.names).filter_map(|(_, meaning)| match meaning {
        Meaning::Step(id) | Meaning::PerhapsStep(id) => Some(*id),
        _ => None,
    });
    named.chain(draft.steps.iter().flat_map(|step| step.after.iter().copied())).collect()
}

/// A time that cannot pass, because what is around it ends before.
fn too_long(report: &Report, draft: &Draft<'_>, step: &Step, timeout: Option<Duration>) {
    let own = match (&step.body, step.timeout) {
        (_, Some(own)) => own,
        (Body::Wait(Wait::For(own)), None) => *own,
        _ => return,
    };
    let Some((bound, whose)) = time_around(draft, step, timeout).filter(|(bound, _)| own > *bound) else {
        return;
    };
    let what = if step.timeout.is_some() { "the timeout of" } else { "the wait" };
    let message = format!("{what} `{}` is longer than that of {whose}", step.path);
    let hint = format!("{whose} ends after {} s, and this with it", bound.as_secs_f64());
    report.warning(draft.notes[step.id.0 as usize].name, codes::W_TIMEOUT_TOO_LONG, message, Some(hint));
}

/// The shortest time around a step, and whose it is.
fn time_around(draft: &Draft<'_>, step: &Step, run: Option<Duration>) -> Option<(Duration, String)> {
    let mut shortest: Option<(Duration, String)> = None;
    let mut shorten = |time: Option<Duration>, whose: String| {
        if let Some(time) = time.filter(|time| shortest.as_ref().is_none_or(|(known, _)| time <= known)) {
            shortest = Some((time, whose));
        }
    };
    for scope in draft.enclosing(step.scope) {
        match draft.frame(scope).kind {
            FrameKind::WorkflowFinally => {
                shorten(Some(FINALLY_TIME), "`finally`".to_owned());
                return shortest;
            }
            // What takes over or cleans up has a time of its own.
            FrameKind::Catch | FrameKind::Finally => break,
            FrameKind::Top | FrameKind::Group | FrameKind::Turn | FrameKind::Branch => {}
        }
        let Some(owner) = draft.scopes[scope.0 as usize].owner.map(|owner| draft.step(owner)) else {
            continue;
        };
        shorten(owner.timeout, format!("`{}`", owner.path));
        if owner.background {
            return shortest;
        }
    }
    if !step.background {
        shorten(run, "the whole run".to_owned());
    }
    shortest
}

/// Doing again what says of itself that it may not be done twice, or taking an earlier result for doing it.
fn not_idempotent(report: &Report, draft: &Draft<'_>, step: &Step) {
    let Body::Call(call) = &step.body else { return };
    if call.operation.idempotent != Some(false) {
        return;
    }
    let (span, name) = (draft.notes[step.id.0 as usize].name, &call.operation.name);
    if step.retry.as_ref().is_some_and(|retry| retry.attempts > 1) {
        let message = format!("`{name}` is tried again, and says of itself that it is not idempotent");
        let hint = "leave `retry` out, or make the operation keep to its Idempotency-Key".to_owned();
        report.warning(span, codes::W_RETRY_NOT_IDEMPOTENT, message, Some(hint));
    }
    if step.cache.is_some() {
        let message = format!("`{name}` says of itself that it is not idempotent, and its result is cached");
        let hint = "leave `cache` out: a hit does not call the operation".to_owned();
        report.warning(span, codes::W_CACHE_NOT_IDEMPOTENT, message, Some(hint));
    }
}

fn unused(report: &Report, draft: &Draft<'_>, step: &Step) {
    let message = format!("nothing uses `{}`, and it has no effect", step.path);
    let hint = format!("take it out, or name it: `${{{}}}`", step.path.rsplit('.').next().unwrap_or("…"));
    report.warning(draft.notes[step.id.0 as usize].name, codes::W_UNUSED, message, Some(hint));
}

/// Whether a step only computes: a value, or a group, a switch or a loop of such.
fn has_no_effect(draft: &Draft<'_>, step: &Step) -> bool {
    let inside = |scope: ScopeId| {
        draft.scopes[scope.0 as usize].steps.iter().all(|id| has_no_effect(draft, draft.step(*id)))
    };
    if draft.notes[step.id.0 as usize].opaque || !step.catch.is_empty() || step.finally.is_some() {
        return false;
    }
    match &step.body {
        Body::Value(_) => true,
        Body::Group { scope, .. } => inside(*scope),
        Body::Switch(branches) => branches.iter().all(|branch| inside(branch.scope)),
        // A loop that never ends well is a failure, which is an effect.
        Body::Loop(_) => false,
        Body::Call(_) | Body::Wait(_) | Body::Await(_) | Body::Emit { .. } | Body::Run { .. } => false,
        Body::Fail(_) => false,
    }
}

/// Whether the output of a step that nobody names reaches nothing. A scope without an `output` of its own
/// gives all its steps' outputs; what is lost with the whole of a scope is told once, of the whole. `shaped`:
/// whether the workflow has an `output`.
fn is_lost(draft: &Draft<'_>, step: &Step, shaped: bool) -> bool {
    let frame = draft.frame(step.scope);
    let owner = draft.scopes[step.scope.0 as usize].owner;
    match frame.kind {
        FrameKind::Top => shaped,
        FrameKind::Group | FrameKind::Turn => owner.is_some_and(|owner| draft.step(owner).output.is_some()),
        FrameKind::Branch | FrameKind::Catch => false,
        FrameKind::Finally | FrameKind::WorkflowFinally => true,
    }
}

/// Which steps fail whenever they run.
fn failing(draft: &Draft<'_>) -> Vec<bool> {
    let mut failing = vec![false; draft.steps.len()];
    // Inner steps have later ids.
    for step in draft.steps.iter().rev() {
        let any =
            |scope: ScopeId| draft.scopes[scope.0 as usize].steps.iter().any(|id| failing[id.0 as usize]);
        let fails = match &step.body {
            Body::Fail(_) => true,
            Body::Group { scope, first: None } => any(*scope),
            Body::Loop(turns) => any(turns.scope),
            Body::Switch(branches) => {
                branches.iter().any(|branch| branch.when.is_none())
                    && branches.iter().all(|branch| any(branch.scope))
            }
            _ => false,
        };
        let escapes = step.when.is_some()
            || step.for_each.is_some()
            || step.background
            || !step.catch.is_empty()
            || draft.notes[step.id.0 as usize].opaque;
        failing[step.id.0 as usize] = fails && !escapes;
    }
    failing
}

fn unreachable(report: &Report, draft: &Draft<'_>, step: &Step, failing: &[bool]) {
    let span = draft.notes[step.id.0 as usize].name;
    if let Some(before) = step.waits_for.iter().find(|before| failing[before.0 as usize]) {
        let message = format!(
            "`{}` can never run: it waits for `{}`, which always fails",
            step.path,
            draft.step(*before).path
        );
        let hint = "give that step a `when` or a `catch`, or take this one out".to_owned();
        report.error(span, codes::E_UNREACHABLE, message, Some(hint));
    }
    if step.when.as_ref().is_some_and(|when| is_always(when, "false")) {
        let message = format!("`{}` never runs: its `when` is always false", step.path);
        report.warning(span, codes::W_UNREACHABLE, message, Some("take the step out".to_owned()));
    }
    if let Body::Switch(branches) = &step.body {
        unreachable_branches(report, draft, branches);
    }
}

fn unreachable_branches(report: &Report, draft: &Draft<'_>, branches: &[crate::definition::Branch]) {
    let mut asked: HashSet<&str> = HashSet::new();
    let mut decided = false;
    for branch in branches {
        let asks = branch.when.as_ref().map(|when| when.source().trim());
        let again = asks.is_some_and(|asks| !asked.insert(asks));
        let never = asks == Some("false");
        if let (true, Some(first)) =
            (decided || again || never, draft.scopes[branch.scope.0 as usize].steps.first())
        {
            let why = match (decided, again) {
                (true, _) => "one before it is always taken",
                (false, true) => "one before it asks the same",
                (false, false) => "its `when` is always false",
            };
            let message = format!("no run can reach this branch: {why}");
            let hint = "take the branch out, or change its `when`".to_owned();
            report.warning(draft.notes[first.0 as usize].name, codes::W_UNREACHABLE, message, Some(hint));
        }
        decided |= asks == Some("true");
    }
}

fn is_always(condition: &Expr, word: &str) -> bool {
    condition.source().trim() == word
}
