//! Starting what a step does.

use super::Decider;
use crate::{Entry, NodeId, OpenedAs, TimerKind, WaitFor, run::Names};
use consort_spec::definition::{AwaitKind, Body, ScopeId, Wait};
use consort_types::{ErrorKind, Json, RunError, Timestamp};

impl Decider<'_> {
    /// Starts a step whose time has come.
    pub(crate) fn start(&mut self, id: NodeId) {
        let timeout_at = self.timeout_of(id);
        self.record(Entry::Started { n: id, timeout_at });
        if let Some(at) = timeout_at {
            self.set_timer(id, TimerKind::Timeout, at);
        }
        if self.run.step_of(id).for_each.is_some() {
            self.begin_items(id);
        } else {
            self.begin_body(id);
        }
    }

    /// When a node will have taken too long. A call bounds each of its tries instead.
    pub(crate) fn timeout_of(&self, id: NodeId) -> Option<Timestamp> {
        let step = self.run.step_of(id);
        let is_call = matches!(step.body, Body::Call(_));
        step.timeout.filter(|_| !is_call && step.for_each.is_none()).map(|timeout| self.now.plus(timeout))
    }

    /// Begins the body of a step or of an item.
    pub(crate) fn begin_body(&mut self, id: NodeId) {
        let workflow = self.run.workflow.clone();
        let step = workflow.step(self.run.node(id).step.expect("the top has no body"));
        match &step.body {
            Body::Call(_) => self.dispatch(id),
            Body::Group { scope, .. } => self.open(id, *scope, OpenedAs::Body),
            Body::Switch(branches) => self.begin_switch(id, branches),
            Body::Value(template) => match self.evaluate(template, &Names::at(self.run, id)) {
                Ok(value) => self.body_succeeded(id, value),
                Err(error) => self.try_failed(id, error, None),
            },
            Body::Loop(turns) => self.begin_loop(id, turns),
            Body::Wait(wait) => self.begin_wait(id, wait),
            Body::Await(await_) => self.begin_await(id, &await_.kind),
            Body::Fail(fail) => {
                let error = self.failure_on_purpose(id, fail);
                self.try_failed(id, error, None);
            }
            // What cannot run yet is refused at apply; a run can only get here with a definition that an
            // older program let through.
            Body::Run { .. } => self.begin_child(id),
            Body::Emit { .. } => {
                let message = format!("a {} step cannot run in this version", step.body.kind());
                self.try_failed(id, RunError::new("E_UNSUPPORTED", ErrorKind::Failed, message), None);
            }
        }
    }

    /// Opens a scope inside a node. What can start there is considered next.
    pub(crate) fn open(&mut self, id: NodeId, scope: ScopeId, as_: OpenedAs) {
        self.record(Entry::Opened { n: id, s: scope.into(), r#as: as_ });
        if self.run.workflow.scope(scope).steps.is_empty() {
            self.scope_done(id, as_);
        }
    }

    fn begin_switch(&mut self, id: NodeId, branches: &[consort_spec::definition::Branch]) {
        for branch in branches {
            let holds = match &branch.when {
                None => Ok(true),
                Some(when) => when.evaluate_bool(&Names::at(self.run, id)),
            };
            match holds {
                Ok(true) => return self.open(id, branch.scope, OpenedAs::Body),
                Ok(false) => {}
                Err(error) => return self.try_failed(id, super::expression_error(&error), None),
            }
        }
        self.body_succeeded(id, Json::null());
    }

    fn begin_wait(&mut self, id: NodeId, wait: &Wait) {
        let until = match wait {
            Wait::For(duration) => Ok(self.now.plus(*duration)),
            Wait::Until(template) => self.evaluate(template, &Names::at(self.run, id)).and_then(|value| {
                value.read::<Timestamp>().map_err(|_| {
                    let message = format!("`wait: until` needs a time, it was given {value}");
                    RunError::new("E_NOT_A_TIME", ErrorKind::Expression, message)
                })
            }),
        };
        match until {
            Ok(until) if until <= self.now => self.body_succeeded(id, Json::null()),
            Ok(until) => {
                self.record(Entry::Waiting { n: id, r#for: WaitFor::Timer, until: Some(until), error: None });
                self.set_timer(id, TimerKind::Wake, until);
            }
            Err(error) => self.try_failed(id, error, None),
        }
    }

    fn begin_await(&mut self, id: NodeId, kind: &AwaitKind) {
        match kind {
            AwaitKind::Signal { name } => {
                let until = self.run.node(id).timeout_at;
                self.record(Entry::Waiting {
                    n: id,
                    r#for: WaitFor::Signal(name.clone()),
                    until,
                    error: None,
                });
                self.deliver_signals(name);
            }
            AwaitKind::Approval { ask, show, .. } => {
                let names = Names::at(self.run, id);
                let asked = self.evaluate(ask, &names);
                let shown = show.as_ref().map(|show| self.evaluate(show, &names)).transpose();
                match (asked, shown) {
                    (Ok(ask), Ok(show)) => {
                        let ask = ask.read::<String>().unwrap_or_else(|_| ask.to_string());
                        let until = self.run.node(id).timeout_at;
                        self.record(Entry::Waiting {
                            n: id,
                            r#for: WaitFor::Approval { ask, show },
                            until,
                            error: None,
                        });
                    }
                    (Err(error), _) | (_, Err(error)) => self.try_failed(id, error, None),
                }
            }
            AwaitKind::Event { .. } => {
                let message = "awaiting an event cannot run in this version";
                self.try_failed(id, RunError::new("E_UNSUPPORTED", ErrorKind::Failed, message), None);
            }
        }
    }

    /// Gives signals that have come to the steps that wait for them, oldest to oldest.
    pub(crate) fn deliver_signals(&mut self, name: &consort_types::Name) {
        while let Some(body) = self.run.signals.get(name).and_then(|bodies| bodies.front()).cloned() {
            let awaits = |node: &crate::run::Node| {
                let waits = node.waiting.as_ref().map(|waiting| &waiting.for_);
                waits == Some(&WaitFor::Signal(name.clone()))
            };
            let Some(position) = self.run.nodes.iter().position(awaits) else { return };
            self.record(Entry::SignalTaken { name: name.clone() });
            self.body_succeeded(NodeId(position as u32), body);
        }
    }

    fn failure_on_purpose(&self, id: NodeId, fail: &consort_spec::definition::Fail) -> RunError {
        let names = Names::at(self.run, id);
        let text = |template| {
            self.evaluate(template, &names)
                .map(|value: Json| value.read::<String>().unwrap_or_else(|_| value.to_string()))
        };
        let code = fail.code.as_ref().map_or_else(|| Ok("FAILED".to_owned()), text);
        let details = fail.details.as_ref().map(|details| self.evaluate(details, &names)).transpose();
        match (code, text(&fail.message), details) {
            (Ok(code), Ok(message), Ok(details)) => {
                RunError { details, ..RunError::new(code, ErrorKind::Failed, message) }
            }
            (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => error,
        }
    }
}
