//! `loop`: turns of a scope until a condition holds, each with what the one before handed on.

use super::Decider;
use crate::{
    Entry, NodeId, OpenedAs, Outcome, TimerKind, WaitFor,
    run::{Names, Run},
};
use consort_spec::definition::{Body, Loop, Workflow};
use consort_types::{ErrorKind, Json, RunError};
use serde_json::Value;

impl Decider<'_> {
    /// Begins the first turn.
    pub(crate) fn begin_loop(&mut self, id: NodeId, turns: &Loop) {
        let names = Names::at(self.run, id);
        match turns.carry.as_ref().map_or_else(|| Ok(Json::null()), |carry| self.evaluate(carry, &names)) {
            Ok(carry) => self.begin_turn(id, turns, carry),
            Err(error) => self.try_failed(id, error, None),
        }
    }

    fn begin_turn(&mut self, id: NodeId, turns: &Loop, carry: Json) {
        let turn = self.run.node(id).turns.len() as u32;
        self.record(Entry::TurnBegan { n: id, carry });
        self.open(id, turns.scope, OpenedAs::Turn(turn));
    }

    /// The steps of a turn are done: the loop is, or another turn follows.
    pub(crate) fn turn_done(&mut self, id: NodeId, turn: u32) {
        let workflow = self.run.workflow.clone();
        let Some(turns) = loop_of(&workflow, self.run, id) else { return };
        let names = self.run.names_after_turn(id, turn);
        match turns.until.evaluate_bool(&names) {
            Err(error) => self.try_failed(id, super::expression_error(&error), None),
            Ok(true) => match &self.run.step_of(id).output {
                Some(output) => match self.evaluate(output, &names) {
                    Ok(output) => self.body_succeeded(id, output),
                    Err(error) => self.try_failed(id, error, None),
                },
                None => {
                    let output = self.map_of_outputs(id, OpenedAs::Turn(turn));
                    self.body_succeeded(id, output);
                }
            },
            // Nothing new starts here any more.
            Ok(false) if self.run.is_cut_off(id) => self.conclude(id, Outcome::Cancelled),
            Ok(false) if turn + 1 >= turns.max => {
                let message = format!("the loop has not come to its end within `max: {}` turns", turns.max);
                self.try_failed(id, RunError::new("E_TOO_MANY_TURNS", ErrorKind::Limit, message), None);
            }
            Ok(false) => match turns.delay {
                Some(delay) => {
                    let until = Some(self.now.plus(delay));
                    self.record(Entry::Waiting { n: id, r#for: WaitFor::Timer, until, error: None });
                    self.set_timer(id, TimerKind::Wake, self.now.plus(delay));
                }
                None => self.next_turn(id),
            },
        }
    }

    /// Begins the turn after the newest one.
    pub(crate) fn next_turn(&mut self, id: NodeId) {
        let workflow = self.run.workflow.clone();
        let Some(turns) = loop_of(&workflow, self.run, id) else { return };
        let newest = self.run.node(id).turns.len() as u32 - 1;
        let carry = self.run.node(id).turns[newest as usize].clone();
        let names = self.run.names_after_turn(id, newest);
        match turns.next.as_ref().map(|next| self.evaluate(next, &names)) {
            None => self.begin_turn(id, turns, carry),
            Some(Ok(next)) => self.begin_turn(id, turns, merged(&carry, next)),
            Some(Err(error)) => self.try_failed(id, error, None),
        }
    }
}

impl Run {
    /// What `until`, `next` and the output of a loop see: the turn's steps, `carry` and `index`.
    fn names_after_turn(&self, id: NodeId, turn: u32) -> Names<'_> {
        let carry = self.node(id).turns.get(turn as usize).cloned().unwrap_or_else(Json::null);
        Names::at(self, id)
            .with_inner(OpenedAs::Turn(turn))
            .with("carry", carry)
            .with("index", Json::of(&turn))
    }
}

fn loop_of<'w>(workflow: &'w Workflow, run: &Run, id: NodeId) -> Option<&'w Loop> {
    match &workflow.step(run.node(id).step?).body {
        Body::Loop(turns) => Some(turns),
        _ => None,
    }
}

/// `next` leaves the fields that it does not name as they are.
fn merged(carry: &Json, next: Json) -> Json {
    match (carry.to_value(), next.to_value()) {
        (Value::Object(mut carry), Value::Object(next)) => {
            carry.extend(next);
            Json::from(Value::Object(carry))
        }
        _ => next,
    }
}
