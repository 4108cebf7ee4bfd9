//! The order in which steps can be done, and the circles in which they cannot.

use super::draft::{Draft, FrameKind};
use crate::{
    codes,
    definition::{ScopeId, StepId},
    diagnostics::Report,
};

/// A moment in the life of a step. What is inside a step lies between its two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// All that it waits for is done.
    Start(StepId),
    /// It is done, and all inside it.
    End(StepId),
}

impl Moment {
    const fn index(self) -> usize {
        match self {
            Self::Start(step) => 2 * step.0 as usize,
            Self::End(step) => 2 * step.0 as usize + 1,
        }
    }

    const fn of(index: usize) -> Self {
        let step = StepId((index / 2) as u32);
        if index.is_multiple_of(2) { Self::Start(step) } else { Self::End(step) }
    }

    const fn step(self) -> StepId {
        match self {
            Self::Start(step) | Self::End(step) => step,
        }
    }
}

/// All moments so that each comes after those that it waits for. Circles are reported and broken, so that
/// everything else can still be checked.
pub(crate) fn order(report: &Report, draft: &Draft<'_>) -> Vec<Moment> {
    let before = befores(draft);
    let mut after = vec![Vec::new(); before.len()];
    let mut missing: Vec<usize> = before.iter().map(Vec::len).collect();
    for (moment, befores) in before.iter().enumerate() {
        for earlier in befores {
            after[*earlier].push(moment);
        }
    }
    let mut done = vec![false; before.len()];
    let mut ready: Vec<usize> = (0..before.len()).filter(|moment| missing[*moment] == 0).collect();
    let mut order = Vec::with_capacity(before.len());
    let mut unvisited = 0;
    loop {
        while let Some(moment) = ready.pop() {
            if std::mem::replace(&mut done[moment], true) {
                continue;
            }
            order.push(Moment::of(moment));
            for later in &after[moment] {
                missing[*later] = missing[*later].saturating_sub(1);
                if missing[*later] == 0 {
                    ready.push(*later);
                }
            }
        }
        while unvisited < done.len() && done[unvisited] {
            unvisited += 1;
        }
        if unvisited == done.len() {
            finally_last(draft, &mut order);
            return order;
        }
        // Everything left waits for something left: going back must end in a circle.
        let circle = circle(&before, &done, unvisited);
        report_circle(report, draft, &circle);
        ready.extend(circle);
    }
}

/// The `finally` of the workflow sees steps for which it does not wait: all of them come before it.
fn finally_last(draft: &Draft<'_>, order: &mut [Moment]) {
    let is_finally = |scope: ScopeId| draft.frame(scope).kind == FrameKind::WorkflowFinally;
    if draft.frames.iter().any(|frame| frame.kind == FrameKind::WorkflowFinally) {
        order.sort_by_cached_key(|moment| draft.enclosing(draft.step(moment.step()).scope).any(is_finally));
    }
}

/// For each moment those that must come before it.
fn befores(draft: &Draft<'_>) -> Vec<Vec<usize>> {
    let mut before = vec![Vec::new(); 2 * draft.steps.len()];
    for step in &draft.steps {
        let start = &mut before[Moment::Start(step.id).index()];
        start.extend(step.waits_for.iter().map(|named| Moment::End(*named).index()));
        let owner = draft.scopes[step.scope.0 as usize].owner;
        start.extend(owner.map(|owner| Moment::Start(owner).index()));
        before[Moment::End(step.id).index()].push(Moment::Start(step.id).index());
        if let Some(owner) = owner {
            before[Moment::End(owner).index()].push(Moment::End(step.id).index());
        }
    }
    before
}

fn circle(before: &[Vec<usize>], done: &[bool], start: usize) -> Vec<usize> {
    let mut seen_at = vec![usize::MAX; before.len()];
    let mut path = Vec::new();
    let mut moment = start;
    while seen_at[moment] == usize::MAX {
        seen_at[moment] = path.len();
        path.push(moment);
        match before[moment].iter().find(|earlier| !done[**earlier]) {
            Some(earlier) => moment = *earlier,
            None => return vec![start],
        }
    }
    path.split_off(seen_at[moment])
}

/// Shows the circle at the first place in the file that closes it.
fn report_circle(report: &Report, draft: &Draft<'_>, circle: &[usize]) {
    let steps: Vec<StepId> = circle.iter().map(|moment| Moment::of(*moment).step()).collect();
    let links = steps.iter().zip(steps.iter().cycle().skip(1));
    let named = links
        .enumerate()
        .filter_map(|(at, (step, next))| draft.wait_places.get(&(*step, *next)).map(|span| (*span, at)));
    let Some((span, at)) = named.min() else { return };
    let mut path: Vec<&str> = Vec::new();
    for step in steps.iter().cycle().skip(at).take(steps.len() + 1) {
        let name = draft.step(*step).path.as_str();
        if path.last() != Some(&name) || steps.len() == 1 {
            path.push(name);
        }
    }
    if path.len() == 1 {
        path.push(path[0]);
    }
    let message = format!("these steps wait for each other: {}", path.join(" → "));
    let hint = "each arrow reads \"waits for\"; take one of them away".to_owned();
    report.error(span, codes::E_CYCLE, message, Some(hint));
}
