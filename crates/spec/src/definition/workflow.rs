//! Workflows.

use super::{Concurrency, OnFailure, Pool, Retry, Schema, Scope, ScopeId, Step, StepId};
use consort_expr::Template;
use consort_types::{Digest, Name};
use std::{collections::BTreeMap, time::Duration};

/// A workflow: a graph of steps, checked and immutable.
#[derive(Debug)]
pub struct Workflow {
    /// Its name.
    pub name: Name,
    /// Content of all that changes what a run does, the operations that it calls included.
    pub digest: Digest,
    /// What a start must bring.
    pub input: Schema,
    /// Every step, inner ones included.
    pub steps: Vec<Step>,
    /// Every scope.
    pub scopes: Vec<Scope>,
    /// The scope at the top.
    pub top: ScopeId,
    /// The run's output; a map of the top steps' outputs without it.
    pub output: Option<Template>,
    /// What becomes of a run that failed.
    pub on_failure: OnFailure,
    /// Whether a failed run is tried again.
    pub retry: Option<Retry>,
    /// From `started_at`, without `queued`, undo and `finally`.
    pub timeout: Option<Duration>,
    /// Run last, once, however the run ends.
    pub finally: Option<ScopeId>,
    /// How many runs may be live at once.
    pub concurrency: Option<Concurrency>,
    /// Whether an expression names `previous`; only then its runs are given it.
    pub names_previous: bool,
    /// Shown in lists, which filter by them.
    pub tags: BTreeMap<String, Template>,
    /// What each run has for itself, shared with its children.
    pub pools: BTreeMap<Name, Pool>,
    /// -100 to 100.
    pub priority: i32,
    /// For people.
    pub description: Option<String>,
}

impl Workflow {
    /// A step of this workflow.
    pub fn step(&self, id: StepId) -> &Step {
        &self.steps[id.0 as usize]
    }

    /// A scope of this workflow.
    pub fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.0 as usize]
    }
}
