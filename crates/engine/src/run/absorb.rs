//! What an entry means: the only place where a run's state changes.

use super::{Child, Items, Node, NodeId, Opened, Pass, Phase, Role, Run, RunEnd, TOP, UndoTask};
use crate::{Entry, OpenedAs, UndoInput, UndoPurpose, entry::ScopeRef, run::node::Waiting};
use consort_spec::definition::{Body, ScopeId};
use consort_types::{StepState, Timestamp};

impl Run {
    /// Takes a fact in. Total: it never fails and decides nothing.
    pub fn absorb(&mut self, entry: &Entry, at: Timestamp) {
        match entry {
            Entry::RunStarted(_) => {}
            Entry::Queued { number } => self.absorb_queued(*number),
            Entry::Admitted { timeout_at, previous } => {
                self.absorb_admitted(*timeout_at, previous.as_ref(), at);
            }
            Entry::Started { n, timeout_at } => self.absorb_started(*n, *timeout_at, at),
            Entry::Opened { n, s, r#as } => self.absorb_opened(*n, *s, *r#as),
            Entry::Counted { n, count } => self.absorb_counted(*n, *count),
            Entry::ItemStarted { n, i, timeout_at } => self.absorb_item(*n, *i, *timeout_at, at),
            Entry::TurnBegan { n, carry } => {
                let node = self.node_mut(*n);
                node.turns.push(carry.clone());
                node.state = StepState::Running;
                node.waiting = None;
            }
            Entry::Recalled { n, c } => self.absorb_recalled(*n, c),
            Entry::Attempted { n, a } => {
                let mut attempt = (**a).clone();
                attempt.finished_at = Some(at);
                let node = self.node_mut(*n);
                node.in_doubt = attempt.is_in_doubt().unwrap_or(node.in_doubt);
                // Most steps have one: room for four would be most of what a long `for_each` takes.
                if node.attempts.is_empty() {
                    node.attempts.reserve_exact(1);
                }
                node.attempts.push(attempt);
                node.sent = None;
                node.accepted = None;
            }
            Entry::Sent { n, a } => self.node_mut(*n).sent = Some(a.clone()),
            Entry::ResolveStarted { n } => self.absorb_resolve_started(*n, at),
            Entry::Resolved { n, o } => self.absorb_resolved(*n, o, at),
            Entry::ResolveFailed { n, error } => self.absorb_resolve_failed(*n, error, at),
            Entry::Accepted { n, a } => self.node_mut(*n).accepted = Some(a.clone()),
            Entry::Heartbeat { n, at: next, p } => {
                if let Some(accepted) = self.node_mut(*n).accepted.as_deref_mut() {
                    accepted.heartbeat_at = *next;
                    accepted.progress = p.clone().map(|note| (note, at)).or(accepted.progress.take());
                }
            }
            Entry::Interrupted { n } => {
                let held = self.paused.is_some();
                let node = self.node_mut(*n);
                node.dispatches += 1;
                // An undo is handed out again at once, pause or not.
                node.held = held && !node.is_aside();
            }
            Entry::Waiting { n, r#for, until, error } => {
                let node = self.node_mut(*n);
                node.error = error.clone();
                node.state = StepState::Waiting;
                node.waiting = Some(Waiting { for_: r#for.clone(), since: at, until: *until });
                if matches!(r#for, crate::WaitFor::Approval { .. } | crate::WaitFor::InDoubt) {
                    self.asking.insert(*n);
                }
            }
            Entry::Retried { n } => self.absorb_retried(*n),
            Entry::Closed { n, by, error } => {
                let node = self.node_mut(*n);
                node.error = error.clone().or(node.error.take());
                node.closing = true;
                node.failure = node.failure.or(*by);
            }
            Entry::Enough { n } => {
                let node = self.node_mut(*n);
                node.closing = true;
                node.has_enough = true;
            }
            Entry::Caught { n, error } => {
                let node = self.node_mut(*n);
                node.error = Some(error.clone());
                node.state = StepState::Running;
                node.waiting = None;
            }
            Entry::Ending { n, outcome } => {
                let node = self.node_mut(*n);
                node.ending = Some(Box::new(outcome.clone()));
                node.state = StepState::Running;
                node.waiting = None;
            }
            Entry::Succeeded { n, o, undo } => {
                self.settle_by_hand(*n);
                self.node_mut(*n).output = Some(o.clone());
                self.absorb_end(*n, StepState::Succeeded, at);
                if let Some(input) = undo {
                    self.drop_undos_inside(*n);
                    self.push_undo(*n, input);
                }
            }
            Entry::Copied { n, .. } => {
                let output = self.copy_of(*n).and_then(|copied| copied.output.clone());
                let node = self.node_mut(*n);
                node.output = output;
                node.copied = true;
                node.ready_at = node.ready_at.or(Some(at));
                self.absorb_end(*n, StepState::Succeeded, at);
            }
            Entry::Failed { n, error, undo } => {
                self.node_mut(*n).error = Some(error.clone());
                self.absorb_end(*n, StepState::Failed, at);
                if let Some(input) = undo {
                    self.push_undo(*n, input);
                }
            }
            Entry::Skipped { n, .. } => {
                self.settle_by_hand(*n);
                self.absorb_end(*n, StepState::Skipped, at);
            }
            Entry::Cancelled { n, undo } => {
                self.absorb_end(*n, StepState::Cancelled, at);
                if let Some(input) = undo {
                    if matches!(input, UndoInput::Input(_)) {
                        self.drop_undos_inside(*n);
                    }
                    self.push_undo(*n, input);
                }
            }
            Entry::UndoBegan { n, why, only, undo } => {
                self.undo_asked |=
                    !matches!(why, UndoPurpose::Tolerated | UndoPurpose::OutOfRace | UndoPurpose::Retry);
                self.undo_tasks.push(UndoTask { within: *n, why: *why, only: only.clone() });
                if let Some(input) = undo {
                    self.push_undo(*n, input);
                }
            }
            Entry::UndoStarted { n } => {
                let mut node = Node::new(Some(*n), self.node(*n).step, Role::Undo);
                node.state = StepState::Ready;
                node.ready_at = Some(at);
                node.tries = 1;
                node.dispatches = 1;
                self.undo_nodes.insert(*n, NodeId(self.nodes.len() as u32));
                self.nodes.push(node);
            }
            Entry::Undone { n } => self.absorb_undone(*n, at),
            Entry::UndoParked { n, error } => self.absorb_parked(*n, error, at),
            Entry::UndoUnparked { n } => {
                self.parked.remove(n);
                if let Some(item) = self.undo_list.iter_mut().find(|item| item.of == *n) {
                    item.parked = None;
                }
            }
            Entry::UndoGivenUp { n, .. } => {
                self.undo_list.retain(|item| item.of != *n);
                self.parked.remove(n);
                if let Some(undo) = self.undo_node(*n) {
                    let undo = self.node_mut(undo);
                    undo.state = StepState::Skipped;
                    undo.waiting = None;
                    undo.ended_at = Some(at);
                }
            }
            Entry::UndoEnded { n } => self.undo_tasks.retain(|task| task.within != *n),
            Entry::PassEnded { error, until } => {
                self.passes.push(Pass { began_at: self.pass_began_at, ended_at: at, error: error.clone() });
                self.phase = Phase::BetweenPasses { until: *until };
            }
            Entry::PassBegan { clean } => self.absorb_pass(*clean, at),
            Entry::ChildStarted { n, run } => {
                let node = self.node_mut(*n);
                node.dispatches += 1;
                node.child = Some(Box::new(Child { run: *run, stopped: None, ended: None }));
            }
            Entry::ChildStopped { n, error } => {
                if let Some(child) = self.node_mut(*n).child.as_deref_mut() {
                    child.stopped = Some(error.clone());
                }
            }
            Entry::ChildEnded { n, state, undo, can_undo } => {
                if let Some(child) = self.node_mut(*n).child.as_deref_mut() {
                    child.ended = Some((*state, *undo, *can_undo));
                }
            }
            Entry::EventTaken { n, seq, .. } => {
                if let Some(step) = self.node(*n).step {
                    self.events_taken.entry(step).or_default().insert(*seq);
                }
            }
            Entry::Signalled { name, body, .. } => {
                self.signals.entry(name.clone()).or_default().push_back(body.clone());
            }
            Entry::SignalTaken { name } => {
                if let Some(bodies) = self.signals.get_mut(name) {
                    bodies.pop_front();
                }
            }
            Entry::Asked { .. } => {}
            Entry::Paused { why, pool, .. } => {
                self.paused = Some((*why, at));
                self.short_of = pool.clone();
            }
            Entry::Resumed { .. } => self.absorb_resumed(at),
            Entry::RunEnding { state, output, error } => {
                self.phase = Phase::Ending;
                self.paused = None;
                self.end = Some(RunEnd { state: *state, output: output.clone(), error: error.clone() });
            }
            Entry::RunEnded { state } => {
                self.phase = Phase::Ended;
                self.finished_at = Some(at);
                if let Some(end) = &mut self.end {
                    end.state = *state;
                }
            }
        }
    }

    fn absorb_started(&mut self, id: NodeId, timeout_at: Option<Timestamp>, at: Timestamp) {
        let is_whole = self.step_of(id).for_each.is_some();
        let is_call = matches!(self.step_of(id).body, Body::Call(_)) && !is_whole;
        let node = self.node_mut(id);
        node.ready_at = Some(at);
        node.timeout_at = timeout_at;
        node.tries = 1;
        if is_call {
            node.state = StepState::Ready;
            node.dispatches += 1;
        } else {
            node.state = StepState::Running;
        }
        self.count_active(id, Count::Up);
    }

    fn absorb_opened(&mut self, id: NodeId, scope: ScopeRef, as_: OpenedAs) {
        let scope = ScopeId(scope.0);
        let base = self.nodes.len() as u32;
        let steps = self.workflow.scope(scope).steps.clone();
        let len = steps.len() as u32;
        self.nodes.extend(steps.iter().map(|step| Node::new(Some(id), Some(*step), Role::Step)));
        let node = self.node_mut(id);
        node.remaining = len;
        node.opened.retain(|opened| opened.as_ != as_);
        node.opened.push(Opened { scope, as_, base, len });
        if matches!(as_, OpenedAs::Catch | OpenedAs::Finally) {
            // What failed is behind us: the steps of a catch or a finally may start.
            node.closing = false;
            node.failure = None;
            node.has_enough = false;
        }
        if id == TOP && as_ == OpenedAs::Finally {
            self.phase = Phase::Finally;
        }
        for child in (base..base + len).map(NodeId) {
            self.count_unmet(child);
        }
    }

    /// Sets how many dependencies of a pending node are open and asks to hear of them.
    fn count_unmet(&mut self, id: NodeId) {
        let dependencies = self.step_of(id).waits_for.clone();
        let mut unmet = 0;
        for dependency in dependencies {
            let Some(on) = self.resolve(id, dependency) else { continue };
            if !self.is_done(on) {
                unmet += 1;
                self.waiters.entry(on).or_default().push(id);
            }
        }
        self.node_mut(id).unmet = unmet;
        if unmet == 0 {
            self.runnable.push_back(id);
        }
    }

    fn absorb_counted(&mut self, id: NodeId, count: u32) {
        self.node_mut(id).items = Some(Box::new(Items::new(count)));
    }

    fn absorb_item(&mut self, whole: NodeId, index: u32, timeout_at: Option<Timestamp>, at: Timestamp) {
        let step = self.node(whole).step;
        let is_call = matches!(self.step_of(whole).body, Body::Call(_));
        let mut node = Node::new(Some(whole), step, Role::Item(index));
        node.ready_at = Some(at);
        node.timeout_at = timeout_at;
        node.tries = 1;
        node.state = if is_call { StepState::Ready } else { StepState::Running };
        node.dispatches = u32::from(is_call);
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(node);
        let whole = self.node_mut(whole);
        whole.active += 1;
        if let Some(items) = whole.items.as_deref_mut() {
            items.began(index, id);
        }
    }

    fn absorb_retried(&mut self, id: NodeId) {
        let is_call = self.node(id).is_aside() || matches!(self.step_of(id).body, Body::Call(_));
        let node = self.node_mut(id);
        node.waiting = None;
        node.tries += 1;
        node.error = None;
        if is_call {
            node.state = StepState::Ready;
            node.dispatches += 1;
        } else {
            // A whole new try: what stood inside is history.
            node.state = StepState::Running;
            node.opened.clear();
            node.turns.clear();
            node.active = 0;
            node.closing = false;
            node.failure = None;
            node.has_enough = false;
        }
    }

    fn absorb_end(&mut self, id: NodeId, state: StepState, at: Timestamp) {
        let was_active = self.node(id).is_active();
        self.asking.remove(&id);
        let node = self.node_mut(id);
        node.state = state;
        node.ended_at = Some(at);
        node.waiting = None;
        node.timeout_at = None;
        node.sent = None;
        node.accepted = None;
        node.ending = None;
        node.held = false;
        let (parent, role) = (node.parent, node.role);
        if was_active {
            self.count_active(id, Count::Down);
        }
        self.drop_resolve(id, at);
        if let (Some(parent), Role::Step) = (parent, role) {
            let parent = self.node_mut(parent);
            parent.remaining = parent.remaining.saturating_sub(1);
        }
        if let (Some(parent), Role::Item(index)) = (parent, role)
            && let Some(items) = self.node_mut(parent).items.as_deref_mut()
        {
            if matches!(state, StepState::Succeeded | StepState::Skipped) {
                items.done(index);
            }
            items.active.remove(&id);
            items.ended += 1;
            items.succeeded += u32::from(state == StepState::Succeeded);
            if state == StepState::Failed {
                items.failed += 1;
                items.first_failed = items.first_failed.or(Some(id));
            }
        }
        if matches!(state, StepState::Succeeded | StepState::Skipped) {
            self.wake_waiters(id);
        }
    }

    fn wake_waiters(&mut self, id: NodeId) {
        for waiter in self.waiters.remove(&id).unwrap_or_default() {
            let node = self.node_mut(waiter);
            node.unmet = node.unmet.saturating_sub(1);
            if node.unmet == 0 {
                self.runnable.push_back(waiter);
            }
        }
    }

    fn count_active(&mut self, id: NodeId, count: Count) {
        if let (Some(parent), Role::Step | Role::Item(_)) = (self.node(id).parent, self.node(id).role) {
            let parent = self.node_mut(parent);
            parent.active = match count {
                Count::Up => parent.active + 1,
                Count::Down => parent.active.saturating_sub(1),
            };
        }
    }
}

#[derive(Clone, Copy)]
enum Count {
    Up,
    Down,
}
