//! What each step gives, and to whom it looks how.

use super::Types;
use crate::{
    definition::{AwaitKind, Body, ScopeId, Step, StepId},
    lower::draft::{Draft, Role},
};
use consort_expr::{Field, ObjectType, Type};
use std::sync::Arc;

/// What the body of a step gives, once.
pub(super) fn body(draft: &Draft<'_>, types: &Types<'_>, id: StepId) -> Type {
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
        Body::Run { detach: true, .. } => Type::String,
        Body::Run { workflow, .. } => types.children.get(workflow).cloned().unwrap_or(Type::Any),
    }
}

/// What a step gives once, shaped by its `output`.
pub(super) fn shaped(types: &Types<'_>, id: StepId) -> Type {
    match types.sites.get(&(id, Role::Output)) {
        Some(shaped) => shaped.clone(),
        None => types.bodies[id.0 as usize].clone(),
    }
}

/// What others see of a step.
pub(super) fn output(draft: &Draft<'_>, types: &Types<'_>, id: StepId) -> Type {
    let step = draft.step(id);
    let mut given = shaped(types, id);
    for catch in &step.catch {
        if let Some(instead) = only_step(draft, types, catch.scope) {
            given = given.join(&instead);
        }
    }
    if let Some(each) = &step.for_each {
        let item = if each.tolerate.is_some() || each.first.is_some() { given.nullable() } else { given };
        given = Type::list(item);
    }
    // The run does not wait for what is in the background, and goes on if it fails.
    if step.when.is_some() || step.background { given.nullable() } else { given }
}

/// A map of the outputs of a scope.
pub(super) fn of_scope(draft: &Draft<'_>, types: &Types<'_>, scope: ScopeId) -> Type {
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
fn only_step(draft: &Draft<'_>, types: &Types<'_>, scope: ScopeId) -> Option<Type> {
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
