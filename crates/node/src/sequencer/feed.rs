//! What readers of the feed and of the lists see of live runs.

use super::{SUMMARIES_MAX, Sequencer};
use crate::{
    committer::{After, Unit},
    feed::FeedData,
    record::{BRIEF_BYTES_MAX, RunRecord},
};
use consort_engine::{NodeId, StepView};
use consort_store::Write;
use consort_types::RunId;
use std::time::Instant;

/// A step without a large input or output: who wants those asks for the step.
fn brief(mut step: StepView) -> StepView {
    for value in [&mut step.input, &mut step.output] {
        if value.as_ref().is_some_and(|value| value.len() > BRIEF_BYTES_MAX) {
            *value = None;
        }
    }
    step
}

impl Sequencer {
    /// Events of a transition, for readers of the feed, once it is committed.
    pub(super) fn see(&self, id: RunId, record: &consort_engine::Record, after: &mut Vec<After>) {
        if !self.feed.is_heard(self.clock.now().as_millis()) {
            return;
        }
        let mut touched: Vec<NodeId> =
            record.entries.iter().filter_map(consort_engine::Entry::node).collect();
        touched.sort_unstable();
        touched.dedup();
        let events = self.events(id, &touched);
        let feed = self.feed.clone();
        after.push(After::Call(Box::new(move || events.into_iter().for_each(|event| feed.publish(event)))));
    }

    /// Events that need no commit: they show what was committed before.
    pub(super) fn show(&self, id: RunId, touched: &[NodeId]) {
        if self.runs.contains_key(&id) && self.feed.is_heard(self.clock.now().as_millis()) {
            let feed = self.feed.clone();
            let events = self.events(id, touched);
            let publish = move || events.into_iter().for_each(|event| feed.publish(event));
            self.hand_on(Unit { writes: Vec::new(), after: vec![After::Call(Box::new(publish))] });
        }
    }

    pub(super) fn events(&self, id: RunId, touched: &[NodeId]) -> Vec<FeedData> {
        let Some(live) = self.runs.get(&id) else { return Vec::new() };
        let ask = |token| self.admissions.of(token);
        let namespace = live.run.namespace();
        let workflow = &live.run.workflow().name;
        let views = touched.iter().filter_map(|node| live.run.step_at(*node, &ask));
        let steps = views.map(|step| FeedData::Step {
            namespace: namespace.clone(),
            workflow: workflow.clone(),
            run: id,
            step: Box::new(brief(step)),
        });
        let mut run = RunRecord::new(&live.run, live.run.view(&ask)).brief();
        self.gates.tell(&mut run);
        steps.chain(std::iter::once(FeedData::Run(Box::new(run)))).collect()
    }

    /// Brings the lists up to date.
    pub(super) fn summarize(&mut self) {
        let some: Vec<RunId> = self.dirty.iter().copied().take(SUMMARIES_MAX).collect();
        let ask = |token| self.admissions.of(token);
        let told = |live: &super::Live| {
            let mut record = RunRecord::new(&live.run, live.run.view(&ask));
            self.gates.tell(&mut record);
            record
        };
        let records: Vec<RunRecord> = some.iter().filter_map(|id| self.runs.get(id)).map(told).collect();
        for id in some {
            self.dirty.remove(&id);
        }
        let summarize = |record: &RunRecord| Write::Summarize(Box::new(record.summary()));
        let writes: Vec<Write> = records.iter().map(summarize).collect();
        records.iter().for_each(|record| self.show_child(record));
        self.summarized = Instant::now();
        if !writes.is_empty() {
            self.hand_on(Unit { writes, after: Vec::new() });
        }
    }
}
