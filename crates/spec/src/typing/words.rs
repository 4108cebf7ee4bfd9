//! The types of the words that every expression knows.

use consort_expr::{Field, ObjectType, Type};
use std::sync::Arc;

/// `run`; its state is known when it has ended.
pub(super) fn run_type(state: Type) -> Type {
    object(
        &[
            ("id", Type::String),
            ("workflow", Type::String),
            ("revision", Type::String),
            ("started_at", Type::Datetime),
            ("tags", Type::Map(Box::new(Type::Any))),
            ("attempt", Type::Integer),
            ("state", state),
        ],
        &[],
    )
}

/// `error`.
pub(super) fn error_type() -> Type {
    object(
        &[
            ("code", Type::String),
            ("kind", Type::String),
            ("message", Type::String),
            ("retryable", Type::Boolean),
        ],
        &[
            ("step", Type::String.nullable()),
            ("attempt", Type::Integer.nullable()),
            ("http_status", Type::Integer),
            ("details", Type::Any),
        ],
    )
}

/// `event`: a CloudEvent.
pub(crate) fn event_type() -> Type {
    object(
        &[("id", Type::String), ("type", Type::String), ("source", Type::String), ("data", Type::Any)],
        &[("subject", Type::String), ("time", Type::Datetime), ("datacontenttype", Type::String)],
    )
}

/// `event` of a trigger, by what it waits for: a slot has its time and its interval, a file is there.
pub(crate) fn event_of(source: &str) -> Type {
    let data = match source {
        "schedule" | "every" => Type::object([("from", Type::Datetime), ("to", Type::Datetime)]),
        "files" => Type::object([("file", Type::File)]),
        _ => return event_type(),
    };
    object(
        &[
            ("id", Type::String),
            ("type", Type::String),
            ("source", Type::String),
            ("time", Type::Datetime),
            ("data", data),
        ],
        &[("subject", Type::String), ("datacontenttype", Type::String)],
    )
}

fn object(required: &[(&str, Type)], optional: &[(&str, Type)]) -> Type {
    let field = |required| {
        move |(name, type_): &(&str, Type)| Field { name: (*name).into(), type_: type_.clone(), required }
    };
    let fields = required.iter().map(field(true)).chain(optional.iter().map(field(false))).collect();
    Type::Object(Arc::new(ObjectType { fields }))
}
