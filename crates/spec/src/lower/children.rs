//! Which workflow runs which: children are read first, so that what they give is known to those who run them.

use crate::yaml::{Key, Kind, Node};
use consort_types::Name;
use std::collections::BTreeMap;

/// A workflow as the file names it.
type Named<'t> = (Name, &'t Key, &'t Node);

/// The workflows so that each comes after those that it runs. Of workflows that run each other in a circle one
/// comes before what it runs: what that gives counts as anything there.
pub(super) fn first<'w, 't>(workflows: &'w [Named<'t>]) -> Vec<&'w Named<'t>> {
    let places: BTreeMap<&str, usize> =
        workflows.iter().enumerate().map(|(place, (name, ..))| (name.as_str(), place)).collect();
    let mut runs = Vec::with_capacity(workflows.len());
    for (_, _, node) in workflows {
        let mut named = Vec::new();
        collect(node, &places, &mut named);
        named.sort_unstable();
        named.dedup();
        runs.push(named);
    }
    in_order(&runs).into_iter().filter_map(|place| workflows.get(place)).collect()
}

/// Every value of a key `run` that names a workflow. A value that only looks like it does no harm.
fn collect(node: &Node, places: &BTreeMap<&str, usize>, named: &mut Vec<usize>) {
    match &node.kind {
        Kind::Scalar(_) => {}
        Kind::List(items) => items.iter().for_each(|item| collect(item, places, named)),
        Kind::Map(entries) => {
            for entry in entries {
                if entry.key.text == "run" {
                    named.extend(entry.value.text().and_then(|name| places.get(name)).copied());
                }
                collect(&entry.value, places, named);
            }
        }
    }
}

/// Depth first, with a stack of its own: a chain of workflows may be as long as a file.
fn in_order(runs: &[Vec<usize>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(runs.len());
    let mut seen = vec![false; runs.len()];
    for root in 0..runs.len() {
        let mut stack = Vec::new();
        if !std::mem::replace(&mut seen[root], true) {
            stack.push((root, 0));
        }
        while let Some((place, next)) = stack.pop() {
            match runs[place].get(next) {
                None => order.push(place),
                Some(child) => {
                    stack.push((place, next + 1));
                    if !std::mem::replace(&mut seen[*child], true) {
                        stack.push((*child, 0));
                    }
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn children_come_first_and_circles_end() {
        assert_eq!(in_order(&[vec![1, 2], vec![2], vec![]]), [2, 1, 0]);
        assert_eq!(in_order(&[vec![1], vec![0], vec![2]]), [1, 0, 2]);
        let chain: Vec<Vec<usize>> = (0..100_000).map(|place| vec![(place + 1).min(99_999)]).collect();
        assert_eq!(in_order(&chain).first(), Some(&99_999));
    }
}
