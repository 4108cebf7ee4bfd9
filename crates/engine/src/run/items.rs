//! The items of a `for_each`, and the order among them where they have one.

use super::NodeId;
use consort_types::Json;
use std::collections::BTreeSet;

/// The items of a `for_each`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Items {
    /// What follows from the list: evaluated when needed, not stored.
    pub plan: Option<Box<ItemPlan>>,
    pub count: u32,
    /// The first item that has not begun.
    pub next: u32,
    pub ended: u32,
    pub succeeded: u32,
    pub failed: u32,
    /// The first item that failed.
    pub first_failed: Option<NodeId>,
    pub nodes: Vec<Option<NodeId>>,
}

/// What follows from the list of a `for_each`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ItemPlan {
    /// The list, cut into its items.
    pub values: Vec<Json>,
    /// Their names; empty without `key`.
    pub keys: Vec<String>,
    /// With `item_after`: who waits for whom.
    pub order: Option<ItemOrder>,
}

/// Items that wait for each other.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ItemOrder {
    /// For each item: those that wait for it.
    pub followers: Vec<Vec<u32>>,
    /// For each item: how many it waits for that are not done.
    pub unmet: Vec<u32>,
    /// Items that wait for nobody and have not begun.
    pub ready: BTreeSet<u32>,
}

impl ItemOrder {
    /// The order in which nothing is done yet.
    pub fn new(followers: Vec<Vec<u32>>, unmet: Vec<u32>) -> Self {
        let ready = (0..).zip(&unmet).filter(|(_, unmet)| **unmet == 0).map(|(item, _)| item).collect();
        Self { followers, unmet, ready }
    }

    fn done(&mut self, item: u32) {
        for follower in &self.followers[item as usize] {
            let unmet = &mut self.unmet[*follower as usize];
            *unmet = unmet.saturating_sub(1);
            if *unmet == 0 {
                self.ready.insert(*follower);
            }
        }
    }
}

impl Items {
    pub fn new(count: u32) -> Self {
        Self { count, nodes: vec![None; count as usize], ..Self::default() }
    }

    pub fn value(&self, index: u32) -> Option<&Json> {
        self.plan.as_ref()?.values.get(index as usize)
    }

    /// The name of an item, where `key` gives one.
    pub fn key(&self, index: u32) -> Option<&str> {
        self.plan.as_ref()?.keys.get(index as usize).map(String::as_str)
    }

    fn order_mut(&mut self) -> Option<&mut ItemOrder> {
        self.plan.as_deref_mut()?.order.as_mut()
    }

    /// The item that begins next.
    pub fn next_item(&self) -> Option<u32> {
        if let Some(order) = self.plan.as_ref().and_then(|plan| plan.order.as_ref()) {
            return order.ready.first().copied();
        }
        let free = self.nodes.get(self.next as usize..)?.iter().position(Option::is_none)?;
        Some(self.next + free as u32)
    }

    /// Items behind this one that have not begun.
    pub fn waiting_behind(&self, index: u32) -> Vec<u32> {
        let order = self.plan.as_ref().and_then(|plan| plan.order.as_ref());
        let followers = order.map_or(&[][..], |order| &order.followers[index as usize]);
        followers.iter().copied().filter(|item| self.nodes[*item as usize].is_none()).collect()
    }

    pub fn began(&mut self, index: u32, node: NodeId) {
        self.nodes[index as usize] = Some(node);
        self.next = self.next.max(index + 1);
        if let Some(order) = self.order_mut() {
            order.ready.remove(&index);
        }
    }

    /// Those behind the item may begin.
    pub fn done(&mut self, index: u32) {
        if let Some(order) = self.order_mut() {
            order.done(index);
        }
    }

    /// The item begins again some time.
    pub fn forget(&mut self, index: u32) {
        self.nodes[index as usize] = None;
        self.next = self.next.min(index);
        if let Some(order) = self.order_mut()
            && order.unmet[index as usize] == 0
        {
            order.ready.insert(index);
        }
    }

    /// Takes in a plan of which some is done already.
    pub fn restore(&mut self, mut plan: ItemPlan, is_done: impl Fn(NodeId) -> bool) {
        if let Some(order) = &mut plan.order {
            for (item, node) in (0..).zip(&self.nodes) {
                if node.is_some_and(&is_done) {
                    order.done(item);
                }
            }
            order.ready.retain(|item| self.nodes[*item as usize].is_none());
        }
        self.plan = Some(Box::new(plan));
    }
}
