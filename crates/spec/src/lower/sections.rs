//! The sections that are short: secrets, alerts, notify.

use super::{
    context::Context,
    fields::{self, Fields},
    pools::Pools,
};
use crate::{
    codes,
    definition::{Declared, Schema, Secret, SecretSource, Service},
    diagnostics::Span,
    features::Feature,
    keys,
    yaml::{Key, Node},
};
use consort_expr::nearest;
use consort_types::{Json, Name, NameKind};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// A secret by its source.
pub(crate) fn secret(context: &Context<'_>, name: &Name, key: &Key, node: &Node) -> Option<Secret> {
    let fields = Fields::open(context.report, key.span, node, &keys::SECRET)?;
    let source = match (fields.get("environment"), fields.get("file")) {
        (Some(_), None) => SecretSource::Environment(fields.text("environment")?),
        // The file itself is read where the server runs, never here.
        (None, Some(node)) => SecretSource::File(PathBuf::from(context.path(node)?)),
        (Some(_), Some(_)) => {
            let message = "`environment` and `file` exclude each other";
            let hint = "keep the one where the value is".to_owned();
            context.report.error(fields.place("file"), codes::E_KEY_CONFLICT, message, Some(hint));
            return None;
        }
        (None, None) => {
            let message = "a secret has one of `environment` and `file`";
            let hint = format!("write `{name}: {{ environment: {} }}`", name.as_str().to_uppercase());
            context.report.error(key.span, codes::E_MISSING_KEY, message, Some(hint));
            return None;
        }
    };
    Some(Secret { name: name.clone(), source })
}

/// A channel that must be defined under `notify`.
pub(crate) fn channel(context: &Context<'_>, known: &BTreeSet<Name>, node: &Node) -> Option<Name> {
    let text = fields::text(context.report, node, "the name of a channel")?;
    let found = known.get(text.as_str()).cloned();
    if found.is_none() {
        let hint =
            nearest(&text, known.iter().map(Name::as_str)).map(|name| format!("did you mean `{name}`?"));
        let message = format!("there is no channel `{text}` under `notify`");
        context.report.error(node.span, codes::E_UNKNOWN_CHANNEL, message, hint);
    }
    found
}

/// A workflow that must be defined.
pub(crate) fn workflow_name(
    context: &Context<'_>,
    known: &BTreeMap<Name, Schema>,
    node: &Node,
) -> Option<Name> {
    let text = fields::text(context.report, node, "the name of a workflow")?;
    let found = known.get_key_value(text.as_str()).map(|(name, _)| name.clone());
    if found.is_none() {
        let hint =
            nearest(&text, known.keys().map(Name::as_str)).map(|name| format!("did you mean `{name}`?"));
        let message = format!("there is no workflow `{text}`");
        context.report.error(node.span, codes::E_UNKNOWN_WORKFLOW, message, hint);
    }
    found
}

/// What alerts may name.
pub(crate) struct Known<'a> {
    pub workflows: &'a BTreeMap<Name, Schema>,
    pub services: &'a BTreeSet<Name>,
    pub channels: &'a BTreeSet<Name>,
}

/// A rule that tells people.
pub(crate) fn alert(
    context: &Context<'_>,
    known: &Known<'_>,
    name: &Name,
    key: &Key,
    node: &Node,
) -> Option<Declared> {
    let report = context.report;
    context.uses(Feature::Alerts, key.span);
    let fields = Fields::open(report, key.span, node, &keys::ALERT)?;
    for key in ["longer_than", "waiting_longer_than", "no_success_for", "within"] {
        fields.duration(key);
    }
    for key in ["failures", "incidents", "crash_loops"] {
        fields.count(key, 1);
    }
    fields.number("failure_ratio", 0.0..=1.0);
    let rules = [
        "failures",
        "failure_ratio",
        "longer_than",
        "waiting_longer_than",
        "no_success_for",
        "incidents",
        "crash_loops",
        "rolled_back",
    ];
    if !rules.iter().any(|rule| fields.has(rule)) {
        let hint = format!("one of {}", rules.join(", "));
        report.error(key.span, codes::E_MISSING_KEY, "the alert does not say when", Some(hint));
    }
    for key in ["workflow", "run"] {
        fields.get(key).and_then(|node| workflow_name(context, known.workflows, node));
    }
    if let (Some(node), Some(service)) = (fields.get("service"), fields.text("service"))
        && !known.services.contains(service.as_str())
    {
        let hint = nearest(&service, known.services.iter().map(Name::as_str));
        let hint = hint.map(|name| format!("did you mean `{name}`?"));
        report.error(node.span, codes::E_UNKNOWN_SERVICE, format!("there is no service `{service}`"), hint);
    }
    if let Some(node) = fields.get("notify") {
        for item in node.items().unwrap_or(std::slice::from_ref(node)) {
            channel(context, known.channels, item);
        }
    }
    Some(Declared { name: name.clone(), section: Json::from(node.to_json()) })
}

/// A way to tell people.
pub(crate) fn notify(context: &Context<'_>, name: &Name, key: &Key, node: &Node) -> Option<Declared> {
    let report = context.report;
    let fields = Fields::open(report, key.span, node, &keys::CHANNEL)?;
    let given: Vec<&str> = keys::CHANNEL.keys.iter().copied().filter(|key| fields.has(key)).collect();
    match given.as_slice() {
        ["email"] => context.uses(Feature::Email, fields.place("email")),
        ["command"] => {
            let command = fields.require("command")?;
            let words = command.items().unwrap_or(std::slice::from_ref(command));
            if words.is_empty()
                || words.iter().any(|word| word.text().is_none_or(|word| word.trim().is_empty()))
            {
                let message = "a command is a text or a list of words";
                report.error(command.span, codes::E_VALUE, message, None);
            }
        }
        [url @ ("webhook" | "slack")] => {
            let node = fields.require(url)?;
            let text = fields::text(report, node, "the address of a channel")?;
            // A secret may hold all of it.
            if !["http://", "https://", "${secrets."].iter().any(|start| text.starts_with(start)) {
                let message = format!("`{text}` is no address that a text could be sent to");
                let hint = "write `http://…`, `https://…` or `${secrets.name}`".to_owned();
                report.error(node.span, codes::E_VALUE, message, Some(hint));
            }
        }
        _ => {
            let message = "a channel has one of `webhook`, `slack`, `email`, `command`";
            let hint = "add `webhook: https://…`, or another way to tell people".to_owned();
            report.error(key.span, codes::E_MISSING_KEY, message, Some(hint));
        }
    }
    Some(Declared { name: name.clone(), section: Json::from(node.to_json()) })
}

/// Secrets that services list must be defined.
pub(crate) fn known_secret(context: &Context<'_>, known: &BTreeSet<Name>, name: &Name, span: Span) {
    if !known.contains(name) {
        let hint = match nearest(name.as_str(), known.iter().map(Name::as_str)) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!(
                "define it: `secrets: {{ {name}: {{ environment: {} }} }}`",
                name.as_str().to_uppercase()
            ),
        };
        context.report.error(
            span,
            codes::E_UNKNOWN_SECRET,
            format!("there is no secret `{name}`"),
            Some(hint),
        );
    }
}

/// Pools that are measured by the server unless the file sizes them.
const MEASURED: &[&str] = &["cpu", "memory", "gpu"];

/// What a replica holds must be something that its pool can give.
pub(crate) fn capacity(context: &Context<'_>, pools: &Pools, service: &Service, node: &Node) {
    let held = &service.resources;
    for entry in node.entries().unwrap_or(&[]) {
        let name = entry.key.text.as_str();
        let amount = match name {
            "cpu" => held.cpu_millis.map(|millis| millis as f64 / 1000.0),
            "memory" => held.memory_bytes.map(|bytes| bytes as f64),
            name => held.pools.get(name).copied(),
        };
        let size = pools.get(name).map(|pool| pool.as_ref().and_then(|pool| pool.size));
        match size {
            Some(Some(size)) if amount.is_some_and(|amount| amount > size.number()) => {
                let message = format!("a replica needs more of `{name}` than the pool has ({size})");
                context.report.error(entry.value.span, codes::E_RESOURCES, message, None);
            }
            None if !MEASURED.contains(&name) => {
                let known = pools.keys().map(Name::as_str).chain(MEASURED.iter().copied());
                let hint = nearest(name, known).map(|name| format!("did you mean `{name}`?"));
                let message = format!("there is no pool `{name}`");
                context.report.error(entry.key.span, codes::E_UNKNOWN_POOL, message, hint);
            }
            Some(_) | None => {}
        }
    }
}

/// Names of one kind in one file set.
pub(crate) fn kind_of(section: &str) -> NameKind {
    match section {
        "secrets" => NameKind::Snake,
        _ => NameKind::Kebab,
    }
}
