//! Who waits for one pool, and who of them is next.
//!
//! Those of one priority and one share stand in a line, first come, first served. Of the lines of one priority the
//! one goes first whose share holds least of the pool, then the one that has waited longest since it was last
//! served: that is the fair share. Of several priorities the highest goes first, unless the longest wait of a lower
//! one has made up for it: each [`AGEING`] of waiting counts as one step. So nothing starves, and a workflow that
//! has a thousand calls waiting grows no older by that than one that has a single call.

use consort_types::{AGEING, Amount, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

use crate::request::Share;

/// Counted ahead of a request at most: a person wants to know whether it is 3 or many.
const AHEAD_MAX: usize = 1_000;

/// Lines looked at when it is counted what is ahead.
const LINES_COUNTED_MAX: usize = 100;

/// Place in a line: by arrival, and for those of one moment by number.
pub(crate) type Place = (Timestamp, u64);

#[derive(Debug, Default)]
pub(crate) struct Queue {
    levels: BTreeMap<i32, Level>,
    len: usize,
}

#[derive(Debug, Default)]
struct Level {
    lines: BTreeMap<Share, Line>,
    /// By what their share holds, then by how long they have waited for their turn.
    fair: BTreeSet<(Amount, Timestamp, Share)>,
    /// By how long they have waited for their turn.
    oldest: BTreeSet<(Timestamp, Share)>,
    len: usize,
}

#[derive(Debug)]
struct Line {
    waiting: BTreeMap<Place, u64>,
    /// Since when it has waited for its turn.
    turn: Timestamp,
    held: Amount,
}

/// Where a request stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub priority: i32,
    pub share: Share,
    pub place: Place,
}

impl Level {
    fn unlist(&mut self, share: &Share) {
        if let Some(line) = self.lines.get(share) {
            self.fair.remove(&(line.held, line.turn, share.clone()));
            self.oldest.remove(&(line.turn, share.clone()));
        }
    }

    fn list(&mut self, share: &Share) {
        if let Some(line) = self.lines.get(share) {
            self.fair.insert((line.held, line.turn, share.clone()));
            self.oldest.insert((line.turn, share.clone()));
        }
    }
}

impl Queue {
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Puts a request to its place. `held` is what its share holds of the pool.
    pub fn insert(&mut self, standing: &Standing, request: u64, held: Amount) {
        let level = self.levels.entry(standing.priority).or_default();
        if !level.lines.contains_key(&standing.share) {
            let line = Line { waiting: BTreeMap::new(), turn: standing.place.0, held };
            level.lines.insert(standing.share.clone(), line);
            level.list(&standing.share);
        }
        let line = level.lines.get_mut(&standing.share).expect("it was just put there");
        if line.waiting.insert(standing.place, request).is_none() {
            level.len += 1;
            self.len += 1;
        }
    }

    /// Takes a request out.
    pub fn remove(&mut self, standing: &Standing) {
        let Some(level) = self.levels.get_mut(&standing.priority) else { return };
        let Some(line) = level.lines.get_mut(&standing.share) else { return };
        if line.waiting.remove(&standing.place).is_none() {
            return;
        }
        level.len -= 1;
        self.len -= 1;
        if line.waiting.is_empty() {
            level.unlist(&standing.share);
            level.lines.remove(&standing.share);
        }
        if level.lines.is_empty() {
            self.levels.remove(&standing.priority);
        }
    }

    /// A line has had its turn: it waits anew from now on.
    pub fn served(&mut self, standing: &Standing, now: Timestamp) {
        let Some(level) = self.levels.get_mut(&standing.priority) else { return };
        level.unlist(&standing.share);
        if let Some(line) = level.lines.get_mut(&standing.share) {
            line.turn = line.turn.max(now);
        }
        level.list(&standing.share);
    }

    /// A share holds so much of the pool from now on.
    pub fn holds(&mut self, share: &Share, held: Amount) {
        for level in self.levels.values_mut() {
            level.unlist(share);
            if let Some(line) = level.lines.get_mut(share) {
                line.held = held;
            }
            level.list(share);
        }
    }

    /// The request that is next.
    pub fn first(&self, now: Timestamp) -> Option<u64> {
        let (top, level) = self.levels.last_key_value()?;
        let aged = |priority: i32, turn: Timestamp| {
            let waited = now.as_millis().saturating_sub(turn.as_millis());
            waited.saturating_add(i64::from(priority) * AGEING.as_millis() as i64)
        };
        let oldest = |(priority, level): (&i32, &Level)| {
            let (turn, share) = level.oldest.first()?;
            Some((aged(*priority, *turn), *priority, share.clone()))
        };
        let (_, priority, share) = self.levels.iter().filter_map(oldest).max()?;
        let line = if priority == *top {
            let (.., share) = level.fair.first()?;
            level.lines.get(share)
        } else {
            self.levels.get(&priority)?.lines.get(&share)
        };
        line?.waiting.values().next().copied()
    }

    /// About how many go before a request, as things stand.
    pub fn ahead(&self, standing: &Standing) -> u64 {
        let higher = self.levels.range(standing.priority + 1..).map(|(_, level)| level.len).sum::<usize>();
        let Some(level) = self.levels.get(&standing.priority) else { return higher as u64 };
        let Some(line) = level.lines.get(&standing.share) else { return higher as u64 };
        let own = line.waiting.range(..standing.place).take(AHEAD_MAX).count();
        // The lines take turns: of each other one about as many go as of its own.
        let others = level.lines.iter().filter(|(share, _)| **share != standing.share);
        let others: usize =
            others.take(LINES_COUNTED_MAX).map(|(_, other)| other.waiting.len().min(own)).sum();
        (higher + own + others) as u64
    }

    /// Those that wait, higher priorities first, at most so many.
    pub fn some(&self, limit: usize) -> impl Iterator<Item = u64> + '_ {
        let levels = self.levels.values().rev();
        levels
            .flat_map(|level| level.lines.values())
            .flat_map(|line| line.waiting.values().copied())
            .take(limit)
    }

    /// All that wait.
    pub fn all(&self) -> Vec<u64> {
        self.some(usize::MAX).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn standing(priority: i32, share: &str, since: i64, number: u64) -> Standing {
        Standing { priority, share: Share::new(share), place: (at(since), number) }
    }

    /// Serves all, each of which holds one permit for ever; who goes in which order.
    fn order(waiting: &[(i32, &str, i64)], now: i64) -> String {
        let mut queue = Queue::default();
        let mut standings = Vec::new();
        for (number, (priority, share, since)) in waiting.iter().enumerate() {
            let standing = standing(*priority, share, *since, number as u64);
            queue.insert(&standing, number as u64, Amount::ZERO);
            standings.push(standing);
        }
        let mut held: BTreeMap<Share, Amount> = BTreeMap::new();
        let mut order = String::new();
        let mut clock = now;
        while let Some(request) = queue.first(at(clock)) {
            let standing = &standings[request as usize];
            queue.served(standing, at(clock));
            queue.remove(standing);
            let held = held.entry(standing.share.clone()).or_default();
            *held = held.plus(Amount::units(1));
            queue.holds(&standing.share, *held);
            order.push_str(&standing.share.to_string());
            clock += 1;
        }
        assert!(queue.is_empty() && queue.levels.is_empty());
        order
    }

    #[test]
    fn shares_take_turns_however_many_one_of_them_brings() {
        let waiting: Vec<(i32, &str, i64)> =
            (0..6).map(|_| (0, "a", 0)).chain([(0, "b", 100), (0, "b", 100), (0, "c", 200)]).collect();
        assert_eq!(order(&waiting, 1_000), "abcabaaaa");
    }

    #[test]
    fn priority_goes_first_within_a_share_and_between_shares() {
        assert_eq!(order(&[(0, "a", 0), (5, "b", 10), (10, "a", 20), (5, "c", 30)], 40), "abca");
    }

    #[test]
    fn waiting_makes_up_for_priority() {
        let minute = 60_000;
        assert_eq!(order(&[(10, "b", minute), (0, "a", 0)], minute), "ba", "as old as that: a tie");
        assert_eq!(order(&[(10, "b", minute), (0, "a", 0)], minute + 1), "ba");
        assert_eq!(order(&[(10, "b", minute + 2), (0, "a", 0)], minute + 2), "ab");
    }

    #[test]
    fn what_is_ahead_is_counted_as_it_will_go() {
        let mut queue = Queue::default();
        for number in 0..10 {
            queue.insert(&standing(0, "a", 0, number), number, Amount::ZERO);
        }
        let late = standing(0, "b", 5, 100);
        queue.insert(&late, 100, Amount::ZERO);
        assert_eq!(queue.ahead(&late), 0);
        assert_eq!(queue.ahead(&standing(0, "a", 0, 4)), 5, "four of its own, one of the other");
        queue.insert(&standing(1, "c", 9, 200), 200, Amount::ZERO);
        assert_eq!(queue.ahead(&late), 1);
    }
}
