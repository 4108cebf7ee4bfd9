//! The service `consort`: acts of the platform as ordinary operations.

use super::{sections, types::any_object, workflow::Surroundings};
use crate::{
    codes,
    definition::{Method, Operation, OperationRef, Runs, Schema},
    yaml::Node,
};
use consort_expr::{Field, ObjectType, Type, nearest};
use consort_types::{Name, NameKind, Placing};
use std::{sync::Arc, time::Duration};

/// Its operations.
pub(crate) const OPERATIONS: &[&str] = &["rollout", "rollback", "restart", "scale", "notify"];

/// A rollout is watched before it counts as done.
const TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// An operation by its name.
pub(crate) fn operation(name: &str) -> Option<Arc<Operation>> {
    let optional = |name: &str, type_| Field { name: name.into(), type_, required: false };
    let previous = || ("previous", Type::String.nullable());
    let (input, output) = match name {
        "rollout" => (
            with([("service", Type::String)], optional("environment", any_object())),
            Type::object([("revision", Type::String), previous()]),
        ),
        "rollback" => (
            // Null is taken, so that `${output.previous}` of a rollout can be handed over as it is.
            with([("service", Type::String)], optional("to", Type::String.nullable())),
            Type::object([("revision", Type::String), previous()]),
        ),
        "restart" => (Type::object([("service", Type::String)]), Type::object([("revision", Type::String)])),
        "scale" => (
            Type::object([("service", Type::String), ("replicas", Type::Integer)]),
            Type::object([("replicas", Type::Integer)]),
        ),
        "notify" => (Type::object([("channel", Type::String), ("text", Type::String)]), Type::Null),
        _ => return None,
    };
    let service = Name::new(super::services::RESERVED, NameKind::Kebab).ok()?;
    let operation = Name::new(name, NameKind::Snake).ok()?;
    Some(Arc::new(Operation {
        name: OperationRef { service, operation },
        method: Method::Post,
        path: format!("/{name}"),
        placing: Placing::ByMethod,
        input: Schema::of_type(input),
        output: Schema::of_type(output),
        timeout: TIMEOUT,
        retry: None,
        heartbeat: TIMEOUT,
        uses: Vec::new(),
        idempotent: Some(true),
        description: None,
        deprecated: false,
    }))
}

/// Names that a call of the platform writes out: the service must be one that is deployed here, the channel
/// must be defined.
pub(crate) fn check_names(around: &Surroundings<'_>, operation: &str, with: &Node) {
    let literal =
        |key: &str| with.get(key).filter(|node| node.text().is_some_and(|text| !text.contains("${")));
    if operation == "notify" {
        if let Some(node) = literal("channel") {
            sections::channel(around.context, around.channels, node);
        }
        return;
    }
    let Some(node) = literal("service") else { return };
    let name = node.text().unwrap_or("");
    let report = around.context.report;
    match around.services.get(name) {
        Some(service) if matches!(service.runs, Runs::Url { .. } | Runs::Exec { .. }) => {
            let message = format!("`{name}` has no replicas that could be rolled out, restarted or scaled");
            let hint = "only a service with `command` has them".to_owned();
            report.error(node.span, codes::E_VALUE, message, Some(hint));
        }
        Some(_) => {}
        None if around.broken_services.contains(name) => {}
        None => {
            let known = around.services.keys().map(Name::as_str);
            let hint = nearest(name, known).map(|name| format!("did you mean `{name}`?"));
            report.error(node.span, codes::E_UNKNOWN_SERVICE, format!("there is no service `{name}`"), hint);
        }
    }
}

fn with(fields: [(&'static str, Type); 1], more: Field) -> Type {
    match Type::object(fields) {
        Type::Object(object) => {
            let fields = object.fields.iter().cloned().chain([more]).collect();
            Type::Object(Arc::new(ObjectType { fields }))
        }
        other => other,
    }
}
