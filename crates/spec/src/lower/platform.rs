//! The service `consort`: acts of the platform as ordinary operations.

use super::types::any_object;
use crate::definition::{Method, Operation, OperationRef, Schema};
use consort_expr::{Field, ObjectType, Type};
use consort_types::{Name, NameKind, Placing};
use std::{sync::Arc, time::Duration};

/// Its operations.
pub(crate) const OPERATIONS: &[&str] = &["rollout", "rollback", "restart", "scale", "notify"];

/// A rollout is watched before it counts as done.
const TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// An operation by its name.
pub(crate) fn operation(name: &str) -> Option<Arc<Operation>> {
    let optional = |name: &str, type_| Field { name: name.into(), type_, required: false };
    let (input, output) = match name {
        "rollout" => (
            with([("service", Type::String)], optional("environment", any_object())),
            Type::object([("revision", Type::String), ("previous", Type::String.nullable())]),
        ),
        "rollback" => (with([("service", Type::String)], optional("to", Type::String)), Type::Any),
        "restart" => (Type::object([("service", Type::String)]), Type::Any),
        "scale" => (Type::object([("service", Type::String), ("replicas", Type::Integer)]), Type::Any),
        "notify" => (Type::object([("channel", Type::String), ("text", Type::String)]), Type::Any),
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

fn with(fields: [(&'static str, Type); 1], more: Field) -> Type {
    match Type::object(fields) {
        Type::Object(object) => {
            let fields = object.fields.iter().cloned().chain([more]).collect();
            Type::Object(Arc::new(ObjectType { fields }))
        }
        other => other,
    }
}
