//! Walks the tree of an expression.
//!
//! One file a matter: `path` reads places, `operators` computes, `compare` orders, `macros` walks lists.
//! Every visit is paid from the budget first.

mod compare;
mod macros;
mod operators;
mod path;

pub(crate) use compare::order_paid;
pub(crate) use operators::arithmetic;

use crate::ast::{Element, Entry, Kind, Link, Node, Presence};
use crate::cost::Budget;
use crate::notes::Notes;
use crate::value::{ITEM_LEN, Map, Value};
use crate::{EvalError, Scope, code};
use std::sync::Arc;

/// One evaluation: what is seen, what is left of the budget, the variables of the macros around.
pub(crate) struct Evaluator<'e> {
    scope: &'e dyn Scope,
    source: &'e str,
    notes: &'e Notes,
    pub budget: Budget,
    locals: Vec<Value>,
    /// Places that a macro reads again and again, by the number of their reference: their value cannot change.
    memo: Vec<Option<Value>>,
}

impl<'e> Evaluator<'e> {
    pub fn new(scope: &'e dyn Scope, source: &'e str, notes: &'e Notes, budget: Budget) -> Self {
        Self { scope, source, notes, budget, locals: Vec::new(), memo: Vec::new() }
    }

    /// The value of a node: forced, unless it is a place in the data.
    pub fn node(&mut self, node: &Node) -> Result<Value, EvalError> {
        self.budget.step()?;
        match &node.kind {
            Kind::Null => Ok(Value::Null),
            Kind::Bool(value) => Ok(Value::Bool(*value)),
            Kind::Int(value) => Ok(Value::Int(*value)),
            Kind::Double(value) => Ok(Value::Double(*value)),
            Kind::Text(text) => Ok(Value::Text(text.clone())),
            Kind::TypeName(name) => Ok(Value::Type(name)),
            Kind::OptionalNone => Ok(Value::Optional(None)),
            Kind::Path(path) => self.path(path),
            Kind::Has(path) => self.has(path),
            Kind::Default(value, otherwise) => self.default(value, otherwise),
            Kind::List(elements) => self.list(elements),
            Kind::Map(entries) => self.map(entries),
            Kind::Not(inner) => self.boolean(inner).map(|value| Value::Bool(!value)),
            Kind::Negate(inner) => {
                let value = self.forced(inner)?;
                operators::negate(&value)
            }
            Kind::Chain(first, links) => self.chain(first, links),
            Kind::All(terms) => self.logic(terms, false),
            Kind::Any(terms) => self.logic(terms, true),
            Kind::Conditional(arms) => {
                let [condition, then, otherwise] = &**arms;
                let chosen = if self.boolean(condition)? { then } else { otherwise };
                self.node(chosen)
            }
        }
    }

    /// The value of a node; scalars are read.
    pub fn forced(&mut self, node: &Node) -> Result<Value, EvalError> {
        let value = self.node(node)?;
        self.force(value)
    }

    pub fn force(&mut self, value: Value) -> Result<Value, EvalError> {
        if let Value::Raw(raw) = &value
            && raw.first() == b'"'
        {
            self.budget.make(raw.len())?;
        }
        value.force()
    }

    pub fn boolean(&mut self, node: &Node) -> Result<bool, EvalError> {
        match self.forced(node)? {
            Value::Bool(value) => Ok(value),
            other => Err(self.wanted("true or false", &other, node)),
        }
    }

    /// The error that a value is not what its place needs.
    fn wanted(&self, wanted: &str, found: &Value, node: &Node) -> EvalError {
        let text = self.text_of(node.span.start, node.span.end);
        let code = if matches!(found, Value::Null) { code::NULL } else { code::TYPE };
        EvalError::new(code, format!("`{text}` must be {wanted}, it is {}", found.describe()))
    }

    /// A part of the source, for a message.
    fn text_of(&self, start: u32, end: u32) -> &'e str {
        self.source.get(start as usize..end as usize).unwrap_or(self.source)
    }

    /// `&&` and `||` as in CEL: a term that decides hides an error in another, on either side of it.
    fn logic(&mut self, terms: &[Node], decides: bool) -> Result<Value, EvalError> {
        let mut failure = None;
        for term in terms {
            match self.boolean(term) {
                Ok(value) if value == decides => return Ok(Value::Bool(decides)),
                Ok(_) => {}
                Err(error) if error.is_limit() => return Err(error),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(Value::Bool(!decides)), Err)
    }

    fn chain(&mut self, first: &Node, links: &[Link]) -> Result<Value, EvalError> {
        if let [link] = links
            && let Some(value) = self.null_test(first, link)?
        {
            return Ok(value);
        }
        let mut left = self.forced(first)?;
        for link in links {
            let right = self.forced(&link.right)?;
            let note = self.notes.of(link.note);
            left = operators::apply(link.operator, left, right, note, &mut self.budget).map_err(
                |mut error| {
                    if error.code == code::NULL || error.code == code::TYPE {
                        let text = self.text_of(first.span.start, link.right.span.end);
                        error.message = format!("`{text}`: {}", error.message);
                    }
                    error
                },
            )?;
        }
        Ok(left)
    }

    fn list(&mut self, elements: &[Element]) -> Result<Value, EvalError> {
        self.budget.make(elements.len() * ITEM_LEN)?;
        let mut items = Vec::with_capacity(elements.len());
        for element in elements {
            let value = self.node(&element.value)?;
            items.extend(self.present(element.presence, value, &element.value)?);
        }
        Ok(Value::List(Arc::new(items)))
    }

    fn map(&mut self, entries: &[Entry]) -> Result<Value, EvalError> {
        self.budget.make(entries.len() * ITEM_LEN)?;
        let mut map: Map = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = match self.forced(&entry.key)? {
                Value::Text(key) => key,
                Value::Int(key) => key.to_string().into(),
                Value::Bool(key) => key.to_string().into(),
                other => return Err(self.wanted("a text, as every key", &other, &entry.key)),
            };
            self.budget.steps(map.len() as u64 / 16)?;
            if map.iter().any(|(known, _)| *known == key) {
                return Err(EvalError::new(
                    code::TYPE,
                    format!("the key `{key}` stands twice in one object"),
                ));
            }
            let value = self.node(&entry.value)?;
            if let Some(value) = self.present(entry.presence, value, &entry.value)? {
                map.push((key, value));
            }
        }
        Ok(Value::Map(Arc::new(map)))
    }

    /// `[?x]` and `{?k: x}` leave out an optional that has no value.
    fn present(&self, presence: Presence, value: Value, node: &Node) -> Result<Option<Value>, EvalError> {
        match (presence, value) {
            (Presence::Required, value) => Ok(Some(value.settled())),
            (Presence::Optional, Value::Optional(inner)) => Ok(inner.map(|inner| (*inner).clone())),
            (Presence::Optional, other) => Err(self.wanted("an optional", &other, node)),
        }
    }
}
