//! A revision that a step made: the definition of an apply, with variables over those of the file.

use consort_store::ServiceRevision;
use consort_types::{Digest, Json};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the store keeps beside such a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolledOut {
    /// The digest of what was applied: an apply of the same changes nothing.
    pub definition: Digest,
    /// The revision that served before.
    pub previous: Option<u64>,
    /// Variables over those of the file.
    pub environment: BTreeMap<String, String>,
    /// The `Idempotency-Key` of the call that made it: the call that comes again finds it.
    pub key: String,
}

impl RolledOut {
    /// What stands beside a revision; none: it came with an apply.
    pub fn of(revision: &ServiceRevision) -> Option<Self> {
        serde_json::from_str(revision.document.text()).ok()
    }

    /// As the store keeps it.
    pub fn document(&self) -> Json {
        Json::of(self)
    }

    /// The content of the revision: what was applied, and the variables. Two rollouts of the same are two
    /// revisions, because each replaces the replicas.
    pub fn digest(&self) -> Digest {
        Digest::of(self.document().text().as_bytes())
    }
}

/// The digest of what was applied, whoever made the revision.
pub fn applied_digest(revision: &ServiceRevision) -> Digest {
    RolledOut::of(revision).map_or(revision.digest, |rolled_out| rolled_out.definition)
}
