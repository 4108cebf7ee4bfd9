//! Making the server hold what the project file says.

use consort_types::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What `POST /apply` takes: the whole truth of one namespace.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyRequest {
    /// `consort.yaml`, the files that it includes, and the text files that it names (`env_file`, `openapi`).
    pub files: Vec<SourceFile>,
    /// For each service with a `source`: the digest of its folder as a tar, uploaded as an artifact.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub sources: BTreeMap<String, Digest>,
}

/// One text file of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// Path relative to the project root, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// What an apply did, or would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ApplyResponse {
    /// The namespace that the project file names; null when the file could not be read that far.
    pub namespace: Option<String>,
    /// What changed; with `dry_run` what would. Empty when there are errors: all or nothing.
    pub changes: Vec<Change>,
    /// What `consort check` finds.
    pub problems: Vec<Diagnostic>,
}

/// One thing of the project file that an apply touches, or leaves as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// What it is.
    pub kind: ChangeKind,
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub action: ChangeAction,
    /// The revision that it has afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// A sentence on what differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ChangeKind {
    Service,
    Workflow,
    Trigger,
    Pool,
    Alert,
    Notify,
    Secret,
}

impl ChangeKind {
    /// The word that travels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Workflow => "workflow",
            Self::Trigger => "trigger",
            Self::Pool => "pool",
            Self::Alert => "alert",
            Self::Notify => "notify",
            Self::Secret => "secret",
        }
    }
}

/// What becomes of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAction {
    /// It is new.
    Create,
    /// It gets a new revision.
    Update,
    /// It is no longer named: drained and removed.
    Remove,
    /// It stays.
    Unchanged,
}

/// One problem of a project file, as `consort check --json` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Diagnostic {
    /// Path relative to the project root.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
    /// Whether it stops an apply.
    pub severity: Severity,
    /// A stable code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Stops an apply.
    Error,
    /// Does not.
    Warning,
}
