//! Scopes: what follows when a step inside ends, and when the last one has.

use super::Decider;
use crate::{
    Effect, Entry, NodeId, OpenedAs, Outcome, WaitFor,
    run::{Names, Role, Run, TOP},
};
use consort_spec::definition::Body;
use consort_types::{Json, RunError, StepState};

impl Decider<'_> {
    /// A step of a scope has ended.
    pub(crate) fn step_ended(&mut self, parent: NodeId, child: NodeId) {
        let Some(opened) = self.run.node(parent).opened_around(child).copied() else {
            // The scope was left behind by a new try of its node.
            return;
        };
        match self.run.first_of(parent).filter(|_| opened.as_ == OpenedAs::Body) {
            Some(first) => self.contender_ended(parent, child, first),
            None if self.run.node(child).state == StepState::Failed && !self.run.node(parent).closing => {
                self.close(parent, Some(child));
            }
            None => {}
        }
        self.go_on(parent, opened.as_);
    }

    /// Looks whether a node that had something going on inside has come to its end.
    pub(crate) fn go_on(&mut self, id: NodeId, as_: OpenedAs) {
        let node = self.run.node(id);
        if node.active > 0 || node.state.is_terminal() {
            return;
        }
        if node.has_enough {
            return self.scope_done(id, as_);
        }
        let is_race = as_ == OpenedAs::Body && self.run.first_of(id).is_some();
        if is_race {
            self.ask_race(id);
        }
        let node = self.run.node(id);
        let all_well = !is_race && node.remaining == 0 && node.failure.is_none() && !node.closing;
        let is_cut_off = self.run.is_cut_off(id);
        if all_well && !(is_cut_off && self.run.has_cancelled_child(id)) {
            self.scope_done(id, as_);
        } else if is_cut_off {
            self.closed_scope_drained(id, as_);
        }
    }

    /// Every step of a scope has ended well.
    pub(crate) fn scope_done(&mut self, id: NodeId, as_: OpenedAs) {
        if id == TOP {
            return self.top_done(as_);
        }
        match as_ {
            OpenedAs::Turn(turn) => self.turn_done(id, turn),
            OpenedAs::Body => match self.scope_output(id, as_) {
                Ok(output) => self.body_succeeded(id, output),
                Err(error) => self.try_failed(id, error, None),
            },
            OpenedAs::Catch => {
                let output = self.only_output(id, as_);
                self.conclude(id, Outcome::Succeeded { output });
            }
            OpenedAs::Finally => self.finally_done(id, None),
        }
    }

    /// Nothing is going on any more in a node where nothing new may start.
    fn closed_scope_drained(&mut self, id: NodeId, as_: OpenedAs) {
        if id == TOP {
            return self.top_drained(as_);
        }
        let failure = self.run.failure_inside(id);
        match (failure, as_) {
            (Some(error), OpenedAs::Body | OpenedAs::Turn(_)) => self.try_failed(id, *error, None),
            (Some(error), OpenedAs::Catch) => self.conclude(id, Outcome::Failed { error }),
            (error, OpenedAs::Finally) => self.finally_done(id, error),
            (None, _) => self.conclude(id, Outcome::Cancelled),
        }
    }

    /// Starts nothing new inside a node, and ends what only waits there.
    pub(crate) fn close(&mut self, id: NodeId, by: Option<NodeId>) {
        self.record(Entry::Closed { n: id, by, error: None });
        self.quiet(id);
    }

    /// Ends what only waits inside a node. Calls in flight go on; calls that were not sent are withdrawn.
    pub(crate) fn quiet(&mut self, within: NodeId) {
        let mut below = vec![within];
        while let Some(id) = below.pop() {
            let active: Vec<NodeId> =
                self.run.children(id).filter(|child| self.run.node(*child).is_active()).collect();
            for child in active {
                match (self.run.node(child).state, self.run.node(child).active) {
                    // Taken back already: nobody would answer a withdrawal.
                    (StepState::Ready, _) if self.run.node(child).held => {
                        self.conclude(child, Outcome::Cancelled);
                    }
                    (StepState::Ready, _) => self.effect(Effect::Withdraw(self.run.token(child))),
                    // It will be known soon what became of its call, and how to undo that.
                    (StepState::Waiting, _) if self.run.waits_for(child, &WaitFor::Resolve) => {}
                    (StepState::Waiting, _) => self.end_waiting(child),
                    // Its `finally` or its undo runs: it ends by itself.
                    _ if self.run.node(child).ending.is_some() => {}
                    (_, 0) if self.run.undo_tasks.iter().any(|task| task.within == child) => {}
                    (_, 0) => self.conclude(child, Outcome::Cancelled),
                    _ => below.push(child),
                }
            }
        }
    }

    /// A node that only waits will not go on: one between two tries has failed, others are cut short.
    pub(crate) fn end_waiting(&mut self, id: NodeId) {
        if self.run.awaited_child(id).is_some() {
            return self.stop_child(id, None);
        }
        let node = self.run.node(id);
        let between_tries =
            self.run.waits_for(id, &WaitFor::Retry) || self.run.waits_for(id, &WaitFor::InDoubt);
        match (between_tries, node.error.clone()) {
            (true, Some(error)) => self.conclude(id, Outcome::Failed { error }),
            _ => self.conclude(id, Outcome::Cancelled),
        }
    }

    /// The output of a scope that is done: of the one step of a branch, or a map of all.
    fn scope_output(&self, id: NodeId, as_: OpenedAs) -> Result<Json, RunError> {
        if matches!(self.run.step_of(id).body, Body::Switch(_)) {
            return Ok(self.only_output(id, as_));
        }
        if let Some(output) = &self.run.step_of(id).output {
            return self.evaluate(output, &Names::at(self.run, id).with_inner(as_));
        }
        Ok(self.map_of_outputs(id, as_))
    }

    fn only_output(&self, id: NodeId, as_: OpenedAs) -> Json {
        let opened = self.run.node(id).opened_as(as_);
        let only = opened.and_then(|opened| opened.nodes().next());
        only.map_or_else(Json::null, |only| self.run.output_seen(only))
    }

    /// `{name: output}` of the steps of a scope, in the order of the file.
    pub(crate) fn map_of_outputs(&self, id: NodeId, as_: OpenedAs) -> Json {
        let opened = self.run.node(id).opened_as(as_);
        let nodes = opened.into_iter().flat_map(|opened| opened.nodes());
        let fields: Vec<(String, Json)> = nodes
            .filter_map(|node| match &self.run.step_of(node).key_part {
                consort_spec::definition::KeyPart::Name(name) => {
                    Some((name.to_string(), self.run.output_seen(node)))
                }
                consort_spec::definition::KeyPart::Index(_) => None,
            })
            .collect();
        json_map(&fields)
    }

    /// The body of a node has its output.
    pub(crate) fn body_succeeded(&mut self, id: NodeId, output: Json) {
        let step = self.run.step_of(id);
        // The output of a group is shaped where its steps are seen.
        let shape = step.output.as_ref().filter(|_| !matches!(step.body, Body::Group { .. } | Body::Loop(_)));
        let shaped = match shape {
            Some(shape) => self.evaluate(shape, &Names::at(self.run, id).with("output", output)),
            None => Ok(output),
        };
        match shaped {
            Ok(output) => self.conclude(id, Outcome::Succeeded { output }),
            Err(error) => self.fail_finally(id, error),
        }
    }

    /// How a node ends is decided: its `finally` runs first, where it has one.
    pub(crate) fn conclude(&mut self, id: NodeId, outcome: Outcome) {
        let finally = self.run.step_of(id).finally.filter(|_| self.run.node(id).role == Role::Step);
        match finally {
            Some(scope) if self.run.node(id).ending.is_none() => {
                self.record(Entry::Ending { n: id, outcome });
                self.open(id, scope, OpenedAs::Finally);
            }
            _ => self.end(id, outcome),
        }
    }

    /// The `finally` of a step has ended: what was decided before takes effect.
    fn finally_done(&mut self, id: NodeId, error: Option<Box<RunError>>) {
        let decided = self.run.node(id).ending.as_deref().cloned().unwrap_or(Outcome::Cancelled);
        match (decided, error) {
            (Outcome::Succeeded { .. }, Some(error)) => self.end(id, Outcome::Failed { error }),
            (decided, _) => self.end(id, decided),
        }
    }

    fn end(&mut self, id: NodeId, outcome: Outcome) {
        if self.run.is_out_of_race(id) {
            return self.end_out_of_race(id, &outcome);
        }
        match outcome {
            Outcome::Succeeded { output } => {
                let undo = self.undo_of_success(id, &output);
                self.record(Entry::Succeeded { n: id, o: output, undo });
            }
            Outcome::Failed { error } => {
                let undo = self.undo_in_doubt(id);
                self.record(Entry::Failed { n: id, error, undo });
            }
            Outcome::Cancelled => {
                let undo = self.undo_in_doubt(id);
                self.record(Entry::Cancelled { n: id, undo });
            }
        }
    }

    /// Others were first: what it has done all the same is undone.
    fn end_out_of_race(&mut self, id: NodeId, outcome: &Outcome) {
        let undo = match outcome {
            Outcome::Succeeded { output } => self.undo_of_success(id, output),
            Outcome::Failed { .. } => self.undo_in_doubt(id),
            Outcome::Cancelled => self.undo_in_doubt(id),
        };
        self.record(Entry::Cancelled { n: id, undo });
    }

    fn undo_of_success(&self, id: NodeId, output: &Json) -> Option<crate::UndoInput> {
        let node = self.run.node(id);
        // What a catch made of a failure has nothing to undo itself.
        let caught = node.opened_as(OpenedAs::Catch).is_some();
        let is_whole = node.role == Role::Step && self.run.step_of(id).for_each.is_some();
        (!caught && !is_whole).then(|| self.undo_input(id, output, true)).flatten()
    }

    /// A call that was late, lost or cut may have happened: it is undone too.
    fn undo_in_doubt(&self, id: NodeId) -> Option<crate::UndoInput> {
        let is_call = matches!(self.run.step_of(id).body, Body::Call(_));
        (is_call && self.run.node(id).in_doubt)
            .then(|| self.undo_input(id, &Json::null(), false))
            .flatten()
            .or_else(|| self.run.undo_left_by_child(id))
    }
}

impl Run {
    /// Whether a node waits for just this.
    pub(crate) fn waits_for(&self, id: NodeId, what: &WaitFor) -> bool {
        self.node(id).waiting.as_ref().is_some_and(|waiting| waiting.for_ == *what)
    }

    /// Whether something right inside a node was cut short.
    pub(crate) fn has_cancelled_child(&self, id: NodeId) -> bool {
        self.children(id).any(|child| self.node(child).state == StepState::Cancelled)
    }

    /// Why what stands inside a node failed: its own reason first, else that of the child that failed.
    pub(crate) fn failure_inside(&self, id: NodeId) -> Option<Box<RunError>> {
        let node = self.node(id);
        node.error.clone().or_else(|| node.failure.and_then(|child| self.node(child).error.clone()))
    }
}

/// `{name: value}` from texts that are JSON already.
fn json_map(fields: &[(String, Json)]) -> Json {
    let mut text =
        String::with_capacity(fields.iter().map(|(name, value)| name.len() + value.len() + 4).sum());
    text.push('{');
    for (position, (name, value)) in fields.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        text.push_str(Json::of(name).text());
        text.push(':');
        text.push_str(value.text());
    }
    text.push('}');
    Json::from_text(text).expect("JSON joined from JSON")
}
