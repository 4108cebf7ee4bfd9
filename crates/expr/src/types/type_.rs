//! The types of the project file.

use std::fmt;
use std::sync::Arc;

/// A type. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Type {
    /// Nothing is known: everything goes.
    #[default]
    Any,
    /// Only null.
    Null,
    /// true or false.
    Boolean,
    /// A whole number; `5.0` is one.
    Integer,
    /// Any number; computed with as a double.
    Number,
    /// Text.
    String,
    /// One of some texts. A text that is written down has the type of only itself.
    Enum(Vec<String>),
    /// A time, in JSON a text of RFC 3339.
    Datetime,
    /// A duration, in JSON a text.
    Duration,
    /// `{artifact, name, type, size, url}`.
    File,
    /// A list of items of one type.
    List(Box<Type>),
    /// An object of known fields and no others.
    Object(Arc<ObjectType>),
    /// An object of any keys.
    Map(Box<Type>),
    /// The type, or null.
    Nullable(Box<Type>),
}

/// The fields of an object, in the order they were written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectType {
    /// No other fields are allowed.
    pub fields: Vec<Field>,
}

/// One field of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub type_: Type,
    /// False: the field may be absent (`name?`).
    pub required: bool,
}

impl ObjectType {
    /// The field of a name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Type {
    /// An object of required fields; for optional ones build an [`ObjectType`].
    pub fn object(fields: impl IntoIterator<Item = (&'static str, Type)>) -> Self {
        let field = |(name, type_): (&str, Type)| Field { name: name.to_owned(), type_, required: true };
        Self::Object(Arc::new(ObjectType { fields: fields.into_iter().map(field).collect() }))
    }

    /// A list of this.
    pub fn list(item: Type) -> Self {
        Self::List(Box::new(item))
    }

    /// This, or null. Nothing is nullable twice.
    #[must_use]
    pub fn nullable(self) -> Self {
        match self {
            Self::Any | Self::Null | Self::Nullable(_) => self,
            other => Self::Nullable(Box::new(other)),
        }
    }

    /// This without null.
    #[must_use]
    pub fn required(self) -> Self {
        match self {
            Self::Nullable(inner) => *inner,
            other => other,
        }
    }

    /// The same when the place behind these fields is known to be there and not null.
    #[must_use]
    pub fn not_null_at(self, path: &[impl AsRef<str>]) -> Self {
        let Some((name, rest)) = path.split_first() else { return self.required() };
        match self.required() {
            Self::Object(object) => {
                let narrowed = object.fields.iter().map(|field| match field.name == name.as_ref() {
                    true => Field {
                        name: field.name.clone(),
                        type_: field.type_.clone().not_null_at(rest),
                        required: true,
                    },
                    false => field.clone(),
                });
                Self::Object(Arc::new(ObjectType { fields: narrowed.collect() }))
            }
            other => other,
        }
    }

    /// Whether a value of this type may be null. Of [`Type::Any`] nothing is known.
    pub fn may_be_null(&self) -> bool {
        matches!(self, Self::Null | Self::Nullable(_))
    }

    /// The type of a value that is written down. A text has the type of only itself.
    pub fn of_literal(value: &serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.as_f64().is_some_and(|n| n.fract() == 0.0) => Self::Integer,
            Value::Number(_) => Self::Number,
            Value::String(text) => Self::Enum(vec![text.clone()]),
            Value::Array(items) => {
                let types = items.iter().map(Self::of_literal);
                Self::list(types.reduce(|all, item| all.join(&item)).unwrap_or_default())
            }
            Value::Object(map) => {
                let field = |(name, value): (&String, &Value)| Field {
                    name: name.clone(),
                    type_: Self::of_literal(value),
                    required: true,
                };
                Self::Object(Arc::new(ObjectType { fields: map.iter().map(field).collect() }))
            }
        }
    }

    /// What a file is made of, as expressions see it.
    pub fn file_fields() -> Self {
        Self::object([
            ("artifact", Self::String),
            ("name", Self::String),
            ("type", Self::String),
            ("size", Self::Integer),
            ("url", Self::String),
        ])
    }
}

/// The short form of the project file.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Null => f.write_str("null"),
            Self::Boolean => f.write_str("boolean"),
            Self::Integer => f.write_str("integer"),
            Self::Number => f.write_str("number"),
            Self::String => f.write_str("string"),
            Self::Enum(values) => write!(f, "{{enum: [{}]}}", values.join(", ")),
            Self::Datetime => f.write_str("datetime"),
            Self::Duration => f.write_str("duration"),
            Self::File => f.write_str("file"),
            Self::List(item) => write!(f, "[{item}]"),
            Self::Map(value) if **value == Self::Any => f.write_str("object"),
            Self::Map(value) => write!(f, "object of {value}"),
            Self::Nullable(inner) => write!(f, "{inner}?"),
            Self::Object(object) => {
                f.write_str("{")?;
                for (index, field) in object.fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    let optional = if field.required { "" } else { "?" };
                    write!(f, "{comma}{}{optional}: {}", field.name, field.type_)?;
                }
                f.write_str("}")
            }
        }
    }
}
