//! Whose turn it is: after each change, until nobody more can go.
//!
//! The first in the queue of a pool has its turn when the pool has room for it. If its other pools have room too it
//! goes. If one has not, it goes to that one's queue, and keeps nothing: what it leaves is for the next. Once it
//! has had its turn in all of them, and found the one taken whenever it was its turn in the other, it begins to
//! *reserve*: it keeps the room that it has found, and stands ahead of the queues of the pools that it still needs.
//!
//! That cannot lock up. A pool where somebody stands ahead serves nobody else, so what one that reserves waits for
//! is held by calls, which end, or by one that began to reserve before it: nobody waits in a circle. And nothing is
//! kept for somebody who waits for time or for money, which may take a month.

use crate::{
    admission::{Admission, State, spend},
    limits::WhenEmpty,
    pool::Lack,
    request::{Decision, Refusal},
};
use consort_types::Timestamp;
use std::hash::Hash;

/// What became of the first in a queue.
enum Turn {
    /// It stays, and with it all behind it.
    Stays(Lack),
    /// It is not first any more.
    Left,
}

impl<Id: Copy + Eq + Hash> Admission<Id> {
    /// Serves all pools in which something has changed.
    pub(crate) fn settle_down(&mut self, now: Timestamp, decisions: &mut Vec<Decision<Id>>) {
        while let Some(number) = self.changed.pop_first() {
            let Some(pool) = self.pools.all.get_mut(&number) else { continue };
            pool.advance(now);
            let lack = self.serve(number, now, decisions);
            let wake = match lack {
                Some(Lack::Rate(at) | Lack::Budget(at)) => at,
                Some(Lack::Full) | None => None,
            };
            self.set_wake(number, wake);
            self.forget_if_idle(number);
        }
    }

    /// Serves a pool until who is next cannot go; why not.
    fn serve(&mut self, number: u32, now: Timestamp, decisions: &mut Vec<Decision<Id>>) -> Option<Lack> {
        loop {
            let pool = self.pools.get(number);
            let turn = match pool.first.first().copied() {
                Some((_, request)) => self.turn_of_reserving(request, number, now, decisions),
                None => {
                    let request = pool.queue.first(now)?;
                    self.turn(request, number, now, decisions)
                }
            };
            if let Turn::Stays(lack) = turn {
                return Some(lack);
            }
        }
    }

    /// The turn of the first in a queue.
    fn turn(&mut self, request: u64, number: u32, now: Timestamp, decisions: &mut Vec<Decision<Id>>) -> Turn {
        let amount = self.part(request, number).amount;
        if let Some(lack) = self.pools.get(number).lack(amount, now) {
            return match self.refused_by_budget(request, number, lack, now) {
                Some(why) => {
                    self.refuse(request, why, decisions);
                    Turn::Left
                }
                None => Turn::Stays(lack),
            };
        }
        let standing = self.standing(request);
        let pool = self.pools.get_mut(number);
        pool.queue.served(&standing, now);
        pool.queue.remove(&standing);
        self.part_mut(request, number).passed = true;
        match self.first_in_the_way(request, now) {
            None => self.grant(request, now, decisions),
            Some(other) => {
                let part = self.part(request, other);
                let lack = self.pools.get(other).lack(part.amount, now);
                if part.passed && lack == Some(Lack::Full) {
                    self.begin_to_reserve(request, now, decisions);
                } else {
                    self.enqueue(request, other);
                    self.changed.insert(other);
                }
            }
        }
        Turn::Left
    }

    /// The pool that keeps a request back, if one does. What others stand for must not be taken over their heads,
    /// but by one that has had its turn there.
    pub(crate) fn first_in_the_way(&mut self, request: u64, now: Timestamp) -> Option<u32> {
        let parts: Vec<(u32, _, bool)> =
            self.entries[&request].parts.iter().map(|part| (part.pool, part.amount, part.passed)).collect();
        let mut full = None;
        for (number, amount, passed) in parts {
            self.pools.get_mut(number).advance(now);
            let pool = self.pools.get(number);
            match pool.lack(amount, now) {
                Some(lack) if lack.is_of_time() => return Some(number),
                Some(_) => full = full.or(Some(number)),
                None if passed && pool.first.is_empty() => {}
                None if pool.first.is_empty() && pool.queue.is_empty() => {}
                None => full = full.or(Some(number)),
            }
        }
        full
    }

    /// Puts a request into the queue of the pool that keeps it back.
    pub(crate) fn enqueue(&mut self, request: u64, number: u32) {
        let standing = self.standing(request);
        self.part_mut(request, number).passed = false;
        let pool = self.pools.get_mut(number);
        let held = pool.held.get(&standing.share).copied().unwrap_or_default();
        pool.queue.insert(&standing, request, held);
        self.entries.get_mut(&request).expect("it is there").state = State::Waiting { pool: number };
    }

    /// Keeps what there is for a request, and puts it ahead of the queues where there is nothing.
    fn begin_to_reserve(&mut self, request: u64, now: Timestamp, decisions: &mut Vec<Decision<Id>>) {
        self.next += 1;
        let began = self.next;
        let entry = self.entries.get_mut(&request).expect("it is there");
        entry.state = State::Reserving { began };
        for index in 0..self.entries[&request].parts.len() {
            let part = &self.entries[&request].parts[index];
            let (number, amount) = (part.pool, part.amount);
            let pool = self.pools.get_mut(number);
            if pool.first.is_empty() && pool.lack(amount, now).is_none() {
                pool.reserved = pool.reserved.plus(amount);
                self.entries.get_mut(&request).expect("it is there").parts[index].reserved = true;
            } else {
                pool.first.insert((began, request));
            }
        }
        self.grant_if_complete(request, now, decisions);
    }

    /// The turn of one that stands ahead of a queue.
    fn turn_of_reserving(
        &mut self,
        request: u64,
        number: u32,
        now: Timestamp,
        decisions: &mut Vec<Decision<Id>>,
    ) -> Turn {
        let amount = self.part(request, number).amount;
        let State::Reserving { began } = self.entries[&request].state else {
            unreachable!("who stands ahead of a queue reserves")
        };
        let pool = self.pools.get_mut(number);
        match pool.lack(amount, now) {
            Some(lack) if lack.is_of_time() => {
                // It may take a month: what is kept goes to those who can use it now.
                self.stop_reserving(request);
                self.enqueue(request, number);
                Turn::Left
            }
            Some(lack) => Turn::Stays(lack),
            None => {
                pool.first.remove(&(began, request));
                pool.reserved = pool.reserved.plus(amount);
                self.part_mut(request, number).reserved = true;
                self.grant_if_complete(request, now, decisions);
                Turn::Left
            }
        }
    }

    fn grant_if_complete(&mut self, request: u64, now: Timestamp, decisions: &mut Vec<Decision<Id>>) {
        if self.entries[&request].parts.iter().all(|part| part.reserved) {
            self.stop_reserving(request);
            self.grant(request, now, decisions);
        }
    }

    /// Lets go all that is kept for a request, and its places ahead of queues.
    fn stop_reserving(&mut self, request: u64) {
        let entry = self.entries.get_mut(&request).expect("it is there");
        let State::Reserving { began } = entry.state else { return };
        for part in &mut entry.parts {
            let pool = self.pools.get_mut(part.pool);
            pool.first.remove(&(began, request));
            if std::mem::take(&mut part.reserved) {
                pool.reserved = pool.reserved.minus(part.amount);
            }
            self.changed.insert(part.pool);
        }
    }

    /// Takes a request that waits out of everything.
    pub(crate) fn leave(&mut self, request: u64) {
        match self.entries[&request].state {
            State::Waiting { pool } => {
                let standing = self.standing(request);
                self.pools.get_mut(pool).queue.remove(&standing);
                self.changed.insert(pool);
            }
            State::Reserving { .. } => self.stop_reserving(request),
            State::Granted { .. } | State::Ended { .. } => {}
        }
        self.drop_entry(request);
    }

    pub(crate) fn refuse(&mut self, request: u64, why: Refusal, decisions: &mut Vec<Decision<Id>>) {
        let id = self.entries[&request].id;
        self.leave(request);
        decisions.push(Decision::Refused { id, why });
    }

    /// Gives a request all that it wants.
    pub(crate) fn grant(&mut self, request: u64, now: Timestamp, decisions: &mut Vec<Decision<Id>>) {
        let entry = self.entries.get_mut(&request).expect("it is there");
        entry.state = State::Granted { since: now, sent_at: None };
        let (id, share) = (entry.id, entry.share.clone());
        let mut spends = Vec::new();
        for part in &entry.parts {
            let pool = self.pools.get_mut(part.pool);
            pool.take(request, &share, part.amount);
            pool.purse.unsettled += u32::from(part.settles);
            spends.extend(spend(pool, part.amount, now));
        }
        decisions.push(Decision::Granted { id, spends });
    }

    /// Whether the file says that who finds the budget empty does not wait. While somebody may still give some of it
    /// back, or when only the reset is far, that is not known yet.
    fn refused_by_budget(&self, request: u64, number: u32, lack: Lack, now: Timestamp) -> Option<Refusal> {
        let Lack::Budget(until) = lack else { return None };
        let pool = self.pools.get(number);
        let budget = pool.limits.budget?;
        let (wanted, total) = (self.part(request, number).amount, pool.purse.total(&budget));
        if pool.purse.unsettled > 0 || !pool.reserved.is_zero() {
            return None;
        }
        match budget.when_empty {
            WhenEmpty::Wait if wanted > total => {
                let pool = pool.key.clone();
                Some(Refusal::TooMuch { pool, wanted, most: total })
            }
            WhenEmpty::Wait => None,
            when_empty @ (WhenEmpty::Pause | WhenEmpty::Fail) => Some(Refusal::Empty {
                pool: pool.key.clone(),
                when_empty,
                wanted,
                left: total.minus(pool.purse.spent),
                total,
                until: until.filter(|until| *until > now),
            }),
        }
    }
}
