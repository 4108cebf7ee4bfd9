//! A timer is due.

use crate::{
    Entry, NodeId, Phase, Rejected, TimerKind, Transition, WaitFor,
    decide::Decider,
    run::{Names, TOP},
};
use consort_types::{ErrorKind, Json, RunError, RunState};

/// A timer that is no longer wanted changes nothing: the record is empty. One that comes too early, because the
/// clock was set back in between or its time was moved, is set again.
pub(super) fn apply(mut decider: Decider<'_>, id: NodeId, kind: TimerKind) -> Result<Transition, Rejected> {
    let exists = (id.0 as usize) < decider.run.nodes.len();
    if exists && kind == TimerKind::Heartbeat && decider.run.paused.is_none() {
        decider.heartbeat_is_due(id);
        return Ok(decider.finish());
    }
    if !exists || decider.run.paused.is_some() {
        return Ok(decider.finish());
    }
    match kind {
        TimerKind::Wake if id == TOP => pass_is_due(&mut decider),
        TimerKind::Wake => wake(&mut decider, id),
        TimerKind::Timeout if id == TOP => run_timeout(&mut decider),
        TimerKind::Timeout => step_timeout(&mut decider, id),
        TimerKind::Grace => grace_is_over(&mut decider),
        TimerKind::Heartbeat => {}
    }
    Ok(decider.finish())
}

fn pass_is_due(decider: &mut Decider<'_>) {
    match decider.run.phase {
        Phase::BetweenPasses { until } if until <= decider.now => decider.begin_pass(),
        Phase::BetweenPasses { until } => decider.set_timer(TOP, TimerKind::Wake, until),
        Phase::Queued { .. } | Phase::Live | Phase::Ending | Phase::Finally | Phase::Ended => {}
    }
}

fn wake(decider: &mut Decider<'_>, id: NodeId) {
    let Some(waiting) = &decider.run.node(id).waiting else { return };
    let Some(until) = waiting.until else { return };
    if until > decider.now {
        return decider.set_timer(id, TimerKind::Wake, until);
    }
    match waiting.for_ {
        WaitFor::Timer if decider.run.is_loop(id) => decider.next_turn(id),
        WaitFor::Timer => decider.body_succeeded(id, Json::null()),
        WaitFor::Retry => decider.begin_try(id),
        // Their time is a timeout, not a wake.
        WaitFor::Signal(_) | WaitFor::Approval { .. } | WaitFor::Run(_) => {}
        WaitFor::Resolve | WaitFor::InDoubt => {}
    }
}

impl crate::Run {
    /// Whether a node is a loop, which waits between its turns.
    fn is_loop(&self, id: NodeId) -> bool {
        matches!(self.step_of(id).body, consort_spec::definition::Body::Loop(_))
    }
}

fn run_timeout(decider: &mut Decider<'_>) {
    let Some(at) = decider.run.timeout_at else { return };
    let live = matches!(decider.run.phase, Phase::Live | Phase::BetweenPasses { .. });
    if live && at > decider.now {
        decider.set_timer(TOP, TimerKind::Timeout, at);
    } else if live {
        let limit = decider.run.workflow.timeout.map(consort_types::format_duration).unwrap_or_default();
        let message = format!("the run has taken longer than its timeout of {limit}");
        decider.stop_run(RunState::TimedOut, RunError::new("E_RUN_TIMEOUT", ErrorKind::Timeout, message));
    }
}

fn step_timeout(decider: &mut Decider<'_>, id: NodeId) {
    let node = decider.run.node(id);
    let Some(at) = node.timeout_at.filter(|_| node.is_active() && node.ending.is_none()) else { return };
    if at > decider.now {
        return decider.set_timer(id, TimerKind::Timeout, at);
    }
    let awaits = node.waiting.as_ref().is_some_and(|waiting| waiting.for_ != WaitFor::Retry);
    if awaits && let Some(on_timeout) = &decider.run.step_of(id).on_timeout {
        match decider.evaluate(&on_timeout.value, &Names::at(decider.run, id)) {
            Ok(value) => decider.body_succeeded(id, value),
            Err(error) => decider.fail_finally(id, error),
        }
        return;
    }
    let limit = decider.run.step_of(id).timeout.map(consort_types::format_duration).unwrap_or_default();
    let message = format!("the step has taken longer than its timeout of {limit}");
    let error = RunError::new("E_STEP_TIMEOUT", ErrorKind::Timeout, message)
        .retryable()
        .at_step(decider.run.key_of(id));
    if decider.run.awaited_child(id).is_some() {
        return decider.stop_child(id, Some(error));
    }
    if decider.run.node(id).active == 0 {
        return decider.try_failed(id, error, None);
    }
    decider.record(Entry::Closed { n: id, by: None, error: Some(Box::new(error)) });
    decider.quiet(id);
    decider.abort_within(id);
}

fn grace_is_over(decider: &mut Decider<'_>) {
    match decider.run.phase {
        Phase::Ending => decider.abort_within(TOP),
        Phase::Finally => {
            let error =
                RunError::new("E_FINALLY_TIMEOUT", ErrorKind::Timeout, "`finally` has taken too long");
            decider.record(Entry::Closed { n: TOP, by: None, error: Some(Box::new(error)) });
            decider.quiet(TOP);
            decider.abort_within(TOP);
        }
        Phase::Queued { .. } | Phase::Live | Phase::BetweenPasses { .. } | Phase::Ended => {}
    }
}
