//! One workflow: its own keys; the steps are read by `step`.

use super::{
    canonical,
    context::Context,
    cycles,
    draft::{Draft, Expects, FrameKind, Role, Site, SiteValue},
    expression::Located,
    fields::Fields,
    operations, policy,
    pools::{self, KnownPools, Pools},
    resolve, step,
};
use crate::{
    codes,
    definition::{Body, Concurrency, OnFailure, Schema, ScopeId, Service, Step, WhenFull, Workflow},
    keys, typing,
    yaml::{Key, Node},
};
use consort_expr::Type;
use consort_types::{Digest, Name, Placing};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What a workflow may refer to outside of itself.
pub(crate) struct Surroundings<'a> {
    pub context: &'a Context<'a>,
    pub services: &'a BTreeMap<Name, Arc<Service>>,
    /// The names of services that are defined and could not be read: calls of them are not judged.
    pub broken_services: &'a BTreeSet<Name>,
    /// The input of every workflow.
    pub inputs: &'a BTreeMap<Name, Schema>,
    /// The pools that each run of this workflow has for itself.
    pub run_pools: &'a Pools,
    /// The pools that each run of some workflow has for itself and shares with its children.
    pub all_run_pools: &'a BTreeSet<Name>,
    /// What the workflows give that were read so far: those that a step may run come first.
    pub outputs: &'a BTreeMap<Name, Type>,
    pub channels: &'a BTreeSet<Name>,
}

impl Surroundings<'_> {
    /// What a `use` of a step may name.
    pub(crate) fn known_pools(&self) -> KnownPools<'_> {
        KnownPools { project: self.context.pools(), run: self.run_pools, inherited: self.all_run_pools }
    }
}

/// The input of a workflow, read before any step so that workflows can call each other.
pub(crate) fn input(context: &Context<'_>, key: &Key, node: &Node) -> Option<Schema> {
    // Unknown keys are reported when the whole is read.
    node.entries()?;
    let fields = Fields::quiet(context.report, key.span, node, &keys::WORKFLOW);
    if let Some(Node { kind: crate::yaml::Kind::Map(entries), .. }) = fields.get("input") {
        for entry in entries {
            let name = entry.key.text.trim_end_matches('?');
            super::fields::name(context.report, entry.key.span, name, consort_types::NameKind::Snake);
        }
    }
    Some(operations::schema(context, &fields, "input", "input_schema").unwrap_or_else(Schema::nothing))
}

/// Reads and checks one workflow; also gives the type of what it gives.
pub(crate) fn workflow<'a>(
    around: &Surroundings<'a>,
    name: &Name,
    key: &'a Key,
    node: &'a Node,
) -> Option<(Workflow, Type)> {
    let context = around.context;
    let fields = Fields::open(context.report, key.span, node, &keys::WORKFLOW)?;
    let run_pools = pools::of_workflow(context, &fields);
    let around = &Surroundings { run_pools: &run_pools, ..*around };
    let mut draft = Draft::default();
    let top = draft.open(FrameKind::Top, None, None);
    if let Some(steps) = fields.require("steps") {
        step::steps(around, &mut draft, top, "", steps, 0);
    }
    let finally = fields.get("finally").map(|node| {
        let scope = draft.open(FrameKind::WorkflowFinally, None, Some(top));
        step::steps(around, &mut draft, scope, "finally.", node, 0);
        scope
    });
    let mut output = None;
    if let Some((_, node)) = fields.entry("output") {
        let located = Located::read(context, node);
        output = Some(located.template());
        site(&mut draft, top, SiteValue::Value(located), &[], Role::Output, Expects::Anything);
    }
    let mut concurrency = concurrency(context, &fields, &mut draft, top);
    let tags = tags(context, &fields, &mut draft, top);
    let retry = fields.get("retry").and_then(|node| policy::retry(context, fields.place("retry"), node));
    let mut retry = retry.map(|located| {
        if let Some(when) = located.when {
            site(&mut draft, top, SiteValue::Condition(when), &["error"], Role::Other, Expects::Condition);
        }
        located.retry
    });
    for (pool, place) in draft.inherited_pools.drain(..) {
        context.inherits_pool(name, &pool, place);
    }
    let input = around.inputs.get(name).cloned().unwrap_or_else(Schema::any);
    resolve::resolve(context.report, &mut draft);
    let order = cycles::order(context.report, &draft);
    let timeout = fields.duration("timeout");
    let surroundings = typing::Surroundings { input: &input, children: around.outputs, timeout };
    let (env, gives) = typing::check(context.report, &mut draft, &order, &surroundings);
    typing::bind_template(&mut output, &env);
    typing::bind_retry(&mut retry, &env);
    if let Some(concurrency) = &mut concurrency {
        typing::bind_template(&mut concurrency.key, &env);
    }
    let names_previous = typing::names_previous(&draft);
    let workflow = Workflow {
        name: name.clone(),
        digest: digest(node, &draft.steps),
        pools: run_pools.iter().filter_map(|(name, pool)| Some((name.clone(), pool.clone()?))).collect(),
        input,
        output,
        on_failure: on_failure(&fields),
        retry,
        timeout,
        finally,
        concurrency,
        names_previous,
        tags: tags.into_iter().map(|(name, value)| (name, value.bind(&env))).collect(),
        priority: fields.integer("priority", -100..=100).unwrap_or(0) as i32,
        description: fields.text("description"),
        top,
        steps: draft.steps,
        scopes: draft.scopes,
    };
    Some((workflow, gives))
}

/// Notes a place with expressions that the workflow itself evaluates.
fn site<'a>(
    draft: &mut Draft<'a>,
    scope: ScopeId,
    value: SiteValue<'a>,
    sees: &'static [&'static str],
    role: Role,
    expects: Expects,
) {
    let (assumes, names) = (Vec::new(), Vec::new());
    draft.sites.push(Site { step: None, scope, value, role, sees, inner: None, expects, assumes, names });
}

fn on_failure(fields: &Fields<'_>) -> OnFailure {
    let words = [("undo", OnFailure::Undo), ("keep", OnFailure::Keep), ("pause", OnFailure::Pause)];
    fields.word("on_failure", &words).unwrap_or_default()
}

fn concurrency<'a>(
    context: &Context<'a>,
    fields: &Fields<'a>,
    draft: &mut Draft<'a>,
    top: ScopeId,
) -> Option<Concurrency> {
    let node = fields.get("concurrency")?;
    let given = Fields::open(context.report, fields.place("concurrency"), node, &keys::CONCURRENCY)?;
    let key = given.get("key").map(|node| Located::read(context, node));
    let template = key.as_ref().map(Located::template);
    if let Some(key) = key {
        let expects = Expects::Anything;
        input_only(context, draft, top, key, expects);
    }
    let words =
        [("queue", WhenFull::Queue), ("reject", WhenFull::Reject), ("cancel_oldest", WhenFull::CancelOldest)];
    let when_full = given.word("when_full", &words).unwrap_or_default();
    given.require("limit")?;
    Some(Concurrency { limit: given.count("limit", 1)?, key: template, when_full })
}

fn tags<'a>(
    context: &Context<'a>,
    fields: &Fields<'a>,
    draft: &mut Draft<'a>,
    top: ScopeId,
) -> BTreeMap<String, consort_expr::Template> {
    let entries = fields.get("tags").and_then(Node::entries).unwrap_or(&[]);
    let mut tags = BTreeMap::new();
    if let Some(node) = fields.get("tags").filter(|node| node.entries().is_none()) {
        let message = format!("`tags` is a map of texts, and this is {}", node.describe());
        context.report.error(node.span, codes::E_VALUE, message, None);
    }
    for entry in entries {
        let value = Located::read(context, &entry.value);
        tags.insert(entry.key.text.clone(), value.template());
        input_only(context, draft, top, value, Expects::Anything);
    }
    tags
}

/// Notes an expression that is evaluated before any step has run: a step in it is refused by name.
fn input_only<'a>(
    context: &Context<'_>,
    draft: &mut Draft<'a>,
    top: ScopeId,
    value: Located<'a>,
    expects: Expects,
) {
    let value = SiteValue::Value(value);
    let site = Site {
        step: None,
        scope: top,
        value,
        role: Role::Other,
        sees: &[],
        inner: None,
        expects,
        assumes: Vec::new(),
        names: Vec::new(),
    };
    for (reference, span) in site.references() {
        if draft.frame(top).names.contains_key(reference.root.as_str()) {
            let message = format!("the step `{}` has not run when this is evaluated", reference.root);
            let hint = "here only `input` is known".to_owned();
            context.report.error(span, codes::E_UNKNOWN_NAME, message, Some(hint));
        }
    }
    draft.sites.push(site);
}

/// Content of the section, and of the operations that it calls: a live run keeps both.
fn digest(node: &Node, steps: &[Step]) -> Digest {
    let mut called = BTreeMap::new();
    for step in steps {
        let body = match &step.body {
            Body::Call(call) => Some(call),
            _ => None,
        };
        for call in body.into_iter().chain(&step.undo).chain(&step.resolve) {
            let operation = &call.operation;
            let mut section = json!({
                "method": operation.method.as_str(),
                "path": operation.path,
                "input": operation.input.whole(),
                "output": operation.output.whole(),
                "timeout_ms": operation.timeout.as_millis() as u64,
                "heartbeat_ms": operation.heartbeat.as_millis() as u64,
                "retry": operation.retry.as_ref().map(|retry| format!("{retry:?}")),
            });
            if let Placing::Declared(places) = &operation.placing {
                section["places"] = format!("{places:?}").into();
            }
            if !operation.uses.is_empty() {
                section["use"] = format!("{:?}", operation.uses).into();
            }
            called.insert(operation.name.to_string(), section);
        }
    }
    let called: serde_json::Map<String, Value> = called.into_iter().collect();
    let keys = steps.iter().flat_map(|step| &step.uses).filter_map(|used| {
        let key = used.key.as_ref()?;
        Some((used.pool.to_string(), Value::from(format!("{key:?}"))))
    });
    let mut whole = json!({ "workflow": node.to_json(), "operations": called });
    let keys: serde_json::Map<String, Value> = keys.collect();
    if !keys.is_empty() {
        whole["pool_keys"] = keys.into();
    }
    canonical::digest_of(&whole)
}
