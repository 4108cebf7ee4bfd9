//! A workflow while it is read: its steps as the engine will see them, and beside them what only the checker
//! needs: where each expression stands, what it sees, what it must be.

use super::expression::{Condition, Located};
use crate::{
    definition::{Schema, Scope, ScopeId, Step, StepId},
    diagnostics::Span,
    yaml::Node,
};
use consort_expr::{Reference, Type};
use consort_types::Name;
use std::collections::HashMap;

/// A workflow while it is read.
#[derive(Default)]
pub(crate) struct Draft<'a> {
    pub steps: Vec<Step>,
    pub notes: Vec<StepNotes<'a>>,
    pub scopes: Vec<Scope>,
    pub frames: Vec<Frame<'a>>,
    pub sites: Vec<Site<'a>>,
    /// Where a step names another that it waits for; the first place in the file.
    pub wait_places: HashMap<(StepId, StepId), Span>,
    /// Pools that only a workflow that runs this one can bring, and where they are named.
    pub inherited_pools: Vec<(Name, Span)>,
}

/// What the checker knows of a step beside its definition.
pub(crate) struct StepNotes<'a> {
    /// Where the step is named.
    pub name: Span,
    /// What `after` lists.
    pub after: Vec<(&'a str, Span)>,
    /// Its type is not known because something in it was refused; nothing more is reported of its uses.
    pub opaque: bool,
    /// Its own `when`, which holds for all else in it.
    pub when: Option<Assumed>,
}

/// What the checker knows of a scope beside its definition.
pub(crate) struct Frame<'a> {
    pub kind: FrameKind,
    /// The scope around it.
    pub parent: Option<ScopeId>,
    /// Its steps by name.
    pub names: HashMap<&'a str, StepId>,
    /// What is known when a step in it starts: the conditions of the branch or the `catch`.
    pub assumes: Vec<Assumed>,
}

/// A condition, by its place in [`Draft::sites`], that is known to have been true or false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Assumed {
    pub site: usize,
    pub truth: bool,
}

/// Why there is a scope; decides what is in scope beside steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// The top of a workflow.
    Top,
    /// `steps:` of a step.
    Group,
    /// A turn.
    Turn,
    /// One branch of a `switch`.
    Branch,
    /// What takes over.
    Catch,
    /// `finally` of a step.
    Finally,
    /// `finally` of the workflow: sees all steps and waits for none.
    WorkflowFinally,
}

/// One place with expressions.
pub(crate) struct Site<'a> {
    /// The step that evaluates it; none: the workflow.
    pub step: Option<StepId>,
    /// From where names are looked up.
    pub scope: ScopeId,
    /// What stands there.
    pub value: SiteValue<'a>,
    /// What it is to the step.
    pub role: Role,
    /// Names beside steps that it sees.
    pub sees: &'static [&'static str],
    /// Steps inside the step that it sees.
    pub inner: Option<ScopeId>,
    /// What it must be.
    pub expects: Expects,
    /// What is known when it is evaluated, beside what its step and its scopes tell.
    pub assumes: Vec<Assumed>,
    /// What each name that it reads means; filled in by `resolve`.
    pub names: Vec<(String, Meaning)>,
}

/// An expression or a value with expressions.
pub(crate) enum SiteValue<'a> {
    Value(Located<'a>),
    Condition(Condition<'a>),
}

/// What a site is to its step, where later checks ask for its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// The `when` of the step: no item is in scope yet.
    When,
    /// The list of a `for_each`.
    List,
    /// The value of a `value` step.
    Value,
    /// What shapes the output.
    Output,
    /// What stands in when the time is over.
    OnTimeout,
    /// The input of its `undo`.
    Undo,
    /// What the first turn of a loop sees as `carry`.
    Carry,
    /// What makes the next `carry`.
    Next,
    /// Anything else.
    Other,
}

/// What a site must be.
pub(crate) enum Expects {
    Anything,
    /// True or false.
    Condition,
    /// A list to go over.
    List,
    /// The input of an operation or a workflow.
    Input {
        /// Its schema, which may say more than the type that expressions see.
        schema: Schema,
        /// What takes it, for messages.
        callee: String,
        /// Where a missing field is reported.
        place: Span,
    },
    /// Some type.
    Type(Type),
}

/// What a name in an expression means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The output of a step.
    Step(StepId),
    /// The same where the step may not have run.
    PerhapsStep(StepId),
    Input,
    Run,
    /// The same in the `finally` of the workflow, where it is known how the run ended.
    EndedRun,
    Previous,
    Item(StepId),
    Index,
    /// Of the loop.
    Carry(StepId),
    /// Of the step; none: of the run.
    Error(Option<StepId>),
    /// The same in a `finally`, where it is null on success.
    PerhapsError(Option<StepId>),
    Event,
    /// What the body of the step itself gave.
    Output(StepId),
    /// The same as others see it, item by item: shaped by `output`.
    Shaped(StepId),
    Key,
    /// Nothing bears the name; that is reported.
    Unknown,
}

impl<'a> Draft<'a> {
    /// Opens a scope.
    pub(crate) fn open(
        &mut self,
        kind: FrameKind,
        owner: Option<StepId>,
        parent: Option<ScopeId>,
    ) -> ScopeId {
        let id = ScopeId(self.scopes.len() as u32);
        self.scopes.push(Scope { owner, steps: Vec::new() });
        self.frames.push(Frame { kind, parent, names: HashMap::new(), assumes: Vec::new() });
        id
    }

    /// The condition that was noted last, as known to be true or false.
    pub(crate) fn newest_site(&self) -> usize {
        self.sites.len().saturating_sub(1)
    }

    pub(crate) fn frame(&self, id: ScopeId) -> &Frame<'a> {
        &self.frames[id.0 as usize]
    }

    pub(crate) fn step(&self, id: StepId) -> &Step {
        &self.steps[id.0 as usize]
    }

    pub(crate) fn step_mut(&mut self, id: StepId) -> &mut Step {
        &mut self.steps[id.0 as usize]
    }

    /// The scope and those around it, from the inside out.
    pub(crate) fn enclosing(&self, scope: ScopeId) -> impl Iterator<Item = ScopeId> + '_ {
        std::iter::successors(Some(scope), |scope| self.frame(*scope).parent)
    }
}

impl<'a> Site<'a> {
    /// What a name that it reads means.
    pub(crate) fn meaning(&self, name: &str) -> Option<Meaning> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, meaning)| *meaning)
    }

    /// Each name that is read, with its place.
    pub(crate) fn references(&self) -> Vec<(Reference, Span)> {
        let mut found = Vec::new();
        match &self.value {
            SiteValue::Value(value) => collect(value, &mut found),
            SiteValue::Condition(condition) => {
                for reference in condition.expr.references() {
                    let offset = condition.base + reference.offset;
                    found.push((reference.clone(), name_place(condition.node, offset, reference)));
                }
            }
        }
        found
    }
}

/// Each name that a value reads, with its place.
pub(crate) fn references(value: &Located<'_>) -> Vec<(Reference, Span)> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Located<'_>, found: &mut Vec<(Reference, Span)>) {
    match value {
        Located::Absent(_) | Located::Literal(_) => {}
        Located::Text(node, template) => {
            for reference in template.references() {
                found.push((reference.clone(), name_place(node, reference.offset, &reference)));
            }
        }
        Located::List(_, items) => items.iter().for_each(|item| collect(item, found)),
        Located::Map(_, entries) => entries.iter().for_each(|(_, value)| collect(value, found)),
    }
}

fn name_place(node: &Node, offset: usize, reference: &Reference) -> Span {
    super::expression::place(node, offset, reference.root.len())
}
