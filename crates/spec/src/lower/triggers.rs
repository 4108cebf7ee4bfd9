//! Rules that start runs.

use super::{
    context::Context,
    draft::{Expects, SiteValue},
    expression::{Condition, Located, place},
    fields::{self, Fields},
    pools, sections,
};
use crate::{
    codes,
    definition::{Declared, Schema},
    features::Feature,
    keys, typing,
    yaml::{Key, Node},
};
use consort_calendar::{Cron, Zone};
use consort_expr::{TypeEnv, nearest};
use consort_types::{Json, Name, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What triggers may name.
pub(crate) struct Known<'a> {
    /// The input of every workflow.
    pub inputs: &'a BTreeMap<Name, Schema>,
    pub secrets: &'a BTreeSet<Name>,
}

/// What a trigger waits for.
const SOURCES: &[&str] = &["schedule", "every", "event", "webhook", "files"];

/// Keys that mean something beside some sources only, and beside which.
const ONLY_BESIDE: &[(&str, &[&str])] = &[
    ("timezone", &["schedule"]),
    ("start", &["schedule", "every"]),
    ("end", &["schedule", "every"]),
    ("jitter", &["schedule", "every"]),
    ("catch_up", &["schedule", "every"]),
    ("overlap", &["schedule", "every"]),
    ("absent", &["event"]),
];

/// Reads a rule that starts runs.
pub(crate) fn trigger(
    context: &Context<'_>,
    known: &Known<'_>,
    name: &Name,
    key: &Key,
    node: &Node,
) -> Option<Declared> {
    let report = context.report;
    context.uses(Feature::Triggers, key.span);
    let fields = Fields::open(report, key.span, node, &keys::TRIGGER)?;
    let source = source(context, &fields);
    for key in ["debounce", "jitter", "absent"] {
        fields.duration(key);
    }
    fields.word("catch_up", &[("none", ()), ("latest", ()), ("all", ())]);
    fields.word("overlap", &[("allow", ()), ("skip", ()), ("queue", ()), ("replace", ())]);
    fields.boolean("paused");
    fields.get("throttle").into_iter().for_each(|node| _ = pools::rate(context, node));
    if fields.has("absent") && fields.has("event") && !fields.has("key") {
        let hint = "`key` says whose events are missed: `key: \"${event.subject}\"`".to_owned();
        report.error(fields.place("absent"), codes::E_MISSING_KEY, "`absent` needs a `key`", Some(hint));
    }
    slots(context, &fields);
    webhook(context, &fields, known.secrets);
    let workflow =
        fields.require("run").and_then(|node| sections::workflow_name(context, known.inputs, node));
    let workflow = workflow.map(|name| (name.clone(), known.inputs[&name].clone()));
    expressions(context, &fields, source, workflow);
    Some(Declared { name: name.clone(), section: Json::from(node.to_json()) })
}

/// The one source, and what does not go with it.
fn source(context: &Context<'_>, fields: &Fields<'_>) -> Option<&'static str> {
    let report = context.report;
    let given: Vec<&'static str> = SOURCES.iter().copied().filter(|key| fields.has(key)).collect();
    match given.as_slice() {
        [source] => {
            for (key, beside) in ONLY_BESIDE.iter().filter(|(key, _)| fields.has(key)) {
                if !beside.contains(source) {
                    let message = format!("`{key}` means nothing beside `{source}`");
                    let hint = format!("it goes with {}", beside.join(", "));
                    report.error(fields.place(key), codes::E_KEY_NOT_HERE, message, Some(hint));
                }
            }
            Some(source)
        }
        [] => {
            if !fields.misspells(SOURCES) {
                let message = "the trigger does not say what it waits for";
                let hint = format!("one of {}", SOURCES.join(", "));
                report.error(fields.owner, codes::E_MISSING_KEY, message, Some(hint));
            }
            None
        }
        [first, second, ..] => {
            let message = format!("a trigger has one source: `{first}` and `{second}` exclude each other");
            let hint = "make two triggers of it".to_owned();
            report.error(fields.place(second), codes::E_KEY_CONFLICT, message, Some(hint));
            None
        }
    }
}

/// `schedule`, `every`, `timezone`, `start`, `end`: whether there is any slot.
fn slots(context: &Context<'_>, fields: &Fields<'_>) {
    let report = context.report;
    if let (Some(node), Some(every)) = (fields.get("every"), fields.duration("every"))
        && every.is_zero()
    {
        let hint = "write a duration over 0: `every: 1h`".to_owned();
        report.error(node.span, codes::E_SCHEDULE, "`every: 0s` has no next time", Some(hint));
    }
    let zone = zone(context, fields);
    let (start, end) = (time(context, fields, "start"), time(context, fields, "end"));
    let cron = cron(context, fields);
    let (Some(end), Some(end_node)) = (end, fields.get("end")) else { return };
    let Some(start) = start else { return };
    let first = match (&cron, zone) {
        (Some(cron), Some(zone)) => cron.next_after(Timestamp::from_millis(start.as_millis() - 1), &zone),
        _ => Some(start),
    };
    if start >= end || first.is_none_or(|first| first > end) {
        let message = "this never fires: it ends before its first time";
        let hint = "put `end` behind the first slot after `start`".to_owned();
        report.error(end_node.span, codes::E_SCHEDULE, message, Some(hint));
    }
}

fn cron(context: &Context<'_>, fields: &Fields<'_>) -> Option<Cron> {
    let node = fields.get("schedule")?;
    let text = fields::text(context.report, node, "`schedule`")?;
    match Cron::parse(&text) {
        Ok(cron) if cron.ever_fires() => Some(cron),
        Ok(_) => {
            let message = format!("`{text}` never fires: no such day ever comes");
            let hint = "`L` is the last day of a month, whichever that is".to_owned();
            context.report.error(node.span, codes::E_SCHEDULE, message, Some(hint));
            None
        }
        Err(error) => {
            let span = place(node, error.offset, error.length);
            let hint = error.hint.unwrap_or_else(|| {
                "a schedule is `minute hour day-of-month month day-of-week`: `30 9 * * MON-FRI`".to_owned()
            });
            context.report.error(span, codes::E_SCHEDULE, error.message, Some(hint));
            None
        }
    }
}

/// The zone of a schedule; none when it is no zone.
fn zone(context: &Context<'_>, fields: &Fields<'_>) -> Option<Zone> {
    let Some(node) = fields.get("timezone") else { return Some(Zone::utc()) };
    let text = fields::text(context.report, node, "`timezone`")?;
    match Zone::named(&text) {
        Ok(zone) => Some(zone),
        Err(error) => {
            let names = Zone::names();
            let near = nearest(&text, names.iter().map(String::as_str));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write a name of the IANA database: `Europe/Paris`".to_owned(),
            };
            context.report.error(node.span, codes::E_SCHEDULE, error.to_string(), Some(hint));
            None
        }
    }
}

fn time(context: &Context<'_>, fields: &Fields<'_>, key: &str) -> Option<Timestamp> {
    let node = fields.get(key)?;
    let text = fields::text(context.report, node, &format!("`{key}`"))?;
    text.parse()
        .map_err(|_| {
            let message = format!("`{text}` is not a time");
            let hint = format!("write `{key}: 2026-11-24T09:30:00Z`");
            context.report.error(node.span, codes::E_VALUE, message, Some(hint));
        })
        .ok()
}

fn webhook(context: &Context<'_>, fields: &Fields<'_>, secrets: &BTreeSet<Name>) {
    let report = context.report;
    let Some(node) = fields.get("webhook") else { return };
    let Some(webhook) = Fields::open(report, fields.place("webhook"), node, &keys::WEBHOOK) else { return };
    webhook.require("path");
    webhook.word("preset", &[("github", ()), ("stripe", ()), ("slack", ())]);
    let unsigned = webhook.boolean("unsigned") == Some(true);
    match (webhook.get("secret"), webhook.name("secret", consort_types::NameKind::Snake)) {
        (Some(node), Some(secret)) => sections::known_secret(context, secrets, &secret, node.span),
        (Some(_), None) => {}
        (None, _) if unsigned || webhook.misspells(&["secret", "unsigned"]) => {}
        (None, _) => {
            let message = "a webhook without `secret` must say `unsigned: true`";
            let hint = "with `secret: NAME` a sender must prove that it knows the secret".to_owned();
            report.error(fields.place("webhook"), codes::E_MISSING_KEY, message, Some(hint));
        }
    }
}

fn expressions(
    context: &Context<'_>,
    fields: &Fields<'_>,
    source: Option<&str>,
    workflow: Option<(Name, Schema)>,
) {
    let report = context.report;
    let mut event = typing::event_of(source.unwrap_or("event"));
    if let Some(condition) = fields.get("where").and_then(|node| Condition::read(context, node)) {
        let held = condition.expr.not_null_if_true();
        let env = TypeEnv::default().with("event", event.clone());
        typing::judge(report, &SiteValue::Condition(condition), &env, &Expects::Condition);
        for place in held.iter().filter(|place| place[0] == "event") {
            event = event.not_null_at(&place[1..]);
        }
    }
    let env = TypeEnv::default().with("event", event);
    for key in ["key", "tags"] {
        if let Some(node) = fields.get(key) {
            typing::judge(report, &SiteValue::Value(Located::read(context, node)), &env, &Expects::Anything);
        }
    }
    let Some((name, schema)) = workflow else { return };
    let place = if fields.has("with") { fields.place("with") } else { fields.place("run") };
    let with = match fields.get("with") {
        Some(node) => Located::read(context, node),
        None => Located::Absent(place),
    };
    let expects = Expects::Input { schema, callee: format!("the workflow {name}"), place };
    typing::judge(report, &SiteValue::Value(with), &env, &expects);
}
