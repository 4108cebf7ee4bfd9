//! What a rerun takes over of a run, and what it does anew.
//!
//! A step is taken over when nothing that it depends on runs again, when it succeeded, was not undone, and gave
//! what the newest revision says that it gives. "Depends on" is read from the graph of the newest revision:
//! what the step, or a step inside of it, names or waits for. Of a group, an item or a loop in which only some
//! steps run again the others are taken over by themselves.

mod from;

use crate::{
    Copied, Copies, NodeId, OpenedAs, Run,
    run::{Items, TOP},
};
use consort_spec::definition::{Body, Extent, ScopeId, Step, StepId, Workflow};
use consort_types::{Digest, Json, Name, StepState};
use from::Link;
use std::collections::{BTreeMap, BTreeSet};

/// What a rerun takes over, and what it does again.
#[derive(Debug)]
pub struct Rerun {
    /// What it takes over.
    pub copies: Copies,
    /// The undos of the old run that belong to what is done again, in no order. Empty when none is left.
    pub undoes: Vec<NodeId>,
}

/// Why a run cannot be done again from a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RerunError {
    /// The newest revision has no such step.
    #[error("there is no step `{key}` in the newest revision of `{workflow}`; {hint}")]
    NoSuchStep {
        /// What was asked for.
        key: String,
        /// Of which workflow.
        workflow: Name,
        /// What to write instead.
        hint: String,
    },
    /// There is, and nothing can begin from it.
    #[error("{0}")]
    NotHere(String),
}

impl Run {
    /// What a rerun of this run by the newest revision takes over: all that does not depend on a step, or
    /// nothing when it begins from the beginning.
    ///
    /// # Errors
    /// When the newest revision has no such step, or nothing can begin from it.
    pub fn rerun(&self, newest: &Workflow, from: Option<&str>) -> Result<Rerun, RerunError> {
        let mut plan = Plan { old: self, newest, steps: BTreeMap::new(), again: BTreeSet::new() };
        match from {
            None => drop(plan.again.insert(TOP)),
            Some(key) => {
                let links = from::links(newest, key)?;
                plan.item_exists(key, &links)?;
                plan.scope(newest.top, &plan.old_children(TOP, OpenedAs::Body), &BTreeSet::new(), &links);
            }
        }
        let undoes = self.undo_list.iter().map(|item| item.of).filter(|of| plan.runs_again(*of)).collect();
        Ok(Rerun { undoes, copies: Copies { from: self.id(), steps: plan.steps } })
    }
}

struct Plan<'p> {
    old: &'p Run,
    newest: &'p Workflow,
    /// What is taken over, by key.
    steps: BTreeMap<String, Copied>,
    /// Nodes of the old run whose work is done again, with all that stands inside.
    again: BTreeSet<NodeId>,
}

/// Steps whose output is not that of the old run, as far as others see them.
type Changed = BTreeSet<StepId>;

impl Plan<'_> {
    /// Decides on every step of a scope, given what has changed around it and which step is meant. True when
    /// any of them runs again.
    fn scope(&mut self, scope: ScopeId, old: &[NodeId], around: &Changed, links: &[Link]) -> bool {
        let mut changed = around.clone();
        let newest = self.newest;
        let mut any = false;
        for id in in_order(newest, scope) {
            let step = newest.step(id);
            let node = old.iter().copied().find(|node| self.old.step_of(*node).key_part == step.key_part);
            let meant = links.first().filter(|link| link.step == id);
            if self.step(step, node, &changed, meant.map(|link| (link, &links[1..]))) {
                changed.insert(id);
                any = true;
            }
        }
        any
    }

    /// Decides on one step. True when it runs again, in whole or in part.
    fn step(
        &mut self,
        step: &Step,
        old: Option<NodeId>,
        changed: &Changed,
        meant: Option<(&Link, &[Link])>,
    ) -> bool {
        let begins_here = meant.is_some_and(|(link, rest)| rest.is_empty() && link.item.is_none());
        let begins_anew = begins_here || step.waits_for.iter().any(|on| changed.contains(on));
        let Some(old) = old else { return true };
        if begins_anew {
            self.again.insert(old);
            return true;
        }
        let same_inside = meant.is_none() && !self.names_inside(step, changed);
        match self.old.node(old).state {
            // Its `when` is asked again and sees what it saw.
            StepState::Skipped if same_inside => return false,
            StepState::Succeeded if same_inside && self.is_intact(old) => {
                if let Some(output) = self.output_that_fits(step, old, Extent::Whole) {
                    self.steps.insert(self.old.key_of(old), Copied { output: Some(output), item: None });
                    return false;
                }
            }
            _ => {}
        }
        self.inside(step, old, changed, meant);
        true
    }

    /// Takes over what it can of the inside of a step that runs again.
    fn inside(&mut self, step: &Step, old: NodeId, changed: &Changed, meant: Option<(&Link, &[Link])>) {
        match self.old.node(old).items.as_deref() {
            // Items that wait for each other are a graph that is known only while it runs.
            Some(items) if step.for_each.as_ref().is_some_and(|each| each.item_after.is_none()) => {
                let same_inside = !self.names_inside(step, changed);
                for (value, item) in values(items) {
                    let is_meant = meant.filter(|(link, _)| {
                        let key = self.old.key_of(item);
                        link.item.as_ref().is_some_and(|wanted| key.ends_with(&format!("[{wanted}]")))
                    });
                    self.item(step, item, value, changed, is_meant, same_inside);
                }
            }
            None if step.for_each.is_none() => self.body(step, old, changed, meant),
            _ => drop(self.again.insert(old)),
        }
    }

    fn item(
        &mut self,
        step: &Step,
        old: NodeId,
        value: &Json,
        changed: &Changed,
        meant: Option<(&Link, &[Link])>,
        same_inside: bool,
    ) {
        let item = Some(Digest::of(value.text().as_bytes()));
        if meant.is_some_and(|(_, rest)| rest.is_empty()) {
            self.again.insert(old);
            return;
        }
        let done = self.old.node(old).state == StepState::Succeeded && self.is_intact(old);
        if meant.is_none()
            && same_inside
            && done
            && let Some(output) = self.output_that_fits(step, old, Extent::Item)
        {
            self.steps.insert(self.old.key_of(old), Copied { output: Some(output), item });
            return;
        }
        self.steps.insert(self.old.key_of(old), Copied { output: None, item });
        self.body(step, old, changed, meant);
    }

    /// Takes over what it can of one execution of a body that runs again.
    fn body(&mut self, step: &Step, old: NodeId, changed: &Changed, meant: Option<(&Link, &[Link])>) {
        let links = meant.map_or(&[][..], |(_, rest)| rest);
        match &step.body {
            Body::Group { scope, .. } => {
                self.scope(*scope, &self.old_children(old, OpenedAs::Body), changed, links);
            }
            Body::Switch(branches) => {
                for branch in branches {
                    self.scope(branch.scope, &self.old_children(old, OpenedAs::Body), changed, links);
                }
            }
            Body::Loop(turns) => {
                let meant = meant.and_then(|(link, _)| link.turn);
                for turn in 0.. {
                    let children = self.old_children(old, OpenedAs::Turn(turn));
                    if children.is_empty() {
                        return;
                    }
                    let links = if meant == Some(turn) { links } else { &[] };
                    // What one turn changes, every later one sees.
                    if self.scope(turns.scope, &children, changed, links) {
                        return self.later_turns_run_again(old, turn + 1);
                    }
                }
            }
            _ => drop(self.again.insert(old)),
        }
    }

    fn later_turns_run_again(&mut self, old: NodeId, from: u32) {
        for turn in from.. {
            let children = self.old_children(old, OpenedAs::Turn(turn));
            if children.is_empty() {
                return;
            }
            self.again.extend(children);
        }
    }

    /// The output of a node, as the newest revision takes it; none when it does not.
    fn output_that_fits(&self, step: &Step, old: NodeId, extent: Extent) -> Option<Json> {
        let output = self.old.node(old).output.as_ref()?;
        step.fits(output, extent).ok()
    }

    /// Whether nothing inside a node was undone.
    fn is_intact(&self, id: NodeId) -> bool {
        let mut below = vec![id];
        while let Some(id) = below.pop() {
            if self.old.node(id).state == StepState::Undone {
                return false;
            }
            below.extend(self.old.children(id));
        }
        true
    }

    /// Whether a step inside of a step waits for one that has changed.
    fn names_inside(&self, step: &Step, changed: &Changed) -> bool {
        let mut below = inner_scopes(step);
        while let Some(scope) = below.pop() {
            for inner in self.newest.scope(scope).steps.iter().map(|inner| self.newest.step(*inner)) {
                if inner.waits_for.iter().any(|on| changed.contains(on)) {
                    return true;
                }
                below.extend(inner_scopes(inner));
            }
        }
        false
    }

    fn old_children(&self, id: NodeId, as_: OpenedAs) -> Vec<NodeId> {
        let opened = self.old.node(id).opened_as(as_);
        opened.map(|opened| opened.nodes().collect()).unwrap_or_default()
    }

    /// Whether an undo of the old run belongs to what is done again.
    fn runs_again(&self, of: NodeId) -> bool {
        self.old.lineage(of).any(|id| self.again.contains(&id))
    }

    /// # Errors
    /// When a list had items, and the one that is meant is not among them.
    fn item_exists(&self, key: &str, links: &[Link]) -> Result<(), RerunError> {
        let Some(end) = links.iter().rposition(|link| link.item.is_some()) else { return Ok(()) };
        let item = links[end].item.as_deref().unwrap_or_default();
        let Some(position) = key.rfind(&format!("[{item}]")) else { return Ok(()) };
        let whole = self.old.find_key(&key[..position]).map(|whole| self.old.node(whole));
        let counted = whole.and_then(|whole| whole.items.as_deref());
        let there = self.old.find_key(&key[..position + item.len() + 2]).is_some();
        match counted {
            Some(items) if !there => Err(RerunError::NoSuchStep {
                key: key.to_owned(),
                workflow: self.newest.name.clone(),
                hint: format!("`{}` of {} had {} items", &key[..position], self.old.id(), items.count),
            }),
            _ => Ok(()),
        }
    }
}

/// The items of a list that were begun, with what they were about.
fn values(items: &Items) -> impl Iterator<Item = (&Json, NodeId)> {
    let values = items.plan.iter().flat_map(|plan| &plan.values);
    values.zip(&items.nodes).filter_map(|(value, node)| node.map(|node| (value, node)))
}

/// The steps of a scope, each behind those that it or a step inside of it waits for.
fn in_order(workflow: &Workflow, scope: ScopeId) -> Vec<StepId> {
    let own: BTreeSet<StepId> = workflow.scope(scope).steps.iter().copied().collect();
    let mut order = Vec::with_capacity(own.len());
    let mut seen = BTreeSet::new();
    for first in &workflow.scope(scope).steps {
        let mut open = vec![(*first, false)];
        while let Some((id, is_behind)) = open.pop() {
            if is_behind {
                order.push(id);
            } else if seen.insert(id) {
                open.push((id, true));
                let before = waits_for_with_inside(workflow, id);
                open.extend(before.into_iter().filter(|on| own.contains(on)).map(|on| (on, false)));
            }
        }
    }
    order
}

fn waits_for_with_inside(workflow: &Workflow, id: StepId) -> Vec<StepId> {
    let mut on = workflow.step(id).waits_for.clone();
    let mut below = inner_scopes(workflow.step(id));
    while let Some(scope) = below.pop() {
        for inner in workflow.scope(scope).steps.iter().map(|inner| workflow.step(*inner)) {
            on.extend(&inner.waits_for);
            below.extend(inner_scopes(inner));
        }
    }
    on
}

/// The scopes of a step, but for its `finally`, which has no part in its output.
fn inner_scopes(step: &Step) -> Vec<ScopeId> {
    let mut scopes: Vec<ScopeId> = step.catch.iter().map(|catch| catch.scope).collect();
    match &step.body {
        Body::Group { scope, .. } => scopes.push(*scope),
        Body::Switch(branches) => scopes.extend(branches.iter().map(|branch| branch.scope)),
        Body::Loop(turns) => scopes.push(turns.scope),
        _ => {}
    }
    scopes
}
