//! Namespaces.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One namespace that the server holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Namespace {
    /// Its name.
    pub name: String,
}
