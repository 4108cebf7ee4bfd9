//! What an entry means: the only place where a run's state changes.

use super::{Items, Node, NodeId, Opened, Pass, Phase, Role, Run, RunEnd, TOP, UndoItem, UndoTask};
use crate::{Entry, OpenedAs, UndoInput, entry::ScopeRef, run::node::Waiting};
use consort_spec::definition::{Body, ScopeId};
use consort_types::{StepState, Timestamp};

impl Run {
    /// Takes a fact in. Total: it never fails and decides nothing.
    pub fn absorb(&mut self, entry: &Entry, at: Timestamp) {
        match entry {
            Entry::RunStarted(_) => {}
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
            Entry::Attempted { n, a } => {
                let mut attempt = (**a).clone();
                attempt.finished_at = Some(at);
                let node = self.node_mut(*n);
                // Most steps have one: room for four would be most of what a long `for_each` takes.
                if node.attempts.is_empty() {
                    node.attempts.reserve_exact(1);
                }
                node.attempts.push(attempt);
                node.accepted = None;
            }
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
                node.held = held && node.role != Role::Undo;
            }
            Entry::Waiting { n, r#for, until, error } => {
                let node = self.node_mut(*n);
                node.error = error.clone();
                node.state = StepState::Waiting;
                node.waiting = Some(Waiting { for_: r#for.clone(), since: at, until: *until });
            }
            Entry::Retried { n } => self.absorb_retried(*n),
            Entry::Closed { n, by, error } => {
                let node = self.node_mut(*n);
                node.error = error.clone().or(node.error.take());
                node.closing = true;
                node.failure = node.failure.or(*by);
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
                    self.push_undo(*n, input);
                }
            }
            Entry::UndoBegan { n, why, undo } => {
                self.undo_asked |= !matches!(why, crate::UndoPurpose::Tolerated | crate::UndoPurpose::Retry);
                self.undo_tasks.push(UndoTask { within: *n, why: *why });
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
                if let Some(item) = self.undo_list.iter_mut().find(|item| item.of == *n) {
                    item.parked = None;
                }
            }
            Entry::UndoGivenUp { n, .. } => {
                self.undo_list.retain(|item| item.of != *n);
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
            Entry::Signalled { name, body, .. } => {
                self.signals.entry(name.clone()).or_default().push_back(body.clone());
            }
            Entry::SignalTaken { name } => {
                if let Some(bodies) = self.signals.get_mut(name) {
                    bodies.pop_front();
                }
            }
            Entry::Asked { .. } => {}
            Entry::Paused { why, .. } => self.paused = Some((*why, at)),
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
        let items = Items { count, nodes: vec![None; count as usize], ..Items::default() };
        self.node_mut(id).items = Some(Box::new(items));
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
            items.nodes[index as usize] = Some(id);
            items.next = items.next.max(index + 1);
        }
    }

    fn absorb_retried(&mut self, id: NodeId) {
        let is_call = self.node(id).role == Role::Undo || matches!(self.step_of(id).body, Body::Call(_));
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
        }
    }

    fn absorb_end(&mut self, id: NodeId, state: StepState, at: Timestamp) {
        let was_active = self.node(id).is_active();
        let node = self.node_mut(id);
        node.state = state;
        node.ended_at = Some(at);
        node.waiting = None;
        node.timeout_at = None;
        node.accepted = None;
        node.ending = None;
        node.held = false;
        let (parent, role) = (node.parent, node.role);
        if was_active {
            self.count_active(id, Count::Down);
        }
        if let (Some(parent), Role::Step) = (parent, role) {
            let parent = self.node_mut(parent);
            parent.remaining = parent.remaining.saturating_sub(1);
        }
        if let (Some(parent), Role::Item(_)) = (parent, role)
            && let Some(items) = self.node_mut(parent).items.as_deref_mut()
        {
            items.ended += 1;
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

    /// An undo of a step's own replaces those of the steps inside.
    fn drop_undos_inside(&mut self, id: NodeId) {
        let node = self.node(id);
        // Most steps are calls: a look through the whole list for each would make a long `for_each` quadratic.
        if !node.opened.is_empty() || node.items.is_some() {
            self.undo_list.retain(|item| !within(&self.nodes, item.of, id));
        }
    }

    fn push_undo(&mut self, of: NodeId, input: &UndoInput) {
        let node = self.node(of);
        let in_doubt_before =
            node.dispatches > 1 || node.attempts.last().is_some_and(|last| last.error.is_some());
        if in_doubt_before {
            // A newer outcome of the same execution takes the place of the doubt that an older try left.
            self.undo_list.retain(|item| item.of != of);
        }
        self.undo_list.push(UndoItem { of, input: input.clone(), parked: None });
    }

    fn absorb_undone(&mut self, of: NodeId, at: Timestamp) {
        if let Some(position) = self.undo_list.iter().rposition(|item| item.of == of) {
            self.undo_list.remove(position);
        }
        let node = self.node_mut(of);
        if node.state == StepState::Succeeded {
            node.state = StepState::Undone;
        }
        // After an undo a new execution has a new key.
        node.epoch += 1;
        if let Some(undo) = self.undo_node(of) {
            let undo = self.node_mut(undo);
            undo.waiting = None;
            if undo.state.is_terminal() {
                return;
            }
            undo.state = StepState::Succeeded;
            undo.ended_at = Some(at);
        }
    }

    fn absorb_parked(&mut self, of: NodeId, error: &consort_types::RunError, at: Timestamp) {
        self.undo_asked = true;
        if let Some(item) = self.undo_list.iter_mut().rfind(|item| item.of == of) {
            item.parked = Some(Box::new(error.clone()));
        }
        if let Some(undo) = self.undo_node(of) {
            let undo = self.node_mut(undo);
            undo.state = StepState::Failed;
            undo.error = Some(Box::new(error.clone()));
            undo.waiting = None;
            undo.ended_at = Some(at);
        }
    }

    fn absorb_pass(&mut self, clean: bool, at: Timestamp) {
        self.phase = Phase::Live;
        self.pass_began_at = at;
        let top = self.node_mut(TOP);
        top.closing = false;
        top.failure = None;
        top.waiting = None;
        if clean {
            // The scope is opened anew by the next entry; the old nodes are history.
            top.opened.clear();
            top.active = 0;
        } else {
            self.reset_failed(TOP);
        }
    }

    /// Makes what failed inside a node pending again; what completed stays.
    pub(crate) fn reset_failed(&mut self, within: NodeId) {
        let mut below = vec![within];
        let mut touched = Vec::new();
        while let Some(id) = below.pop() {
            touched.push(id);
            let children: Vec<NodeId> = self.children(id).collect();
            for child in children {
                match self.node(child).state {
                    StepState::Failed | StepState::Cancelled if self.node(child).can_resume_inside() => {
                        self.revive(child);
                        below.push(child);
                    }
                    StepState::Failed | StepState::Cancelled => self.reset_node(child),
                    StepState::Pending if self.node(child).unmet == 0 => self.runnable.push_back(child),
                    _ => {}
                }
            }
        }
        for id in touched {
            self.recount(id);
        }
    }

    fn revive(&mut self, id: NodeId) {
        let node = self.node_mut(id);
        node.state = StepState::Running;
        node.closing = false;
        node.failure = None;
        node.error = None;
        node.ended_at = None;
    }

    /// Makes one ended node pending again, from its beginning.
    pub(crate) fn reset_node(&mut self, id: NodeId) {
        if let (Role::Item(index), Some(parent)) = (self.node(id).role, self.node(id).parent) {
            // An item does not wait in `pending`: the whole starts it again.
            if let Some(items) = self.node_mut(parent).items.as_deref_mut() {
                items.nodes[index as usize] = None;
                items.next = items.next.min(index);
            }
            return;
        }
        let node = self.node_mut(id);
        node.state = StepState::Pending;
        node.opened.clear();
        node.items = None;
        node.turns.clear();
        node.active = 0;
        node.closing = false;
        node.failure = None;
        node.error = None;
        node.output = None;
        node.ended_at = None;
        if node.unmet == 0 {
            self.runnable.push_back(id);
        }
    }

    /// Somebody settles by hand what had ended badly: everything around it can go on.
    fn settle_by_hand(&mut self, id: NodeId) {
        if !matches!(self.node(id).state, StepState::Failed | StepState::Cancelled) {
            return;
        }
        self.node_mut(id).state = StepState::Pending;
        self.node_mut(id).error = None;
        let around: Vec<NodeId> = self.lineage(id).skip(1).collect();
        let mut child = id;
        for outer in around {
            self.recount(outer);
            if self.node(outer).failure != Some(child) {
                // It was closed for another reason, which stands.
                return;
            }
            let had_failed = self.node(outer).state == StepState::Failed;
            match self.other_failure(outer) {
                Some(other) => self.node_mut(outer).failure = Some(other),
                None => self.revive(outer),
            }
            if !had_failed {
                return;
            }
            child = outer;
        }
    }

    /// Another child whose failure closes a node just as well.
    fn other_failure(&self, id: NodeId) -> Option<NodeId> {
        if self.node(id).items.is_some() && self.tolerates(id) {
            return None;
        }
        self.children(id).find(|child| self.node(*child).state == StepState::Failed)
    }

    /// Counts anew what lives inside a node.
    pub(crate) fn recount(&mut self, id: NodeId) {
        let children: Vec<NodeId> = self.children(id).collect();
        let count = |is: &dyn Fn(&Node) -> bool| {
            children.iter().filter(|child| is(self.node(**child))).count() as u32
        };
        let active = count(&Node::is_active);
        let ended = count(&|node| node.state.is_terminal());
        let failed = count(&|node| node.state == StepState::Failed);
        let first_failed =
            children.iter().copied().find(|child| self.node(*child).state == StepState::Failed);
        let total = children.len() as u32;
        let node = self.node_mut(id);
        node.active = active;
        match node.items.as_deref_mut() {
            Some(items) => {
                items.ended = ended;
                items.failed = failed;
                items.first_failed = first_failed;
            }
            None => node.remaining = total - ended,
        }
    }

    fn absorb_resumed(&mut self, at: Timestamp) {
        let Some((_, since)) = self.paused.take() else { return };
        let stood = at.since(since);
        let later = |time: &mut Option<Timestamp>| *time = time.map(|time| time.plus(stood));
        later(&mut self.timeout_at);
        for node in &mut self.nodes {
            node.held = false;
            if let Some(accepted) = node.accepted.as_deref_mut() {
                accepted.deadline = accepted.deadline.plus(stood);
                accepted.heartbeat_at = accepted.heartbeat_at.plus(stood);
            }
            later(&mut node.timeout_at);
            if let Some(waiting) = &mut node.waiting {
                later(&mut waiting.until);
            }
        }
        if let Phase::BetweenPasses { until } = &mut self.phase {
            *until = until.plus(stood);
        }
    }
}

#[derive(Clone, Copy)]
enum Count {
    Up,
    Down,
}

fn within(nodes: &[Node], mut id: NodeId, outer: NodeId) -> bool {
    while let Some(parent) = nodes[id.0 as usize].parent {
        if parent == outer {
            return true;
        }
        id = parent;
    }
    false
}
