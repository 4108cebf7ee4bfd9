//! What the outside sees of a run: states, reasons, steps. Computed on demand, never stored.

use super::{Node, NodeId, Phase, Role, Run, TOP};
use crate::{Cached, OpenedAs, PauseReason, ProgressNote, WaitFor};
use consort_spec::definition::Body;
use consort_types::{
    AttemptState, AttemptToken, Json, Name, RunError, RunId, RunState, StepState, Timestamp, UndoState,
    WaitKind, WaitingOn,
};

pub use super::node::Attempt;

/// What the dispatcher knows of a call that was handed out.
#[derive(Debug, Clone, PartialEq)]
pub enum Admission {
    /// Sent to a replica.
    Sent {
        /// When.
        at: Timestamp,
        /// To which replica.
        replica: Option<String>,
        /// Of which revision.
        revision: Option<u64>,
    },
    /// Held back.
    Held(WaitingOn),
    /// A child run, which stands so and waits for that.
    Child(RunState, Option<WaitingOn>),
}

/// One pass of a run: the last has not failed yet, or for good.
#[derive(Debug, Clone, PartialEq)]
pub struct PassRecord {
    /// From 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When it failed.
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<RunError>,
}

/// A run as users see it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// Its state.
    pub state: RunState,
    /// Its output, once it has succeeded.
    pub output: Option<Json>,
    /// Why it failed.
    pub error: Option<RunError>,
    /// When it was acknowledged.
    pub created_at: Timestamp,
    /// When its first step could start.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How far undo went.
    pub undo: UndoState,
    /// Why it does not move.
    pub waiting_on: Option<WaitingOn>,
    /// Its passes.
    pub attempts: Vec<PassRecord>,
}

/// A step as users see it.
#[derive(Debug, Clone, PartialEq)]
pub struct StepView {
    /// Its key.
    pub key: String,
    /// `call`, `steps`, …
    pub kind: &'static str,
    /// `service.operation`.
    pub call: Option<String>,
    /// Its state.
    pub state: StepState,
    /// When it was ready.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Its tries, the running one included.
    pub attempts: Vec<Attempt>,
    /// What it was called with.
    pub input: Option<Json>,
    /// Its output.
    pub output: Option<Json>,
    /// The run that the output was taken over from.
    pub copied_from: Option<RunId>,
    /// Why it failed, also when that was caught.
    pub error: Option<RunError>,
    /// What the cache said, when it was asked.
    pub cached: Option<Cached>,
    /// How far its call is, by its own word, and when that was.
    pub progress: Option<(ProgressNote, Timestamp)>,
    /// Why it does not move.
    pub waiting_on: Option<WaitingOn>,
    /// Key of the step that it stands in.
    pub parent: Option<String>,
    /// Its place among the items of a `for_each` or the turns of a loop.
    pub index: Option<u32>,
    /// The newest run that it started.
    pub run: Option<RunId>,
    /// Path of its definition, for graphs.
    pub path: String,
}

/// Asks the dispatcher about a call.
pub type Ask<'a> = &'a dyn Fn(AttemptToken) -> Option<Admission>;

impl Run {
    /// The run as users see it now. `ask` tells what the dispatcher knows of calls that were handed out.
    pub fn view(&self, ask: Ask<'_>) -> RunView {
        let state = self.state(ask);
        let stands = matches!(state, RunState::Waiting | RunState::Paused | RunState::Queued);
        // An undo or a `finally` that waits says why, too.
        let waits = stands || (!self.is_ended() && !self.moves(ask));
        RunView {
            state,
            output: self.end.as_ref().filter(|_| self.is_ended()).and_then(|end| end.output.clone()),
            error: self.visible_error(),
            created_at: self.created_at,
            started_at: self.admitted_at,
            finished_at: self.finished_at,
            undo: self.undo_state(),
            waiting_on: waits.then(|| self.waiting_on(state, ask)).flatten(),
            attempts: self.pass_records(),
        }
    }

    fn visible_error(&self) -> Option<RunError> {
        let ended = self.end.as_ref().and_then(|end| end.error.as_deref());
        let failed_inside = || match self.paused {
            Some((PauseReason::Failure, _)) => self.failure_inside(TOP).map(|error| *error),
            _ => None,
        };
        ended.cloned().or_else(failed_inside)
    }

    fn state(&self, ask: Ask<'_>) -> RunState {
        let ending = self.end.as_ref().map(|end| end.state);
        match self.phase {
            Phase::Ended => ending.unwrap_or(RunState::Failed),
            Phase::Queued { .. } if self.paused.is_some() => RunState::Paused,
            Phase::Queued { .. } => RunState::Queued,
            Phase::Ending if self.undo_task_runs() => RunState::Undoing,
            Phase::Ending if ending == Some(RunState::Cancelled) => RunState::Cancelling,
            Phase::Ending | Phase::Finally => RunState::Running,
            Phase::BetweenPasses { .. } if self.paused.is_some() => RunState::Paused,
            Phase::BetweenPasses { .. } => RunState::Waiting,
            Phase::Live if self.paused.is_some() => RunState::Paused,
            Phase::Live if self.undo_task_runs() => RunState::Undoing,
            Phase::Live if self.moves(ask) => RunState::Running,
            Phase::Live => RunState::Waiting,
        }
    }

    fn undo_task_runs(&self) -> bool {
        let of_run = |why| matches!(why, crate::UndoPurpose::RunEnds | crate::UndoPurpose::Pass);
        self.undo_tasks.iter().any(|task| of_run(task.why))
    }

    /// Whether a step is ready or running. Stops at the first.
    fn moves(&self, ask: Ask<'_>) -> bool {
        self.leaves().any(|id| match self.node(id).state {
            StepState::Ready => !matches!(ask(self.token(id)), Some(Admission::Held(_))),
            _ => false,
        })
    }

    /// Active nodes that have nothing active inside; undos too, whose steps have ended.
    fn leaves(&self) -> impl Iterator<Item = NodeId> + '_ {
        let beside = self.undo_nodes.values().chain(self.resolve_nodes.values()).copied();
        let beside = beside.filter(|node| self.node(*node).is_active());
        // One level at a time, so that who asks for the first one pays for no more.
        let mut levels: Vec<Box<dyn Iterator<Item = NodeId> + '_>> =
            vec![Box::new(beside.chain(std::iter::once(TOP)))];
        std::iter::from_fn(move || {
            while let Some(level) = levels.last_mut() {
                let Some(id) = level.next() else {
                    levels.pop();
                    continue;
                };
                let mut inside = self.active_children(id).peekable();
                if inside.peek().is_none() && id != TOP {
                    return Some(id);
                }
                levels.push(Box::new(inside));
            }
            None
        })
    }

    /// What goes on right inside a node.
    fn active_children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let node = self.node(id);
        let scoped = node.opened.iter().flat_map(|opened| opened.nodes());
        let scoped = scoped.filter(|child| self.node(*child).is_active());
        scoped.chain(node.items.iter().flat_map(|items| items.active.iter().copied()))
    }

    pub(crate) fn undo_state(&self) -> UndoState {
        let parked = self.undo_list.iter().any(|item| item.parked.is_some());
        let by_hand = self.undo_tasks.iter().any(|task| matches!(task.why, crate::UndoPurpose::Afterwards));
        if by_hand || self.undo_task_runs() {
            UndoState::Running
        } else if !self.undo_asked {
            UndoState::None
        } else if parked {
            UndoState::Incomplete
        } else {
            UndoState::Complete
        }
    }

    fn pass_records(&self) -> Vec<PassRecord> {
        let mut records: Vec<PassRecord> = (1..)
            .zip(&self.passes)
            .map(|(number, pass)| PassRecord {
                number,
                started_at: pass.began_at,
                finished_at: Some(pass.ended_at),
                error: Some((*pass.error).clone()),
            })
            .collect();
        if self.admitted_at.is_some() && !matches!(self.phase, Phase::BetweenPasses { .. }) {
            records.push(PassRecord {
                number: records.len() as u32 + 1,
                started_at: self.pass_began_at,
                finished_at: self.finished_at,
                error: self.end.as_ref().and_then(|end| end.error.as_deref()).cloned(),
            });
        }
        records
    }

    /// Why the run does not move: its own reason, else that of the step that ends its wait first.
    fn waiting_on(&self, state: RunState, ask: Ask<'_>) -> Option<WaitingOn> {
        if let (RunState::Paused, Some((why, since))) = (state, self.paused) {
            let detail = match why {
                PauseReason::Budget => self.short_of_detail(),
                PauseReason::Asked => "paused by hand; resume it to go on".to_owned(),
                PauseReason::Parent => "paused with the run that it is a child of; resume that".to_owned(),
                PauseReason::Failure => {
                    "a step failed and the workflow pauses on failure: retry, skip or complete it".to_owned()
                }
            };
            let name = self.short_of().map_or("paused", Name::as_str);
            return Some(waiting(WaitKind::Paused, name, since, None, detail));
        }
        if let Phase::Queued { .. } = self.phase {
            // How many are ahead knows who keeps the line.
            let name = self.workflow.name.to_string();
            let detail = format!("waits in line: `{name}` has as many live runs as its `concurrency` allows");
            return Some(waiting(WaitKind::Limit, &name, self.created_at, None, detail));
        }
        if let Phase::BetweenPasses { until } = self.phase {
            let since = self.passes.last().map_or(self.created_at, |pass| pass.ended_at);
            let detail = format!("pass {} failed; the next begins by itself", self.passes.len());
            return Some(waiting(WaitKind::Retry, "run", since, Some(until), detail));
        }
        let reasons = self.leaves().filter_map(|id| Some((id, self.step_waiting_on(id, ask)?)));
        let first =
            reasons.min_by_key(|(id, reason)| (reason.until.is_none(), reason.until, reason.since, *id));
        first.map(|(_, reason)| reason)
    }

    /// Why a step does not move. None while it does, or once it has ended.
    fn step_waiting_on(&self, id: NodeId, ask: Ask<'_>) -> Option<WaitingOn> {
        let node = self.node(id);
        match node.state {
            StepState::Pending if self.is_ended() => None,
            StepState::Pending => Some(self.pending_on(id)),
            StepState::Ready if node.held => Some(self.paused_detail()),
            StepState::Ready => match ask(self.token(id)) {
                Some(Admission::Held(reason)) => Some(reason),
                Some(Admission::Sent { .. } | Admission::Child(..)) | None => None,
            },
            StepState::Waiting if self.asks_now(id) => match ask(self.token(id)) {
                // Who makes the same call knows who keeps the calls.
                Some(Admission::Held(reason)) => Some(reason),
                Some(Admission::Sent { .. } | Admission::Child(..)) | None => {
                    node.waiting.as_ref().map(|waits| self.waiting_reason(id, node, waits, ask))
                }
            },
            StepState::Waiting => {
                node.waiting.as_ref().map(|waits| self.waiting_reason(id, node, waits, ask))
            }
            _ => None,
        }
    }

    fn waiting_reason(
        &self,
        id: NodeId,
        node: &Node,
        waits: &super::node::Waiting,
        ask: Ask<'_>,
    ) -> WaitingOn {
        let (kind, name, detail) = match &waits.for_ {
            WaitFor::Timer => (WaitKind::Timer, self.key_of(id), "waits for its time".to_owned()),
            WaitFor::Retry => {
                let why =
                    node.error.as_ref().map_or_else(String::new, |error| format!(": {}", error.message));
                let after = if waits.until.is_some() { "" } else { ", once what it had done is undone" };
                let detail = format!("try {} failed{why}; the next follows{after}", node.tries);
                (WaitKind::Retry, self.key_of(id), detail)
            }
            WaitFor::Resolve => {
                let detail = "asks what became of its call".to_owned();
                (WaitKind::Step, format!("{}.resolve", self.key_of(id)), detail)
            }
            WaitFor::InDoubt => (WaitKind::Retry, self.key_of(id), self.doubt_of(id)),
            WaitFor::Signal(name) => {
                (WaitKind::Signal, name.to_string(), format!("waits for the signal `{name}`"))
            }
            WaitFor::Event(event_type) => {
                (WaitKind::Event, event_type.clone(), format!("waits for an event `{event_type}`"))
            }
            WaitFor::Run(child) => return self.waiting_on_child(id, *child, waits, ask),
            WaitFor::Cache => {
                let detail = "asks whether an earlier result can be taken".to_owned();
                (WaitKind::Cache, self.key_of(id), detail)
            }
            WaitFor::Approval { ask, .. } => {
                (WaitKind::Approval, self.key_of(id), format!("waits for an answer: {ask}"))
            }
        };
        waiting(kind, &name, waits.since, waits.until, detail)
    }

    /// What a person must know who settles a call in doubt.
    fn doubt_of(&self, id: NodeId) -> String {
        let why = |id: NodeId| self.node(id).error.as_ref().map(|error| error.message.clone());
        let call = why(id).unwrap_or_default();
        let asked = self
            .resolve_node(id)
            .and_then(why)
            .map_or_else(String::new, |why| format!("; asking what became of it failed: {why}"));
        format!(
            "waits for a person: nobody knows whether the call happened ({call}{asked}). It is not sent again by \
             itself: retry, skip or complete it"
        )
    }

    /// A step that waits for a child run says how that stands, and what it waits for itself.
    fn waiting_on_child(
        &self,
        id: NodeId,
        child: RunId,
        waits: &super::node::Waiting,
        ask: Ask<'_>,
    ) -> WaitingOn {
        let workflow = match &self.step_of(id).body {
            Body::Run { workflow, .. } => format!(" of `{workflow}`"),
            _ => String::new(),
        };
        let doing = if self.node(id).role == Role::Undo { "is undone by" } else { "waits for" };
        let mut detail = format!("{doing} {child}{workflow}");
        // An undo is no attempt of its own: the child belongs to the step.
        let step = if self.node(id).role == Role::Undo { self.node(id).parent.unwrap_or(id) } else { id };
        let mut until = waits.until;
        if let Some(Admission::Child(state, reason)) = ask(self.token(step)) {
            detail.push_str(&format!(", which is {state}"));
            if let Some(reason) = reason {
                detail.push_str(&format!(": {}", reason.detail));
                until = until.into_iter().chain(reason.until).min();
            }
        }
        waiting(WaitKind::Run, &child.to_string(), waits.since, until, detail)
    }

    /// The newest run that a node started; of an undo, the one that it undoes.
    fn child_of(&self, id: NodeId) -> Option<RunId> {
        let node = self.node(id);
        let of = if node.role == Role::Undo { self.node(node.parent?) } else { node };
        of.child.as_deref().map(|child| child.run)
    }

    /// A step that has not started waits for steps that are not done, or for the scope that failed.
    fn pending_on(&self, id: NodeId) -> WaitingOn {
        if self.paused.is_some() && self.node(id).unmet == 0 {
            return self.paused_detail();
        }
        let open = self.step_of(id).waits_for.iter().filter_map(|step| self.resolve(id, *step));
        let keys: Vec<String> =
            open.filter(|on| !self.is_done(*on)).map(|on| format!("`{}`", self.key_of(on))).collect();
        let since =
            self.node(id).parent.and_then(|parent| self.node(parent).ready_at).unwrap_or(self.created_at);
        if keys.is_empty() {
            let detail = "will not start: something around it has failed or is being stopped".to_owned();
            return waiting(WaitKind::Step, &self.key_of(id), since, None, detail);
        }
        let name = keys[0].trim_matches('`').to_owned();
        waiting(WaitKind::Step, &name, since, None, format!("waits for {}", keys.join(", ")))
    }

    fn short_of_detail(&self) -> String {
        let pool = self.short_of.as_ref().map_or("", Name::as_str);
        format!(
            "the budget of the pool `{pool}` is used up: raise it in the project file and apply, or give more with \
             `consort pools add`; the run goes on by itself then"
        )
    }

    fn paused_detail(&self) -> WaitingOn {
        let since = self.paused.map_or(self.created_at, |(_, since)| since);
        waiting(WaitKind::Paused, "paused", since, None, "the run is paused".to_owned())
    }

    /// The steps that count now, in the order of the file, each followed by what stands in it. Starts after
    /// `skip` steps and gives at most `limit`.
    pub fn steps(&self, skip: usize, limit: usize, ask: Ask<'_>) -> Vec<StepView> {
        self.visible().skip(skip).take(limit).map(|id| self.step_view(id, ask)).collect()
    }

    /// One step by its key.
    pub fn step(&self, key: &str, ask: Ask<'_>) -> Option<StepView> {
        self.find_key(key).map(|id| self.step_view(id, ask))
    }

    /// One step by its node.
    pub fn step_at(&self, id: NodeId, ask: Ask<'_>) -> Option<StepView> {
        let exists = id != TOP && (id.0 as usize) < self.nodes.len();
        exists.then(|| self.step_view(id, ask))
    }

    fn visible(&self) -> impl Iterator<Item = NodeId> + '_ {
        let mut below = vec![TOP];
        std::iter::from_fn(move || {
            loop {
                let id = below.pop()?;
                let mut children: Vec<NodeId> = self.children(id).chain(self.beside(id)).collect();
                children.reverse();
                below.extend(children);
                if id != TOP {
                    return Some(id);
                }
            }
        })
    }

    fn step_view(&self, id: NodeId, ask: Ask<'_>) -> StepView {
        let node = self.node(id);
        let step = self.step_of(id);
        let is_aside = node.is_aside();
        let call = self.call_of(id);
        let admission = if node.state == StepState::Ready { ask(self.token(id)) } else { None };
        StepView {
            key: self.key_of(id),
            kind: if is_aside && call.is_some() { "call" } else { step.body.kind() },
            call: call.map(|call| call.operation.name.to_string()),
            state: self.visible_state(node, admission.as_ref()),
            started_at: node.ready_at,
            finished_at: node.ended_at,
            attempts: self.attempts_with_running(node, admission),
            input: self.input_of(id),
            output: node.output.clone().filter(|_| node.state.is_terminal()),
            copied_from: self.copied_from(id),
            error: node.error.as_deref().cloned(),
            cached: node.cached.as_deref().cloned(),
            progress: node.accepted.as_ref().and_then(|accepted| accepted.progress.clone()),
            waiting_on: self.step_waiting_on(id, ask),
            parent: node.parent.filter(|parent| *parent != TOP).map(|parent| self.key_of(parent)),
            index: self.index_of(id),
            run: self.child_of(id),
            path: match node.role {
                Role::Undo => format!("{}.undo", step.path),
                Role::Resolve => format!("{}.resolve", step.path),
                Role::Top | Role::Step | Role::Item(_) => step.path.clone(),
            },
        }
    }

    fn visible_state(&self, node: &Node, admission: Option<&Admission>) -> StepState {
        match node.state {
            StepState::Ready if node.accepted.is_some() => StepState::Running,
            StepState::Ready if matches!(admission, Some(Admission::Sent { .. })) => StepState::Running,
            // What never started in a run that has ended will not run any more.
            StepState::Pending if self.is_ended() => StepState::Skipped,
            state => state,
        }
    }

    fn attempts_with_running(&self, node: &Node, admission: Option<Admission>) -> Vec<Attempt> {
        let mut attempts = node.attempts.clone();
        let accepted = node.accepted.as_deref().map(|accepted| Admission::Sent {
            at: accepted.started_at,
            replica: accepted.replica.clone(),
            revision: accepted.revision,
        });
        if let Some(Admission::Sent { at, replica, revision }) = accepted.or(admission) {
            attempts.push(Attempt {
                number: node.tries,
                state: AttemptState::Running,
                started_at: at,
                finished_at: None,
                replica,
                revision,
                error: None,
                unsent: false,
            });
        }
        attempts
    }

    fn index_of(&self, id: NodeId) -> Option<u32> {
        let node = self.node(id);
        if let Role::Item(index) = node.role {
            return Some(index);
        }
        let opened = node.parent.and_then(|parent| self.node(parent).opened_around(id));
        match opened.map(|opened| opened.as_) {
            Some(OpenedAs::Turn(turn)) => Some(turn),
            _ => None,
        }
    }
}

fn waiting(
    kind: WaitKind,
    name: &str,
    since: Timestamp,
    until: Option<Timestamp>,
    detail: String,
) -> WaitingOn {
    WaitingOn { kind, name: name.to_owned(), since, until, ahead: None, detail }
}
