//! What transitions mean for permits: true amounts, and calls that are over whose answer was still to come.

use super::Sequencer;
use crate::{
    balancer::CallId,
    committer::{After, Unit},
};
use consort_engine::{Effect, Entry, NodeId, Transition};
use consort_store::Write;
use consort_types::{AttemptToken, RunId};

impl Sequencer {
    /// What a call really took is kept with the entry that ends it; what it held until then is free after that.
    pub(super) fn settle(
        &self,
        id: RunId,
        transition: &Transition,
        writes: &mut Vec<Write>,
        after: &mut Vec<After>,
    ) {
        for effect in &transition.effects {
            let Effect::Settle { token, amounts } = effect else { continue };
            let mut follows = self.permits.settle(CallId::Attempt(*token), amounts, self.clock.now());
            writes.append(&mut follows.writes);
            after.push(After::Permits(follows));
        }
        if transition.record.entries.iter().any(|entry| matches!(entry, Entry::Resumed { .. })) {
            self.permits.is_not_short(id);
        }
        let nodes: Option<Vec<NodeId>> = transition.record.entries.iter().map(Entry::node).collect();
        let accepted = self.permits.accepted_of(id, &nodes.unwrap_or_default());
        let run = &self.runs[&id].run;
        after.extend(accepted.into_iter().filter(|token| !run.is_in_flight(*token)).map(After::Over));
    }

    /// A call whose run does not want to hear of it holds nothing any more.
    pub(super) fn unheard(&self, token: AttemptToken) {
        self.hand_on(Unit::of(Vec::new(), vec![After::Over(token)]));
    }
}
