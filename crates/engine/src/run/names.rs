//! What an expression of a node sees.

use super::{NodeId, Role, Run};
use crate::OpenedAs;
use consort_expr::Scope;
use consort_spec::definition::{KeyPart, ScopeId, StepId};
use consort_types::{Json, StepState};
use std::borrow::Cow;

/// The names in scope at a node: the steps around it, the items and turns that it stands in, the run.
pub(crate) struct Names<'r> {
    run: &'r Run,
    at: NodeId,
    /// Steps of this scope of the node itself are seen too: for the output of a group.
    inner: Option<OpenedAs>,
    /// Names that only this expression sees: `output`, `error`, `key`.
    extra: Vec<(Cow<'static, str>, Json)>,
}

impl<'r> Names<'r> {
    pub fn at(run: &'r Run, at: NodeId) -> Self {
        Self { run, at, inner: None, extra: Vec::new() }
    }

    /// Also sees the steps inside the node.
    pub fn with_inner(mut self, opened: OpenedAs) -> Self {
        self.inner = Some(opened);
        self
    }

    /// Also sees a name of its own.
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: Json) -> Self {
        self.extra.push((name.into(), value));
        self
    }

    fn run_object(&self) -> Json {
        let run = self.run;
        Json::of(&serde_json::json!({
            "id": run.id(),
            "workflow": run.workflow.name,
            "revision": run.started.revision,
            "started_at": run.admitted_at.unwrap_or(run.created_at),
            "tags": run.started.tags,
            "attempt": run.passes.len() + 1,
            "state": run.end.as_ref().map(|end| end.state),
        }))
    }

    fn item_name(&self, id: NodeId, name: &str) -> Option<Json> {
        let node = self.run.node(id);
        let Role::Item(index) = node.role else { return None };
        let for_each = self.run.step_of(id).for_each.as_ref()?;
        if name == for_each.item_name() {
            let whole = node.parent.map(|parent| self.run.node(parent));
            return whole?.items.as_ref()?.value(index).cloned();
        }
        (name == for_each.index_name()).then(|| Json::of(&index))
    }

    /// Names that the scope around a node brings, other than its steps.
    fn opened_name(&self, parent: NodeId, opened: OpenedAs, name: &str) -> Option<Json> {
        match (opened, name) {
            (OpenedAs::Turn(turn), "index") => Some(Json::of(&turn)),
            (OpenedAs::Turn(turn), "carry") => self.run.node(parent).turns.get(turn as usize).cloned(),
            (OpenedAs::Catch | OpenedAs::Finally, "error") => {
                let error = self.run.error_of(parent);
                Some(error.map_or_else(Json::null, Json::of))
            }
            _ => None,
        }
    }
}

impl Scope for Names<'_> {
    fn get(&self, name: &str) -> Option<Json> {
        if let Some((_, value)) = self.extra.iter().find(|(extra, _)| *extra == name) {
            return Some(value.clone());
        }
        if let Some(inner) = self.inner
            && let Some(opened) = self.run.node(self.at).opened_as(inner)
            && let Some(step) = self.run.find_step(opened.scope, name)
        {
            return Some(self.run.output_seen(NodeId(opened.base + self.run.workflow.step(step).position)));
        }
        let mut id = self.at;
        loop {
            if let Some(value) = self.item_name(id, name) {
                return Some(value);
            }
            let Some(parent) = self.run.node(id).parent else { break };
            if let Some(opened) = self.run.node(parent).opened_around(id) {
                if let Some(step) = self.run.find_step(opened.scope, name) {
                    let position = self.run.workflow.step(step).position;
                    return Some(self.run.output_seen(NodeId(opened.base + position)));
                }
                if let Some(value) = self.opened_name(parent, opened.as_, name) {
                    return Some(value);
                }
            }
            id = parent;
        }
        match name {
            "input" => Some(self.run.started.input.clone()),
            "run" => Some(self.run_object()),
            "previous" => Some(self.run.started.previous.clone().unwrap_or_else(Json::null)),
            _ => None,
        }
    }
}

impl Run {
    /// A step of a scope by its name.
    fn find_step(&self, scope: ScopeId, name: &str) -> Option<StepId> {
        self.workflow.scope(scope).steps.iter().copied().find(
            |step| matches!(&self.workflow.step(*step).key_part, KeyPart::Name(own) if own.as_str() == name),
        )
    }

    /// What others see as the output of a node: null unless it succeeded.
    pub(crate) fn output_seen(&self, id: NodeId) -> Json {
        self.node(id).output.clone().unwrap_or_else(Json::null)
    }

    /// The error that a catch or a `finally` of a node sees.
    fn error_of(&self, id: NodeId) -> Option<&consort_types::RunError> {
        let node = self.node(id);
        if let Some(crate::Outcome::Failed { error }) = node.ending.as_deref() {
            return Some(error);
        }
        if node.role == Role::Top {
            return self.end.as_ref().and_then(|end| end.error.as_deref());
        }
        node.error.as_deref()
    }

    /// The node of a dependency, seen from a node: the step of that id in a scope around it.
    pub(crate) fn resolve(&self, from: NodeId, dependency: StepId) -> Option<NodeId> {
        let wanted = self.workflow.step(dependency);
        let mut id = from;
        while let Some(parent) = self.node(id).parent {
            if let Some(opened) = self.node(parent).opened_around(id)
                && opened.scope == wanted.scope
            {
                return Some(NodeId(opened.base + wanted.position));
            }
            id = parent;
        }
        None
    }

    /// Whether a node counts as done for those that named it.
    pub(crate) fn is_done(&self, id: NodeId) -> bool {
        matches!(self.node(id).state, StepState::Succeeded | StepState::Skipped)
    }
}
