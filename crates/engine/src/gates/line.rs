//! A line of runs that wait, in the order in which they are let in.

use consort_types::{RunId, Timestamp};
use std::{collections::VecDeque, time::Duration};

/// How long a run must wait to gain one point of priority.
///
/// A minute: whoever sets priorities thinks of runs that take minutes, so a difference of ten holds for ten
/// minutes, and the least important run waits behind newer ones for 200 minutes at most, whatever comes.
pub(super) const WAIT_PER_POINT: Duration = Duration::from_secs(60);

/// A place in line: the time of arrival, moved forward or back by the priority, then the number.
///
/// What is compared is `priority + waited / WAIT_PER_POINT`. Both of two runs wait the same time longer, so
/// their order never changes, and a rank is a number instead of something to be computed again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    millis: i64,
    number: u64,
}

impl Rank {
    pub fn new(at: Timestamp, priority: i32, number: u64) -> Self {
        let bonus = i64::from(priority) * WAIT_PER_POINT.as_millis() as i64;
        Self { millis: at.as_millis().saturating_sub(bonus), number }
    }
}

/// Runs by their rank. Sorted in one piece: who comes stands at the end and who goes stands at the front, but
/// for a few, and how many are ahead of a run is asked often.
#[derive(Debug, Default)]
pub(super) struct Line(VecDeque<(Rank, RunId)>);

impl Line {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn join(&mut self, rank: Rank, run: RunId) {
        let at = self.ahead_of(rank);
        self.0.insert(at, (rank, run));
    }

    pub fn first(&self) -> Option<RunId> {
        self.0.front().map(|(_, run)| *run)
    }

    pub fn leave(&mut self, rank: Rank) {
        let at = self.ahead_of(rank);
        if self.0.get(at).is_some_and(|(there, _)| *there == rank) {
            self.0.remove(at);
        }
        if self.0.len() * 4 < self.0.capacity() {
            self.0.shrink_to(self.0.len() * 2);
        }
    }

    /// How many come before a rank.
    pub fn ahead_of(&self, rank: Rank) -> usize {
        self.0.partition_point(|(there, _)| *there < rank)
    }

    /// The run that came first, whatever its priority, of those that are not on their way out.
    pub fn oldest(&self, is_ending: impl Fn(RunId) -> bool) -> Option<RunId> {
        let staying = self.0.iter().filter(|(_, run)| !is_ending(*run));
        staying.min_by_key(|(rank, _)| rank.number).map(|(_, run)| *run)
    }
}
