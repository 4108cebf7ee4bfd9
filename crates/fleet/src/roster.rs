//! The replicas that live, sorted by what is to become of them.

use crate::observed::{Replica, ReplicaState};

/// The replicas that live, sorted by what is to become of them.
#[derive(Debug, Default)]
pub(crate) struct Roster<'a> {
    /// To be kept.
    pub current: Vec<&'a Replica>,
    /// To be replaced.
    pub old: Vec<&'a Replica>,
    /// On their way out.
    pub leaving: Vec<&'a Replica>,
}

impl<'a> Roster<'a> {
    /// All that live, also those on their way out.
    pub fn total(&self) -> u32 {
        count(self.current.len() + self.old.len() + self.leaving.len())
    }

    /// Ready ones that take calls.
    pub fn ready(&self) -> u32 {
        ready(&self.current) + ready(&self.old)
    }

    /// Those that stay, or stay for now.
    pub fn staying(&self) -> impl Iterator<Item = &'a Replica> {
        self.current.iter().chain(&self.old).copied()
    }
}

/// How many of these are ready.
pub(crate) fn ready(replicas: &[&Replica]) -> u32 {
    count(replicas.iter().filter(|replica| replica.state == ReplicaState::Ready).count())
}

/// A count of replicas; more than `u32` holds cannot live.
pub(crate) fn count(replicas: usize) -> u32 {
    u32::try_from(replicas).unwrap_or(u32::MAX)
}
