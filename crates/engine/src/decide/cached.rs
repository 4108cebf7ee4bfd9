//! Taking earlier results, keeping new ones, and dropping those whose step was undone.

use super::Decider;
use crate::{Attempt, Cached, Effect, Entry, Hit, Keep, Miss, NodeId, Recalled, WaitFor};
use consort_types::Json;

impl Decider<'_> {
    /// Asks for an earlier result of the node's call.
    pub(crate) fn ask_cache(&mut self, id: NodeId) {
        match self.run.prepare_recall(id) {
            Ok(recall) => {
                self.record(Entry::Waiting { n: id, r#for: WaitFor::Cache, until: None, error: None });
                self.effect(Effect::Recall(Box::new(recall)));
            }
            Err(error) => self.try_failed(id, error, None),
        }
    }

    /// The answer: the step has its output, or calls.
    pub(crate) fn recalled(&mut self, id: NodeId, answer: Recalled) {
        let why = match answer {
            Recalled::Hit(hit) => {
                let Hit { run, step, at, expires_at, output } = *hit;
                if let Ok(output) = self.run.check_output(id, &output) {
                    let hit = Cached::Hit { run, step, at, until: expires_at };
                    self.record(Entry::Recalled { n: id, c: Box::new(hit) });
                    return self.body_succeeded(id, output);
                }
                Miss::Unfit
            }
            Recalled::Miss(why) => why,
        };
        match self.run.prepare_recall(id) {
            Ok(recall) => {
                let miss = Cached::Miss { why, key: recall.key };
                self.record(Entry::Recalled { n: id, c: Box::new(miss) });
                if self.run.paused.is_none() {
                    self.hand_out(id);
                }
            }
            Err(error) => self.try_failed(id, error, None),
        }
    }

    /// Keeps what a call gave, when its step says so.
    pub(crate) fn keep(&mut self, id: NodeId, attempt: &Attempt, output: &Json) {
        let keep = self.run.step_of(id).cache.as_ref().map(|cache| cache.keep);
        let (Some(key), Some(keep), Some(revision)) = (self.run.kept_under(id), keep, attempt.revision)
        else {
            return;
        };
        let (token, step, output) = (self.run.token(id), self.run.key_of(id), output.clone());
        self.effect(Effect::Keep(Box::new(Keep { token, step, key, revision, keep, output })));
    }

    /// What the steps inside a node gave is not taken again: it was undone with them.
    pub(crate) fn drop_results(&mut self, within: NodeId) {
        for key in self.run.results_within(within) {
            self.effect(Effect::Drop(key));
        }
    }
}
