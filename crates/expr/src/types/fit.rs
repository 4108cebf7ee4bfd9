//! Which types go together.

use super::{Field, ObjectType, Type};
use std::sync::Arc;

/// Why a value of one type cannot be given where another is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Where, from the root of the value: `items[].price`. Empty: the value itself.
    pub path: String,
    /// What is wanted and what is given.
    pub message: String,
}

/// A union of more texts than this is any text: nobody reads a longer list.
const ENUM_LEN_MAX: usize = 64;

impl Type {
    /// The narrowest type that holds the values of both; [`Type::Any`] when they have nothing in common.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        self.try_join(other).unwrap_or_else(|| match (self, other) {
            (Self::List(a), Self::List(b)) => Self::list(a.join(b)),
            (Self::Object(a), Self::Object(b)) => {
                let lenient = |a: &Self, b: &Self| Some(a.join(b));
                join_objects(a, b, lenient).map_or(Self::Any, |object| Self::Object(Arc::new(object)))
            }
            _ => Self::Any,
        })
    }

    /// As [`join`](Self::join); `None` when no type but `any` holds both.
    pub(crate) fn try_join(&self, other: &Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Any, _) | (_, Self::Any) => Self::Any,
            (a, b) if a == b => a.clone(),
            (Self::Null, b) => b.clone().nullable(),
            (a, Self::Null) => a.clone().nullable(),
            (Self::Nullable(a), b) => a.try_join(&b.clone().required())?.nullable(),
            (a, Self::Nullable(b)) => a.try_join(b)?.nullable(),
            (Self::Integer | Self::Number, Self::Integer | Self::Number) => Self::Number,
            (Self::Enum(a), Self::Enum(b)) => union(a, b),
            (a, b) if a.is_text() && b.is_text() => Self::String,
            (Self::List(a), Self::List(b)) => Self::list(a.try_join(b)?),
            (Self::File, b) if b.is_object() => Self::file_fields().try_join(b)?,
            (a, Self::File) if a.is_object() => a.try_join(&Self::file_fields())?,
            (Self::Object(a), Self::Object(b)) => Self::Object(Arc::new(join_objects(a, b, Self::try_join)?)),
            (Self::Map(a), Self::Map(b)) => Self::Map(Box::new(a.try_join(b)?)),
            (Self::Map(value), Self::Object(object)) | (Self::Object(object), Self::Map(value)) => Self::Map(
                Box::new(object.fields.iter().fold((**value).clone(), |all, field| all.join(&field.type_))),
            ),
            _ => return None,
        })
    }

    /// Whether its values are texts in JSON.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Self::String | Self::Enum(_) | Self::Datetime | Self::Duration)
    }

    fn is_object(&self) -> bool {
        matches!(self, Self::Object(_) | Self::Map(_))
    }

    /// Whether every value of the given type may stand where this one is wanted. Of [`Type::Any`] nothing is
    /// known, so it is let through: the schema decides when the value is there.
    ///
    /// # Errors
    /// The first place where it may not.
    pub fn accepts(&self, given: &Self) -> Result<(), Mismatch> {
        match (self, given) {
            (Self::Any, _) | (_, Self::Any) | (Self::Null | Self::Nullable(_), Self::Null) => Ok(()),
            (Self::Nullable(wanted), Self::Nullable(given)) => wanted.accepts(given),
            (Self::Nullable(wanted), given) => wanted.accepts(given),
            (_, Self::Null) => Err(mismatch(format!("{self} is wanted, this is null"))),
            (_, Self::Nullable(inner)) => {
                self.accepts(inner)?;
                Err(mismatch(format!("{self} is wanted, this may be null")))
            }
            (Self::Number, Self::Integer) => Ok(()),
            (Self::String, given) if given.is_text() => Ok(()),
            (Self::Enum(wanted), Self::Enum(given)) => one_of(wanted, given),
            (Self::Datetime, Self::Enum(given))
                if given.iter().all(|text| text.parse::<jiff::Timestamp>().is_ok()) =>
            {
                Ok(())
            }
            (Self::Duration, Self::Enum(given))
                if given.iter().all(|text| consort_types::parse_duration(text).is_ok()) =>
            {
                Ok(())
            }
            (Self::List(wanted), Self::List(given)) => {
                wanted.accepts(given).map_err(|error| error.inside("[]"))
            }
            (Self::Object(wanted), Self::Object(given)) => accepts_object(wanted, given),
            (Self::Object(_), Self::File) => self.accepts(&Self::file_fields()),
            (Self::File, Self::Object(_)) => Self::file_fields().accepts(given),
            (Self::Map(_), Self::File) => self.accepts(&Self::file_fields()),
            (Self::Map(wanted), Self::Map(given)) => {
                wanted.accepts(given).map_err(|error| error.inside("[]"))
            }
            (Self::Map(wanted), Self::Object(given)) => given.fields.iter().try_for_each(|field| {
                wanted.accepts(&field.type_).map_err(|error| error.inside(&format!(".{}", field.name)))
            }),
            (wanted, given) if wanted == given => Ok(()),
            _ => Err(mismatch(format!("{self} is wanted, this is {given}"))),
        }
    }
}

fn union(a: &[String], b: &[String]) -> Type {
    let mut all = a.to_vec();
    all.extend(b.iter().filter(|value| !a.contains(value)).cloned());
    if all.len() > ENUM_LEN_MAX { Type::String } else { Type::Enum(all) }
}

/// A field that only one side has may be absent.
fn join_objects(
    a: &ObjectType,
    b: &ObjectType,
    join: impl Fn(&Type, &Type) -> Option<Type>,
) -> Option<ObjectType> {
    let mut fields: Vec<Field> = Vec::with_capacity(a.fields.len());
    for field in &a.fields {
        fields.push(match b.field(&field.name) {
            None => Field { required: false, ..field.clone() },
            Some(other) => Field {
                name: field.name.clone(),
                type_: join(&field.type_, &other.type_)?,
                required: field.required && other.required,
            },
        });
    }
    let added = b.fields.iter().filter(|field| a.field(&field.name).is_none());
    fields.extend(added.map(|field| Field { required: false, ..field.clone() }));
    Some(ObjectType { fields })
}

fn one_of(wanted: &[String], given: &[String]) -> Result<(), Mismatch> {
    match given.iter().find(|value| !wanted.contains(value)) {
        None => Ok(()),
        Some(other) => Err(mismatch(format!("one of {} is wanted, this is {other}", wanted.join(", ")))),
    }
}

fn accepts_object(wanted: &ObjectType, given: &ObjectType) -> Result<(), Mismatch> {
    for field in &wanted.fields {
        let at = |error: Mismatch| error.inside(&format!(".{}", field.name));
        match given.field(&field.name) {
            None if field.required => {
                return Err(at(mismatch(format!("{} is wanted, it is missing", field.type_))));
            }
            None => {}
            Some(found) if field.required && !found.required => {
                return Err(at(mismatch(format!("{} is wanted, it may be missing", field.type_))));
            }
            Some(found) => field.type_.accepts(&found.type_).map_err(at)?,
        }
    }
    match given.fields.iter().find(|field| wanted.field(&field.name).is_none()) {
        None => Ok(()),
        Some(extra) => {
            let mut message = "there is no such field".to_owned();
            if let Some(near) =
                crate::nearest(&extra.name, wanted.fields.iter().map(|field| field.name.as_str()))
            {
                message.push_str(&format!(", but `{near}`"));
            }
            Err(mismatch(message).inside(&format!(".{}", extra.name)))
        }
    }
}

fn mismatch(message: String) -> Mismatch {
    Mismatch { path: String::new(), message }
}

impl Mismatch {
    fn inside(mut self, outer: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        let outer = outer.strip_prefix('.').unwrap_or(outer);
        self.path = format!("{outer}{dot}{}", self.path);
        self
    }
}
