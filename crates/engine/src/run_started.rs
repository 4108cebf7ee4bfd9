//! What a run is from its first moment on: the first fact of its history.

use crate::{Copies, entry::present, family::Parent};
use consort_types::{Json, Name, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a run is from its first moment on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunStarted {
    /// Its id.
    pub id: RunId,
    /// Its namespace.
    pub namespace: Name,
    /// Its workflow.
    pub workflow: Name,
    /// The number of the workflow's revision.
    pub revision: u64,
    /// Its input.
    pub input: Json,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The idempotency key of its start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What started it.
    pub trigger: String,
    /// Its cached steps take no earlier results.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_cache: bool,
    /// What the workflow's `concurrency.key` gave, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_key: Option<String>,
    /// What expressions see as `previous`: the output of the last run that succeeded before this one. Null when
    /// it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub previous: Option<Json>,
    /// The run whose step it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Box<Parent>>,
    /// When it has taken too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_at: Option<Timestamp>,
    /// What it takes over from the run that it does again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies: Option<Box<Copies>>,
    /// Pools of runs above this one that it shares, and whose they are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pools: BTreeMap<Name, RunId>,
}
