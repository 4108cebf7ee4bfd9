//! `all exists exists_one map filter sort_by max_by min_by optMap`.

use super::Evaluator;
use super::compare::{order, order_paid, text_len};
use crate::ast::{Macro, MacroKind, Node};
use crate::functions::time;
use crate::notes::Note;
use crate::value::{ITEM_LEN, Items, Value};
use crate::{EvalError, code};
use std::cmp::Ordering;
use std::sync::Arc;

impl Evaluator<'_> {
    pub(super) fn macro_(&mut self, over: Value, walk: &Macro, note: Note) -> Result<Value, EvalError> {
        let over = self.force(over)?;
        if walk.kind == MacroKind::OptMap {
            return self.opt_map(over, walk);
        }
        let items = self.items_of(&over)?;
        match walk.kind {
            MacroKind::All => self.quantify(items, &walk.body, false),
            MacroKind::Exists => self.quantify(items, &walk.body, true),
            MacroKind::ExistsOne => self.exists_one(items, &walk.body),
            MacroKind::Map => self.map_items(items, walk),
            MacroKind::Filter => self.filter(items, &walk.body),
            MacroKind::SortBy => self.sort_by(items, &walk.body, note),
            MacroKind::MaxBy => self.extreme_by(items, &walk.body, Ordering::Greater, note),
            MacroKind::MinBy => self.extreme_by(items, &walk.body, Ordering::Less, note),
            MacroKind::OptMap => Ok(Value::Null),
        }
    }

    /// The items of a list, the keys of an object.
    fn items_of(&mut self, over: &Value) -> Result<Items, EvalError> {
        if let Some(items) = over.items() {
            return Ok(items);
        }
        let Some(entries) = over.entries() else {
            let code = if matches!(over, Value::Null) { code::NULL } else { code::TYPE };
            return Err(EvalError::new(code, format!("a list is needed here, not {}", over.describe())));
        };
        self.budget.make(entries.len() * ITEM_LEN)?;
        let keys = entries.into_iter().map(|(key, _)| Value::Text(key)).collect();
        Ok(Items::Built(Arc::new(keys), 0))
    }

    /// Evaluates a body for one item.
    fn inside<T>(
        &mut self,
        item: &Value,
        body: impl FnOnce(&mut Self) -> Result<T, EvalError>,
    ) -> Result<T, EvalError> {
        self.budget.item()?;
        if let (Value::Raw(raw), true) = (item, self.budget.walks > 0) {
            self.budget.look(raw.len())?;
        }
        let place = self.locals.len();
        self.locals.push(item.clone());
        self.budget.walks += 1;
        let result = body(self);
        self.budget.walks -= 1;
        self.locals.truncate(place);
        result
    }

    /// `all` and `exists`: an item that decides hides an error at another, as in CEL.
    fn quantify(&mut self, items: Items, body: &Node, decides: bool) -> Result<Value, EvalError> {
        let mut failure = None;
        for item in items {
            match self.inside(&item, |inside| inside.boolean(body)) {
                Ok(value) if value == decides => return Ok(Value::Bool(decides)),
                Ok(_) => {}
                Err(error) if error.is_limit() => return Err(error),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(Value::Bool(!decides)), Err)
    }

    fn exists_one(&mut self, items: Items, body: &Node) -> Result<Value, EvalError> {
        let mut count = 0_usize;
        for item in items {
            count += usize::from(self.inside(&item, |inside| inside.boolean(body))?);
        }
        Ok(Value::Bool(count == 1))
    }

    fn map_items(&mut self, items: Items, walk: &Macro) -> Result<Value, EvalError> {
        let mut mapped = Vec::new();
        for item in items {
            let value = self.inside(&item, |inside| match &walk.value {
                None => inside.node(&walk.body).map(Some),
                Some(value) if inside.boolean(&walk.body)? => inside.node(value).map(Some),
                Some(_) => Ok(None),
            })?;
            if let Some(value) = value {
                self.budget.make(ITEM_LEN)?;
                mapped.push(value.settled());
            }
        }
        Ok(Value::List(Arc::new(mapped)))
    }

    fn filter(&mut self, items: Items, body: &Node) -> Result<Value, EvalError> {
        let mut kept = Vec::new();
        for item in items {
            if self.inside(&item, |inside| inside.boolean(body))? {
                self.budget.make(ITEM_LEN)?;
                kept.push(item);
            }
        }
        Ok(Value::List(Arc::new(kept)))
    }

    /// Each item with its key; every key can be ordered with every other.
    fn keyed(&mut self, items: Items, body: &Node, note: Note) -> Result<Vec<(Value, Value)>, EvalError> {
        let mut keyed: Vec<(Value, Value)> = Vec::new();
        let mut key_bytes = 0_usize;
        for item in items {
            let key = self.inside(&item, |inside| inside.forced(body))?;
            let key = if note == Note::Times { time::read(key)? } else { key };
            order_paid(keyed.first().map_or(&key, |(first, _)| first), &key, &mut self.budget)?;
            self.budget.make(2 * ITEM_LEN)?;
            key_bytes = key_bytes.saturating_add(text_len(&key));
            keyed.push((key, item));
        }
        // Sorting looks through each key about as often as a list can be halved.
        self.budget.look(key_bytes.saturating_mul(keyed.len().max(1).ilog2() as usize))?;
        Ok(keyed)
    }

    fn sort_by(&mut self, items: Items, body: &Node, note: Note) -> Result<Value, EvalError> {
        let mut keyed = self.keyed(items, body, note)?;
        let count = keyed.len() as u64;
        self.budget.steps(count * u64::from(count.max(1).ilog2()) / 4)?;
        keyed.sort_by(|(a, _), (b, _)| order(a, b).unwrap_or(Ordering::Equal));
        Ok(Value::List(Arc::new(keyed.into_iter().map(|(_, item)| item).collect())))
    }

    fn extreme_by(
        &mut self,
        items: Items,
        body: &Node,
        wanted: Ordering,
        note: Note,
    ) -> Result<Value, EvalError> {
        let mut best: Option<(Value, Value)> = None;
        for (key, item) in self.keyed(items, body, note)? {
            let better = match &best {
                None => true,
                Some((known, _)) => order(&key, known)? == wanted,
            };
            if better {
                best = Some((key, item));
            }
        }
        Ok(best.map_or(Value::Null, |(_, item)| item))
    }

    fn opt_map(&mut self, over: Value, walk: &Macro) -> Result<Value, EvalError> {
        match over {
            Value::Optional(None) => Ok(Value::Optional(None)),
            Value::Optional(Some(inner)) => {
                let value = self.inside(&inner, |inside| inside.forced(&walk.body))?;
                Ok(Value::Optional(Some(Arc::new(value))))
            }
            other => {
                let message = format!("`optMap` needs an optional, not {}", other.describe());
                Err(EvalError::new(code::TYPE, message))
            }
        }
    }
}
