//! Types of the functions.

use super::{Checker, Known, operators};
use crate::ast::{Call, Segment, Span};
use crate::functions::Function;
use crate::{Type, code};

/// What an argument must be.
#[derive(Debug, Clone, Copy)]
enum Want {
    Text,
    Number,
    List,
    Sized,
    Time,
    TimeOrDuration,
}

impl Want {
    fn fits(self, type_: &Type) -> bool {
        match (self, type_) {
            (_, Type::Any) => true,
            (Self::Text, other) => matches!(other, Type::String | Type::Enum(_)),
            (Self::Number, other) => matches!(other, Type::Integer | Type::Number),
            (Self::List, other) => matches!(other, Type::List(_)),
            (Self::Sized, Type::List(_) | Type::Object(_) | Type::Map(_) | Type::File) => true,
            (Self::Sized, other) => matches!(other, Type::String | Type::Enum(_)),
            (Self::Time, other) => matches!(other, Type::Datetime | Type::String | Type::Enum(_)),
            (Self::TimeOrDuration, other) => other.is_text(),
        }
    }

    fn describe(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::List => "a list",
            Self::Sized => "a text, a list or an object",
            Self::Time => "a time",
            Self::TimeOrDuration => "a time or a duration",
        }
    }
}

/// The arguments of a call, the receiver first.
struct Arguments(Vec<(Known, Span)>);

impl Checker<'_> {
    pub(super) fn call(&mut self, first: Known, before: Span, call: &Call, segment: &Segment) -> Known {
        let mut arguments = vec![(first, before)];
        for argument in &call.rest {
            arguments.push((self.node(argument), argument.span));
        }
        let arguments = Arguments(arguments);
        match call.function {
            Function::OptionalOf
            | Function::OptionalOfNonZero
            | Function::OrValue
            | Function::Or
            | Function::HasValue
            | Function::Value => self.of_optional(call.function, arguments),
            Function::Dyn | Function::Type | Function::ParseJson => {
                if call.function == Function::ParseJson {
                    self.wanted(&arguments, 0, Want::Text);
                }
                Known {
                    type_: Type::Any,
                    optional: call.function == Function::Dyn && arguments.0[0].0.optional,
                }
            }
            Function::Min | Function::Max => self.extreme(&arguments, segment).into(),
            function => self.plain(function, &arguments).into(),
        }
    }

    /// The type of an argument that must be of some kind.
    fn wanted(&mut self, arguments: &Arguments, index: usize, want: Want) -> Type {
        let Some((known, span)) = arguments.0.get(index).cloned() else { return Type::Any };
        let type_ = self.require(known, span);
        if !want.fits(&type_) {
            self.wrong(span, want.describe(), &type_);
            return Type::Any;
        }
        type_
    }

    fn item(&mut self, arguments: &Arguments) -> Type {
        match self.wanted(arguments, 0, Want::List) {
            Type::List(item) => *item,
            _ => Type::Any,
        }
    }

    fn texts(&mut self, arguments: &Arguments) {
        for index in 0..arguments.0.len() {
            self.wanted(arguments, index, Want::Text);
        }
    }

    fn plain(&mut self, function: Function, arguments: &Arguments) -> Type {
        match function {
            Function::Size => {
                self.wanted(arguments, 0, Want::Sized);
                Type::Integer
            }
            Function::Contains | Function::StartsWith | Function::EndsWith | Function::Matches => {
                self.texts(arguments);
                Type::Boolean
            }
            Function::Lower | Function::Upper | Function::Trim => {
                self.texts(arguments);
                Type::String
            }
            Function::Split => {
                self.texts(arguments);
                Type::list(Type::String)
            }
            Function::Int | Function::Double | Function::Bool | Function::Timestamp | Function::Duration => {
                self.conversion(function, arguments)
            }
            Function::Part(_) => {
                self.wanted(arguments, 0, Want::TimeOrDuration);
                self.wanted(arguments, 1, Want::Text);
                Type::Integer
            }
            Function::Format => {
                self.wanted(arguments, 0, Want::Time);
                self.wanted(arguments, 1, Want::Text);
                self.wanted(arguments, 2, Want::Text);
                Type::String
            }
            Function::Sum => self.sum(arguments),
            Function::Distinct => Type::list(self.item(arguments)),
            Function::Flatten => match self.item(arguments) {
                Type::List(inner) => Type::List(inner),
                Type::Nullable(inner) if matches!(*inner, Type::List(_)) => match *inner {
                    Type::List(inner) => Type::list(inner.nullable()),
                    other => Type::list(other),
                },
                other => Type::list(other),
            },
            Function::Chunk => {
                self.wanted(arguments, 1, Want::Number);
                Type::list(Type::list(self.item(arguments)))
            }
            Function::Join => {
                self.item(arguments);
                self.wanted(arguments, 1, Want::Text);
                Type::String
            }
            _ => Type::String,
        }
    }

    fn conversion(&mut self, function: Function, arguments: &Arguments) -> Type {
        let Some((known, span)) = arguments.0.first().cloned() else { return Type::Any };
        let given = self.require(known, span);
        let text = matches!(given, Type::Any | Type::String | Type::Enum(_));
        let number = matches!(given, Type::Integer | Type::Number);
        let (result, fits, wanted) = match function {
            Function::Int => {
                (Type::Integer, text || number || given == Type::Datetime, "a number, a text or a time")
            }
            Function::Double => (Type::Number, text || number, "a number or a text"),
            Function::Bool => (Type::Boolean, text || given == Type::Boolean, "a boolean or a text"),
            Function::Timestamp => {
                let fits = text || matches!(given, Type::Integer | Type::Datetime);
                (Type::Datetime, fits, "a text or whole seconds")
            }
            _ => (Type::Duration, text || given == Type::Duration, "a text (`'1h30m'`)"),
        };
        if !fits {
            self.wrong(span, wanted, &given);
        }
        result
    }

    fn sum(&mut self, arguments: &Arguments) -> Type {
        let span = arguments.0[0].1;
        match self.item(arguments) {
            item @ (Type::Any | Type::Integer | Type::Number) => item,
            // The sum of no durations is 0, which is none.
            Type::Duration => Type::Any,
            other => {
                let code = if other.may_be_null() { code::NULL } else { code::TYPE };
                let hint = other.may_be_null().then(|| "leave out nulls: xs.filter(x, x != null)".to_owned());
                self.problem(span, code, format!("`sum` needs numbers, these are {other}"), hint);
                Type::Any
            }
        }
    }

    /// Of a list: its least or greatest item, null when it is empty. Of several values: one of them.
    fn extreme(&mut self, arguments: &Arguments, segment: &Segment) -> Type {
        let several = arguments.0.len() > 1;
        let item = if several {
            let types: Vec<Type> =
                arguments.0.iter().map(|(known, span)| self.require(known.clone(), *span)).collect();
            let joined = types.iter().skip(1).try_fold(types[0].clone(), |all, next| all.try_join(next));
            joined.unwrap_or_else(|| Type::list(Type::Any))
        } else {
            self.item(arguments)
        };
        match operators::order_of(&item) {
            Some(note) => self.notes.set(segment.note, note),
            None => {
                let (start, end) = (arguments.0[0].1.start, arguments.0[arguments.0.len() - 1].1.end);
                let message = "these values have no order among each other".to_owned();
                self.problem(Span { start, end }, code::TYPE, message, None);
            }
        }
        if several { item } else { item.nullable() }
    }

    fn of_optional(&mut self, function: Function, arguments: Arguments) -> Known {
        let mut arguments = arguments.0.into_iter();
        let Some((first, span)) = arguments.next() else { return Type::Any.into() };
        if matches!(function, Function::OptionalOf | Function::OptionalOfNonZero) {
            return Known { type_: first.type_, optional: true };
        }
        if !first.optional && first.type_ != Type::Any {
            let text = self.text(span);
            let hint = Some("write `.?` or `[?…]` to ask for what may be missing".to_owned());
            self.problem(span, code::TYPE, format!("`{text}` is {}, no optional", first.type_), hint);
        }
        let second = arguments.next();
        match (function, second) {
            (Function::HasValue, _) => Type::Boolean.into(),
            (Function::Value, _) => first.type_.into(),
            (Function::Or, Some((second, second_span))) if !second.optional && second.type_ != Type::Any => {
                self.wrong(second_span, "an optional", &second.type_);
                Known { type_: Type::Any, optional: true }
            }
            (Function::Or, Some((second, _))) => {
                Known { type_: first.type_.join(&second.type_), optional: true }
            }
            (_, Some((second, second_span))) => {
                let second = self.require_settled(second, second_span);
                let span = Span { start: span.start, end: second_span.end };
                self.join(&first.type_, &second, span).into()
            }
            _ => Type::Any.into(),
        }
    }

    /// The type of a value that may be null but is no optional.
    fn require_settled(&mut self, known: Known, span: Span) -> Type {
        if known.optional {
            let hint = format!("write `{}.orValue(…)`", self.text(span));
            self.problem(span, code::TYPE, format!("`{}` is an optional", self.text(span)), Some(hint));
        }
        known.type_
    }
}
