//! Transitions go to the committer, and runs that have ended leave.

use super::{Live, Message, Sequencer, children::CHILDREN_PER_COMMIT_MAX, events::Age};
use crate::{
    committer::{After, Unit},
    fail_points::{self, FailPoint},
    people,
    record::RunRecord,
};
use bytes::Bytes;
use consort_engine::{ChildStart, Effect, Entry, Transition};
use consort_store::Write;
use consort_types::RunId;
use tokio::sync::oneshot;

impl Sequencer {
    /// Hands a transition to the committer, with what must go before and come after it.
    pub(super) fn commit(
        &mut self,
        id: RunId,
        transition: Transition,
        mut writes: Vec<Write>,
        mut after: Vec<After>,
    ) {
        let Some(live) = self.runs.get(&id) else {
            if !after.is_empty() {
                self.hand_on(Unit::of(writes, after));
            }
            return;
        };
        let namespace = live.run.namespace().clone();
        let children = self.take_in(id, transition, &mut writes, &mut after);
        for (place, start) in children.into_iter().enumerate() {
            if place < CHILDREN_PER_COMMIT_MAX {
                self.begin_child(&namespace, *start, &mut writes, &mut after);
            } else {
                after.push(After::Effect(namespace.clone(), id, Effect::StartChild(start)));
            }
        }
        if !(writes.is_empty() && after.is_empty()) {
            self.hand_on(Unit::of(writes, after));
        }
    }

    /// What a transition writes and what follows it. The children that it starts are given back.
    #[expect(clippy::vec_box, reason = "they come boxed from the effects and go on boxed")]
    pub(super) fn take_in(
        &mut self,
        id: RunId,
        mut transition: Transition,
        writes: &mut Vec<Write>,
        after: &mut Vec<After>,
    ) -> Vec<Box<ChildStart>> {
        if transition.is_empty() && transition.effects.is_empty() {
            return Vec::new();
        }
        let values = transition.record.take_large();
        if !values.is_empty() {
            // Ahead of all that refers to them.
            self.hand_on(Unit { values, ..Unit::of(Vec::new(), Vec::new()) });
        }
        let Some(live) = self.runs.get_mut(&id) else { return Vec::new() };
        if !transition.is_empty() {
            let entries = Bytes::from(transition.record.encode());
            let number = live.next_seq;
            writes.push(Write::Append { run: id, seq: number, entries });
            live.next_seq += 1;
            self.dirty.insert(id);
            if matches!(transition.record.entries.first(), Some(Entry::RunStarted(_))) {
                self.events.watch(&live.run, Age::New);
            }
            self.tell_of(id, &transition.record, number, writes);
        }
        let namespace = self.runs[&id].run.namespace().clone();
        self.settle(id, &transition, writes, after);
        let mut ended = false;
        let mut children = Vec::new();
        // Replies stand there already: a caller hears of its start before its steps answer.
        let effects = self.take_cache_effects(id, transition.effects, writes, after);
        for effect in effects {
            ended |= matches!(effect, Effect::Ended(_));
            match effect {
                Effect::StartChild(start) => children.push(start),
                Effect::Emit(event) => self.accept_event(&namespace, *event, writes),
                Effect::Listen(node) => self.listen(id, node),
                effect => after.push(After::Effect(namespace.clone(), id, effect)),
            }
        }
        after.extend(self.once_stored());
        self.see(id, &transition.record, after);
        if ended {
            self.remember_output(id, writes);
            self.gates.lock().leave(id);
            let waiters = self.waiters.remove(&id).unwrap_or_default();
            after.push(After::Call(Box::new(move || {
                waiters.into_iter().for_each(|waiter| _ = waiter.send(()));
            })));
        }
        self.tell_people(id, writes);
        if self.runs[&id].run.is_at_rest() {
            self.put_away(id, writes, after);
        }
        children
    }

    /// Writes down what of a run waits for a person, where that has changed.
    fn tell_people(&mut self, id: RunId, writes: &mut Vec<Write>) {
        let Some(live) = self.runs.get_mut(&id) else { return };
        if live.notices.is_empty() && !live.run.may_need_people() {
            return;
        }
        let notices = people::notices(&live.run);
        if notices != live.notices {
            let namespace = live.run.namespace().clone();
            writes.push(Write::SetNotices { run: id, namespace, notices: notices.clone() });
            live.notices = notices;
        }
    }

    /// The run has ended: its last summary goes with its last entry, and it leaves once that is stored.
    pub(super) fn put_away(&mut self, id: RunId, writes: &mut Vec<Write>, after: &mut Vec<After>) {
        let Some(live) = self.runs.get_mut(&id) else { return };
        live.is_leaving = true;
        self.dirty.remove(&id);
        if let Some(parent) = live.run.parent() {
            self.admissions.forget_child((parent.run, parent.node));
        }
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
        self.events.unwatch(&run);
        self.outputs.stored(id);
        if let Some(key) = run.key() {
            self.keys.remove(&(run.namespace().clone(), run.workflow().name.clone(), key.to_owned()));
        }
        self.waiters.remove(&id).unwrap_or_default().into_iter().for_each(|waiter| _ = waiter.send(()));
    }

    /// Runs that ended long ago are deleted, but those that somebody has brought back meanwhile.
    pub(super) fn forget_for_good(&mut self, mut runs: Vec<RunId>, reply: oneshot::Sender<Vec<RunId>>) {
        runs.retain(|run| !self.runs.contains_key(run));
        let writes = runs.iter().map(|run| Write::DeleteRun { run: *run }).collect();
        let after = vec![After::Call(Box::new(move || drop(reply.send(runs))))];
        self.hand_on(Unit::of(writes, after));
    }

    /// Waits when the committer is far behind: that is the back-pressure of the whole node.
    pub(super) fn hand_on(&self, unit: Unit) {
        fail_points::reached(FailPoint::Decided);
        let _ = self.committer.send(unit);
    }
}
