//! The operations of a service, and the schemas of values.

use super::{
    context::Context,
    fields::{Fields, name},
    policy, pools, types,
};
use crate::{
    codes,
    definition::{Method, Operation, OperationRef, Schema},
    files::Entry,
    keys,
    openapi::{self, Definitions, Described, DescribedOperation},
    yaml::{self, Key, Node},
};
use consort_expr::Type;
use consort_types::{Name, NameKind, Placing};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// The bound of one try of an operation that names none.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long an attempt that was answered 202 lives without a heartbeat.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// The operations of a service.
#[derive(Default)]
pub(crate) struct Operations {
    pub all: BTreeMap<Name, Arc<Operation>>,
    /// What the schemas of its document refer to.
    pub definitions: Arc<Definitions>,
    /// Those of its document that cannot be called from here, and why.
    pub left_out: BTreeMap<Name, String>,
}

/// Reads `openapi` of a service, and `operations`, whose keys override what the document says.
pub(crate) fn operations(context: &Context<'_>, service: &Name, fields: &Fields<'_>) -> Operations {
    let mut described = match fields.get("openapi") {
        Some(node) => document(context, service, node, fields),
        None => Described::default(),
    };
    let mut operations = Operations {
        all: BTreeMap::new(),
        definitions: described.definitions.clone(),
        left_out: std::mem::take(&mut described.left_out),
    };
    if let Some(node) = fields.get("operations") {
        for entry in named(context, node) {
            let Some(name) = operation_name(context, &described, &entry.key) else { continue };
            let base = described.operations.remove(&name);
            if let Some(operation) = operation(context, service, &name, entry, base) {
                operations.all.insert(name, Arc::new(operation));
            }
        }
    }
    for (name, base) in described.operations {
        let operation = OperationRef { service: service.clone(), operation: name.clone() };
        operations.all.insert(name, Arc::new(of_document(operation, base)));
    }
    operations
}

fn named<'n>(context: &Context<'_>, node: &'n Node) -> &'n [yaml::Entry] {
    node.entries().unwrap_or_else(|| {
        let message = format!("`operations` is a map from names, and this is {}", node.describe());
        context.report.error(node.span, codes::E_VALUE, message, None);
        &[]
    })
}

/// Reads the document of a service, JSON by its ending, YAML otherwise.
fn document(context: &Context<'_>, service: &Name, node: &Node, fields: &Fields<'_>) -> Described {
    let before = context.report.errors();
    let headers = fields.get("headers").and_then(Node::entries).unwrap_or(&[]);
    let headers: Vec<&str> = headers.iter().map(|header| header.key.text.as_str()).collect();
    let read = || {
        let path = context.existing(node, Entry::File)?;
        let text = context.read(node.span, &path)?;
        let file = context.report.add_file(&path);
        let root = match path.ends_with(".json") {
            true => yaml::read_json(context.report, file, &text),
            false => yaml::read(context.report, file, &text),
        };
        Some(openapi::read(context, &root?, &headers))
    };
    let described = read().unwrap_or_default();
    if context.report.errors() > before {
        context.lacks_description(service.as_str());
    }
    described
}

fn of_document(name: OperationRef, base: DescribedOperation) -> Operation {
    Operation {
        name,
        method: base.method,
        path: base.path,
        placing: base.placing,
        input: base.input,
        output: base.output,
        timeout: TIMEOUT,
        retry: None,
        heartbeat: HEARTBEAT,
        uses: Vec::new(),
        idempotent: None,
        description: base.description,
        deprecated: base.deprecated,
    }
}

/// Operations may be named like steps or like services: both spellings are common in APIs.
fn operation_name(context: &Context<'_>, described: &Described, key: &Key) -> Option<Name> {
    let by_id = |(_, operation): &(&Name, &DescribedOperation)| operation.id.as_deref() == Some(&key.text);
    if let Some((name, _)) = described.operations.iter().find(by_id)
        && name.as_str() != key.text
    {
        let message = format!("the operation `{}` of the document is named `{name}` here", key.text);
        context.report.error(key.span, codes::E_NAME, message, Some(format!("write `{name}`")));
        return None;
    }
    let kind = if key.text.contains('-') { NameKind::Kebab } else { NameKind::Snake };
    name(context.report, key.span, &key.text, kind)
}

fn operation(
    context: &Context<'_>,
    service: &Name,
    name: &Name,
    entry: &yaml::Entry,
    base: Option<DescribedOperation>,
) -> Option<Operation> {
    let fields = Fields::open(context.report, entry.key.span, &entry.value, &keys::OPERATION)?;
    let name = OperationRef { service: service.clone(), operation: name.clone() };
    let mut operation = match base {
        Some(base) => of_document(name, base),
        None => undescribed(name),
    };
    if let Some(input) = schema(context, &fields, "input", "input_schema") {
        operation.input = input;
    }
    if let Some(output) = schema(context, &fields, "output", "output_schema") {
        operation.output = output;
    }
    operation.method = method(&fields).unwrap_or(operation.method);
    if let Some(path) = path(context, &fields, &operation.input) {
        operation.path = path;
    }
    operation.timeout = fields.duration("timeout").unwrap_or(operation.timeout);
    operation.retry = policy::retry_of_operation(context, &fields);
    operation.heartbeat = fields.duration("heartbeat").unwrap_or(operation.heartbeat);
    operation.uses = pools::uses_of_operation(context, &fields);
    operation.idempotent = fields.boolean("idempotent");
    let tried_again = operation.retry.as_ref().is_some_and(|retry| retry.attempts > 1);
    if operation.idempotent == Some(false) && tried_again {
        let message = format!(
            "`{}` is tried again, and says of itself that it is not idempotent",
            operation.name.operation
        );
        let hint = "leave `retry` out, or make the operation keep to its Idempotency-Key".to_owned();
        context.report.warning(fields.place("retry"), codes::W_RETRY_NOT_IDEMPOTENT, message, Some(hint));
    }
    operation.description = fields.text("description").or(operation.description);
    Some(operation)
}

/// An operation of which nothing is said.
fn undescribed(name: OperationRef) -> Operation {
    Operation {
        method: Method::Post,
        path: format!("/{}", name.operation),
        placing: Placing::ByMethod,
        input: Schema::nothing(),
        output: Schema::any(),
        timeout: TIMEOUT,
        retry: None,
        heartbeat: HEARTBEAT,
        uses: Vec::new(),
        idempotent: None,
        description: None,
        deprecated: false,
        name,
    }
}

fn method(fields: &Fields<'_>) -> Option<Method> {
    let all = [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];
    fields.word("method", &all.map(|method| (method.as_str(), method)))
}

/// The path with `{field}`s that the input must have.
fn path(context: &Context<'_>, fields: &Fields<'_>, input: &Schema) -> Option<String> {
    let (node, path) = fields.get("path").zip(fields.text("path"))?;
    let report = context.report;
    if !path.starts_with('/') || path.contains([' ', '?', '#']) {
        let message = format!("`{path}` is not a path");
        report.error(node.span, codes::E_VALUE, message, Some("write `/users/{id}`".to_owned()));
        return Some(path);
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
    Some(path)
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
