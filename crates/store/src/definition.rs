//! What `apply` was given, and the workflows in it.

use consort_types::{Digest, Json, Name, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A namespace as one `apply` left it: the source of all its definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The namespace.
    pub namespace: Name,
    /// Counts the applies of the namespace, from 1.
    pub sequence: u64,
    /// The project file and all that it names.
    pub files: Vec<ProjectFile>,
    /// For each service with a source: its folder as a tar, as an artifact.
    pub sources: BTreeMap<String, Digest>,
    /// When it was applied.
    pub applied_at: Timestamp,
}

/// One text file of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectFile {
    /// Path relative to the project root, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A workflow as it was at some apply. Never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowRevision {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// Counts the revisions of the workflow, from 1.
    pub number: u64,
    /// Of its checked definition.
    pub digest: Digest,
    /// The project that it came with, by its sequence.
    pub project_sequence: u64,
    /// When it was applied for the first time.
    pub applied_at: Timestamp,
    /// Whatever the node wants to find again.
    pub document: Json,
}
