//! Keys of steps: `fields[3]`, `tables[users]`, `decision.else`, `a.undo`, `a.finally.x`, `l[7].turn`.

use super::{NodeId, Role, Run, TOP};
use crate::OpenedAs;
use consort_spec::definition::KeyPart;
use std::fmt::Write;

impl Run {
    /// The key of a node, as users name it. Empty for the top.
    pub(crate) fn key_of(&self, id: NodeId) -> String {
        let mut key = String::new();
        let lineage: Vec<NodeId> = self.lineage(id).collect();
        for node in lineage.into_iter().rev().filter(|node| *node != TOP) {
            self.extend_key(&mut key, node);
        }
        key
    }

    fn extend_key(&self, key: &mut String, id: NodeId) {
        let node = self.node(id);
        match node.role {
            Role::Top => {}
            Role::Item(index) => {
                let items = node.parent.and_then(|whole| self.node(whole).items.as_deref());
                let _ = match items.and_then(|items| items.key(index)) {
                    Some(name) => write!(key, "[{name}]"),
                    None => write!(key, "[{index}]"),
                };
            }
            Role::Undo => push_name(key, "undo"),
            Role::Resolve => push_name(key, "resolve"),
            Role::Step => {
                let parent = node.parent.map(|parent| self.node(parent));
                match parent.and_then(|parent| parent.opened_around(id)).map(|opened| opened.as_) {
                    Some(OpenedAs::Turn(turn)) => {
                        let _ = write!(key, "[{turn}]");
                    }
                    Some(OpenedAs::Finally) => push_name(key, "finally"),
                    Some(OpenedAs::Catch) => return push_name(key, "catch"),
                    Some(OpenedAs::Body) | None => {}
                }
                match &self.step_of(id).key_part {
                    KeyPart::Name(name) => push_name(key, name.as_str()),
                    KeyPart::Index(index) => {
                        let _ = write!(key, "[{index}]");
                    }
                }
            }
        }
    }

    /// The node of a key among those that count now: the newest pass, the newest try of a group.
    pub(crate) fn find_key(&self, key: &str) -> Option<NodeId> {
        // A key names its ancestors, so only children whose key is a prefix are looked into.
        let mut within = vec![TOP];
        while let Some(id) = within.pop() {
            for child in self.children(id).chain(self.beside(id)) {
                let child_key = self.key_of(child);
                if child_key == key {
                    return Some(child);
                }
                if key.starts_with(&child_key) {
                    within.push(child);
                }
            }
        }
        None
    }

    /// What stands beside a node: its undo, the question what became of it.
    pub(crate) fn beside(&self, id: NodeId) -> impl Iterator<Item = NodeId> + use<> {
        self.resolve_node(id).into_iter().chain(self.undo_node(id))
    }

    /// The newest undo of a node, when one was ever started.
    pub(crate) fn undo_node(&self, of: NodeId) -> Option<NodeId> {
        self.undo_nodes.get(&of).copied()
    }
}

fn push_name(key: &mut String, name: &str) {
    if !key.is_empty() {
        key.push('.');
    }
    key.push_str(name);
}
