//! Names in expressions → what they mean, and so who waits for whom.

use super::{
    context::Context,
    draft::{Draft, FrameKind, Meaning, Role, Site},
    expression::{Condition, Located, place},
};
use crate::{
    codes,
    definition::{Body, CleanFrom, ScopeId, StepId},
    diagnostics::{Report, Span},
};
use consort_expr::nearest;
use std::collections::HashSet;

/// Gives every name a meaning and fills in what each step waits for.
pub(crate) fn resolve(report: &Report, draft: &mut Draft<'_>) {
    let mut sites = std::mem::take(&mut draft.sites);
    for site in &mut sites {
        let mut seen: HashSet<String> = HashSet::new();
        for (reference, span) in site.references() {
            let meaning = meaning(draft, site, &reference.root);
            if meaning == Meaning::Unknown {
                report_unknown(report, draft, site, &reference.root, span);
            }
            if let (Meaning::Step(named), Some(step)) = (meaning, site.step) {
                waits(draft, site, step, named, span);
            }
            if seen.insert(reference.root.clone()) {
                site.names.push((reference.root, meaning));
            }
        }
    }
    draft.sites = sites;
    clean_undos(report, draft);
    after(report, draft);
    for step in &mut draft.steps {
        step.waits_for.sort();
        step.waits_for.dedup();
    }
}

/// Before a clean try the undo of a call runs without its output: an undo that needs it could not.
fn clean_undos(report: &Report, draft: &Draft<'_>) {
    for site in draft.sites.iter().filter(|site| site.role == Role::Undo) {
        let Some(step) = site.step.map(|step| draft.step(step)) else { continue };
        let clean = step.retry.as_ref().is_some_and(|retry| retry.clean != CleanFrom::Never);
        if !clean || !matches!(step.body, Body::Call(_)) {
            continue;
        }
        if let Some((_, span)) = site.references().iter().find(|(reference, _)| reference.root == "output") {
            let message = "with `clean` the undo of a call runs without its output, and this needs it";
            let hint = "undo by something that is known before the call, such as `key`".to_owned();
            report.error(*span, codes::E_KEY_CONFLICT, message, Some(hint));
        }
    }
}

/// Notes that a step waits for another, unless that one is inside it.
fn waits(draft: &mut Draft<'_>, site: &Site<'_>, step: StepId, named: StepId, span: Span) {
    let scope = draft.step(named).scope;
    if site.inner == Some(scope) {
        return;
    }
    draft.step_mut(step).waits_for.push(named);
    let place = draft.wait_places.entry((step, named)).or_insert(span);
    *place = (*place).min(span);
}

/// `after`: names of steps of this or an enclosing scope.
fn after(report: &Report, draft: &mut Draft<'_>) {
    for index in 0..draft.notes.len() {
        let step = StepId(index as u32);
        let mut only_after = Vec::new();
        for (name, span) in std::mem::take(&mut draft.notes[index].after) {
            match find(draft, draft.step(step).scope, name) {
                Some((named, _)) => {
                    if !draft.step(step).waits_for.contains(&named) {
                        only_after.push(named);
                    }
                    draft.wait_places.entry((step, named)).or_insert(span);
                }
                None => {
                    let known = visible(draft, draft.step(step).scope);
                    let hint =
                        nearest(name, known.iter().copied()).map(|name| format!("did you mean `{name}`?"));
                    report.error(
                        span,
                        codes::E_UNKNOWN_STEP,
                        format!("there is no step `{name}` here"),
                        hint,
                    );
                }
            }
        }
        only_after.sort();
        only_after.dedup();
        draft.step_mut(step).waits_for.extend(only_after.iter().copied());
        draft.step_mut(step).after = only_after;
    }
}

/// A step by its name, from the inside out, and the kind of scope that holds it.
fn find(draft: &Draft<'_>, scope: ScopeId, name: &str) -> Option<(StepId, FrameKind)> {
    let mut scopes = draft.enclosing(scope);
    scopes.find_map(|scope| {
        let frame = draft.frame(scope);
        frame.names.get(name).map(|id| (*id, frame.kind))
    })
}

fn meaning(draft: &Draft<'_>, site: &Site<'_>, name: &str) -> Meaning {
    if let Some(meaning) = special(draft, site, name) {
        return meaning;
    }
    if let Some(id) = site.inner.and_then(|inner| draft.frame(inner).names.get(name)) {
        // With `first` those that did not make it are null.
        let race =
            site.step.is_some_and(|step| matches!(draft.step(step).body, Body::Group { first: Some(_), .. }));
        return if race { Meaning::PerhapsStep(*id) } else { Meaning::Step(*id) };
    }
    let Some((id, kind)) = find(draft, site.scope, name) else { return Meaning::Unknown };
    // Seen from the `finally` of the workflow, a step outside of it may or may not have run.
    let from_finally = kind != FrameKind::WorkflowFinally
        && draft.enclosing(site.scope).any(|scope| draft.frame(scope).kind == FrameKind::WorkflowFinally);
    let within = !from_finally || inside_finally(draft, site.scope, draft.step(id).scope);
    if within { Meaning::Step(id) } else { Meaning::PerhapsStep(id) }
}

/// Whether the scope `holder` lies within the `finally` of the workflow around `scope`.
fn inside_finally(draft: &Draft<'_>, scope: ScopeId, holder: ScopeId) -> bool {
    let finally = draft.enclosing(scope).find(|scope| draft.frame(*scope).kind == FrameKind::WorkflowFinally);
    finally.is_some_and(|finally| draft.enclosing(holder).any(|scope| scope == finally))
}

/// Names that are no steps.
fn special(draft: &Draft<'_>, site: &Site<'_>, name: &str) -> Option<Meaning> {
    match name {
        "input" => return Some(Meaning::Input),
        "run" => {
            let kinds = draft.enclosing(site.scope).map(|scope| draft.frame(scope).kind);
            let ended = kinds.into_iter().any(|kind| kind == FrameKind::WorkflowFinally);
            return Some(if ended { Meaning::EndedRun } else { Meaning::Run });
        }
        "previous" => return Some(Meaning::Previous),
        _ => {}
    }
    if site.sees.contains(&name) {
        let own = match name {
            "output" if site.role == Role::Undo => site.step.map(Meaning::Shaped),
            "output" => site.step.map(Meaning::Output),
            "error" => Some(Meaning::Error(site.step)),
            "carry" => site.step.map(Meaning::Carry),
            "key" => Some(Meaning::Key),
            "event" => Some(Meaning::Event),
            _ => None,
        };
        if own.is_some() {
            return own;
        }
    }
    if name == "index" && site.sees.contains(&"carry") {
        return Some(Meaning::Index);
    }
    if let Some(step) = site.step.filter(|_| !matches!(site.role, Role::List | Role::When))
        && let Some(meaning) = of_item(draft, step, name)
    {
        return Some(meaning);
    }
    draft.enclosing(site.scope).find_map(|scope| of_frame(draft, scope, name))
}

/// What a scope adds to the names of steps.
fn of_frame(draft: &Draft<'_>, scope: ScopeId, name: &str) -> Option<Meaning> {
    let frame = draft.frame(scope);
    let owner = draft.scopes[scope.0 as usize].owner;
    let own = match (frame.kind, name) {
        (FrameKind::Turn, "carry") => owner.map(Meaning::Carry),
        (FrameKind::Turn, "index") => Some(Meaning::Index),
        (FrameKind::Catch, "error") => Some(Meaning::Error(owner)),
        (FrameKind::Finally | FrameKind::WorkflowFinally, "error") => Some(Meaning::PerhapsError(owner)),
        _ => None,
    };
    // `finally` belongs to the whole `for_each`, not to an item.
    own.or_else(|| {
        owner.filter(|_| frame.kind != FrameKind::Finally).and_then(|owner| of_item(draft, owner, name))
    })
}

fn of_item(draft: &Draft<'_>, step: StepId, name: &str) -> Option<Meaning> {
    let each = draft.step(step).for_each.as_ref()?;
    if each.item_name() == name {
        Some(Meaning::Item(step))
    } else if each.index_name() == name {
        Some(Meaning::Index)
    } else {
        None
    }
}

fn visible<'d>(draft: &'d Draft<'_>, scope: ScopeId) -> Vec<&'d str> {
    draft.enclosing(scope).flat_map(|scope| draft.frame(scope).names.keys().copied()).collect()
}

fn report_unknown(report: &Report, draft: &Draft<'_>, site: &Site<'_>, name: &str, span: Span) {
    let hidden = match name {
        "item" | "index" => Some("it is known inside a `for_each`"),
        "carry" => Some("it is known inside a `loop`"),
        "output" => Some("it is known in `undo`, in `output` of a step and in `use.settle`"),
        "error" => Some("it is known in `catch`, `finally` and `retry.when`"),
        "event" => Some("it is known in triggers and in `where`"),
        "secrets" => Some("secrets are given to services, never to expressions"),
        _ => None,
    };
    if let Some(hint) = hidden {
        let message = format!("`{name}` is not known here");
        report.error(span, codes::E_UNKNOWN_NAME, message, Some(hint.to_owned()));
        return;
    }
    if report.is_full() {
        return report.error(span, codes::E_UNKNOWN_STEP, format!("there is no step `{name}` here"), None);
    }
    let mut known = visible(draft, site.scope);
    if let Some(inner) = site.inner {
        known.extend(draft.frame(inner).names.keys().copied());
    }
    known.extend(["input", "run", "previous"]);
    let inside = draft.steps.iter().find(|step| step.path.rsplit('.').next() == Some(name));
    let hint = match (nearest(name, known.into_iter()), inside) {
        (_, Some(step)) => {
            Some(format!("`{}` is inside; from here only the output of the outer step is seen", step.path))
        }
        (Some(name), None) => Some(format!("did you mean `{name}`?")),
        (None, None) => None,
    };
    report.error(span, codes::E_UNKNOWN_STEP, format!("there is no step `{name}` here"), hint);
}

/// Checks an expression outside of a workflow, which sees nothing but these names.
pub(crate) fn check_alone(context: &Context<'_>, condition: &Condition<'_>, names: &[&str]) {
    for reference in condition.expr.references() {
        if !names.contains(&reference.root.as_str()) {
            let span = place(condition.node, condition.base + reference.offset, reference.root.len());
            let message = format!("`{}` is not known here", reference.root);
            let hint = format!("known here: {}", names.join(", "));
            context.report.error(span, codes::E_UNKNOWN_NAME, message, Some(hint));
        }
    }
}

/// The same of a value with expressions.
pub(crate) fn check_value_alone(context: &Context<'_>, value: &Located<'_>, names: &[&str]) {
    for (reference, span) in super::draft::references(value) {
        if !names.contains(&reference.root.as_str()) {
            let message = format!("`{}` is not known here", reference.root);
            let hint = match names {
                [] => "no name is known here: write a number".to_owned(),
                names => format!("known here: {}", names.join(", ")),
            };
            context.report.error(span, codes::E_UNKNOWN_NAME, message, Some(hint));
        }
    }
}
