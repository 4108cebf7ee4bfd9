//! Which replicas come and go, so that enough are ready all the while.

use crate::{
    fleet::{Fleet, Leaving, Removal},
    observed::{Replica, ReplicaState},
    plan::{Action, Plan, Reason},
    roster::{Roster, count, ready},
    rules::{RestartRule, Strategy},
};
use consort_types::Timestamp;
use std::{cmp::Reverse, time::Duration};

/// A call may be on its way to a replica that has just left the set: it is stopped no sooner than after this.
const SETTLE: Duration = Duration::from_millis(10);

impl Fleet {
    /// Lets go what is to go, then starts what is missing.
    pub(crate) fn place<'a>(&mut self, roster: &mut Roster<'a>, now: Timestamp, plan: &mut Plan) {
        self.stop_drained(roster, plan);
        let (mut leave, wanted) = (Vec::new(), self.wanted());
        if self.removal != Removal::No {
            let all = std::mem::take(&mut roster.current).into_iter().chain(std::mem::take(&mut roster.old));
            leave.extend(all.map(|replica| (replica, Reason::Removed)));
        } else {
            leave.extend(self.unhealthy(roster, now).into_iter().map(|it| (it, Reason::Unhealthy)));
            leave.extend(self.surplus(roster, wanted).into_iter().map(|it| (it, Reason::ScaledDown)));
            leave.extend(self.outdated(roster, wanted).into_iter().map(|it| (it, Reason::Replaced)));
        }
        for (replica, reason) in leave {
            plan.actions.push(self.let_go(replica, reason));
            roster.leaving.push(replica);
        }
        let starts = self.room(roster, wanted, now);
        let revision = self.active();
        let attempt = self.backoffs.get(&revision).map_or(1, |backoff| backoff.failures.saturating_add(1));
        plan.actions.extend((0..starts).map(|_| Action::Start { revision, attempt }));
    }

    /// Stops those on their way out that have nothing in flight any more.
    fn stop_drained(&mut self, roster: &Roster<'_>, plan: &mut Plan) {
        for replica in roster.leaving.iter().filter(|replica| replica.in_flight == 0) {
            if let Some(leaving) = self.leaving.get_mut(&replica.id)
                && !leaving.stopped
            {
                leaving.stopped = true;
                plan.actions.push(Action::Stop { replica: replica.id, reason: leaving.reason });
            }
        }
    }

    /// Takes a replica out of the set; one that takes no calls and has none ends at once.
    fn let_go(&mut self, replica: &Replica, reason: Reason) -> Action {
        let stopped = replica.state != ReplicaState::Ready && replica.in_flight == 0;
        self.leaving.insert(replica.id, Leaving { reason, stopped });
        match stopped {
            true => Action::Stop { replica: replica.id, reason },
            false => Action::Drain { replica: replica.id, reason },
        }
    }

    /// Those whose health did not come back while the back-off ran.
    fn unhealthy<'a>(&self, roster: &mut Roster<'a>, now: Timestamp) -> Vec<&'a Replica> {
        if self.rules.restart == RestartRule::No {
            return Vec::new();
        }
        roster
            .current
            .extract_if(.., |replica| {
                replica.state == ReplicaState::Unready
                    && self.backoffs.get(&replica.revision).is_none_or(|backoff| backoff.until <= now)
            })
            .collect()
    }

    /// Those over the wanted number: not ready ones first, then those of a failed revision, then the least
    /// busy, then the newest.
    fn surplus<'a>(&self, roster: &mut Roster<'a>, wanted: u32) -> Vec<&'a Replica> {
        roster.current.sort_by_key(|it| least_missed(it, it.revision == self.active()));
        let surplus = count(roster.current.len()).saturating_sub(wanted);
        roster.current.drain(..surplus as usize).collect()
    }

    /// Those to be replaced that can go now.
    fn outdated<'a>(&self, roster: &mut Roster<'a>, wanted: u32) -> Vec<&'a Replica> {
        let going = match self.rules.strategy {
            Strategy::Recreate => roster.old.len(),
            Strategy::Rolling => {
                let needed = wanted.saturating_sub(self.rules.max_unavailable);
                let spare = roster.ready().saturating_sub(needed);
                let not_ready = roster.old.len() - ready(&roster.old) as usize;
                (not_ready + spare as usize).min(roster.old.len())
            }
        };
        // The last good revision goes last: it is what a roll back would need.
        roster.old.sort_by_key(|it| least_missed(it, Some(it.revision) == self.good));
        roster.old.drain(..going).collect()
    }

    /// How many may be started now.
    fn room(&self, roster: &Roster<'_>, wanted: u32, now: Timestamp) -> u32 {
        let waits = self.backoffs.get(&self.active()).is_some_and(|backoff| backoff.until > now);
        if waits || self.removal != Removal::No {
            return 0;
        }
        let replacing = self.replaces(roster);
        if replacing && self.rules.strategy == Strategy::Recreate {
            return 0;
        }
        // Outside of a rollout, those on their way out do not hold up those that are needed.
        let wanted_at_most = if replacing { wanted } else { wanted.max(self.rules.max) };
        let limit = wanted_at_most.saturating_add(self.rules.surge());
        let missing = wanted.saturating_sub(count(roster.current.len()));
        missing.min(limit.saturating_sub(roster.total()))
    }

    /// Whether replicas are being exchanged for others: some that are to be replaced still live.
    fn replaces(&self, roster: &Roster<'_>) -> bool {
        let replaced = |it: &&Replica| {
            it.revision != self.active()
                || self.leaving.get(&it.id).is_some_and(|leaving| leaving.reason == Reason::Replaced)
        };
        !roster.old.is_empty() || roster.leaving.iter().any(replaced)
    }

    /// When those that have just left the set with nothing in flight may be stopped.
    pub(crate) fn settled_at(&self, roster: &Roster<'_>, now: Timestamp) -> Option<Timestamp> {
        let settles = |it: &&Replica| {
            it.in_flight == 0 && self.leaving.get(&it.id).is_some_and(|leaving| !leaving.stopped)
        };
        roster.leaving.iter().any(settles).then(|| now.plus(SETTLE))
    }
}

/// Sorts the one that is missed least to the front.
fn least_missed(replica: &Replica, preferred: bool) -> impl Ord + use<> {
    let use_now = match replica.state {
        ReplicaState::Unready => 0,
        ReplicaState::Starting | ReplicaState::Draining => 1,
        ReplicaState::Ready => 2,
    };
    (use_now, preferred, replica.in_flight, Reverse(replica.id))
}
