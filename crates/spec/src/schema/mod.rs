//! What a value must look like: short types and JSON Schema.

mod document;
mod json_schema;
mod walk;

pub(crate) use json_schema::is_pattern;

use crate::openapi::{Definitions, Extent};
use consort_expr::Type;
use consort_types::{FieldError, Json};
use serde_json::Value;
use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, OnceLock},
};

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
    OfType,
    /// By the document.
    OfDocument(Box<json_schema::Compiled>),
    /// By a schema that shares what it refers to with others.
    Shared(Box<Shared>),
}

/// A schema of an OpenAPI document. Such documents have hundreds, of which a project uses a few, so each is
/// put together and compiled when it is first asked for.
struct Shared {
    definitions: Arc<Definitions>,
    shown: OnceLock<Value>,
    compiled: OnceLock<Result<json_schema::Compiled, SchemaError>>,
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
        Self { inner: Arc::new(Inner { document, seen_as: type_, check: Check::OfType }) }
    }

    /// A JSON Schema (2020-12). `$ref` within the document only.
    ///
    /// # Errors
    /// When the document is no valid schema, or refers to another.
    pub fn from_json_schema(document: &Value) -> Result<Self, SchemaError> {
        let compiled = json_schema::Compiled::new(document)?;
        let seen_as = json_schema::seen_as(document);
        let check = Check::OfDocument(Box::new(compiled));
        Ok(Self { inner: Arc::new(Inner { document: document.clone(), seen_as, check }) })
    }

    /// A schema that may refer to definitions, each of which compiles.
    pub(crate) fn of_document(root: Value, definitions: Arc<Definitions>, seen_as: Type) -> Self {
        let shared = Shared { definitions, shown: OnceLock::new(), compiled: OnceLock::new() };
        Self { inner: Arc::new(Inner { document: root, seen_as, check: Check::Shared(Box::new(shared)) }) }
    }

    /// The JSON Schema. Files are marked with `"format": "file"`. Of a schema with very many definitions only
    /// the nearest ones are shown.
    pub fn document(&self) -> &Value {
        match &self.inner.check {
            Check::OfType | Check::OfDocument(_) => &self.inner.document,
            Check::Shared(shared) => {
                shared.shown.get_or_init(|| shared.definitions.assembled(&self.inner.document, Extent::Shown))
            }
        }
    }

    /// The schema without the definitions that it refers to.
    pub(crate) fn root(&self) -> &Value {
        &self.inner.document
    }

    /// The JSON Schema with all that decides something: what digests are taken of.
    pub(crate) fn whole(&self) -> Cow<'_, Value> {
        match &self.inner.check {
            Check::OfType | Check::OfDocument(_) => Cow::Borrowed(&self.inner.document),
            Check::Shared(shared) => {
                Cow::Owned(shared.definitions.assembled(&self.inner.document, Extent::Whole))
            }
        }
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
            Check::OfType => walk::check(&self.inner.seen_as, value).map(|()| value.clone()),
            Check::OfDocument(compiled) => compiled.check(value),
            Check::Shared(shared) => {
                let compile = || json_schema::Compiled::new(&self.whole());
                match shared.compiled.get_or_init(compile) {
                    Ok(compiled) => compiled.check(value),
                    Err(error) => Err(vec![FieldError {
                        path: String::new(),
                        code: "schema".to_owned(),
                        message: format!("the schema of the document cannot be used: {error}"),
                    }]),
                }
            }
        }
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", self.inner.document)
    }
}
