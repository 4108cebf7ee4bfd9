//! Finds the type of an expression, and what is wrong with it, without running it.
//!
//! One file a matter: `path` follows places into types, `operators` types what computes, `call` the functions
//! and macros, `facts` knows what a condition tells about null. What is accepted here does not fail while
//! running for a reason of type, as long as the values are what their types say.

mod call;
mod facts;
mod macros;
mod operators;
mod path;

use crate::ast::{Element, Entry, Kind, Node, Presence, Span};
use crate::notes::Notes;
use crate::types::{Field, ObjectType};
use crate::{Type, TypeEnv, TypeProblem, code};
pub(crate) use facts::Facts;
use std::sync::Arc;

/// What is known about the value of a node.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub type_: Type,
    /// An optional (`a.?b`) of that type, which only some functions take.
    pub optional: bool,
}

impl From<Type> for Known {
    fn from(type_: Type) -> Self {
        Self { type_, optional: false }
    }
}

/// One check of one expression.
pub(crate) struct Checker<'c> {
    source: &'c str,
    env: &'c TypeEnv,
    pub notes: Notes,
    pub problems: Vec<TypeProblem>,
    /// Types of the variables of the macros around.
    locals: Vec<Type>,
    facts: Facts,
}

impl<'c> Checker<'c> {
    pub fn new(source: &'c str, env: &'c TypeEnv) -> Self {
        let (notes, facts) = (Notes::default(), Facts::default());
        Self { source, env, notes, problems: Vec::new(), locals: Vec::new(), facts }
    }

    /// The type of a whole expression: an optional is put out as its value or null.
    pub fn whole(&mut self, node: &Node) -> Type {
        let known = self.node(node);
        if known.optional { known.type_.nullable() } else { known.type_ }
    }

    fn node(&mut self, node: &Node) -> Known {
        match &node.kind {
            Kind::Null => Type::Null.into(),
            Kind::Bool(_) => Type::Boolean.into(),
            Kind::Int(_) => Type::Integer.into(),
            Kind::Double(_) => Type::Number.into(),
            Kind::Text(text) => Type::Enum(vec![text.to_string()]).into(),
            Kind::TypeName(_) => Type::Any.into(),
            Kind::OptionalNone => Known { type_: Type::Any, optional: true },
            Kind::Path(path) => self.path(path),
            Kind::Has(path) => {
                self.path(path);
                Type::Boolean.into()
            }
            Kind::Default(value, otherwise) => self.default(value, otherwise, node.span).into(),
            Kind::List(elements) => self.list(elements).into(),
            Kind::Map(entries) => self.map(entries).into(),
            Kind::Not(inner) => self.boolean(inner).into(),
            Kind::Negate(inner) => self.negate(inner).into(),
            Kind::Chain(first, links) => self.chain(first, links).into(),
            Kind::All(terms) => self.logic(terms, true).into(),
            Kind::Any(terms) => self.logic(terms, false).into(),
            Kind::Conditional(arms) => self.conditional(arms, node.span),
        }
    }

    /// The type of a value that must be one: neither null nor an optional.
    fn required(&mut self, node: &Node) -> Type {
        let known = self.node(node);
        self.require(known, node.span)
    }

    fn require(&mut self, known: Known, span: Span) -> Type {
        let text = self.text(span);
        if known.optional {
            let hint = format!("write `{text}.orValue(…)`");
            self.problem(span, code::TYPE, format!("`{text}` is an optional"), Some(hint));
        } else if known.type_.may_be_null() {
            let hint = format!("write `default({text}, …)`, or test `{text} != null` first");
            let may = if known.type_ == Type::Null { "is" } else { "may be" };
            self.problem(span, code::NULL, format!("`{text}` {may} null"), Some(hint));
        }
        match known.type_.required() {
            Type::Null => Type::Any,
            other => other,
        }
    }

    fn boolean(&mut self, node: &Node) -> Type {
        let type_ = self.required(node);
        if !matches!(type_, Type::Any | Type::Boolean) {
            self.wrong(node.span, "true or false", &type_);
        }
        Type::Boolean
    }

    /// Each term knows what the ones before it tell: in `x != null && x > 1` the second sees no null.
    fn logic(&mut self, terms: &[Node], truth: bool) -> Type {
        let known = self.facts.mark();
        for term in terms {
            self.boolean(term);
            self.facts.learn(term, truth);
        }
        self.facts.forget(known);
        Type::Boolean
    }

    fn conditional(&mut self, arms: &[Node; 3], span: Span) -> Known {
        let [condition, then, otherwise] = arms;
        self.boolean(condition);
        let first = self.knowing(condition, true, then);
        let second = self.knowing(condition, false, otherwise);
        let type_ = self.join(&first.type_, &second.type_, span);
        if first.optional != second.optional {
            let message = "one of these is an optional, the other is none".to_owned();
            self.problem(
                span,
                code::TYPE,
                message,
                Some("write `.orValue(…)`, or `optional.of(…)`".to_owned()),
            );
        }
        Known { type_, optional: first.optional }
    }

    /// The type of an arm when the condition is known to be true or false.
    fn knowing(&mut self, condition: &Node, truth: bool, arm: &Node) -> Known {
        let known = self.facts.mark();
        self.facts.learn(condition, truth);
        let arm = self.node(arm);
        self.facts.forget(known);
        arm
    }

    fn default(&mut self, value: &Node, otherwise: &Node, span: Span) -> Type {
        let value = match self.node(value).type_.required() {
            Type::Null => return self.whole(otherwise),
            other => other,
        };
        let otherwise = self.whole(otherwise);
        self.join(&value, &otherwise, span)
    }

    fn join(&mut self, first: &Type, second: &Type, span: Span) -> Type {
        first.try_join(second).unwrap_or_else(|| {
            let message = format!("this is {first} or {second}, which have no type in common");
            self.problem(
                span,
                code::TYPE,
                message,
                Some("make both of one type; dyn(…) takes any".to_owned()),
            );
            Type::Any
        })
    }

    fn list(&mut self, elements: &[Element]) -> Type {
        let types: Vec<Type> =
            elements.iter().map(|element| self.member(element.presence, &element.value)).collect();
        Type::list(types.into_iter().reduce(|all, item| all.join(&item)).unwrap_or_default())
    }

    /// The type of an element of a list or an object.
    fn member(&mut self, presence: Presence, value: &Node) -> Type {
        if presence == Presence::Required {
            return self.whole(value);
        }
        let known = self.node(value);
        if !known.optional && known.type_ != Type::Any {
            self.wrong(value.span, "an optional (`a.?b`)", &known.type_);
        }
        known.type_
    }

    /// Keys that are written down make an object of known fields, others one of any keys.
    fn map(&mut self, entries: &[Entry]) -> Type {
        let mut fields: Vec<Field> = Vec::new();
        let mut closed = true;
        for entry in entries {
            let key = self.required(&entry.key);
            let type_ = self.member(entry.presence, &entry.value);
            let required = entry.presence == Presence::Required;
            let name = match (&entry.key.kind, &key) {
                (Kind::Text(name), _) => name.to_string(),
                (_, Type::Any | Type::Integer | Type::Boolean) => String::new(),
                (_, Type::String | Type::Enum(_)) => String::new(),
                (_, other) => {
                    self.wrong(entry.key.span, "a text, as every key", other);
                    String::new()
                }
            };
            closed &= matches!(entry.key.kind, Kind::Text(_));
            if closed && fields.iter().any(|field| field.name == name) {
                self.problem(entry.key.span, code::TYPE, format!("the key `{name}` stands twice"), None);
            }
            fields.push(Field { name, type_, required });
        }
        if closed {
            return Type::Object(Arc::new(ObjectType { fields }));
        }
        let values = fields.into_iter().map(|field| field.type_);
        Type::Map(Box::new(values.reduce(|all, value| all.join(&value)).unwrap_or_default()))
    }

    fn text(&self, span: Span) -> &'c str {
        self.source.get(span.start as usize..span.end as usize).unwrap_or(self.source)
    }

    fn wrong(&mut self, span: Span, wanted: &str, found: &Type) {
        let text = self.text(span);
        self.problem(span, code::TYPE, format!("`{text}` must be {wanted}, it is {found}"), None);
    }

    fn problem(&mut self, span: Span, code: &'static str, message: String, hint: Option<String>) {
        let (offset, length) = (span.start as usize, (span.end - span.start) as usize);
        let problem = TypeProblem { scalar: Vec::new(), offset, length, code, message, hint };
        // The body of a macro may be looked at twice.
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}
