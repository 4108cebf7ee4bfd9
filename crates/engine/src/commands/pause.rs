//! The run stands still, and goes on.

use crate::{Effect, Entry, NodeId, ParentWord, PauseReason, Rejected, Transition, decide::Decider};
use consort_types::{Name, StepState};

pub(super) fn pause(mut decider: Decider<'_>, by: String) -> Result<Transition, Rejected> {
    decider.run.live_or_rejected()?;
    if decider.run.paused.is_some() {
        return Err(Rejected::NotNow("the run is paused already".to_owned()));
    }
    decider.pause(PauseReason::Asked, Some(by), None);
    Ok(decider.finish())
}

pub(super) fn resume(mut decider: Decider<'_>, by: String) -> Result<Transition, Rejected> {
    decider.run.live_or_rejected()?;
    match decider.run.paused {
        None => Err(Rejected::NotNow("the run is not paused".to_owned())),
        Some((PauseReason::Failure, _)) => Err(Rejected::NotNow(
            "the run is paused because a step failed: retry, skip or complete that step".to_owned(),
        )),
        Some((PauseReason::Parent, _)) => {
            let parent = decider.run.parent().map(|parent| parent.run.to_string()).unwrap_or_default();
            Err(Rejected::NotNow(format!("the run is paused with its parent: resume {parent}")))
        }
        Some((PauseReason::Asked | PauseReason::Budget, _)) => {
            decider.go_on_after_pause(by);
            Ok(decider.finish())
        }
    }
}

impl Decider<'_> {
    /// Starts nothing new; calls that were not sent are taken back, and children stand still, too.
    pub(crate) fn pause(&mut self, why: PauseReason, by: Option<String>, pool: Option<Name>) {
        self.record(Entry::Paused { why, by, pool });
        let ready = |id: &NodeId| self.run.node(*id).state == StepState::Ready;
        let calls: Vec<NodeId> = (0..self.run.nodes.len() as u32).map(NodeId).filter(ready).collect();
        for id in calls {
            let token = self.run.token(id);
            self.effect(Effect::Withdraw(token));
        }
        self.tell_children(ParentWord::Pause);
    }

    /// The run goes on: calls that were taken back, timers that stood still, steps that could have started.
    pub(crate) fn go_on_after_pause(&mut self, by: String) {
        let held: Vec<NodeId> =
            (0..self.run.nodes.len() as u32).map(NodeId).filter(|id| self.run.node(*id).held).collect();
        self.record(Entry::Resumed { by });
        for id in held {
            self.dispatch(id);
        }
        self.tell_children(ParentWord::Resume);
        self.rearm_timers();
        self.pump();
        self.top_may_end();
    }

    /// The run goes on after a failure that a person has mended: what failed, or was cut short because of it,
    /// begins again; what completed stays.
    pub(crate) fn go_on_after_failure(&mut self, by: String) {
        self.record(Entry::Resumed { by });
        self.record(Entry::PassBegan { clean: false });
        self.rearm_timers();
        self.pump();
        self.top_may_end();
    }

    fn rearm_timers(&mut self) {
        let timers = self.run.pending_effects(self.now);
        for timer in timers.into_iter().filter(|effect| matches!(effect, Effect::SetTimer { .. })) {
            self.effect(timer);
        }
    }
}
