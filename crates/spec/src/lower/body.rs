//! What a step does: one function for each kind.

use super::{
    draft::{Assumed, Expects, FrameKind, Role, SiteValue},
    expression::Located,
    fields::{self, Fields},
    platform,
    step::{self, Place, Reading},
    types,
};
use crate::{
    codes,
    definition::{Await, AwaitKind, Body, Branch, Call, Fail, KeyPart, Loop, Operation, Schema, Wait},
    diagnostics::Span,
    features::Feature,
    keys,
    yaml::Node,
};
use consort_expr::{Template, Type, nearest};
use consort_types::{Name, NameKind};
use serde_json::{Value, json};
use std::sync::Arc;

/// The most turns of a loop: each is history that is kept.
const TURNS_MAX: i64 = 1_000_000;

/// How many earlier branches of a switch are remembered for what they tell about null: a switch of thousands
/// stays cheap.
const PASSED_MAX: usize = 32;

/// Reads what the step does.
pub(crate) fn body<'a>(read: &mut Reading<'_, 'a>, fields: &Fields<'a>, kind: &str) {
    let body = match kind {
        "call" => call(read, fields),
        "steps" => group(read, fields),
        "switch" => switch(read, fields),
        "value" => read.value(fields, "value", Role::Value, &[], Expects::Anything).map(Body::Value),
        "loop" => turns(read, fields),
        "wait" => wait(read, fields),
        "await" => awaited(read, fields),
        "emit" => emit(read, fields),
        "run" => run(read, fields),
        _ => fail(read, fields),
    };
    match body {
        Some(body) => read.step().body = body,
        None => read.opaque(),
    }
}

fn call<'a>(read: &mut Reading<'_, 'a>, fields: &Fields<'a>) -> Option<Body> {
    let node = fields.require("call")?;
    let operation = operation(read, node);
    let with = with(read, fields, operation.as_deref(), Role::Other, &[]);
    Some(Body::Call(Call { operation: operation?, with }))
}

/// Reads `undo` or `resolve`: a call beside the call.
pub(crate) fn call_of<'a>(
    read: &mut Reading<'_, 'a>,
    fields: &Fields<'a>,
    key: &str,
    sees: &'static [&'static str],
) -> Option<Call> {
    let node = fields.get(key)?;
    let given = Fields::open(read.around.context.report, fields.place(key), node, &keys::CALL)?;
    let operation = operation(read, given.require("call")?);
    let role = if key == "undo" { Role::Undo } else { Role::Other };
    let with = with(read, &given, operation.as_deref(), role, sees);
    Some(Call { operation: operation?, with })
}

/// `with`, checked against what takes it. Without `with` the input is `{}`.
fn with<'a>(
    read: &mut Reading<'_, 'a>,
    fields: &Fields<'a>,
    operation: Option<&Operation>,
    role: Role,
    sees: &'static [&'static str],
) -> Template {
    let expects = match operation {
        None => Expects::Anything,
        Some(operation) => Expects::Input {
            schema: operation.input.clone(),
            callee: operation.name.to_string(),
            place: if fields.has("with") { fields.place("with") } else { fields.place("call") },
        },
    };
    input(read, fields, role, sees, expects)
}

fn input<'a>(
    read: &mut Reading<'_, 'a>,
    fields: &Fields<'a>,
    role: Role,
    sees: &'static [&'static str],
    expects: Expects,
) -> Template {
    match fields.get("with") {
        Some(node) => read.located(Located::read(read.around.context, node), role, sees, expects),
        None => {
            let template = Template::literal(json!({}));
            read.site(SiteValue::Value(Located::Absent(fields.owner)), role, sees, None, expects);
            template
        }
    }
}

/// `service.operation`.
fn operation(read: &Reading<'_, '_>, node: &Node) -> Option<Arc<Operation>> {
    let report = read.around.context.report;
    let text = fields::text(report, node, "`call`")?;
    let Some((service_name, operation_name)) = text.split_once('.') else {
        let message = format!("`{text}` is not `service.operation`");
        let service = read.around.services.get(text.as_str());
        let operation = service.and_then(|service| service.operations.keys().next());
        let hint = match operation {
            Some(operation) => format!("write `{text}.{operation}`"),
            None => "write the service, a dot, and its operation".to_owned(),
        };
        report.error(node.span, codes::E_VALUE, message, Some(hint));
        return None;
    };
    if service_name == super::services::RESERVED {
        read.around.context.uses(Feature::ConsortService, node.span);
        let known = platform::OPERATIONS;
        return platform::operation(operation_name).or_else(|| {
            unknown_operation(read, node.span, service_name, operation_name, known.iter().copied());
            None
        });
    }
    let Some(service) = read.around.services.get(service_name) else {
        if !read.around.broken_services.contains(service_name) {
            let known = read.around.services.keys().map(Name::as_str).chain([super::services::RESERVED]);
            let hint =
                nearest(service_name, known).map(|name| format!("did you mean `{name}.{operation_name}`?"));
            let span = Span { length: service_name.chars().count() as u32, ..node.span };
            report.error(
                span,
                codes::E_UNKNOWN_SERVICE,
                format!("there is no service `{service_name}`"),
                hint,
            );
        }
        return None;
    };
    service.operations.get(operation_name).cloned().or_else(|| {
        let known = service.operations.keys().map(Name::as_str);
        // Operations of a document that this build does not read yet cannot be judged.
        if !read.around.context.is_documented(service_name) {
            unknown_operation(read, node.span, service_name, operation_name, known);
        }
        None
    })
}

fn unknown_operation<'n>(
    read: &Reading<'_, '_>,
    span: Span,
    service: &str,
    operation: &str,
    known: impl Iterator<Item = &'n str> + Clone,
) {
    let message = format!("the service `{service}` has no operation `{operation}`");
    let hint = match nearest(operation, known.clone()) {
        Some(name) => Some(format!("did you mean `{service}.{name}`?")),
        None => {
            let known: Vec<&str> = known.collect();
            (!known.is_empty()).then(|| format!("it has {}", known.join(", ")))
        }
    };
    read.around.context.report.error(span, codes::E_UNKNOWN_OPERATION, message, hint);
}

fn group<'a>(read: &mut Reading<'_, 'a>, fields: &Fields<'a>) -> Option<Body> {
    let node = fields.require("steps")?;
    let scope = read.draft.open(FrameKind::Group, Some(read.id), Some(read.scope));
    // `first` beside `for_each` counts items; else steps.
    let each = fields.has("for_each");
    let first = if each { None } else { fields.count("first", 1) };
    read.step().body = Body::Group { scope, first };
    let prefix = format!("{}.", read.inner_path());
    step::steps(read.around, read.draft, scope, &prefix, node, read.depth + 1);
    let count = read.draft.scopes[scope.0 as usize].steps.len() as u32;
    if first.is_some_and(|first| first > count) {
        let message = format!("`first` is more than the {count} steps of the group");
        let hint = format!("write at most `first: {count}`");
        read.around.context.report.error(fields.place("first"), codes::E_QUANTITY, message, Some(hint));
    }
    output_with_inner(read, fields, scope, &["output"]);
    Some(Body::Group { scope, first })
}

/// `output` of a group or a loop, which also sees the inner steps.
fn output_with_inner<'a>(
    read: &mut Reading<'_, 'a>,
    fields: &Fields<'a>,
    scope: crate::definition::ScopeId,
    sees: &'static [&'static str],
) {
    let Some((_, node)) = fields.entry("output") else { return };
    let value = Located::read(read.around.context, node);
    read.step().output = Some(value.template());
    read.site(SiteValue::Value(value), Role::Output, sees, Some(scope), Expects::Anything);
}

fn switch<'a>(read: &mut Reading<'_, 'a>, fields: &Fields<'a>) -> Option<Body> {
    let node = fields.require("switch")?;
    let report = read.around.context.report;
    let Some(items) = node.items() else {
        let message = format!("`switch` is a list of branches, and this is {}", node.describe());
        report.error(node.span, codes::E_VALUE, message, Some("begin each branch with `- when:`".to_owned()));
        return None;
    };
    let mut branches = Vec::with_capacity(items.len());
    let mut passed = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let last = index + 1 == items.len();
        let Some(branch) = branch(read, item, index as u32, &mut passed) else { continue };
        if branch.when.is_none() && !last && item.get("else").is_some() {
            let message = "the branches after `else` are never reached";
            report.error(
                items[index + 1].span,
                codes::E_UNREACHABLE,
                message,
                Some("put `else` last".to_owned()),
            );
        }
        branches.push(branch);
    }
    Some(Body::Switch(branches))
}

/// Reads one branch. `passed` are the conditions of those before it, which were false if this one is asked.
fn branch<'a>(
    read: &mut Reading<'_, 'a>,
    item: &'a Node,
    index: u32,
    passed: &mut Vec<Assumed>,
) -> Option<Branch> {
    let report = read.around.context.report;
    let otherwise = item.entries().and_then(|entries| entries.iter().find(|entry| entry.key.text == "else"));
    let when = item.get("when").filter(|node| !node.is_null());
    let span = item.entries().and_then(|entries| entries.first()).map_or(item.span, |entry| entry.key.span);
    if item.entries().is_none() {
        let message = format!("a branch is a map with `when` or `else`, and this is {}", item.describe());
        report.error(item.span, codes::E_VALUE, message, None);
        return None;
    }
    let mut assumes = passed.clone();
    let (expr, key_part, suffix) = match (when, otherwise) {
        (Some(_), Some(entry)) => {
            let message = "a branch has `when` or `else`, not both";
            report.error(entry.key.span, codes::E_KEY_CONFLICT, message, None);
            return None;
        }
        (None, None) => {
            let message = "a branch needs `when` or `else`";
            let hint = "begin it with `- when: …`, the last one with `- else:`".to_owned();
            report.error(span, codes::E_MISSING_KEY, message, Some(hint));
            return None;
        }
        (Some(node), None) => {
            let expr = read.condition(node, &[], None, Expects::Condition);
            if expr.is_some() {
                let site = read.draft.newest_site();
                read.draft.sites[site].assumes.clone_from(passed);
                assumes.push(Assumed { site, truth: true });
                passed.push(Assumed { site, truth: false });
                passed.drain(..passed.len().saturating_sub(PASSED_MAX));
            }
            (Some(expr), KeyPart::Index(index), format!("[{index}]"))
        }
        (None, Some(_)) => {
            (None, KeyPart::Name(Name::new("else", NameKind::Snake).ok()?), ".else".to_owned())
        }
    };
    let scope = read.draft.open(FrameKind::Branch, Some(read.id), Some(read.scope));
    read.draft.frames[scope.0 as usize].assumes = assumes;
    let place = Place {
        scope,
        key_part,
        path: format!("{}{suffix}", read.inner_path()),
        span,
        depth: read.depth + 1,
    };
    // `{ else: , STEP }` or `else: { STEP }`.
    let body = otherwise.map(|entry| &entry.value).filter(|value| !value.is_null()).unwrap_or(item);
    let keys = if std::ptr::eq(body, item) { &keys::BRANCH } else { &keys::STEP };
    read.nested(&place, |read, place| step::unnamed(read.around, read.draft, place, body, keys));
    match expr {
        // The condition could not be parsed; the branch is checked and never runs.
        Some(None) => None,
        Some(Some(expr)) => Some(Branch { when: Some(expr), scope }),
        None => Some(Branch { when: None, scope }),
    }
}

fn turns<'a>(read: &mut Reading<'_, 'a>, fields: &Fields<'a>) -> Option<Body> {
    let context = read.around.context;
    let node = fields.require("loop")?;
    let given = Fields::open(context.report, fields.place("loop"), node, &keys::LOOP)?;
    let carry = read.value(&given, "carry", Role::Carry, &[], Expects::Anything);
    let scope = read.draft.open(FrameKind::Turn, Some(read.id), Some(read.scope));
    if let Some(node) = given.require("steps") {
        let prefix = format!("{}[].", read.draft.step(read.id).path);
        step::steps(read.around, read.draft, scope, &prefix, node, read.depth + 1);
    }
    let next = given.entry("next").map(|(_, node)| {
        let value = Located::read(context, node);
        let template = value.template();
        read.site(SiteValue::Value(value), Role::Next, &["carry"], Some(scope), Expects::Anything);
        template
    });
    let until = given.require("until");
    let until = until.and_then(|node| read.condition(node, &["carry"], Some(scope), Expects::Condition));
    let max = given.require("max").and_then(|_| given.integer("max", 1..=TURNS_MAX));
    let outer = if given.has("output") { &given } else { fields };
    output_with_inner(read, outer, scope, &["output", "carry"]);
    let delay = given.duration("delay");
    Some(Body::Loop(Loop { carry, next, until: until?, max: max? as u32, delay, scope }))
}

fn wait<'a>(read: &mut Reading<'_, 'a>, fields: &Fields<'a>) -> Option<Body> {
    let node = fields.require("wait")?;
    if node.entries().is_none() {
        return fields.duration("wait").map(|duration| Body::Wait(Wait::For(duration)));
    }
    let given = Fields::open(read.around.context.report, fields.place("wait"), node, &keys::WAIT)?;
    given.require("until")?;
    let until = read.value(&given, "until", Role::Other, &[], Expects::Type(Type::Datetime))?;
    Some(Body::Wait(Wait::Until(until)))
}

fn awaited<'a>(read: &mut Reading<'_, 'a>, fields: &Fields<'a>) -> Option<Body> {
    let report = read.around.context.report;
    let node = fields.require("await")?;
    let given = Fields::open(report, fields.place("await"), node, &keys::AWAIT)?;
    let sources: Vec<&str> =
        ["event", "signal", "approval"].into_iter().filter(|key| given.has(key)).collect();
    if sources.len() != 1 {
        let message = "`await` waits for one of `event`, `signal`, `approval`";
        report.error(given.owner, codes::E_KEY_CONFLICT, message, None);
        return None;
    }
    if given.has("where") && sources[0] != "event" {
        report.error(given.place("where"), codes::E_KEY_NOT_HERE, "`where` belongs to `event`", None);
    }
    let kind = match sources[0] {
        "event" => {
            read.around.context.uses(Feature::AwaitEvent, given.place("event"));
            let filter = given.get("where");
            let filter = filter.and_then(|node| read.condition(node, &["event"], None, Expects::Condition));
            AwaitKind::Event { event_type: given.text("event")?, filter }
        }
        "signal" => AwaitKind::Signal { name: given.name("signal", NameKind::Snake)? },
        _ => approval(read, &given)?,
    };
    Some(Body::Await(Await { kind }))
}

fn approval<'a>(read: &mut Reading<'_, 'a>, fields: &Fields<'a>) -> Option<AwaitKind> {
    let context = read.around.context;
    let given =
        Fields::open(context.report, fields.place("approval"), fields.get("approval")?, &keys::APPROVAL)?;
    given.require("ask")?;
    let ask = read.value(&given, "ask", Role::Other, &[], Expects::Anything)?;
    let show = read.value(&given, "show", Role::Other, &[], Expects::Anything);
    let to = read.value(&given, "to", Role::Other, &[], Expects::Anything);
    let form = match given.get("form") {
        Some(node) => types::short_type(context.report, node),
        None => Type::object([("approved", Type::Boolean)]),
    };
    let form = Schema::of_type(form);
    let notify = channels(read, &given);
    Some(AwaitKind::Approval { ask, show, form, to, notify })
}

fn channels(read: &Reading<'_, '_>, fields: &Fields<'_>) -> Vec<Name> {
    let node = fields.get("notify");
    let items = node.map_or(&[][..], |node| node.items().unwrap_or(std::slice::from_ref(node)));
    let known = read.around.channels;
    let names = items.iter().filter_map(|item| super::sections::channel(read.around.context, known, item));
    names.collect()
}

fn emit<'a>(read: &mut Reading<'_, 'a>, fields: &Fields<'a>) -> Option<Body> {
    let context = read.around.context;
    context.uses(Feature::Emit, fields.place("emit"));
    let given = Fields::open(context.report, fields.place("emit"), fields.require("emit")?, &keys::EMIT)?;
    given.require("type")?;
    let event_type = given.text("type")?;
    let subject = read.value(&given, "subject", Role::Other, &[], Expects::Anything);
    let data = read.value(&given, "data", Role::Other, &[], Expects::Anything);
    Some(Body::Emit { event_type, subject, data: data.unwrap_or_else(|| Template::literal(Value::Null)) })
}

fn run<'a>(read: &mut Reading<'_, 'a>, fields: &Fields<'a>) -> Option<Body> {
    let context = read.around.context;
    fields.require("run")?;
    let detach = fields.boolean("detach").unwrap_or(false);
    let node = fields.get("run")?;
    let workflow = super::sections::workflow_name(context, read.around.inputs, node);
    let expects = match &workflow {
        None => Expects::Anything,
        Some(name) => Expects::Input {
            schema: read.around.inputs[name].clone(),
            callee: format!("the workflow {name}"),
            place: if fields.has("with") { fields.place("with") } else { fields.place("run") },
        },
    };
    let with = input(read, fields, Role::Other, &[], expects);
    Some(Body::Run { workflow: workflow?, with, detach })
}

fn fail<'a>(read: &mut Reading<'_, 'a>, fields: &Fields<'a>) -> Option<Body> {
    let node = fields.require("fail")?;
    if node.entries().is_none() {
        let message =
            read.located(Located::read(read.around.context, node), Role::Other, &[], Expects::Anything);
        return Some(Body::Fail(Fail { code: None, message, details: None }));
    }
    let given = Fields::open(read.around.context.report, fields.place("fail"), node, &keys::FAIL)?;
    given.require("message")?;
    let code = read.value(&given, "code", Role::Other, &[], Expects::Anything);
    let message = read.value(&given, "message", Role::Other, &[], Expects::Anything)?;
    let details = read.value(&given, "details", Role::Other, &[], Expects::Anything);
    Some(Body::Fail(Fail { code, message, details }))
}
