//! The memory of one service, and what may be asked of it.

use crate::{
    backoff::Backoff,
    observed::{Observed, Replica, ReplicaId, ReplicaState, Revision},
    plan::Reason,
    rollout::{Kind, Phase, Rollout},
    roster::Roster,
    rules::{Rules, Strategy},
    scaler::Scaler,
};
use consort_types::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The replicas of one service: what is wanted of them, and what has happened to them so far.
#[derive(Debug, Clone)]
pub struct Fleet {
    pub(crate) rules: Rules,
    /// The revision that is wanted.
    pub(crate) target: Revision,
    /// The last revision that proved itself.
    pub(crate) good: Option<Revision>,
    /// The one that did before it.
    pub(crate) previous: Option<Revision>,
    /// The revision that was rolled back from: applying it again changes nothing.
    pub(crate) held: Option<Revision>,
    /// Replicas that a hand asked for.
    pub(crate) by_hand: Option<u32>,
    pub(crate) removal: Removal,
    pub(crate) restart: Restart,
    pub(crate) scaler: Scaler,
    pub(crate) rollout: Option<Rollout>,
    pub(crate) backoffs: BTreeMap<Revision, Backoff>,
    /// Replicas that were told to go.
    pub(crate) leaving: BTreeMap<ReplicaId, Leaving>,
    /// Replicas whose failing health has been counted.
    pub(crate) sick: BTreeSet<ReplicaId>,
    /// Replicas that ended and stay down by the restart rule.
    pub(crate) ended: u32,
}

/// How far the removal of the service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removal {
    No,
    Asked,
    Reported,
}

/// A restart of all replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restart {
    No,
    /// Of those that the next decision sees.
    Asked,
    /// Of those up to this id.
    UpTo(ReplicaId),
}

/// A replica that was told to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leaving {
    pub reason: Reason,
    /// It was told to end, not only to take no more calls.
    pub stopped: bool,
}

/// What is worth keeping when the owner ends: with it [`Fleet::resume`] goes on from what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved {
    /// The revision that is wanted.
    pub revision: Revision,
    /// The last revision that proved itself.
    pub good: Option<Revision>,
    /// The one that did before it.
    pub previous: Option<Revision>,
    /// The revision that was rolled back from.
    pub held: Option<Revision>,
    /// Replicas that a hand asked for.
    pub by_hand: Option<u32>,
}

/// What became of an apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The revision was the wanted one already; rules that changed hold from now on.
    Unchanged,
    /// A rollout to the revision has begun.
    RollingOut,
    /// The revision was rolled back from, and stays away until another one is applied or [`Fleet::release`]
    /// is called; rules that changed hold from now on.
    Held,
}

/// What cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No other revision has ever proved itself.
    #[error("there is no earlier revision that worked to roll back to")]
    NoPrevious,
    /// It is the wanted one already.
    #[error("revision {0} is the wanted one already")]
    AlreadyThere(Revision),
    /// The service is removed.
    #[error("the service is being removed")]
    Removed,
}

impl Fleet {
    /// A service that is deployed for the first time.
    pub fn new(rules: Rules, revision: Revision, now: Timestamp) -> Self {
        let saved = Saved { revision, good: None, previous: None, held: None, by_hand: None };
        Self::resume(rules, saved, now)
    }

    /// A service whose owner was started anew. A rollout that was under way begins again.
    pub fn resume(rules: Rules, saved: Saved, now: Timestamp) -> Self {
        let rules = rules.bounded();
        let proved = saved.good == Some(saved.revision);
        let desired = saved.by_hand.unwrap_or(if proved { rules.min } else { rules.min.max(1) });
        let mut fleet = Self {
            rules,
            target: saved.revision,
            good: saved.good,
            previous: saved.previous,
            held: saved.held,
            by_hand: saved.by_hand,
            removal: Removal::No,
            restart: Restart::No,
            scaler: Scaler::new(desired),
            rollout: None,
            backoffs: BTreeMap::new(),
            leaving: BTreeMap::new(),
            sick: BTreeSet::new(),
            ended: 0,
        };
        if !proved {
            fleet.begin(Kind::Deploy, saved.revision, now);
        }
        fleet
    }

    /// What is worth keeping; changes with what is asked and with [`crate::FleetEvent`]s.
    pub fn saved(&self) -> Saved {
        Saved {
            revision: self.target,
            good: self.good,
            previous: self.previous,
            held: self.held,
            by_hand: self.by_hand,
        }
    }

    /// The revision that is wanted.
    pub fn revision(&self) -> Revision {
        self.target
    }

    /// The revision that [`Fleet::rollback`] goes to by itself.
    pub fn previous_revision(&self) -> Option<Revision> {
        if self.good == Some(self.target) { self.previous } else { self.good }
    }

    /// New rules, and the revision that is wanted from now on: the newest wins, also in the middle of a
    /// rollout. A number set by hand ends with any change.
    pub fn apply(&mut self, rules: Rules, revision: Revision, now: Timestamp) -> Applied {
        let rules = rules.bounded();
        if rules != self.rules {
            self.by_hand = None;
        }
        self.rules = rules;
        self.removal = Removal::No;
        if self.held == Some(revision) {
            return Applied::Held;
        }
        if revision == self.target {
            return Applied::Unchanged;
        }
        self.held = None;
        self.by_hand = None;
        self.begin(Kind::Deploy, revision, now);
        Applied::RollingOut
    }

    /// Whether the newest rollout has failed for good.
    pub fn has_failed(&self) -> bool {
        self.rollout.as_ref().is_some_and(|rollout| rollout.phase == Phase::Failed)
    }

    /// Lets the revision that was rolled back from be applied again.
    pub fn release(&mut self) {
        self.held = None;
    }

    /// So many replicas, whatever the load; none: by the load again. Zero stops the service.
    pub fn scale(&mut self, replicas: Option<u32>) {
        self.by_hand = replicas;
        self.ended = 0;
    }

    /// Replaces all replicas that the next decision sees, as a rollout would; tries a failed rollout again,
    /// and what fails at once.
    pub fn restart(&mut self, now: Timestamp) {
        self.restart = Restart::Asked;
        self.ended = 0;
        if self.rollout.as_ref().is_some_and(|rollout| rollout.phase == Phase::Failed) {
            self.begin(Kind::Deploy, self.target, now);
            self.restart = Restart::Asked;
        }
    }

    /// Goes back to a revision, the last other one that proved itself if none is named, and stays there
    /// until another revision is applied than the one that is wanted now. Returns where it goes.
    ///
    /// # Errors
    /// [`Error::NoPrevious`], [`Error::AlreadyThere`], [`Error::Removed`].
    pub fn rollback(&mut self, to: Option<Revision>, now: Timestamp) -> Result<Revision, Error> {
        if self.removal != Removal::No {
            return Err(Error::Removed);
        }
        let to = to.or_else(|| self.previous_revision()).ok_or(Error::NoPrevious)?;
        if to == self.target {
            return Err(Error::AlreadyThere(to));
        }
        self.held = Some(self.target);
        self.begin(Kind::Rollback, to, now);
        Ok(to)
    }

    /// The service is no longer wanted: all replicas finish what they have and end. Applying it again
    /// brings it back.
    pub fn remove(&mut self) {
        if self.removal == Removal::No {
            self.removal = Removal::Asked;
        }
    }

    /// Begins a rollout to a revision: it was asked for, so its first start does not wait for failures of before.
    pub(crate) fn begin(&mut self, kind: Kind, to: Revision, now: Timestamp) {
        let from = match kind {
            Kind::Deploy | Kind::Rollback => self.good.filter(|good| *good != to),
            Kind::Restart => Some(to),
        };
        self.rollout = Some(Rollout::new(kind, from, to, now));
        self.backoffs.remove(&to);
        self.retarget(to);
    }

    /// Wants another revision; what was counted for the one before no longer matters.
    pub(crate) fn retarget(&mut self, to: Revision) {
        self.target = to;
        self.ended = 0;
        self.restart = Restart::No;
    }

    /// The revision that serves on while the rollout of the wanted one stays failed.
    pub(crate) fn stand_in(&self) -> Option<Revision> {
        let rollout = self.rollout.as_ref()?;
        let stuck = rollout.phase == Phase::Failed
            && rollout.to == self.target
            && self.rules.strategy == Strategy::Rolling;
        rollout.from.filter(|from| stuck && *from != rollout.to)
    }

    /// The revision that new replicas run.
    pub(crate) fn active(&self) -> Revision {
        self.stand_in().unwrap_or(self.target)
    }

    /// Replicas that should live.
    pub(crate) fn wanted(&self) -> u32 {
        self.scaler.desired().saturating_sub(self.ended)
    }

    /// Sorts the replicas by what is to become of them.
    pub(crate) fn roster<'a>(&self, observed: &Observed<'a>) -> Roster<'a> {
        let mut roster = Roster::default();
        for replica in observed.replicas {
            if replica.state == ReplicaState::Draining || self.leaving.contains_key(&replica.id) {
                roster.leaving.push(replica);
            } else if self.keeps(replica) {
                roster.current.push(replica);
            } else {
                roster.old.push(replica);
            }
        }
        roster
    }

    fn keeps(&self, replica: &Replica) -> bool {
        let restarted = matches!(self.restart, Restart::UpTo(last) if replica.id <= last);
        match self.stand_in() {
            // What is ready of the failed revision serves on; what is not would be tried for ever.
            Some(_) if replica.revision == self.target => replica.state == ReplicaState::Ready,
            Some(good) => replica.revision == good,
            None => replica.revision == self.target && !restarted,
        }
    }
}
