//! Which workflows run which: those that others run are read first, so that their output is known.

use crate::yaml::{Key, Kind, Node};
use consort_types::Name;
use std::collections::HashMap;

/// The workflows in the order in which they are read: each after those that it runs. Of a circle the one that
/// closes it comes too early; what it gives is not known there.
pub(crate) fn callees_first<'t>(workflows: Vec<(Name, &'t Key, &'t Node)>) -> Vec<(Name, &'t Key, &'t Node)> {
    let places: HashMap<&str, usize> =
        workflows.iter().enumerate().map(|(place, (name, ..))| (name.as_str(), place)).collect();
    let runs: Vec<Vec<usize>> = workflows.iter().map(|(_, _, node)| run_by(node, &places)).collect();
    let mut seen = vec![false; workflows.len()];
    let mut order = Vec::with_capacity(workflows.len());
    for first in 0..workflows.len() {
        // Depth first without recursion: a chain of workflows may be as long as the file.
        let mut open = vec![(first, 0)];
        while let Some((at, next)) = open.pop() {
            if next == 0 && std::mem::replace(&mut seen[at], true) {
                continue;
            }
            match runs[at].get(next) {
                Some(callee) => open.extend([(at, next + 1), (*callee, 0)]),
                None => order.push(at),
            }
        }
    }
    let mut workflows: Vec<_> = workflows.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| workflows[place].take()).collect()
}

/// The workflows that are named after a `run:` anywhere in one.
fn run_by(workflow: &Node, places: &HashMap<&str, usize>) -> Vec<usize> {
    let mut below = vec![workflow];
    let mut found = Vec::new();
    while let Some(node) = below.pop() {
        match &node.kind {
            Kind::Scalar(_) => {}
            Kind::List(items) => below.extend(items),
            Kind::Map(entries) => {
                let named = entries.iter().filter(|entry| entry.key.text == "run");
                found.extend(named.filter_map(|entry| places.get(entry.value.text()?).copied()));
                below.extend(entries.iter().map(|entry| &entry.value));
            }
        }
    }
    found
}
