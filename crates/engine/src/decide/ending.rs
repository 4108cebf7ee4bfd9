//! How a run comes to its end: passes, failure, cancel, undo, `finally`.

use super::Decider;
use super::failure::{is_clean, next_try_at};
use crate::{
    Effect, Entry, NodeId, OpenedAs, PauseReason, Phase, TimerKind, UndoPurpose,
    run::{Names, TOP},
};
use consort_spec::definition::OnFailure;
use consort_types::{ErrorKind, Json, RunError, RunState, StepState};
use std::time::Duration;

/// How long calls of steps with `undo` may go on after a cancel.
pub(crate) const CANCEL_GRACE: Duration = Duration::from_secs(30);

/// The time that a workflow's `finally` has.
pub(crate) const FINALLY_TIMEOUT: Duration = Duration::from_secs(5 * 60);

impl Decider<'_> {
    /// Every step at the top has ended well, or those of the workflow's `finally`.
    pub(crate) fn top_done(&mut self, as_: OpenedAs) {
        if as_ == OpenedAs::Finally {
            return self.finish_run(None);
        }
        if self.run.phase != Phase::Live || !self.run.undo_tasks.is_empty() {
            return self.top_may_end();
        }
        match self.run_output() {
            Ok(output) => {
                let state = RunState::Succeeded;
                self.record(Entry::RunEnding { state, output: Some(output), error: None });
                self.run_finally();
            }
            Err(error) => self.run_failed(Box::new(error)),
        }
    }

    fn run_output(&self) -> Result<Json, RunError> {
        match &self.run.workflow.output {
            Some(output) => self.evaluate(output, &Names::at(self.run, TOP).with_inner(OpenedAs::Body)),
            None => Ok(self.map_of_outputs(TOP, OpenedAs::Body)),
        }
    }

    /// Nothing is going on any more at the top, and nothing new may start there.
    pub(crate) fn top_drained(&mut self, as_: OpenedAs) {
        if as_ == OpenedAs::Finally {
            let error = self.run.failure_inside(TOP);
            return self.finish_run(error);
        }
        self.top_may_end();
    }

    /// Goes on to the end once neither a step nor an undo is under way.
    pub(crate) fn top_may_end(&mut self) {
        let top = self.run.node(TOP);
        if top.active > 0 || !self.run.undo_tasks.is_empty() {
            return;
        }
        match self.run.phase {
            Phase::Ending => self.run_undo(),
            Phase::Live if top.closing && self.run.paused.is_none() => {
                let error = self.run.failure_inside(TOP).unwrap_or_else(|| Box::new(unexplained()));
                self.run_failed(error);
            }
            Phase::Live if top.remaining == 0 && !top.closing => self.top_done(OpenedAs::Body),
            Phase::Queued { .. }
            | Phase::Live
            | Phase::BetweenPasses { .. }
            | Phase::Finally
            | Phase::Ended => {}
        }
    }

    /// A pass has failed: another one, a pause, or the end.
    fn run_failed(&mut self, error: Box<RunError>) {
        let passes = self.run.passes.len() as u32 + 1;
        let retry = self.run.workflow.retry.clone();
        if let Some(retry) = retry.filter(|retry| passes < retry.attempts)
            && self.is_retryable(&retry, &error, TOP)
        {
            if is_clean(&retry, passes) && self.run.has_undo_within(TOP) {
                return self.begin_undo(TOP, UndoPurpose::Pass, None);
            }
            return self.end_pass(error);
        }
        match self.run.workflow.on_failure {
            OnFailure::Pause => {
                self.record(Entry::Paused { why: PauseReason::Failure, by: None, pool: None })
            }
            OnFailure::Undo | OnFailure::Keep => {
                let state = RunState::Failed;
                self.record(Entry::RunEnding { state, output: None, error: Some(error) });
                self.run_undo();
            }
        }
    }

    /// What the failed pass had completed is undone, as far as that was possible.
    pub(crate) fn pass_is_clean(&mut self, parked: bool) {
        let error = self.run.failure_inside(TOP).unwrap_or_else(|| Box::new(unexplained()));
        if parked || self.run.phase != Phase::Live {
            // Without a clean slate no new pass begins; a cancel may have come in between.
            if self.run.phase == Phase::Live {
                let state = RunState::Failed;
                self.record(Entry::RunEnding { state, output: None, error: Some(error) });
            }
            return self.run_undo();
        }
        self.end_pass(error);
    }

    fn end_pass(&mut self, error: Box<RunError>) {
        let Some(retry) = self.run.workflow.retry.clone() else { return };
        let passes = self.run.passes.len() as u32 + 1;
        let seed = self.run.id().as_uuid().as_u128() as u64;
        let until = next_try_at(&retry, passes, None, seed, self.now);
        self.record(Entry::PassEnded { error, until });
        self.set_timer(TOP, TimerKind::Wake, until);
    }

    /// The delay between two passes is over.
    pub(crate) fn begin_pass(&mut self) {
        let passes = self.run.passes.len() as u32;
        let clean = self.run.workflow.retry.as_ref().is_some_and(|retry| is_clean(retry, passes));
        if clean {
            self.drop_results(TOP);
        }
        self.record(Entry::PassBegan { clean });
        if clean {
            self.open(TOP, self.run.workflow.top, OpenedAs::Body);
        } else {
            self.pump();
        }
    }

    /// Ends a live run on request or because its time is over.
    pub(crate) fn stop_run(&mut self, state: RunState, error: RunError) {
        self.record(Entry::RunEnding { state, output: None, error: Some(Box::new(error)) });
        self.close(TOP, None);
        let mut lets_finish = false;
        for id in self.run.in_flight(TOP) {
            if self.run.step_of(id).undo.is_some() {
                lets_finish = true;
            } else {
                self.cut(id);
            }
        }
        if lets_finish {
            self.set_timer(TOP, TimerKind::Grace, self.now.plus(CANCEL_GRACE));
        }
        self.top_may_end();
    }

    /// Cuts every call inside a node that may not go on.
    pub(crate) fn abort_within(&mut self, within: NodeId) {
        for id in self.run.in_flight(within) {
            self.cut(id);
        }
    }

    /// Undoes what was completed, unless the file or the end says otherwise.
    fn run_undo(&mut self) {
        let state = self.run.end.as_ref().map(|end| end.state);
        let wanted = match state {
            Some(RunState::Cancelled) => true,
            Some(RunState::Failed | RunState::TimedOut) => self.run.workflow.on_failure != OnFailure::Keep,
            _ => false,
        };
        if wanted && self.run.has_undo_within(TOP) {
            self.begin_undo(TOP, UndoPurpose::RunEnds, None);
        } else {
            self.run_finally();
        }
    }

    /// Runs the workflow's `finally`, last, once.
    pub(crate) fn run_finally(&mut self) {
        // What never began has nothing to tidy up, and no place to do it in.
        match self.run.workflow.finally.filter(|_| self.run.admitted_at.is_some()) {
            Some(scope) => {
                self.open(TOP, scope, OpenedAs::Finally);
                if !self.run.is_ended() {
                    self.set_timer(TOP, TimerKind::Grace, self.now.plus(FINALLY_TIMEOUT));
                }
            }
            None => self.finish_run(None),
        }
    }

    /// The run has ended; a failed `finally` makes a success a failure.
    fn finish_run(&mut self, finally_error: Option<Box<RunError>>) {
        let mut state = self.run.end.as_ref().map_or(RunState::Failed, |end| end.state);
        if let Some(error) = finally_error.filter(|_| state == RunState::Succeeded) {
            state = RunState::Failed;
            let output = self.run.end.as_ref().and_then(|end| end.output.clone());
            self.record(Entry::RunEnding { state, output, error: Some(error) });
        }
        self.record(Entry::RunEnded { state });
        self.effect(Effect::Ended(state));
    }

    /// Starts whatever may start now: after a resume, or when something was settled by hand.
    pub(crate) fn pump(&mut self) {
        let mut below = vec![TOP];
        let mut inner = Vec::new();
        while let Some(id) = below.pop() {
            let children: Vec<NodeId> = self.run.children(id).collect();
            for child in children {
                let node = self.run.node(child);
                match node.state {
                    StepState::Pending if node.unmet == 0 => self.run.runnable.push_back(child),
                    StepState::Running => below.push(child),
                    _ => {}
                }
            }
            inner.push(id);
        }
        // From the inside out, so that a group hears of its steps before it is asked itself.
        for id in inner.into_iter().rev() {
            // It must have heard of what failed inside before it is asked whether all is well.
            while let Some(ended) = self.ended.pop_front() {
                self.child_ended(ended);
            }
            self.ask_again(id);
        }
    }

    fn ask_again(&mut self, id: NodeId) {
        let node = self.run.node(id);
        if node.items.is_some() {
            return self.go_on_with_items(id);
        }
        let newest = node.opened.last().map(|opened| opened.as_);
        if let Some(as_) = newest.filter(|_| node.remaining == 0 && node.active == 0) {
            self.go_on(id, as_);
        }
    }
}

impl crate::Run {
    /// The calls that were handed out and may be cut.
    fn in_flight(&self, within: NodeId) -> Vec<NodeId> {
        let mut below = vec![within];
        let mut calls = Vec::new();
        while let Some(id) = below.pop() {
            for child in self.children(id) {
                match self.node(child).state {
                    StepState::Ready if self.is_cut_off(child) => calls.push(child),
                    StepState::Running => below.push(child),
                    _ => {}
                }
            }
        }
        calls
    }
}

fn unexplained() -> RunError {
    RunError::new("E_CLOSED", ErrorKind::Failed, "the run was closed without a recorded cause")
}
