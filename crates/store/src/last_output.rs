//! What the last run of a workflow gave that succeeded: what the next one sees as `previous`.

use consort_types::{Json, Name};

/// What the last run of a workflow gave that succeeded, of all its runs or of those with a key.
#[derive(Debug, Clone, PartialEq)]
pub struct LastOutput {
    /// Its namespace.
    pub namespace: Name,
    /// Its workflow.
    pub workflow: Name,
    /// What the workflow's `concurrency.key` gave, as JSON; none for the last of all runs.
    pub limit_key: Option<String>,
    /// The output, in a form that only the node reads.
    pub document: Json,
}
