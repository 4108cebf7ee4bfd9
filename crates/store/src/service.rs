//! Services: immutable revisions, and which of them is wanted.

use consort_types::{Digest, Json, Name, Timestamp};

/// A service as it was at some apply. Never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceRevision {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// Counts the revisions of the service, from 1.
    pub number: u64,
    /// Of its definition and its code.
    pub digest: Digest,
    /// The project that it came with, by its sequence.
    pub project_sequence: u64,
    /// When it was applied for the first time.
    pub applied_at: Timestamp,
    /// Whatever the node wants to find again.
    pub document: Json,
}

/// What is wanted of a service now.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// The number of the revision that is wanted; none before the first rollout.
    pub active: Option<u64>,
    /// The number of the revision before it, which a roll back restores.
    pub previous: Option<u64>,
    /// Whatever the node keeps beside it: a scale by hand, the newest rollout.
    pub state: Json,
}
