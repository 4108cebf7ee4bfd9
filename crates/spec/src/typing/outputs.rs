//! What each step gives, and to whom it looks how.

use super::Types;
use crate::{
    codes,
    definition::{AwaitKind, Body, ScopeId, Step, StepId},
    diagnostics::Report,
    lower::draft::{Draft, Role},
};
use consort_expr::{Field, ObjectType, Type};
use std::{collections::HashSet, sync::Arc, time::Duration};

/// What the body of a step gives, once.
pub(super) fn body(draft: &Draft<'_>, types: &Types, id: StepId) -> Type {
    let step = draft.step(id);
    if draft.notes[id.0 as usize].opaque {
        return Type::Any;
    }
    match &step.body {
        Body::Call(call) => call.operation.output.seen_as().clone(),
        Body::Group { scope, first } => match first {
            Some(_) => perhaps(of_scope(draft, types, *scope)),
            None => of_scope(draft, types, *scope),
        },
        Body::Switch(branches) => {
            let mut given = branches.iter().filter_map(|branch| only_step(draft, types, branch.scope));
            let first = given.next().unwrap_or(Type::Null);
            let joined = given.fold(first, |joined, type_| joined.join(&type_));
            // Without `else` there may be no branch that runs.
            if branches.iter().any(|branch| branch.when.is_none()) { joined } else { joined.nullable() }
        }
        Body::Value(_) => types.sites.get(&(id, Role::Value)).cloned().unwrap_or(Type::Any),
        Body::Loop(turns) => of_scope(draft, types, turns.scope),
        Body::Wait(_) => Type::Null,
        Body::Await(awaited) => {
            let answer = match &awaited.kind {
                AwaitKind::Event { .. } => super::event_type(),
                AwaitKind::Signal { .. } => Type::Any,
                AwaitKind::Approval { form, .. } => form.seen_as().clone(),
            };
            match types.sites.get(&(id, Role::OnTimeout)) {
                Some(instead) => answer.join(instead),
                None => answer,
            }
        }
        Body::Emit { .. } | Body::Fail(_) => Type::Null,
        Body::Run { detach, .. } => {
            if *detach {
                Type::String
            } else {
                Type::Any
            }
        }
    }
}

/// What a step gives once, shaped by its `output`.
pub(super) fn shaped(types: &Types, id: StepId) -> Type {
    match types.sites.get(&(id, Role::Output)) {
        Some(shaped) => shaped.clone(),
        None => types.bodies[id.0 as usize].clone(),
    }
}

/// What one execution of a step gives, be it by what takes over from it.
pub(super) fn once(draft: &Draft<'_>, types: &Types, id: StepId) -> Type {
    let mut given = shaped(types, id);
    for catch in &draft.step(id).catch {
        if let Some(instead) = only_step(draft, types, catch.scope) {
            given = given.join(&instead);
        }
    }
    given
}

/// What others see of a step, of which one execution gives `given`.
pub(super) fn output(draft: &Draft<'_>, given: Type, id: StepId) -> Type {
    let step = draft.step(id);
    let mut given = given;
    if let Some(each) = &step.for_each {
        let item = if each.tolerate.is_some() || each.first.is_some() { given.nullable() } else { given };
        given = Type::list(item);
    }
    if step.when.is_some() { given.nullable() } else { given }
}

/// A map of the outputs of a scope.
pub(super) fn of_scope(draft: &Draft<'_>, types: &Types, scope: ScopeId) -> Type {
    let steps = &draft.scopes[scope.0 as usize].steps;
    let fields = steps.iter().filter_map(|id| {
        let name = name(draft.step(*id))?;
        Some(Field { name: name.into(), type_: types.outputs[id.0 as usize].clone(), required: true })
    });
    Type::Object(Arc::new(ObjectType { fields: fields.collect() }))
}

fn name(step: &Step) -> Option<&str> {
    step.path.rsplit('.').next()
}

/// What the one step of a branch or a `catch` gives; none when it always fails.
fn only_step(draft: &Draft<'_>, types: &Types, scope: ScopeId) -> Option<Type> {
    let id = draft.scopes[scope.0 as usize].steps.first()?;
    match draft.step(*id).body {
        Body::Fail(_) => None,
        _ => Some(types.outputs[id.0 as usize].clone()),
    }
}

/// The same with every field perhaps null.
fn perhaps(type_: Type) -> Type {
    match type_ {
        Type::Object(object) => {
            let nullable = |field: &Field| Field { type_: field.type_.clone().nullable(), ..field.clone() };
            Type::Object(Arc::new(ObjectType { fields: object.fields.iter().map(nullable).collect() }))
        }
        other => other,
    }
}

/// What is legal and probably not meant.
pub(super) fn warn(report: &Report, draft: &Draft<'_>, timeout: Option<Duration>) {
    let used: HashSet<StepId> = draft
        .sites
        .iter()
        .flat_map(|site| &site.names)
        .filter_map(|(_, meaning)| match meaning {
            crate::lower::draft::Meaning::Step(id) | crate::lower::draft::Meaning::PerhapsStep(id) => {
                Some(*id)
            }
            _ => None,
        })
        .chain(draft.steps.iter().flat_map(|step| step.after.iter().copied()))
        .collect();
    for step in &draft.steps {
        let span = draft.notes[step.id.0 as usize].name;
        if let (Some(longest), Some(own)) = (timeout, step.timeout)
            && own > longest
        {
            let message = format!("the timeout of `{}` is longer than that of the whole run", step.path);
            report.warning(span, codes::W_TIMEOUT_TOO_LONG, message, None);
        }
        if let (Body::Call(call), Some(retry)) = (&step.body, &step.retry)
            && call.operation.idempotent == Some(false)
            && retry.attempts > 1
        {
            let message = format!(
                "`{}` is tried again, and says of itself that it is not idempotent",
                call.operation.name
            );
            let hint = "leave `retry` out, or make the operation keep to its Idempotency-Key".to_owned();
            report.warning(span, codes::W_RETRY_NOT_IDEMPOTENT, message, Some(hint));
        }
        let effectless = matches!(step.body, Body::Value(_)) && !draft.notes[step.id.0 as usize].opaque;
        if effectless && !used.contains(&step.id) && is_lost(draft, step) {
            let message = format!("nothing uses `{}`, and it has no effect", step.path);
            report.warning(span, codes::W_UNUSED, message, None);
        }
    }
}

/// Whether the output of a step that nobody names reaches nothing. A scope without an `output` of its own
/// gives all its steps' outputs.
fn is_lost(draft: &Draft<'_>, step: &Step) -> bool {
    use crate::lower::draft::FrameKind;
    let frame = draft.frame(step.scope);
    let owner = draft.scopes[step.scope.0 as usize].owner;
    match frame.kind {
        FrameKind::Top => draft.sites.iter().any(|site| site.step.is_none() && site.role == Role::Output),
        FrameKind::Group | FrameKind::Turn => owner.is_some_and(|owner| draft.step(owner).output.is_some()),
        FrameKind::Branch | FrameKind::Catch => false,
        FrameKind::Finally | FrameKind::WorkflowFinally => true,
    }
}
