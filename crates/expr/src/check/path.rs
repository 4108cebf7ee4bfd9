//! Follows a place into its type.

use super::facts::{field_key, root_key};
use super::{Checker, Known};
use crate::ast::{Node, Path, Presence, Root, Segment, SegmentKind};
use crate::notes::Note;
use crate::{Type, code, nearest};

impl Checker<'_> {
    pub(super) fn path(&mut self, path: &Path) -> Known {
        let mut known = self.root(path);
        // As long as only fields are read, the place has a name that a condition can have spoken of.
        let mut place = root_key(&path.root);
        if place.as_deref().is_some_and(|place| self.facts.holds(place)) {
            known.type_ = known.type_.required();
        }
        let mut before = path.root_span;
        for segment in &path.segments {
            place = match (place, &segment.kind) {
                (Some(outer), SegmentKind::Field(name, Presence::Required)) => Some(field_key(&outer, name)),
                _ => None,
            };
            known = match &segment.kind {
                SegmentKind::Field(name, presence) => self.field(&known, name, *presence, segment),
                SegmentKind::Index(index, presence) => self.index(&known, index, *presence, segment),
                SegmentKind::Call(call) => self.call(known, before, call, segment),
                SegmentKind::Macro(walk) => self.macro_(known, before, walk, segment),
            };
            if place.as_deref().is_some_and(|place| self.facts.holds(place)) {
                known.type_ = known.type_.required();
            }
            before = crate::ast::Span { start: before.start, end: segment.span.end.max(before.end) };
        }
        known
    }

    fn root(&mut self, path: &Path) -> Known {
        match &path.root {
            Root::Local(place) => self.locals[*place].clone().into(),
            Root::Value(node) => self.node(node),
            Root::Free(name, _) => match self.env.get(name) {
                Some(type_) => type_.clone().into(),
                None => {
                    let hint = self.env.nearest(name).map(|near| format!("did you mean `{near}`?"));
                    self.problem(
                        path.root_span,
                        code::UNKNOWN_NAME,
                        format!("there is no `{name}` here"),
                        hint,
                    );
                    Type::Any.into()
                }
            },
        }
    }

    fn field(&mut self, known: &Known, name: &str, presence: Presence, segment: &Segment) -> Known {
        let optional = known.optional || presence == Presence::Optional;
        let (object, null) = match &known.type_ {
            Type::Null => return Known { type_: Type::Null, optional },
            Type::Nullable(inner) => (&**inner, true),
            other => (other, false),
        };
        let file = Type::file_fields();
        let (type_, may_be_absent) = match if *object == Type::File { &file } else { object } {
            Type::Any => (Type::Any, false),
            Type::Map(value) => ((**value).clone(), false),
            Type::Object(fields) => match fields.field(name) {
                Some(field) => (field.type_.clone(), !field.required),
                None => {
                    let near = nearest(name, fields.fields.iter().map(|field| field.name.as_str()));
                    let hint = near.map(|near| format!("did you mean `{near}`?"));
                    let message = format!("there is no field `{name}` in {object}");
                    self.problem(segment.span, code::NO_FIELD, message, hint);
                    (Type::Any, false)
                }
            },
            other => {
                let message = format!("{other} has no field `{name}`");
                self.problem(segment.span, code::TYPE, message, None);
                (Type::Any, false)
            }
        };
        if may_be_absent && !optional {
            self.notes.set(segment.note, Note::MayBeAbsent);
        }
        let type_ = if (may_be_absent || null) && !optional { type_.nullable() } else { type_ };
        Known { type_, optional }
    }

    fn index(&mut self, known: &Known, index: &Node, presence: Presence, segment: &Segment) -> Known {
        let optional = known.optional || presence == Presence::Optional;
        let at = self.required(index);
        let (inside, null) = match &known.type_ {
            Type::Null => return Known { type_: Type::Null, optional },
            Type::Nullable(inner) => (&**inner, true),
            other => (other, false),
        };
        let by_number = matches!(at, Type::Any | Type::Integer | Type::Number);
        let by_key = by_number || matches!(at, Type::String | Type::Enum(_) | Type::Boolean);
        let file = Type::file_fields();
        let (type_, fits) = match if *inside == Type::File { &file } else { inside } {
            Type::Any => (Type::Any, by_key),
            Type::List(item) => ((**item).clone(), by_number),
            Type::Map(value) => ((**value).clone(), by_key),
            Type::Object(object) => {
                let types = object.fields.iter().map(|field| field.type_.clone());
                (
                    types.reduce(|all, field| all.join(&field)).unwrap_or_default(),
                    by_key && (!by_number || at == Type::Any),
                )
            }
            other => {
                self.problem(segment.span, code::TYPE, format!("{other} cannot be indexed"), None);
                return Known { type_: Type::Any, optional };
            }
        };
        if !fits {
            let list = matches!(inside, Type::List(_));
            let wanted = if list { "a whole number" } else { "a text" };
            self.wrong(index.span, wanted, &at);
        }
        Known { type_: if null && !optional { type_.nullable() } else { type_ }, optional }
    }
}
