//! Types of what computes.

use super::Checker;
use crate::ast::{Link, Node, Operator, Span};
use crate::notes::Note;
use crate::{Type, code, nearest};

/// What matters about a type for an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Any,
    Integer,
    Number,
    Text,
    Boolean,
    Datetime,
    Duration,
    List,
    Other,
}

fn class(type_: &Type) -> Class {
    match type_ {
        Type::Any => Class::Any,
        Type::Integer => Class::Integer,
        Type::Number => Class::Number,
        Type::String | Type::Enum(_) => Class::Text,
        Type::Boolean => Class::Boolean,
        Type::Datetime => Class::Datetime,
        Type::Duration => Class::Duration,
        Type::List(_) => Class::List,
        Type::Null | Type::File | Type::Object(_) | Type::Map(_) | Type::Nullable(_) => Class::Other,
    }
}

/// The result of an operator, and what it must know while running; `None` when it does not take these.
type Outcome = Option<(Type, Note)>;

impl Checker<'_> {
    pub(super) fn negate(&mut self, inner: &Node) -> Type {
        let type_ = self.required(inner);
        match class(&type_) {
            Class::Any | Class::Integer | Class::Number => type_,
            // A duration that comes as a text cannot be turned round before it is read.
            _ => {
                self.wrong(inner.span, "a number", &type_);
                Type::Any
            }
        }
    }

    pub(super) fn chain(&mut self, first: &Node, links: &[Link]) -> Type {
        let mut span = first.span;
        let mut left: Option<Type> = None;
        for link in links {
            let result = match link.operator {
                Operator::Equal | Operator::NotEqual => {
                    let left = left.take().unwrap_or_else(|| self.whole(first));
                    let right = self.whole(&link.right);
                    self.equality(&left, &right, link, span)
                }
                _ => {
                    let left = left.take().unwrap_or_else(|| self.required(first));
                    let right = self.required(&link.right);
                    self.operation(&left, &right, link, span)
                }
            };
            left = Some(result);
            span.end = link.right.span.end;
        }
        left.unwrap_or_default()
    }

    fn operation(&mut self, left: &Type, right: &Type, link: &Link, span: Span) -> Type {
        let outcome = match link.operator {
            Operator::Add => add(left, right),
            Operator::Subtract => subtract(left, right),
            Operator::Multiply | Operator::Divide => numbers(left, right),
            Operator::Modulo => modulo(left, right),
            Operator::In => within(left, right),
            _ => ordered(left, right),
        };
        let Some((type_, note)) = outcome else {
            let span = Span { start: span.start, end: link.right.span.end };
            let message = format!("`{}` does not go between {left} and {right}", link.operator.symbol());
            self.problem(span, code::TYPE, message, hint(left, right));
            return result_anyway(link.operator);
        };
        self.notes.set(link.note, note);
        type_
    }

    /// Everything can be compared; what can never be equal is a mistake.
    fn equality(&mut self, left: &Type, right: &Type, link: &Link, span: Span) -> Type {
        let (a, b) = (left.clone().required(), right.clone().required());
        if a == b && matches!(a, Type::Datetime | Type::Duration) {
            self.notes.set(link.note, Note::Times);
        }
        let span = Span { start: span.start, end: link.right.span.end };
        if let (Type::Enum(a), Type::Enum(b)) = (&a, &b)
            && !a.iter().any(|value| b.contains(value))
        {
            let (known, written) = if a.len() > b.len() { (a, b) } else { (b, a) };
            let near = written.first().and_then(|word| nearest(word, known.iter().map(String::as_str)));
            let message =
                format!("these are never equal: one of {}, and {}", known.join(", "), written.join(", "));
            self.problem(span, code::TYPE, message, near.map(|near| format!("did you mean '{near}'?")));
        } else if a != Type::Null && b != Type::Null && a.try_join(&b).is_none() {
            self.problem(span, code::TYPE, format!("{a} and {b} are never equal"), hint(&a, &b));
        }
        Type::Boolean
    }
}

/// What to go on with after a mistake.
fn result_anyway(operator: Operator) -> Type {
    match operator {
        Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Modulo => {
            Type::Any
        }
        _ => Type::Boolean,
    }
}

fn hint(left: &Type, right: &Type) -> Option<String> {
    let words = match (class(left), class(right)) {
        (Class::Text, Class::Integer | Class::Number) | (Class::Integer | Class::Number, Class::Text) => {
            "write string(…) around the number, or double(…) around the text"
        }
        (Class::Text, Class::Datetime) | (Class::Datetime, Class::Text) => {
            "write timestamp(…) around the text, or string(…) around the time"
        }
        (Class::Text, Class::Duration)
        | (Class::Duration, Class::Text)
        | (Class::Datetime, Class::Integer) => "write duration('…')",
        (Class::Text, _) | (_, Class::Text) => "write string(…) around the other one",
        _ => return None,
    };
    Some(words.to_owned())
}

fn numbers(left: &Type, right: &Type) -> Outcome {
    Some(match (class(left), class(right)) {
        (Class::Integer, Class::Integer) => (Type::Integer, Note::Nothing),
        (Class::Integer | Class::Number, Class::Integer | Class::Number) => (Type::Number, Note::Numbers),
        (Class::Number, Class::Any) | (Class::Any, Class::Number) => (Type::Number, Note::Numbers),
        (Class::Any, Class::Any | Class::Integer) | (Class::Integer, Class::Any) => {
            (Type::Any, Note::Nothing)
        }
        _ => return None,
    })
}

fn modulo(left: &Type, right: &Type) -> Outcome {
    let whole = |type_: &Type| matches!(class(type_), Class::Any | Class::Integer);
    (whole(left) && whole(right)).then_some((Type::Integer, Note::Nothing))
}

fn add(left: &Type, right: &Type) -> Outcome {
    Some(match (class(left), class(right)) {
        (Class::Any, Class::Any) => (Type::Any, Note::Nothing),
        (Class::Text, Class::Text | Class::Any) | (Class::Any, Class::Text) => (Type::String, Note::Nothing),
        (Class::List, Class::List) => match (left, right) {
            (Type::List(a), Type::List(b)) => (Type::list(a.join(b)), Note::Nothing),
            _ => return None,
        },
        (Class::List, Class::Any) | (Class::Any, Class::List) => (Type::list(Type::Any), Note::Nothing),
        (Class::Datetime, Class::Duration) | (Class::Duration, Class::Datetime) => {
            (Type::Datetime, Note::Times)
        }
        (Class::Duration, Class::Duration) => (Type::Duration, Note::Times),
        (Class::Any, Class::Datetime) | (Class::Datetime, Class::Any) => (Type::Datetime, Note::Times),
        (Class::Any, Class::Duration) | (Class::Duration, Class::Any) => (Type::Any, Note::Times),
        _ => return numbers(left, right),
    })
}

fn subtract(left: &Type, right: &Type) -> Outcome {
    Some(match (class(left), class(right)) {
        (Class::Datetime, Class::Datetime) | (Class::Duration, Class::Duration) => {
            (Type::Duration, Note::Times)
        }
        (Class::Datetime, Class::Duration) => (Type::Datetime, Note::Times),
        (Class::Datetime | Class::Duration, Class::Any) => (Type::Any, Note::Times),
        (Class::Any, Class::Datetime | Class::Duration) => (Type::Any, Note::Times),
        _ => return numbers(left, right),
    })
}

fn ordered(left: &Type, right: &Type) -> Outcome {
    let note = match (class(left), class(right)) {
        (Class::List | Class::Other, _) | (_, Class::List | Class::Other) => return None,
        (Class::Datetime | Class::Duration, Class::Any) | (Class::Any, Class::Datetime | Class::Duration) => {
            Note::Times
        }
        (Class::Any, _) | (_, Class::Any) => Note::Nothing,
        (Class::Integer | Class::Number, Class::Integer | Class::Number) => Note::Nothing,
        (Class::Datetime, Class::Datetime) | (Class::Duration, Class::Duration) => Note::Times,
        (Class::Datetime | Class::Duration, Class::Text) if left.accepts(right).is_ok() => Note::Times,
        (Class::Text, Class::Datetime | Class::Duration) if right.accepts(left).is_ok() => Note::Times,
        (a, b) if a == b => Note::Nothing,
        _ => return None,
    };
    Some((Type::Boolean, note))
}

fn within(left: &Type, right: &Type) -> Outcome {
    let fits = match right {
        Type::Any => true,
        Type::List(item) => *left == Type::Null || left.try_join(item).is_some(),
        Type::Object(_) | Type::Map(_) | Type::File => {
            left.is_text() || matches!(left, Type::Any | Type::Integer)
        }
        _ => false,
    };
    fits.then_some((Type::Boolean, Note::Nothing))
}

/// Whether values of a type have an order, and whether they are times.
pub(super) fn order_of(type_: &Type) -> Option<Note> {
    match class(type_) {
        Class::List | Class::Other => None,
        Class::Datetime | Class::Duration => Some(Note::Times),
        _ => Some(Note::Nothing),
    }
}
