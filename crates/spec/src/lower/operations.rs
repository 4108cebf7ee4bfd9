//! The operations of a service, and the schemas of values.

use super::{
    context::Context,
    fields::{Fields, name},
    policy, pools, types,
};
use crate::{
    codes,
    definition::{Method, Operation, OperationRef, Schema},
    features::Feature,
    files::Entry,
    keys,
    yaml::{Key, Node},
};
use consort_expr::Type;
use consort_types::{Name, NameKind};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The bound of one try of an operation that names none.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long an attempt that was answered 202 lives without a heartbeat.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Reads `operations` and `openapi` of a service.
pub(crate) fn operations(
    context: &Context<'_>,
    service: &Name,
    fields: &Fields<'_>,
) -> BTreeMap<Name, Arc<Operation>> {
    if let Some(node) = fields.get("openapi") {
        context.uses(Feature::OpenApi, fields.place("openapi"));
        context.documents(service.as_str());
        if let Some(path) = context.existing(node, Entry::File) {
            context.read(node.span, &path);
        }
    }
    let Some(node) = fields.get("operations") else { return BTreeMap::new() };
    let Some(entries) = node.entries() else {
        let message = format!("`operations` is a map from names, and this is {}", node.describe());
        context.report.error(node.span, codes::E_VALUE, message, None);
        return BTreeMap::new();
    };
    let read = entries.iter().filter_map(|entry| {
        let name = operation_name(context, &entry.key)?;
        let operation = operation(context, service, &name, &entry.key, &entry.value)?;
        Some((name, Arc::new(operation)))
    });
    read.collect()
}

/// Operations may be named like steps or like services: both spellings are common in APIs.
fn operation_name(context: &Context<'_>, key: &Key) -> Option<Name> {
    let kind = if key.text.contains('-') { NameKind::Kebab } else { NameKind::Snake };
    name(context.report, key.span, &key.text, kind)
}

fn operation(
    context: &Context<'_>,
    service: &Name,
    name: &Name,
    key: &Key,
    node: &Node,
) -> Option<Operation> {
    let fields = Fields::open(context.report, key.span, node, &keys::OPERATION)?;
    let input = schema(context, &fields, "input", "input_schema").unwrap_or_else(Schema::nothing);
    let (idempotent, retry) = (fields.boolean("idempotent"), policy::retry_of_operation(context, &fields));
    if idempotent == Some(false) && retry.as_ref().is_some_and(|retry| retry.attempts > 1) {
        let message = format!("`{name}` is tried again, and says of itself that it is not idempotent");
        let hint = "leave `retry` out, or make the operation keep to its Idempotency-Key".to_owned();
        context.report.warning(fields.place("retry"), codes::W_RETRY_NOT_IDEMPOTENT, message, Some(hint));
    }
    Some(Operation {
        name: OperationRef { service: service.clone(), operation: name.clone() },
        method: method(&fields),
        path: path(context, &fields, name, &input),
        output: schema(context, &fields, "output", "output_schema").unwrap_or_else(Schema::any),
        input,
        timeout: fields.duration("timeout").unwrap_or(TIMEOUT),
        retry,
        heartbeat: fields.duration("heartbeat").unwrap_or(HEARTBEAT),
        uses: pools::uses_of_operation(context, &fields),
        idempotent,
        description: fields.text("description"),
    })
}

fn method(fields: &Fields<'_>) -> Method {
    let all = [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];
    fields.word("method", &all.map(|method| (method.as_str(), method))).unwrap_or(Method::Post)
}

/// `/name`, or the path with `{field}`s that the input must have.
fn path(context: &Context<'_>, fields: &Fields<'_>, name: &Name, input: &Schema) -> String {
    let Some((node, path)) = fields.get("path").zip(fields.text("path")) else { return format!("/{name}") };
    let report = context.report;
    if !path.starts_with('/') || path.contains([' ', '?', '#']) {
        let message = format!("`{path}` is not a path");
        report.error(node.span, codes::E_VALUE, message, Some("write `/users/{id}`".to_owned()));
        return path;
    }
    for part in path.split('{').skip(1) {
        let field = part.split('}').next().unwrap_or("");
        let known = match input.seen_as() {
            Type::Object(object) => object.fields.iter().any(|known| *known.name == *field && known.required),
            _ => true,
        };
        if !part.contains('}') || field.is_empty() {
            report.error(
                node.span,
                codes::E_VALUE,
                format!("`{path}` has a brace that does not close"),
                None,
            );
        } else if !known {
            let message = format!("the path takes `{field}`, which is no required field of the input");
            report.error(node.span, codes::E_UNKNOWN_FIELD, message, None);
        }
    }
    path
}

/// A schema in its short form or as JSON Schema; not both. None: the file names none.
pub(crate) fn schema(context: &Context<'_>, fields: &Fields<'_>, short: &str, long: &str) -> Option<Schema> {
    if fields.has(short) && fields.has(long) {
        let message = format!("`{short}` and `{long}` exclude each other");
        context.report.error(fields.place(long), codes::E_KEY_CONFLICT, message, None);
    }
    if let Some(node) = fields.get(short) {
        return Some(Schema::of_type(types::short_type(context.report, node)));
    }
    let node = fields.get(long)?;
    match Schema::from_json_schema(&node.to_json()) {
        Ok(schema) => Some(schema),
        Err(error) => {
            let at = place_of(node, &error.pointer);
            context.report.error(at.span, codes::E_JSON_SCHEMA, error.message, None);
            Some(Schema::any())
        }
    }
}

/// The node that a JSON pointer names, or the last one on the way.
fn place_of<'a>(node: &'a Node, pointer: &str) -> &'a Node {
    let mut at = node;
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let next = at.get(&part).or_else(|| at.items()?.get(part.parse::<usize>().ok()?));
        match next {
            Some(next) => at = next,
            None => break,
        }
    }
    at
}
