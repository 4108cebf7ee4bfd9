//! A value and what follows it: fields, indexes, calls, macros.

use super::lexer::Token;
use super::parser::Parser;
use crate::ast::{Call, Kind, Macro, MacroKind, Node, Path, Presence, Root, Segment, SegmentKind, Span};
use crate::functions::{self, Function, table};
use crate::{ParseError, nearest};
use std::sync::Arc;

impl Parser<'_> {
    pub(super) fn postfix(&mut self) -> Result<Node, ParseError> {
        let start = self.at();
        let first = self.primary()?;
        let mut path = match first.kind {
            Kind::Path(path) => path,
            kind if !matches!(self.peek(), Token::Sign("." | "[")) => {
                return Ok(Node { span: first.span, kind });
            }
            kind => {
                let span = first.span;
                Path {
                    root: Root::Value(Box::new(Node { span, kind })),
                    root_span: span,
                    segments: Vec::new(),
                }
            }
        };
        loop {
            let at = self.at();
            if self.take_sign("[") {
                let kind = self.index()?;
                let segment = Segment { span: self.span_from(at), note: self.note(), kind };
                path.segments.push(segment);
            } else if self.take_sign(".") {
                let mark = self.mark();
                // `.?name` is marked at its name.
                self.take_sign("?");
                let at = self.at();
                self.reset(mark);
                let kind = self.member()?;
                let segment = Segment { span: self.span_from(at), note: self.note(), kind };
                path.segments.push(segment);
            } else {
                break;
            }
        }
        self.finish_reference(&path);
        Ok(Node { span: self.span_from(start), kind: Kind::Path(path) })
    }

    /// What a chain begins with. Names, calls and parentheses come back as a path.
    fn primary(&mut self) -> Result<Node, ParseError> {
        let start = self.at();
        let Token::Name(word) = self.peek().clone() else {
            let kind = self.literal()?;
            return Ok(Node { span: self.span_from(start), kind });
        };
        let kind = match (word.as_str(), self.peek_second()) {
            ("optional", Token::Sign(".")) if self.is_optional_call() => self.optional()?,
            (_, Token::Sign("(")) => {
                self.take();
                self.global_call(&word, start)?
            }
            ("true", _) => self.word(Kind::Bool(true)),
            ("false", _) => self.word(Kind::Bool(false)),
            ("null", _) => self.word(Kind::Null),
            _ => {
                self.take();
                let root = self.name(word, start)?;
                Kind::Path(Path { root, root_span: self.span_from(start), segments: Vec::new() })
            }
        };
        Ok(Node { span: self.span_from(start), kind })
    }

    fn word(&mut self, kind: Kind) -> Kind {
        self.take();
        kind
    }

    fn index(&mut self) -> Result<SegmentKind, ParseError> {
        let presence = if self.take_sign("?") { Presence::Optional } else { Presence::Required };
        let index = self.expression()?;
        self.expect("]")?;
        // a['b'] is a.b: one way to read a field, so that all the rest sees it.
        Ok(match index.kind {
            Kind::Text(name) => SegmentKind::Field(name, presence),
            _ => SegmentKind::Index(index, presence),
        })
    }

    /// What stands after a dot.
    fn member(&mut self) -> Result<SegmentKind, ParseError> {
        let presence = if self.take_sign("?") { Presence::Optional } else { Presence::Required };
        let at = self.at();
        let Token::Name(name) = self.peek().clone() else {
            return Err(self.unexpected("the name of a field").hint("write a['…'] for an unusual name"));
        };
        self.take();
        if presence == Presence::Optional || !self.take_sign("(") {
            return Ok(SegmentKind::Field(name.into(), presence));
        }
        if let Some(kind) = MacroKind::named(&name) {
            return self.macro_call(kind, &name, at);
        }
        let row = functions::named(&name).ok_or_else(|| unknown_function(&name, at))?;
        let rest = self.arguments()?;
        call(row, rest, at)
    }

    /// The arguments up to the closing parenthesis; the opening one is taken already.
    fn arguments(&mut self) -> Result<Vec<Node>, ParseError> {
        let mut arguments = Vec::new();
        while !self.take_sign(")") {
            arguments.push(self.expression()?);
            if !self.take_sign(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(arguments)
    }

    fn global_call(&mut self, name: &str, start: usize) -> Result<Kind, ParseError> {
        self.expect("(")?;
        if MacroKind::named(name).is_some() {
            return Err(ParseError::new(start, format!("`{name}` is called on a list"))
                .hint(format!("write list.{name}(x, …)")));
        }
        if functions::named(name).is_none() && !matches!(name, "has" | "default") {
            return Err(unknown_function(name, start));
        }
        let mut arguments = self.arguments()?;
        match (name, functions::named(name)) {
            ("has", _) => has(arguments, start),
            ("default", _) => default(arguments, start),
            (_, Some(row)) if !arguments.is_empty() => {
                let first = arguments.remove(0);
                let kind = call(row, arguments, start)?;
                Ok(self.call_on(first, kind, start))
            }
            (name, _) => Err(wrong_count(name, start, 0)),
        }
    }

    /// `f(x, y)` as the path `x` with the call at its end.
    fn call_on(&mut self, first: Node, kind: SegmentKind, start: usize) -> Kind {
        let segment = Segment { span: self.span_from(start), note: self.note(), kind };
        let root_span = first.span;
        match first.kind {
            Kind::Path(mut path) => {
                path.segments.push(segment);
                Kind::Path(path)
            }
            kind => {
                let root = Root::Value(Box::new(Node { span: root_span, kind }));
                Kind::Path(Path { root, root_span, segments: vec![segment] })
            }
        }
    }

    fn is_optional_call(&self) -> bool {
        !self.locals.iter().any(|local| &**local == "optional")
    }

    /// `optional.of(x)`, `optional.none()`; any other use of the name is a name.
    fn optional(&mut self) -> Result<Kind, ParseError> {
        let start = self.at();
        let span = {
            self.take();
            self.span_from(start)
        };
        let saved = self.mark();
        self.take();
        let Token::Name(member) = self.take() else { return self.optional_name(saved, start, span) };
        let known = member == "none" || table::of_optional(&member).is_some();
        if !known || !self.take_sign("(") {
            return self.optional_name(saved, start, span);
        }
        let mut arguments = self.arguments()?;
        match table::of_optional(&member) {
            None if arguments.is_empty() => Ok(Kind::OptionalNone),
            Some(row) if arguments.len() == 1 => {
                let first = arguments.remove(0);
                let kind = call(row, arguments, start)?;
                Ok(self.call_on(first, kind, start))
            }
            _ => Err(wrong_count(&format!("optional.{member}"), start, arguments.len())),
        }
    }

    fn optional_name(&mut self, saved: usize, start: usize, root_span: Span) -> Result<Kind, ParseError> {
        self.reset(saved);
        let root = self.name("optional".to_owned(), start)?;
        Ok(Kind::Path(Path { root, root_span, segments: Vec::new() }))
    }

    fn macro_call(&mut self, kind: MacroKind, name: &str, at: usize) -> Result<SegmentKind, ParseError> {
        let variable_at = self.at();
        let (Token::Name(variable), Token::Sign(",")) = (self.peek().clone(), self.peek_second()) else {
            return Err(ParseError::new(variable_at, format!("`{name}` needs a variable and an expression"))
                .hint(format!("write list.{name}(x, x.field)")));
        };
        self.take();
        self.take();
        let variable: Arc<str> = variable.into();
        self.locals.push(variable);
        let arguments = self.arguments();
        self.locals.pop();
        let mut arguments = arguments?;
        let value =
            if kind == MacroKind::Map && arguments.len() == 2 { arguments.pop().map(Box::new) } else { None };
        let body = arguments.pop().filter(|_| arguments.is_empty()).map(Box::new);
        let body =
            body.ok_or_else(|| ParseError::new(at, format!("`{name}` takes a variable and one expression")))?;
        Ok(SegmentKind::Macro(Macro { kind, body, value }))
    }
}

fn unknown_function(name: &str, at: usize) -> ParseError {
    let error = ParseError::new(at, format!("there is no function `{name}`"));
    match (name, nearest(name, table::names())) {
        ("len" | "length" | "count", _) => error.hint("did you mean `size`?"),
        ("uint", _) => error.hint("there are no unsigned numbers here: use `int`"),
        ("bytes", _) => error.hint("there are no bytes in JSON: use a text"),
        ("now", _) => error.hint("an expression has no clock: use `run.started_at`"),
        (_, Some(known)) => error.hint(format!("did you mean `{known}`?")),
        _ => error,
    }
}

fn wrong_count(name: &str, at: usize, given: usize) -> ParseError {
    let expected = match functions::named(name) {
        Some(row) if row.args_min == row.args_max => format!("{}", row.args_min),
        Some(row) if row.args_max == usize::MAX => format!("{} or more", row.args_min),
        Some(row) => format!("{} to {}", row.args_min, row.args_max),
        None if name == "default" => "2".to_owned(),
        None if name == "optional.none" => "no".to_owned(),
        None => "1".to_owned(),
    };
    ParseError::new(at, format!("`{name}` takes {expected} argument(s), {given} given"))
}

fn call(row: &table::Row, rest: Vec<Node>, at: usize) -> Result<SegmentKind, ParseError> {
    let given = rest.len() + 1;
    if given < row.args_min || given > row.args_max {
        return Err(wrong_count(row.name, at, given));
    }
    let regex = match (row.function, rest.first().map(|node| (&node.kind, node.span))) {
        (Function::Matches, Some((Kind::Text(pattern), span))) => {
            let compiled = functions::regex::compile(pattern);
            Some(compiled.map_err(|error| ParseError::new(span.start as usize, error.message))?)
        }
        _ => None,
    };
    Ok(SegmentKind::Call(Call { function: row.function, rest, regex }))
}

fn has(mut arguments: Vec<Node>, start: usize) -> Result<Kind, ParseError> {
    if arguments.len() != 1 {
        return Err(wrong_count("has", start, arguments.len()));
    }
    match arguments.remove(0).kind {
        Kind::Path(path) if matches!(path.segments.last().map(|s| &s.kind), Some(SegmentKind::Field(..))) => {
            Ok(Kind::Has(path))
        }
        _ => Err(ParseError::new(start, "`has` asks for a field").hint("write has(a.b)")),
    }
}

fn default(mut arguments: Vec<Node>, start: usize) -> Result<Kind, ParseError> {
    match (arguments.pop(), arguments.pop(), arguments.is_empty()) {
        (Some(otherwise), Some(value), true) => Ok(Kind::Default(Box::new(value), Box::new(otherwise))),
        (last, first, _) => {
            let given = usize::from(last.is_some()) + usize::from(first.is_some()) + arguments.len();
            Err(wrong_count("default", start, given))
        }
    }
}
