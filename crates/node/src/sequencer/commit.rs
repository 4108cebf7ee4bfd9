//! Transitions go to the committer, and runs that have ended leave.

use super::{Live, Message, Sequencer};
use crate::{
    committer::{After, Unit},
    record::RunRecord,
};
use bytes::Bytes;
use consort_engine::{Effect, Transition};
use consort_store::Write;
use consort_types::RunId;

impl Sequencer {
    /// Hands a transition to the committer, with what must go before and come after it.
    pub(super) fn commit(
        &mut self,
        id: RunId,
        transition: Transition,
        mut writes: Vec<Write>,
        mut after: Vec<After>,
    ) {
        let Some(live) = self.runs.get_mut(&id) else { return };
        if transition.is_empty() && transition.effects.is_empty() {
            if !after.is_empty() {
                self.hand_on(Unit { writes, after });
            }
            return;
        }
        if !transition.is_empty() {
            let entries = Bytes::from(transition.record.encode());
            writes.push(Write::Append { run: id, seq: live.next_seq, entries });
            live.next_seq += 1;
            self.dirty.insert(id);
        }
        let namespace = live.run.namespace().clone();
        self.settle(id, &transition, &mut writes, &mut after);
        let ended = transition.effects.iter().any(|effect| matches!(effect, Effect::Ended(_)));
        let effects = transition.effects.into_iter();
        let mut acts: Vec<After> =
            effects.map(|effect| After::Effect(namespace.clone(), id, effect)).collect();
        // Replies first: a caller hears of its start before its steps answer.
        after.append(&mut acts);
        self.see(id, &transition.record, &mut after);
        if ended {
            let waiters = self.waiters.remove(&id).unwrap_or_default();
            after.push(After::Call(Box::new(move || {
                waiters.into_iter().for_each(|waiter| _ = waiter.send(()));
            })));
        }
        if self.runs[&id].run.is_at_rest() {
            self.put_away(id, &mut writes, &mut after);
        }
        self.hand_on(Unit { writes, after });
    }

    /// The run has ended: its last summary goes with its last entry, and it leaves once that is stored.
    pub(super) fn put_away(&mut self, id: RunId, writes: &mut Vec<Write>, after: &mut Vec<After>) {
        let Some(live) = self.runs.get_mut(&id) else { return };
        live.is_leaving = true;
        self.dirty.remove(&id);
        let record = RunRecord::new(&live.run, live.run.view(&|_| None));
        writes.push(Write::Summarize(Box::new(record.summary())));
        writes.push(Write::CloseRun { run: id, at: self.clock.now() });
        let mut follows = self.permits.end_run(&live.run, self.clock.now());
        writes.append(&mut follows.writes);
        after.push(After::Permits(follows));
        let (inbox, next_seq) = (self.inbox.clone(), live.next_seq);
        after.push(After::Call(Box::new(move || inbox.send(Message::Stored(id, next_seq)))));
    }

    /// A run leaves the memory, unless it went on since then.
    pub(super) fn forget(&mut self, id: RunId, next_seq: u64) {
        if !self.runs.get(&id).is_some_and(|live| live.is_leaving && live.next_seq == next_seq) {
            return;
        }
        let Some(Live { run, .. }) = self.runs.remove(&id) else { return };
        if let Some(key) = run.key() {
            self.keys.remove(&(run.namespace().clone(), run.workflow().name.clone(), key.to_owned()));
        }
        self.waiters.remove(&id).unwrap_or_default().into_iter().for_each(|waiter| _ = waiter.send(()));
    }

    /// Waits when the committer is far behind: that is the back-pressure of the whole node.
    pub(super) fn hand_on(&self, unit: Unit) {
        let _ = self.committer.send(unit);
    }
}
