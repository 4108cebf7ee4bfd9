//! Calls: handing them out, and taking their answers.

use super::Decider;
use crate::{
    AttemptResult, Dispatch, Effect, Entry, NodeId, Outcome, UndoInput,
    run::{Names, Role, Run},
};
use consort_spec::definition::{AwaitKind, Body, Call, Delivery};
use consort_types::{AttemptState, ErrorKind, FieldError, Json, RunError, StepState};
use std::time::Duration;

impl Decider<'_> {
    /// Makes the node's call, or looks for an earlier result of it first.
    pub(crate) fn dispatch(&mut self, id: NodeId) {
        if self.run.asks_cache(id) { self.ask_cache(id) } else { self.hand_out(id) }
    }

    /// Hands the node's call out.
    pub(crate) fn hand_out(&mut self, id: NodeId) {
        match self.run.prepare_dispatch(id) {
            Ok(dispatch) => self.effect(Effect::Dispatch(Box::new(dispatch))),
            Err(error) if self.run.node(id).role == Role::Undo => self.undo_failed(id, error, None),
            Err(error) if self.run.is_resolve(id) => self.resolve_failed(id, error, None),
            Err(error) => self.try_failed(id, error, None),
        }
    }

    /// The newest attempt of a node has ended.
    pub(crate) fn attempt_ended(&mut self, id: NodeId, attempt: crate::Attempt, result: AttemptResult) {
        match &result {
            AttemptResult::Succeeded(output) => self.settle_permits(id, Some(output)),
            AttemptResult::Failed { .. } | AttemptResult::Unsent { .. } => self.settle_permits(id, None),
            AttemptResult::Interrupted => {}
        }
        match result {
            AttemptResult::Succeeded(output) => match self.run.check_output(id, &output) {
                Ok(output) => {
                    self.keep(id, &attempt, &output);
                    self.record(Entry::Attempted { n: id, a: Box::new(attempt) });
                    self.call_succeeded(id, output);
                }
                Err(error) => self.attempt_failed(id, attempt, AttemptState::Failed, error, None),
            },
            AttemptResult::Failed { state, error, retry_after } => {
                self.attempt_failed(id, attempt, state, error, retry_after);
            }
            AttemptResult::Unsent { error } => {
                let attempt = crate::Attempt { unsent: true, ..attempt };
                self.attempt_failed(id, attempt, AttemptState::Failed, error, None);
            }
            AttemptResult::Interrupted if self.run.node(id).sent.is_some() => {
                let message = "the call was cut short when it was out";
                let error = RunError::new("E_LOST", ErrorKind::Lost, message).retryable();
                self.attempt_failed(id, attempt, AttemptState::Lost, error, None);
            }
            AttemptResult::Interrupted => self.attempt_interrupted(id),
        }
    }

    fn call_succeeded(&mut self, id: NodeId, output: Json) {
        match self.run.node(id).role {
            Role::Undo => self.undo_succeeded(id),
            Role::Resolve => self.resolve_succeeded(id, output),
            Role::Top | Role::Step | Role::Item(_) => self.body_succeeded(id, output),
        }
    }

    fn attempt_failed(
        &mut self,
        id: NodeId,
        mut attempt: crate::Attempt,
        state: AttemptState,
        mut error: RunError,
        retry_after: Option<Duration>,
    ) {
        error.attempt = Some(attempt.number);
        error.step.get_or_insert_with(|| self.run.key_of(id));
        attempt.state = state;
        attempt.error = Some(Box::new(error.clone()));
        self.record(Entry::Attempted { n: id, a: Box::new(attempt) });
        if self.run.node(id).role == Role::Undo {
            self.undo_failed(id, error, retry_after);
        } else if self.run.is_resolve(id) {
            self.resolve_failed(id, error, retry_after);
        } else if self.run.must_be_resolved(id, state) {
            self.doubt(id, error);
        } else if state == AttemptState::Cancelled {
            self.conclude(id, Outcome::Cancelled);
        } else {
            self.try_failed(id, error, retry_after);
        }
    }

    /// Consort itself cut the try short: the same try again, unless nothing may start any more.
    pub(crate) fn attempt_interrupted(&mut self, id: NodeId) {
        let is_aside = self.run.node(id).is_aside();
        if !is_aside && self.run.is_cut_off(id) {
            return self.conclude(id, Outcome::Cancelled);
        }
        self.record(Entry::Interrupted { n: id });
        if self.run.paused.is_none() || is_aside {
            self.dispatch(id);
        }
    }
}

impl Run {
    /// The call of a node that is ready to be sent.
    ///
    /// # Errors
    /// When its input cannot be computed or does not fit.
    pub(crate) fn prepare_dispatch(&self, id: NodeId) -> Result<Dispatch, RunError> {
        let (call, input) = self.call_and_input(id)?;
        let operation = call.operation.clone();
        let input = operation.input.check(&input).map_err(|fields| {
            let what = format!("the input of {} does not fit its schema", operation.name);
            schema_error("E_INVALID_INPUT", ErrorKind::InvalidInput, &what, &fields)
        })?;
        let node = self.node(id);
        let step = self.step_of(id);
        let timeout = step.timeout.filter(|_| !node.is_aside()).unwrap_or(operation.timeout);
        let delivery = if node.is_aside() { Delivery::AtLeastOnce } else { step.delivery };
        let priority = self.priority_of(id);
        let wants = self.wants_of(id)?;
        Ok(Dispatch {
            token: self.token(id),
            workflow: self.workflow.name.clone(),
            limit_key: self.limit_key().map(str::to_owned),
            step: self.key_of(id),
            attempt: node.tries,
            idempotency_key: self.idempotency_key(id)?,
            cache: self.kept_under(id),
            undoes: self.undoes(id),
            delivery,
            operation,
            input,
            timeout,
            priority,
            wants,
        })
    }

    fn call_and_input(&self, id: NodeId) -> Result<(&Call, Json), RunError> {
        let step = self.step_of(id);
        if self.node(id).role == Role::Undo {
            let of = self.node(id).parent.expect("an undo has a parent");
            let item = self.undo_list.iter().rfind(|item| item.of == of);
            return match (step.undo.as_ref(), item.map(|item| &item.input)) {
                (Some(call), Some(UndoInput::Input(input) | UndoInput::Unknown(input))) => {
                    Ok((call, input.clone()))
                }
                (_, Some(UndoInput::Error(error))) => Err((**error).clone()),
                _ => Err(RunError::new("E_NOTHING_TO_UNDO", ErrorKind::Failed, "there is nothing to undo")),
            };
        }
        let Some(call) = self.call_of(id) else {
            return Err(RunError::new("E_NOT_A_CALL", ErrorKind::Failed, "the step calls nothing"));
        };
        let mut names = Names::at(self, id);
        if let Some(of) = self.node(id).parent.filter(|_| self.is_resolve(id)) {
            names = names.with("key", Json::of(&self.idempotency_key(of)?));
        }
        let input = call.with.evaluate(&names).map_err(|error| super::expression_error(&error))?;
        Ok((call, input))
    }

    /// What a node calls, where it calls anything.
    pub(crate) fn call_of(&self, id: NodeId) -> Option<&Call> {
        let step = self.step_of(id);
        match (self.node(id).role, &step.body) {
            (Role::Undo, _) => step.undo.as_ref(),
            (Role::Resolve, _) => step.resolve.as_ref(),
            (Role::Top | Role::Step | Role::Item(_), Body::Call(call)) => Some(call),
            (Role::Top | Role::Step | Role::Item(_), _) => None,
        }
    }

    /// Stable over the tries of one execution: the run, the node, and how often it was undone.
    pub(crate) fn idempotency_key(&self, id: NodeId) -> Result<String, RunError> {
        let step = self.step_of(id);
        if !self.node(id).is_aside()
            && let Some(key) = &step.key
        {
            let key = key.evaluate(&Names::at(self, id)).map_err(|error| super::expression_error(&error))?;
            return Ok(key.read::<String>().unwrap_or_else(|_| key.to_string()));
        }
        Ok(format!("{}-{}-{}", self.id(), id.0, self.node(id).epoch))
    }

    /// On an undo whose call's outcome is unknown: the key of that call.
    fn undoes(&self, id: NodeId) -> Option<String> {
        let of = self.node(id).parent.filter(|_| self.node(id).role == Role::Undo)?;
        let item = self.undo_list.iter().rfind(|item| item.of == of)?;
        matches!(item.input, UndoInput::Unknown(_)).then(|| self.idempotency_key(of).ok()).flatten()
    }

    /// How long the callee of a node may be silent after a 202, and how long a try may take.
    pub(crate) fn patience_with(&self, id: NodeId) -> (Duration, Duration) {
        let step = self.step_of(id);
        let Some(call) = self.call_of(id) else { return (Duration::ZERO, Duration::ZERO) };
        let timeout = step.timeout.filter(|_| !self.node(id).is_aside()).unwrap_or(call.operation.timeout);
        (call.operation.heartbeat, timeout)
    }

    pub(crate) fn check_output(&self, id: NodeId, output: &Json) -> Result<Json, RunError> {
        let Some(call) = self.call_of(id) else { return Ok(output.clone()) };
        call.operation.output.check(output).map_err(|fields| {
            let what = format!("the output of {} does not fit its schema", call.operation.name);
            schema_error("E_INVALID_OUTPUT", ErrorKind::InvalidOutput, &what, &fields)
        })
    }

    /// The input of a node as it is or was: for screens. None where it cannot be computed or there is none.
    pub(crate) fn input_of(&self, id: NodeId) -> Option<Json> {
        let node = self.node(id);
        let is_whole = node.role == Role::Step && self.step_of(id).for_each.is_some();
        if node.state == StepState::Pending || is_whole {
            return None;
        }
        if let Body::Run { with, .. } = &self.step_of(id).body
            && node.role != Role::Undo
        {
            return with.evaluate(&Names::at(self, id)).ok();
        }
        if let Body::Emit { data, .. } = &self.step_of(id).body
            && node.role != Role::Undo
        {
            return data.evaluate(&Names::at(self, id)).ok();
        }
        if let Body::Await(await_) = &self.step_of(id).body
            && !node.is_aside()
        {
            return self.question_of(id, &await_.kind);
        }
        self.call_and_input(id).ok().map(|(_, input)| input)
    }

    /// What a person is asked: the question, what to look at, and the form of the answer.
    fn question_of(&self, id: NodeId, kind: &AwaitKind) -> Option<Json> {
        let AwaitKind::Approval { ask, show, form, .. } = kind else { return None };
        let names = Names::at(self, id);
        let ask = ask.evaluate(&names).ok()?;
        let show = show.as_ref().and_then(|show| show.evaluate(&names).ok());
        Some(Json::of(&serde_json::json!({ "ask": ask, "show": show, "form": form.document() })))
    }
}

/// The first fields of a mismatch in a sentence, all of them in the details.
fn schema_error(code: &str, kind: ErrorKind, what: &str, fields: &[FieldError]) -> RunError {
    const FIELDS_SHOWN_MAX: usize = 3;
    let describe = |field: &FieldError| {
        let path = if field.path.is_empty() { "the value" } else { field.path.as_str() };
        format!("{path}: {}", field.message)
    };
    let mut shown: Vec<String> = fields.iter().take(FIELDS_SHOWN_MAX).map(describe).collect();
    if fields.len() > FIELDS_SHOWN_MAX {
        shown.push(format!("and {} more", fields.len() - FIELDS_SHOWN_MAX));
    }
    RunError::new(code, kind, format!("{what}: {}", shown.join("; "))).with_details(Json::of(fields))
}
