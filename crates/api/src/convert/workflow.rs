//! Workflows, their graphs, and what an apply did.

use super::revision;
use consort_node::{Action, Applied, ChangeKind, CurrentWorkflow, Problem, Severity};
use consort_spec::{
    EdgeKind,
    definition::{Body, Concurrency, WhenFull, Workflow},
};
use consort_store::WorkflowRevision;
use consort_types::{Json, Name, Timestamp, format_duration};
use consort_wire as wire;
use std::collections::HashMap;

/// A workflow in its newest revision.
pub fn workflow(namespace: &Name, current: &CurrentWorkflow, updated_at: Timestamp) -> wire::Workflow {
    wire::Workflow {
        namespace: namespace.to_string(),
        name: current.workflow.name.to_string(),
        revision: revision(current.revision),
        description: current.workflow.description.clone(),
        input: Json::of(current.workflow.input.document()),
        concurrency: current.workflow.concurrency.as_ref().map(concurrency),
        priority: current.workflow.priority,
        updated_at,
    }
}

fn concurrency(concurrency: &Concurrency) -> wire::Concurrency {
    let when_full = match concurrency.when_full {
        WhenFull::Queue => "queue",
        WhenFull::Reject => "reject",
        WhenFull::CancelOldest => "cancel_oldest",
    };
    let key = concurrency.key.as_ref().map(|key| match key.as_expr() {
        Some(expr) => format!("${{{}}}", expr.source()),
        None => "a text of several parts".to_owned(),
    });
    wire::Concurrency { limit: concurrency.limit, key, when_full: when_full.to_owned() }
}

/// A revision; `current` is that of new runs.
pub fn workflow_revision(stored: &WorkflowRevision, current: Option<u64>) -> wire::WorkflowRevision {
    wire::WorkflowRevision {
        revision: revision(stored.number),
        created_at: stored.applied_at,
        current: current == Some(stored.number),
    }
}

/// The graph of a revision.
pub fn graph(workflow: &Workflow, number: u64) -> wire::Graph {
    let graph = consort_spec::graph(workflow);
    let conditions = conditions(workflow);
    let cached = |id: &str| {
        let step = workflow.steps.iter().find(|step| step.path == id)?;
        step.cache.as_ref().map(|cache| format_duration(cache.keep))
    };
    let nodes = graph.nodes.into_iter().map(|node| wire::GraphNode {
        label: conditions.get(&node.id).cloned().or(Some(node.label).filter(|label| *label != node.name)),
        cache: cached(&node.id),
        id: node.id,
        name: node.name,
        kind: node.kind.to_owned(),
        call: node.call,
        for_each: node.for_each,
        parent: node.parent,
    });
    let edges = graph.edges.into_iter().map(|edge| wire::GraphEdge {
        from: edge.from,
        to: edge.to,
        kind: match edge.kind {
            EdgeKind::Data => wire::EdgeKind::Data,
            EdgeKind::After => wire::EdgeKind::After,
        },
    });
    wire::Graph { revision: revision(number), nodes: nodes.collect(), edges: edges.collect() }
}

/// Conditions by the path of the step that they stand before: a `when`, and that of a branch.
fn conditions(workflow: &Workflow) -> HashMap<String, String> {
    let mut conditions = HashMap::new();
    for step in &workflow.steps {
        if let Some(when) = &step.when {
            conditions.insert(step.path.clone(), when.source().to_owned());
        }
        let Body::Switch(branches) = &step.body else { continue };
        for branch in branches {
            let Some(when) = &branch.when else { continue };
            let steps = &workflow.scope(branch.scope).steps;
            conditions.extend(
                steps.iter().map(|step| (workflow.step(*step).path.clone(), when.source().to_owned())),
            );
        }
    }
    conditions
}

/// What an apply did, or would do.
pub fn applied(applied: Applied) -> wire::ApplyResponse {
    let changes = applied.changes.into_iter().map(|change| wire::Change {
        kind: match change.kind {
            ChangeKind::Service => wire::ChangeKind::Service,
            ChangeKind::Workflow => wire::ChangeKind::Workflow,
        },
        name: change.name.to_string(),
        action: match change.action {
            Action::Create => wire::ChangeAction::Create,
            Action::Update => wire::ChangeAction::Update,
            Action::Remove => wire::ChangeAction::Remove,
            Action::Unchanged => wire::ChangeAction::Unchanged,
        },
        revision: change.revision.map(revision),
        detail: None,
    });
    wire::ApplyResponse {
        namespace: Some(applied.namespace.to_string()),
        changes: changes.collect(),
        problems: applied.problems.into_iter().map(diagnostic).collect(),
    }
}

fn diagnostic(problem: Problem) -> wire::Diagnostic {
    let Problem { file, line, column, length: _, severity, code, message, hint } = problem;
    let severity = match severity {
        Severity::Error => wire::Severity::Error,
        Severity::Warning => wire::Severity::Warning,
    };
    wire::Diagnostic { file, line, column, severity, code: code.to_owned(), message, hint }
}
