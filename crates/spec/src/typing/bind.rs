//! Tells each expression the types of its names: JSON has one kind of number, and does not say what is a time.

use super::{Types, environment};
use crate::{
    definition::{AwaitKind, Body, Call, Fail, Retry, Step, Use, Wait},
    lower::draft::{Draft, Role},
};
use consort_expr::{Expr, Template, TypeEnv};

/// Binds every expression of every step. Gives the environment of those that the workflow itself evaluates.
pub(super) fn bind(draft: &mut Draft<'_>, types: &Types<'_>) -> TypeEnv {
    // `when` and the list of a `for_each` see what is around the step, all else its items; `output` sees what
    // the body gave, all else what it was shaped to. Apart from that a name means one thing in all of a step.
    let mut early = vec![TypeEnv::default(); draft.steps.len()];
    let mut late = early.clone();
    let mut shaping = early.clone();
    let mut own = TypeEnv::default();
    for site in &draft.sites {
        let env = match (site.step, site.role) {
            (None, _) => &mut own,
            (Some(step), Role::List | Role::When) => &mut early[step.0 as usize],
            (Some(step), Role::Output) => &mut shaping[step.0 as usize],
            (Some(step), _) => &mut late[step.0 as usize],
        };
        *env = environment(env, types, site);
    }
    for (index, step) in draft.steps.iter_mut().enumerate() {
        bind_step(step, &early[index], &late[index]);
        template(&mut step.output, &shaping[index]);
    }
    own
}

fn bind_step(step: &mut Step, early: &TypeEnv, env: &TypeEnv) {
    expr(&mut step.when, early);
    if let Some(each) = &mut step.for_each {
        each.list = each.list.bind(early);
        template(&mut each.key, env);
        expr(&mut each.item_after, env);
    }
    bind_body(&mut step.body, env);
    retry(&mut step.retry, env);
    if let Some(instead) = &mut step.on_timeout {
        instead.value = instead.value.bind(env);
    }
    for call in step.undo.iter_mut().chain(&mut step.resolve) {
        bind_call(call, env);
    }
    step.catch.iter_mut().for_each(|catch| expr(&mut catch.when, env));
    if let Some(cache) = &mut step.cache {
        template(&mut cache.key, env);
    }
    step.uses.iter_mut().for_each(|used| bind_use(used, env));
    template(&mut step.key, env);
}

fn bind_body(body: &mut Body, env: &TypeEnv) {
    match body {
        Body::Call(call) => bind_call(call, env),
        Body::Group { .. } | Body::Wait(Wait::For(_)) => {}
        Body::Switch(branches) => branches.iter_mut().for_each(|branch| expr(&mut branch.when, env)),
        Body::Value(value) | Body::Wait(Wait::Until(value)) => *value = value.bind(env),
        Body::Loop(turns) => {
            template(&mut turns.carry, env);
            template(&mut turns.next, env);
            turns.until = turns.until.bind(env);
        }
        Body::Await(awaited) => match &mut awaited.kind {
            AwaitKind::Event { filter, .. } => expr(filter, env),
            AwaitKind::Signal { .. } => {}
            AwaitKind::Approval { ask, show, to, .. } => {
                *ask = ask.bind(env);
                template(show, env);
                template(to, env);
            }
        },
        Body::Emit { subject, data, .. } => {
            template(subject, env);
            *data = data.bind(env);
        }
        Body::Run { with, .. } => *with = with.bind(env),
        Body::Fail(Fail { code, message, details }) => {
            template(code, env);
            *message = message.bind(env);
            template(details, env);
        }
    }
}

fn bind_call(call: &mut Call, env: &TypeEnv) {
    call.with = call.with.bind(env);
}

fn bind_use(used: &mut Use, env: &TypeEnv) {
    used.take = used.take.bind(env);
    expr(&mut used.settle, env);
}

pub(crate) fn retry(retry: &mut Option<Retry>, env: &TypeEnv) {
    if let Some(retry) = retry {
        expr(&mut retry.when, env);
    }
}

pub(crate) fn expr(expr: &mut Option<Expr>, env: &TypeEnv) {
    if let Some(expr) = expr {
        *expr = expr.bind(env);
    }
}

pub(crate) fn template(template: &mut Option<Template>, env: &TypeEnv) {
    if let Some(template) = template {
        *template = template.bind(env);
    }
}
