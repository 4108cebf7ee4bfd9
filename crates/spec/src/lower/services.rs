//! The section `services`.

use super::{
    canonical::digest_of,
    context::Context,
    fields::{self, Fields},
    operations,
};
use crate::{
    codes,
    definition::{
        Command, HealthCheck, Probe, Resources, Restart, RollBackWhen, Rollout, Runs, Scale, Service,
        Strategy,
    },
    diagnostics::Span,
    features::Feature,
    files::Entry as Stands,
    keys,
    yaml::{Entry, Key, Kind, Node, Plain},
};
use consort_types::{Name, NameKind, parse_bytes, parse_cpu};
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// The name of the service that is always there.
pub(crate) const RESERVED: &str = "consort";

/// Calls in flight per replica of a process, by default.
const CONCURRENCY: u32 = 16;

/// Calls in flight to someone else's server, by default.
const CONCURRENCY_URL: u32 = 64;

/// Reads one service. What is wrong in it is reported; the rest stands, so that calls of it can be checked.
pub(crate) fn service(context: &Context<'_>, name: &Name, key: &Key, node: &Node) -> Option<Service> {
    let report = context.report;
    if name.as_str() == RESERVED {
        let message = "the service `consort` is always there and cannot be defined";
        report.error(key.span, codes::E_NAME, message, Some("choose another name".to_owned()));
        return None;
    }
    let fields = Fields::open(report, key.span, node, &keys::SERVICE)?;
    let runs = runs(context, &fields);
    refuse_expressions(context, node, matches!(runs, Some(Runs::Url { .. })));
    let operations = operations::operations(context, name, &fields);
    let env_file =
        fields.get("env_file").and_then(|node| Some((node.span, context.existing(node, Stands::File)?)));
    let env_text = env_file.as_ref().and_then(|(span, path)| context.read(*span, path));
    let runs = runs.unwrap_or(Runs::Url { url: String::new() });
    Some(Service {
        name: name.clone(),
        digest: digest_of(&behaviour(node, env_text.as_deref())),
        setup: commands(context, &fields),
        environment: texts_by_name(context, &fields, "environment"),
        env_file: env_file.map(|(_, path)| PathBuf::from(path)),
        secrets: secrets(context, &fields),
        headers: texts_by_name(context, &fields, "headers"),
        healthcheck: healthcheck(context, &fields),
        stop_grace_period: fields.duration("stop_grace_period").unwrap_or(Duration::from_secs(10)),
        restart: restart(&fields),
        scale: scale(context, &fields, &runs),
        resources: resources(context, &fields),
        rollout: rollout(context, &fields),
        operations,
        description: fields.text("description"),
        runs,
    })
}

/// What makes a revision: everything but `scale`, `rollout`, `description`, and the text of the `env_file`.
fn behaviour(node: &Node, env_text: Option<&str>) -> Value {
    let mut section = node.to_json();
    if let Value::Object(section) = &mut section {
        section.retain(|key, _| !matches!(key.as_str(), "scale" | "rollout" | "description"));
        if let Some(text) = env_text {
            section.insert("env_file".to_owned(), text.into());
        }
    }
    section
}

/// Exactly one of `command`, `exec`, `image`, `url`.
fn runs(context: &Context<'_>, fields: &Fields<'_>) -> Option<Runs> {
    let report = context.report;
    let given: Vec<&str> =
        ["exec", "image", "url", "command"].into_iter().filter(|key| fields.has(key)).collect();
    match given.as_slice() {
        [] => {
            let hint = "`source` and `command`, `source` and `exec`, `image`, or `url`".to_owned();
            report.error(
                fields.owner,
                codes::E_MISSING_KEY,
                "the service does not say what runs",
                Some(hint),
            );
            return None;
        }
        ["image", "command"] | [_] => {}
        [first, second, ..] => {
            let message = format!("`{second}` and `{first}` exclude each other");
            report.error(fields.place(second), codes::E_KEY_CONFLICT, message, None);
            return None;
        }
    }
    if matches!(given[0], "image" | "url") {
        for key in ["source", "setup"].into_iter().filter(|key| fields.has(key)) {
            let message = format!("`{key}` means nothing beside `{}`", given[0]);
            report.error(fields.place(key), codes::E_KEY_CONFLICT, message, None);
        }
    }
    if fields.has("headers") && given[0] != "url" {
        let message = "`headers` are for a service with `url`";
        report.error(fields.place("headers"), codes::E_KEY_NOT_HERE, message, None);
    }
    match given[0] {
        "image" => {
            context.uses(Feature::Image, fields.place("image"));
            let command = fields.get("command").and_then(|node| command(context, node));
            Some(Runs::Image { image: fields.text("image")?, command })
        }
        "url" => url(context, fields),
        key => {
            // Both are looked at, so that both mistakes are found in one go.
            let source = fields.require("source").and_then(|node| context.existing(node, Stands::Folder));
            let command = fields.require(key).and_then(|node| command(context, node));
            let (source, command) = (PathBuf::from(source?), command?);
            Some(if key == "exec" {
                Runs::Exec { source, command }
            } else {
                Runs::Process { source, command }
            })
        }
    }
}

fn url(context: &Context<'_>, fields: &Fields<'_>) -> Option<Runs> {
    let url = fields.text("url")?;
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    if host.is_none_or(|host| host.is_empty() || host.starts_with('/') || host.contains([' ', '?', '#'])) {
        let message = format!("`{url}` is not a base URL");
        let hint = "write `http://host:port`, with a path if need be".to_owned();
        context.report.error(fields.get("url")?.span, codes::E_VALUE, message, Some(hint));
        return None;
    }
    Some(Runs::Url { url: url.trim_end_matches('/').to_owned() })
}

fn command(context: &Context<'_>, node: &Node) -> Option<Command> {
    let empty = || {
        context.report.error(node.span, codes::E_VALUE, "an empty command", None);
        None
    };
    match &node.kind {
        Kind::Scalar(scalar) if scalar.text.trim().is_empty() => empty(),
        Kind::Scalar(scalar) => Some(Command::Shell(scalar.text.clone())),
        Kind::List(items) if items.is_empty() => empty(),
        Kind::List(items) => {
            let words = items.iter().map(|item| fields::text(context.report, item, "a word of a command"));
            words.collect::<Option<Vec<_>>>().map(Command::Argv)
        }
        Kind::Map(_) => {
            let message = "a command is a text or a list of words, and this is a map";
            context.report.error(node.span, codes::E_VALUE, message, None);
            None
        }
    }
}

fn commands(context: &Context<'_>, fields: &Fields<'_>) -> Vec<Command> {
    match fields.get("setup") {
        None => Vec::new(),
        Some(node) => match node.items() {
            // A list holds commands; a text is one.
            Some(items) => items.iter().filter_map(|item| command(context, item)).collect(),
            None => command(context, node).into_iter().collect(),
        },
    }
}

fn texts_by_name(context: &Context<'_>, fields: &Fields<'_>, key: &str) -> BTreeMap<String, String> {
    let Some(node) = fields.get(key) else { return BTreeMap::new() };
    let Some(entries) = node.entries() else {
        let message = format!("`{key}` is a map of texts, and this is {}", node.describe());
        context.report.error(node.span, codes::E_VALUE, message, None);
        return BTreeMap::new();
    };
    let pairs = entries.iter().filter_map(|entry| {
        if entry.key.text.is_empty() || entry.key.text.contains(['=', '\n', ' ']) {
            let message = format!("`{}` cannot be a name in `{key}`", entry.key.text);
            context.report.error(entry.key.span, codes::E_NAME, message, None);
            return None;
        }
        Some((
            entry.key.text.clone(),
            fields::text(context.report, &entry.value, &format!("`{}`", entry.key.text))?,
        ))
    });
    pairs.collect()
}

fn secrets(context: &Context<'_>, fields: &Fields<'_>) -> Vec<Name> {
    let items = fields.get("secrets").map(|node| node.items().unwrap_or(std::slice::from_ref(node)));
    let names = items.unwrap_or(&[]).iter().filter_map(|item| {
        let text = fields::text(context.report, item, "the name of a secret")?;
        fields::name(context.report, item.span, &text, NameKind::Snake)
    });
    names.collect()
}

fn healthcheck(context: &Context<'_>, fields: &Fields<'_>) -> Option<HealthCheck> {
    let node = fields.get("healthcheck")?;
    let check = Fields::open(context.report, fields.place("healthcheck"), node, &keys::HEALTHCHECK)?;
    let given: Vec<&str> = ["path", "tcp", "test"].into_iter().filter(|key| check.has(key)).collect();
    let probe = match given.as_slice() {
        ["path"] => {
            let path = check.text("path")?;
            if !path.starts_with('/') {
                let message = format!("`{path}` is not a path of the service");
                let hint = format!("write `/{path}`");
                context.report.error(check.get("path")?.span, codes::E_VALUE, message, Some(hint));
            }
            Some(Probe::Http { path })
        }
        ["test"] => check.texts("test").map(Probe::Test),
        ["tcp"] | [] => Some(Probe::Tcp),
        [.., second] => {
            let message = "a healthcheck has one of `path`, `tcp`, `test`";
            context.report.error(check.place(second), codes::E_KEY_CONFLICT, message, None);
            None
        }
    };
    let interval = check.duration("interval").unwrap_or(Duration::from_secs(2));
    let timeout = check.duration("timeout").unwrap_or(Duration::from_secs(1));
    let retries = check.count("retries", 1).unwrap_or(3);
    let start_period = check.duration("start_period").unwrap_or(Duration::from_secs(30));
    Some(HealthCheck { probe: probe?, interval, timeout, retries, start_period })
}

fn restart(fields: &Fields<'_>) -> Restart {
    let words = [("always", Restart::Always), ("on-failure", Restart::OnFailure), ("no", Restart::No)];
    fields.word("restart", &words).unwrap_or_default()
}

fn scale(context: &Context<'_>, fields: &Fields<'_>, runs: &Runs) -> Scale {
    let concurrency = match runs {
        Runs::Process { .. } | Runs::Image { .. } => CONCURRENCY,
        Runs::Url { .. } => CONCURRENCY_URL,
        // By the number of cores: this crate cannot know the machine, so 0 stands for "as many as there are".
        Runs::Exec { .. } => 0,
    };
    let mut scale = Scale { min: 1, max: 1, concurrency, idle: Duration::from_secs(60), wait: None };
    let Some(node) = fields.get("scale") else { return scale };
    let Some(given) = Fields::open(context.report, fields.place("scale"), node, &keys::SCALE) else {
        return scale;
    };
    scale.concurrency = given.count("concurrency", 1).unwrap_or(concurrency);
    if matches!(runs, Runs::Url { .. } | Runs::Exec { .. }) {
        for key in ["min", "max", "idle", "wait"].into_iter().filter(|key| given.has(key)) {
            let message =
                format!("`{key}` means nothing here: only `concurrency` has meaning for `url` and `exec`");
            context.report.error(given.place(key), codes::E_KEY_NOT_HERE, message, None);
        }
        return scale;
    }
    scale.min = given.count("min", 0).unwrap_or(1);
    scale.max = given.count("max", 1).unwrap_or(scale.min.max(1));
    if scale.max < scale.min {
        let message = format!("`max` ({}) is less than `min` ({})", scale.max, scale.min);
        let hint = format!("write `max: {}` or more", scale.min);
        context.report.error(given.place("max"), codes::E_QUANTITY, message, Some(hint));
    }
    scale.idle = given.duration("idle").unwrap_or(scale.idle);
    if given.get("wait").is_some_and(|node| node.text() != Some("none")) {
        context.uses(Feature::ScaleWait, given.place("wait"));
        scale.wait = given.duration("wait");
    }
    scale
}

fn resources(context: &Context<'_>, fields: &Fields<'_>) -> Resources {
    let mut resources = Resources::default();
    let Some(node) = fields.get("resources") else { return resources };
    let report = context.report;
    let Some(entries) = node.entries() else {
        let message = format!("`resources` is a map from pools, and this is {}", node.describe());
        report.error(node.span, codes::E_VALUE, message, None);
        return resources;
    };
    for Entry { key, value: node } in entries {
        // `disk_io` is a pool beside those that are named like services.
        let kind = if key.text.contains('_') { NameKind::Snake } else { NameKind::Kebab };
        let Some(name) = fields::name(report, key.span, &key.text, kind) else { continue };
        let text = node.scalar().map_or("", |scalar| scalar.text.as_str());
        let refuse = |message: String| {
            let hint = match name.as_str() {
                "cpu" => "write a number of CPUs: `cpu: 0.5`",
                "memory" => "write a size with its unit: `512Mi`, `2Gi`, `1G`",
                _ => "write a number over 0, or a size with its unit: `2Gi`",
            };
            report.error(node.span, codes::E_QUANTITY, message, Some(hint.to_owned()));
        };
        match name.as_str() {
            "cpu" => resources.cpu_millis = parse_cpu(text).map_err(|error| refuse(error.to_string())).ok(),
            "memory" => {
                resources.memory_bytes = parse_bytes(text).map_err(|error| refuse(error.to_string())).ok()
            }
            _ => match amount(node) {
                Some(amount) => {
                    resources.pools.insert(name, amount);
                }
                None => refuse(format!("`{}` is an amount of a pool: a number over 0, or a size", key.text)),
            },
        }
    }
    resources
}

/// An amount of a pool: a number, or bytes with a unit.
pub(crate) fn amount(node: &Node) -> Option<f64> {
    let scalar = node.scalar()?;
    let amount = match scalar.value {
        Plain::Text => parse_bytes(&scalar.text).ok()? as f64,
        _ => fields::number(node)?,
    };
    (amount > 0.0).then_some(amount)
}

fn rollout(context: &Context<'_>, fields: &Fields<'_>) -> Rollout {
    let mut rollout = Rollout {
        strategy: Strategy::Rolling,
        max_surge: 1,
        max_unavailable: 0,
        monitor: Duration::from_secs(30),
        progress_deadline: Duration::from_secs(600),
        roll_back_when: Some(RollBackWhen { max_failure_ratio: 0.2, min_calls: 10, failed_starts: 3 }),
    };
    let Some(node) = fields.get("rollout") else { return rollout };
    let Some(given) = Fields::open(context.report, fields.place("rollout"), node, &keys::ROLLOUT) else {
        return rollout;
    };
    rollout.strategy = strategy(context, &given);
    rollout.max_surge = given.count("max_surge", 0).unwrap_or(rollout.max_surge);
    rollout.max_unavailable = given.count("max_unavailable", 0).unwrap_or(rollout.max_unavailable);
    if rollout.max_surge == 0 && rollout.max_unavailable == 0 {
        let message = "with `max_surge` and `max_unavailable` both 0 nothing could ever be replaced";
        let hint = "let one of them be at least 1".to_owned();
        context.report.error(given.place("max_surge"), codes::E_QUANTITY, message, Some(hint));
    }
    rollout.monitor = given.duration("monitor").unwrap_or(rollout.monitor);
    rollout.progress_deadline = given.duration("progress_deadline").unwrap_or(rollout.progress_deadline);
    if let Some(node) = given.get("roll_back_when") {
        rollout.roll_back_when = roll_back_when(context, given.place("roll_back_when"), node);
    }
    rollout
}

fn strategy(context: &Context<'_>, given: &Fields<'_>) -> Strategy {
    /// The share of a canary without `canary:`, in per cent.
    const CANARY: f64 = 10.0;
    let words = [
        ("rolling", Strategy::Rolling),
        ("recreate", Strategy::Recreate),
        ("canary", Strategy::Canary(CANARY)),
    ];
    let strategy = given.word("strategy", &words).unwrap_or(Strategy::Rolling);
    let share = given.get("canary").map(|node| (node, percent(node)));
    match (strategy, share) {
        (Strategy::Canary(_), share) => {
            context.uses(Feature::Canary, given.place("strategy"));
            Strategy::Canary(share.and_then(|(_, share)| share).unwrap_or(CANARY))
        }
        (other, Some((_, Some(_))) | None) => other,
        (other, Some((node, None))) => {
            context.report.error(node.span, codes::E_QUANTITY, "`canary` is a share like 10%", None);
            other
        }
    }
}

/// `10%` as 10.
pub(crate) fn percent(node: &Node) -> Option<f64> {
    let number: f64 = node.scalar()?.text.strip_suffix('%')?.trim().parse().ok()?;
    (0.0..=100.0).contains(&number).then_some(number)
}

fn roll_back_when(context: &Context<'_>, owner: Span, node: &Node) -> Option<RollBackWhen> {
    if node.text() == Some("never") {
        return None;
    }
    let when = Fields::open(context.report, owner, node, &keys::ROLL_BACK_WHEN)?;
    Some(RollBackWhen {
        max_failure_ratio: when.number("max_failure_ratio", 0.0..=1.0).unwrap_or(0.2),
        min_calls: when.count("min_calls", 1).unwrap_or(10),
        failed_starts: when.count("failed_starts", 1).unwrap_or(3),
    })
}

/// `${…}` means nothing in a service, except in the headers of someone else's.
fn refuse_expressions(context: &Context<'_>, node: &Node, headers_allowed: bool) {
    for entry in node.entries().unwrap_or(&[]) {
        let evaluated = match entry.key.text.as_str() {
            "headers" => headers_allowed,
            // Their `retry.when` and `use` are expressions, read where they stand.
            "operations" => true,
            _ => false,
        };
        if evaluated {
            continue;
        }
        let hint = match entry.key.text.as_str() {
            "command" | "exec" | "setup" => "for a variable of the shell write $NAME without braces",
            "environment" => "list the name under `secrets`, or write the value out",
            _ => "expressions belong to workflows; only `headers` of a `url` service may use ${secrets.name}",
        };
        refuse_in(context, &entry.value, hint);
    }
}

fn refuse_in(context: &Context<'_>, node: &Node, hint: &str) {
    match &node.kind {
        Kind::Scalar(scalar) => {
            // `$${` writes `${`.
            let found = scalar.text.match_indices("${").find(|(at, _)| !scalar.text[..*at].ends_with('$'));
            if let Some((at, _)) = found {
                let length = scalar.text[at..].find('}').map_or(2, |end| end + 1);
                let span = scalar.source.locate(node.span, &scalar.text, at, length);
                let message = "`${…}` is not evaluated in a service";
                context.report.error(span, codes::E_EXPRESSION_NOT_HERE, message, Some(hint.to_owned()));
            }
        }
        Kind::List(items) => items.iter().for_each(|item| refuse_in(context, item, hint)),
        Kind::Map(entries) => entries.iter().for_each(|entry| refuse_in(context, &entry.value, hint)),
    }
}
