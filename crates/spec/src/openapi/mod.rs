//! OpenAPI 3.0 and 3.1 documents: what operations a service has, in the words of the project file.
//!
//! [`read`] goes over the paths (`operations.rs`), the parameters of each (`parameters.rs`), its body and its
//! answers (`bodies.rs`). Schemas become JSON Schema 2020-12 (`schema.rs`), those under `components` once for
//! all operations (`definitions.rs`), and types for expressions (`seen_as.rs`). What the document says that
//! means nothing for a call (examples, tags, servers, security) is not looked at.

mod bodies;
mod definitions;
mod document;
mod input;
mod naming;
mod operations;
mod parameters;
mod schema;
mod seen_as;

pub(crate) use definitions::{Definitions, Extent};

use crate::{
    definition::{Method, Schema},
    lower::Context,
    yaml::Node,
};
use consort_types::{Name, Placing};
use std::{collections::BTreeMap, sync::Arc};

/// What a document says of a service.
#[derive(Default)]
pub(crate) struct Described {
    /// Its operations by name.
    pub operations: BTreeMap<Name, DescribedOperation>,
    /// What their schemas refer to.
    pub definitions: Arc<Definitions>,
    /// Operations that cannot be called from here, and why.
    pub left_out: BTreeMap<Name, String>,
}

/// One operation of a document.
pub(crate) struct DescribedOperation {
    /// What the document calls it.
    pub id: Option<String>,
    pub method: Method,
    pub path: String,
    pub placing: Placing,
    pub input: Schema,
    pub output: Schema,
    pub description: Option<String>,
    pub deprecated: bool,
}

/// Reads a document. `headers` are the names that the service sets on each call. What is wrong is reported at
/// its place in the document.
pub(crate) fn read(context: &Context<'_>, root: &Node, headers: &[&str]) -> Described {
    let Some(document) = document::Document::open(context.report, root) else { return Described::default() };
    operations::read(&document, headers)
}
