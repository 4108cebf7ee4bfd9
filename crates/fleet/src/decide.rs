//! One decision: note what happened, judge the rollout, scale, place.

use crate::{
    backoff::{Backoff, CLEAN_RUN},
    fleet::{Fleet, Leaving, Removal, Restart},
    observed::{Exit, Observed, ReplicaId, ReplicaState, Revision},
    plan::{FleetEvent, Plan, Reason},
    rollout::{Kind, Phase, Rollout},
    roster::{Roster, count, ready},
    scaler::Demand,
};
use consort_types::Timestamp;

/// The failure of a replica whose health check fails, as a part of a sentence.
const UNHEALTHY: &str = "its health check fails";

impl Fleet {
    /// What is to be done now. Call it whenever a replica changes, the load changes, something was asked, or
    /// [`Plan::wake_at`] has come; more often does no harm. The plan counts as carried out: a start that
    /// cannot be tried is handed in as an [`Exit`].
    pub fn decide(&mut self, observed: &Observed<'_>, now: Timestamp) -> Plan {
        let mut plan = Plan::default();
        self.note_exits(observed.exits, now);
        self.note_health(observed, now);
        self.forget(observed);
        self.note_restart(observed, now);
        self.judge(observed, now, &mut plan.events);
        if self.removal == Removal::No {
            self.set_number(observed, now, &mut plan.explained);
        }
        let mut roster = self.roster(observed);
        self.place(&mut roster, now, &mut plan);
        plan.serving = self.serving(&roster);
        plan.wake_at = self.wake_at(&roster, now);
        if self.removal == Removal::Asked && observed.replicas.is_empty() {
            self.removal = Removal::Reported;
            plan.events.push(FleetEvent::Removed);
        }
        plan
    }

    fn note_exits(&mut self, exits: &[Exit], now: Timestamp) {
        for exit in exits {
            let counted = self.sick.remove(&exit.replica);
            if self.leaving.remove(&exit.replica).is_some() {
                continue; // It was told to.
            }
            let replaced = self.rules.restart.replaces(exit.ok);
            if !replaced && exit.revision == self.active() {
                self.ended = self.ended.saturating_add(1);
            }
            if counted || (exit.ok && !replaced) {
                continue;
            }
            if exit.was_ready && exit.ran_for >= CLEAN_RUN {
                // A sibling's clean run says nothing about one that has failed since.
                self.backoffs.retain(|revision, backoff| {
                    *revision != exit.revision || backoff.until.plus(CLEAN_RUN) > now
                });
                self.back_off(exit.revision, exit.replica, &exit.cause, now);
            } else {
                self.note_failure(exit.revision, exit.replica, &exit.cause, now);
            }
        }
    }

    /// Counts each time that a replica becomes unhealthy, once; forgets failures after a clean run.
    fn note_health(&mut self, observed: &Observed<'_>, now: Timestamp) {
        let roster = self.roster(observed);
        for replica in roster.staying() {
            if replica.state != ReplicaState::Unready {
                self.sick.remove(&replica.id);
            } else if self.sick.insert(replica.id) {
                self.note_failure(replica.revision, replica.id, UNHEALTHY, now);
            }
        }
        self.backoffs.retain(|revision, backoff| {
            let mut replicas = roster.staying().filter(|replica| replica.revision == *revision).peekable();
            let clean = backoff.until.plus(CLEAN_RUN) <= now
                && replicas.peek().is_some()
                && replicas.all(|replica| {
                    replica.state == ReplicaState::Ready && replica.since.plus(CLEAN_RUN) <= now
                });
            !clean
        });
    }

    /// A failure that speaks against the revision, if it is being proved.
    fn note_failure(&mut self, revision: Revision, replica: ReplicaId, cause: &str, now: Timestamp) {
        let target = self.target;
        if let Some(rollout) = self.rollout.as_mut().filter(|it| it.is_running() && revision == target) {
            rollout.failed_starts = rollout.failed_starts.saturating_add(1);
        }
        self.back_off(revision, replica, cause, now);
    }

    fn back_off(&mut self, revision: Revision, replica: ReplicaId, cause: &str, now: Timestamp) {
        self.backoffs
            .entry(revision)
            .and_modify(|backoff| backoff.again(replica, cause, now))
            .or_insert_with(|| Backoff::first(replica, cause, now));
    }

    /// Drops what was remembered of replicas and revisions that are no more, so that the memory stays small.
    fn forget(&mut self, observed: &Observed<'_>) {
        let lives = |id: &ReplicaId| observed.replicas.iter().any(|replica| replica.id == *id);
        self.leaving.retain(|id, _| lives(id));
        self.sick.retain(lives);
        let known = [Some(self.target), self.good, self.previous];
        self.backoffs.retain(|revision, _| known.contains(&Some(*revision)));
        for replica in observed.replicas.iter().filter(|it| it.state == ReplicaState::Draining) {
            self.leaving.entry(replica.id).or_insert(Leaving { reason: Reason::Drained, stopped: false });
        }
    }

    fn note_restart(&mut self, observed: &Observed<'_>, now: Timestamp) {
        if self.restart != Restart::Asked {
            return;
        }
        self.restart = Restart::No;
        self.backoffs.remove(&self.target);
        let roster = self.roster(observed);
        let Some(last) = roster.staying().map(|replica| replica.id).max() else { return };
        if !self.rollout.as_ref().is_some_and(Rollout::is_running) {
            self.begin(Kind::Restart, self.target, now);
        }
        self.restart = Restart::UpTo(last);
    }

    /// Whether the rollout has reached its end, or never will.
    fn judge(&mut self, observed: &Observed<'_>, now: Timestamp, events: &mut Vec<FleetEvent>) {
        let (roster, desired, wanted) = (self.roster(observed), self.scaler.desired(), self.wanted());
        if self.stand_in().is_some() || self.removal != Removal::No {
            return;
        }
        let cause = self.backoffs.get(&self.target).map(|backoff| backoff.cause.clone());
        let Some(rollout) = self.rollout.as_mut() else { return };
        if matches!(rollout.phase, Phase::Succeeded | Phase::RolledBack) {
            return;
        }
        if desired == 0 {
            rollout.moved_at = now; // Stopped by hand: nothing can prove the revision, nothing can fail.
            return;
        }
        rollout.note(ready(&roster.current), count(roster.old.len()), now);
        // Where all have ended for good, that is an arrival only if they ended well.
        let proved = wanted > 0 || rollout.failed_starts == 0;
        if proved && ready(&roster.current) >= wanted && roster.old.is_empty() {
            self.arrive(now, events);
        } else if rollout.is_running()
            && let Some(reason) = rollout.failure(&self.rules, cause.as_deref(), now)
        {
            self.give_up(reason, now, events);
        }
    }

    fn arrive(&mut self, now: Timestamp, events: &mut Vec<FleetEvent>) {
        let Some(rollout) = self.rollout.as_mut() else { return };
        let (from, to) = (rollout.to, self.target);
        if from != to {
            rollout.end(Phase::RolledBack, now);
            events.push(FleetEvent::RolledBack { from, to });
            return;
        }
        rollout.end(Phase::Succeeded, now);
        if self.good != Some(to) {
            self.previous = self.good.replace(to);
        }
        events.push(FleetEvent::RolloutSucceeded { revision: to });
    }

    fn give_up(&mut self, reason: String, now: Timestamp, events: &mut Vec<FleetEvent>) {
        let Some(rollout) = self.rollout.as_mut() else { return };
        let failed = self.target;
        let goes_back = self.rules.roll_back && rollout.phase == Phase::Forward;
        match rollout.from.filter(|good| goes_back && *good != failed) {
            Some(good) => {
                rollout.reason.clone_from(&reason);
                rollout.turn_back(now);
                self.held = Some(failed);
                self.retarget(good);
                events.push(FleetEvent::RollingBack { from: failed, to: good, reason });
            }
            None => {
                if rollout.reason.is_empty() {
                    rollout.reason.clone_from(&reason);
                }
                rollout.end(Phase::Failed, now);
                self.restart = Restart::No;
                events.push(FleetEvent::RolloutFailed { revision: failed, reason });
            }
        }
    }

    fn set_number(&mut self, observed: &Observed<'_>, now: Timestamp, explained: &mut Vec<String>) {
        let demand = Demand {
            in_flight: observed.in_flight,
            queued: observed.queued,
            proving: self.rollout.as_ref().is_some_and(Rollout::is_running),
            by_hand: self.by_hand,
        };
        let before = self.scaler.desired();
        explained.extend(self.scaler.decide(&self.rules, demand, now));
        // Those that stay down are the first that are no longer missed.
        self.ended = self.ended.saturating_sub(before.saturating_sub(self.scaler.desired()));
    }

    /// Revisions with ready replicas: the wanted one, the last good one, then the newest; with none ready,
    /// the one that calls wait for.
    fn serving(&self, roster: &Roster<'_>) -> Vec<Revision> {
        if self.removal != Removal::No {
            return Vec::new();
        }
        let is_ready = |it: &&_| matches!(it, crate::Replica { state: ReplicaState::Ready, .. });
        let mut revisions: Vec<_> = roster.staying().filter(is_ready).map(|it| it.revision).collect();
        revisions.sort_by_key(|it| (*it != self.active(), Some(*it) != self.good, std::cmp::Reverse(*it)));
        revisions.dedup();
        if revisions.is_empty() {
            revisions.push(self.active());
        }
        revisions
    }

    /// The next moment at which time alone changes the decision.
    fn wake_at(&self, roster: &Roster<'_>, now: Timestamp) -> Option<Timestamp> {
        let backoffs = self.backoffs.values().map(|backoff| backoff.until);
        let clean = self.backoffs.iter().flat_map(|(revision, backoff)| {
            roster
                .staying()
                .filter(move |it| it.revision == *revision && it.state == ReplicaState::Ready)
                .map(|it| it.since.max(backoff.until).plus(CLEAN_RUN))
        });
        let rollout = self.rollout.as_ref().filter(|it| it.is_running() && self.scaler.desired() > 0);
        backoffs
            .chain(clean)
            .chain(rollout.map(|rollout| rollout.deadline(&self.rules)))
            .chain(self.scaler.wake_at(&self.rules))
            .chain(self.settled_at(roster, now))
            .filter(|at| *at > now)
            .min()
    }
}
