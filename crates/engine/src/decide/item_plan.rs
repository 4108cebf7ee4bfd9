//! What follows from the list of a `for_each`: its items, their names, and the order among them.

use crate::{
    NodeId,
    run::{ItemOrder, ItemPlan, Names, Run},
};
use consort_spec::definition::ForEach;
use consort_types::{ErrorKind, Json, RunError};
use std::collections::HashMap;

/// The longest name of an item, in bytes: it stands in keys of steps, in addresses and in logs.
const ITEM_KEY_BYTES_MAX: usize = 256;

/// Items of a circle that a message names.
const CIRCLE_SHOWN_MAX: usize = 8;

impl Run {
    /// The items of a `for_each`, with their names and their order.
    ///
    /// # Errors
    /// When one of its expressions cannot be evaluated, when names are missing or not unique, when an item comes
    /// after one that is not there, or after itself.
    pub(crate) fn plan_items(&self, id: NodeId) -> Result<ItemPlan, RunError> {
        let values = self.list_of(id)?;
        let Some(each) = self.step_of(id).for_each.as_ref() else { return Ok(ItemPlan::default()) };
        let keys = self.item_keys(id, each, &values)?;
        let order = self.item_order(id, each, &values, &keys)?;
        Ok(ItemPlan { values, keys, order })
    }

    fn item_keys(&self, id: NodeId, each: &ForEach, values: &[Json]) -> Result<Vec<String>, RunError> {
        let Some(template) = &each.key else { return Ok(Vec::new()) };
        let mut keys = Vec::with_capacity(values.len());
        let mut known = HashMap::with_capacity(values.len());
        for (index, value) in (0..).zip(values) {
            let key = template.evaluate(&self.names_of_item(id, each, index, value));
            let key = item_key(&key.map_err(|error| super::expression_error(&error))?)
                .map_err(|what| bad_key(format!("the `key` of item {index} {what}")))?;
            if let Some(other) = known.insert(key.clone(), index) {
                let message = format!("items {other} and {index} have the same `key`, `{key}`");
                return Err(bad_key(message));
            }
            keys.push(key);
        }
        Ok(keys)
    }

    fn item_order(
        &self,
        id: NodeId,
        each: &ForEach,
        values: &[Json],
        keys: &[String],
    ) -> Result<Option<ItemOrder>, RunError> {
        let Some(after) = &each.item_after else { return Ok(None) };
        let places: HashMap<&str, u32> = keys.iter().map(String::as_str).zip(0..).collect();
        let mut befores = Vec::with_capacity(values.len());
        for (index, value) in (0..).zip(values) {
            let named = after.evaluate(&self.names_of_item(id, each, index, value));
            let named = named.map_err(|error| super::expression_error(&error))?;
            befores.push(places_of(&named, &places, &keys[index as usize])?);
        }
        let mut followers = vec![Vec::new(); values.len()];
        for (index, before) in (0..).zip(&befores) {
            before.iter().for_each(|earlier| followers[*earlier as usize].push(index));
        }
        let unmet = befores.iter().map(|before| before.len() as u32).collect();
        let order = ItemOrder::new(followers, unmet);
        match circle(&order, &befores) {
            None => Ok(Some(order)),
            Some(circle) => {
                let mut names: Vec<&str> = circle.iter().map(|item| keys[*item as usize].as_str()).collect();
                if names.len() > CIRCLE_SHOWN_MAX {
                    names.truncate(CIRCLE_SHOWN_MAX);
                    names.push("…");
                }
                let message =
                    format!("`item_after` goes round in a circle: {} → {}", names.join(" → "), names[0]);
                Err(RunError::new("E_ITEM_CIRCLE", ErrorKind::Expression, message))
            }
        }
    }

    /// What an expression sees that is evaluated for an item before it begins.
    fn names_of_item(&self, id: NodeId, each: &ForEach, index: u32, value: &Json) -> Names<'_> {
        Names::at(self, id)
            .with(each.item_name().to_owned(), value.clone())
            .with(each.index_name(), Json::of(&index))
    }
}

fn bad_key(message: String) -> RunError {
    RunError::new("E_ITEM_KEY", ErrorKind::Expression, message)
}

/// A text or a number as the name of an item; else what is wrong with it.
fn item_key(value: &Json) -> Result<String, String> {
    let key = match value.to_value() {
        serde_json::Value::String(text) => text,
        serde_json::Value::Number(number) => number.to_string(),
        _ => return Err(format!("is {value}; it must be a text or a number")),
    };
    if key.is_empty() {
        return Err("is empty".to_owned());
    }
    if key.len() > ITEM_KEY_BYTES_MAX {
        return Err(format!("is longer than {ITEM_KEY_BYTES_MAX} bytes"));
    }
    // It stands in brackets in the keys of steps.
    if let Some(c) = key.chars().find(|c| matches!(c, '[' | ']') || c.is_control()) {
        return Err(format!("is {value}; it may not hold {c:?}"));
    }
    Ok(key)
}

/// The items that a list of keys names, each once. Null names none.
fn places_of(named: &Json, places: &HashMap<&str, u32>, of: &str) -> Result<Vec<u32>, RunError> {
    let wrong = |message: String| RunError::new("E_ITEM_AFTER", ErrorKind::Expression, message);
    let named: Option<Vec<Json>> = named.read().map_err(|_| {
        wrong(format!("`item_after` of `{of}` is {named}; it must be a list of keys of items"))
    })?;
    let mut found = Vec::new();
    for key in named.unwrap_or_default() {
        let place = item_key(&key).ok().and_then(|key| places.get(key.as_str()).copied());
        let unknown = || wrong(format!("`item_after` of `{of}` names {key}, and no item has that key"));
        found.push(place.ok_or_else(unknown)?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Items that wait for each other in a circle, when there is one. Linear in items and arrows.
fn circle(order: &ItemOrder, befores: &[Vec<u32>]) -> Option<Vec<u32>> {
    let mut unmet = order.unmet.clone();
    let mut ready: Vec<u32> = order.ready.iter().copied().collect();
    let mut done = vec![false; unmet.len()];
    while let Some(item) = ready.pop() {
        done[item as usize] = true;
        for follower in &order.followers[item as usize] {
            unmet[*follower as usize] -= 1;
            if unmet[*follower as usize] == 0 {
                ready.push(*follower);
            }
        }
    }
    let mut at = done.iter().position(|done| !done)? as u32;
    // Each item that is left waits for another that is left: whoever follows those comes round.
    let mut seen = vec![None; done.len()];
    let mut walk: Vec<u32> = Vec::new();
    loop {
        if let Some(begin) = seen[at as usize] {
            return Some(walk.split_off(begin));
        }
        seen[at as usize] = Some(walk.len());
        walk.push(at);
        at = befores[at as usize].iter().copied().find(|before| !done[*before as usize])?;
    }
}
