//! How the service does, for people.

use crate::{
    fleet::{Fleet, Removal},
    observed::{Observed, ReplicaState, Revision},
    rollout::{Kind, Phase, Rollout},
    roster::{Roster, count},
    rules::Strategy,
};
use consort_types::Timestamp;

/// How the service does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// In one word.
    pub state: ServiceState,
    /// In a sentence.
    pub detail: String,
    /// Its replicas, counted.
    pub replicas: ReplicaCounts,
    /// Until then no replica is started, because those before it failed.
    pub next_start_at: Option<Timestamp>,
    /// The newest rollout.
    pub rollout: Option<RolloutStatus>,
}

/// How the service does, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServiceState {
    /// The first replicas are on their way.
    Starting,
    /// It takes calls.
    Ready,
    /// It takes calls, with fewer replicas than wanted or not of the wanted revision.
    Degraded,
    /// Its replicas fail again and again, none is ready; the next start waits.
    CrashLoop,
    /// Scaled to zero: the next call starts a replica.
    Idle,
    /// Another revision comes in.
    RollingOut,
    /// An earlier revision comes back.
    RollingBack,
    /// Its rollout failed, and nothing takes calls.
    Failed,
    /// No longer wanted, and finishing what it has.
    Removing,
    /// Scaled to zero by hand, or ended for good by its restart rule.
    Stopped,
}

/// Replicas, counted by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplicaCounts {
    /// Wanted now.
    pub desired: u32,
    /// Take calls.
    pub ready: u32,
    /// Not yet healthy.
    pub starting: u32,
    /// On their way out.
    pub draining: u32,
    /// Unhealthy, or ended and waiting for their next start.
    pub failed: u32,
}

/// The newest rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutStatus {
    /// What comes back if it fails; none for the first.
    pub from: Option<Revision>,
    /// Where it goes.
    pub to: Revision,
    /// In which manner.
    pub strategy: Strategy,
    /// How far it is.
    pub state: RolloutState,
    /// In a sentence.
    pub detail: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it last came nearer to its end, or ended.
    pub updated_at: Timestamp,
}

/// How far a rollout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RolloutState {
    /// Replicas are being replaced.
    Running,
    /// The revision has proved itself.
    Succeeded,
    /// It has not, and the one before serves on, if there is one.
    Failed,
    /// It has not, and the one before comes back.
    RollingBack,
    /// The one before is back.
    RolledBack,
}

impl Fleet {
    /// How the service does, by what the last decision left and what is seen now.
    pub fn status(&self, observed: &Observed<'_>) -> Status {
        let roster = self.roster(observed);
        let replicas = self.counts(&roster);
        let (state, detail) = self.verdict(&replicas, &roster);
        let backoff = self.backoffs.get(&self.active());
        let missing = self.removal == Removal::No && count(roster.current.len()) < self.wanted();
        Status {
            state,
            detail,
            replicas,
            next_start_at: backoff.filter(|_| missing).map(|backoff| backoff.until),
            rollout: self.rollout.as_ref().map(|rollout| self.rollout_status(rollout)),
        }
    }

    fn counts(&self, roster: &Roster<'_>) -> ReplicaCounts {
        let in_state = |state| count(roster.staying().filter(|replica| replica.state == state).count());
        let missing = self.wanted().saturating_sub(count(roster.current.len()));
        let waiting = if self.backoffs.contains_key(&self.active()) { missing } else { 0 };
        ReplicaCounts {
            desired: if self.removal == Removal::No { self.scaler.desired() } else { 0 },
            ready: roster.ready(),
            starting: in_state(ReplicaState::Starting),
            draining: count(roster.leaving.len()),
            failed: in_state(ReplicaState::Unready) + waiting,
        }
    }

    fn verdict(&self, replicas: &ReplicaCounts, roster: &Roster<'_>) -> (ServiceState, String) {
        if self.removal != Removal::No {
            return (ServiceState::Removing, format!("Being removed; {} replicas are left", roster.total()));
        }
        let failed = self.rollout.as_ref().is_some_and(|rollout| rollout.phase == Phase::Failed);
        if self.by_hand == Some(0) || (self.wanted() == 0 && !failed) {
            return self.at_rest();
        }
        let progress = format!("{} of {} replicas ready", replicas.ready, self.wanted());
        match self.rollout.as_ref() {
            Some(rollout) if rollout.phase == Phase::Failed => {
                self.after_failure(rollout, replicas, &progress)
            }
            Some(rollout)
                if rollout.is_running() && (rollout.from.is_some() || rollout.kind == Kind::Rollback) =>
            {
                self.on_the_way(rollout, &progress)
            }
            Some(_) | None => self.in_service(replicas, progress),
        }
    }

    fn at_rest(&self) -> (ServiceState, String) {
        if self.ended > 0 {
            let rule = self.rules.restart.as_str();
            (ServiceState::Stopped, format!("All replicas have ended, and `restart: {rule}` keeps them down"))
        } else if self.by_hand == Some(0) {
            (ServiceState::Stopped, "Scaled to zero by hand".to_owned())
        } else {
            (ServiceState::Idle, "Scaled to zero; the next call starts a replica".to_owned())
        }
    }

    fn after_failure(
        &self,
        rollout: &Rollout,
        replicas: &ReplicaCounts,
        progress: &str,
    ) -> (ServiceState, String) {
        let state = if replicas.ready == 0 { ServiceState::Failed } else { ServiceState::Degraded };
        let next = self.next_start(replicas);
        (state, format!("Revision {} {}; {progress}{next}", rollout.to, rollout.reason))
    }

    fn on_the_way(&self, rollout: &Rollout, progress: &str) -> (ServiceState, String) {
        match (rollout.phase, rollout.kind) {
            (Phase::Back, _) => (
                ServiceState::RollingBack,
                format!(
                    "Revision {} {}; revision {} comes back, {progress}",
                    rollout.to, rollout.reason, self.target
                ),
            ),
            (_, Kind::Rollback) => {
                (ServiceState::RollingBack, format!("Revision {} comes back by hand, {progress}", rollout.to))
            }
            (_, Kind::Deploy) => {
                (ServiceState::RollingOut, format!("Revision {} comes in, {progress}", rollout.to))
            }
            (_, Kind::Restart) => (ServiceState::RollingOut, format!("Restarting, {progress}")),
        }
    }

    fn in_service(&self, replicas: &ReplicaCounts, progress: String) -> (ServiceState, String) {
        let backoff = self.backoffs.get(&self.active());
        let next = self.next_start(replicas);
        match (replicas.ready, backoff) {
            (ready, _) if ready >= self.wanted() => (ServiceState::Ready, progress),
            (0, Some(backoff)) if backoff.is_crash_loop() => (
                ServiceState::CrashLoop,
                format!("Failed {} times in a row ({}){next}", backoff.failures, backoff.cause),
            ),
            (0, Some(backoff)) => (ServiceState::Starting, format!("{progress} ({}){next}", backoff.cause)),
            (0, None) => (ServiceState::Starting, progress),
            (_, Some(backoff)) => (ServiceState::Degraded, format!("{progress} ({}){next}", backoff.cause)),
            (_, None) => (ServiceState::Ready, progress),
        }
    }

    /// The end of a sentence, if a start waits.
    fn next_start(&self, replicas: &ReplicaCounts) -> String {
        let backoff = self.backoffs.get(&self.active()).filter(|_| replicas.failed > 0);
        backoff.map(|backoff| format!("; next start at {}", backoff.until)).unwrap_or_default()
    }

    fn rollout_status(&self, rollout: &Rollout) -> RolloutStatus {
        let (state, detail) = match rollout.phase {
            Phase::Forward => (RolloutState::Running, format!("Revision {} comes in", rollout.to)),
            Phase::Succeeded => (RolloutState::Succeeded, format!("Revision {} is in service", rollout.to)),
            Phase::Failed => (RolloutState::Failed, format!("Revision {} {}", rollout.to, rollout.reason)),
            Phase::Back => (
                RolloutState::RollingBack,
                format!("Revision {} {}; revision {} comes back", rollout.to, rollout.reason, self.target),
            ),
            Phase::RolledBack => (
                RolloutState::RolledBack,
                format!("Revision {} {}; revision {} is back", rollout.to, rollout.reason, self.target),
            ),
        };
        RolloutStatus {
            from: rollout.from,
            to: rollout.to,
            strategy: self.rules.strategy,
            state,
            detail,
            started_at: rollout.started_at,
            updated_at: rollout.moved_at,
        }
    }
}
