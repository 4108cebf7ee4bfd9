//! What a value must look like: short types and JSON Schema.

mod document;
mod json_schema;
mod walk;

use consort_expr::Type;
use consort_types::{FieldError, Json};
use serde_json::Value;
use std::{fmt, sync::Arc};

/// How many wrong fields one check names.
pub(crate) const FIELD_ERRORS_MAX: usize = 100;

/// What a value must look like: a JSON Schema (2020-12) and the type that expressions see. Cheap to clone.
#[derive(Clone)]
pub struct Schema {
    inner: Arc<Inner>,
}

struct Inner {
    document: Value,
    seen_as: Type,
    check: Check,
}

/// How values are checked.
enum Check {
    /// By the type alone: a short type says everything.
    ByType,
    /// By the document.
    ByDocument(Box<json_schema::Compiled>),
}

/// Why a JSON Schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SchemaError {
    /// JSON pointer to the place in the schema.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl Schema {
    /// Takes whatever comes.
    pub fn any() -> Self {
        Self::of_type(Type::Any)
    }

    /// Takes `{}` only: the input of an operation that names none.
    pub fn nothing() -> Self {
        Self::of_type(Type::object([]))
    }

    /// What a type says, neither more nor less.
    pub fn of_type(type_: Type) -> Self {
        let document = document::of(&type_);
        Self { inner: Arc::new(Inner { document, seen_as: type_, check: Check::ByType }) }
    }

    /// A JSON Schema (2020-12). `$ref` within the document only.
    ///
    /// # Errors
    /// When the document is no valid schema, or refers to another.
    pub fn from_json_schema(document: &Value) -> Result<Self, SchemaError> {
        let compiled = json_schema::Compiled::new(document)?;
        let seen_as = json_schema::seen_as(document);
        let check = Check::ByDocument(Box::new(compiled));
        Ok(Self { inner: Arc::new(Inner { document: document.clone(), seen_as, check }) })
    }

    /// The JSON Schema. Files are marked with `"format": "file"`.
    pub fn document(&self) -> &Value {
        &self.inner.document
    }

    /// The type that expressions see.
    pub fn seen_as(&self) -> &Type {
        &self.inner.seen_as
    }

    /// Checks a value and fills in defaults; the same text comes back when nothing had to be filled in.
    ///
    /// # Errors
    /// Every field that does not fit, up to a hundred.
    pub fn check(&self, value: &Json) -> Result<Json, Vec<FieldError>> {
        match &self.inner.check {
            Check::ByType => walk::check(&self.inner.seen_as, value).map(|()| value.clone()),
            Check::ByDocument(compiled) => compiled.check(value),
        }
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", self.inner.document)
    }
}
