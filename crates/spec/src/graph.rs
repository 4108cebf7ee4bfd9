//! A workflow as nodes and edges, for people to look at.

use crate::definition::{Body, Scope, ScopeId, StepId, Workflow};
use serde::Serialize;

/// A workflow as nodes and edges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// One for each step, inner ones included.
    pub nodes: Vec<GraphNode>,
    /// Who waits for whom.
    pub edges: Vec<GraphEdge>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GraphNode {
    /// Path of the step in the definition.
    pub id: String,
    /// The last part of the path.
    pub name: String,
    /// What it does: `call`, `switch`, …
    pub kind: &'static str,
    /// What it calls.
    pub call: Option<String>,
    /// Whether it runs once for each item of a list.
    pub for_each: bool,
    /// The step that it stands in.
    pub parent: Option<String>,
    /// What the reader sees first: the description's first line, else the name.
    pub label: String,
}

/// One step waits for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GraphEdge {
    /// Done first.
    pub from: String,
    /// Waits.
    pub to: String,
    /// Why.
    pub kind: EdgeKind,
}

/// Why a step waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EdgeKind {
    /// It names the other's output.
    Data,
    /// `after` says so.
    After,
}

/// The graph of a workflow, in the order of the file.
pub fn graph(workflow: &Workflow) -> Graph {
    let path = |id: StepId| workflow.step(id).path.clone();
    let nodes = workflow.steps.iter().map(|step| {
        let owner = owner(workflow, step.scope);
        let name = step.path.rsplit('.').next().unwrap_or(&step.path).to_owned();
        let first_line = step.description.as_ref().and_then(|text| text.lines().next());
        GraphNode {
            id: step.path.clone(),
            kind: step.body.kind(),
            call: match &step.body {
                Body::Call(call) => Some(call.operation.name.to_string()),
                Body::Run { workflow, .. } => Some(workflow.to_string()),
                _ => None,
            },
            for_each: step.for_each.is_some(),
            parent: owner.map(path),
            label: first_line.map_or_else(|| name.clone(), str::to_owned),
            name,
        }
    });
    let edges = workflow.steps.iter().flat_map(|step| {
        step.waits_for.iter().map(move |from| GraphEdge {
            from: path(*from),
            to: step.path.clone(),
            kind: if step.after.contains(from) { EdgeKind::After } else { EdgeKind::Data },
        })
    });
    Graph { nodes: nodes.collect(), edges: edges.collect() }
}

fn owner(workflow: &Workflow, scope: ScopeId) -> Option<StepId> {
    let Scope { owner, .. } = workflow.scope(scope);
    *owner
}
