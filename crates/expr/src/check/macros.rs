//! Types of the macros.

use super::{Checker, Known, facts, operators};
use crate::ast::{Macro, MacroKind, Node, Segment, Span};
use crate::{Type, code};

impl Checker<'_> {
    pub(super) fn macro_(&mut self, over: Known, before: Span, walk: &Macro, segment: &Segment) -> Known {
        if walk.kind == MacroKind::OptMap {
            return self.opt_map(over, before, walk);
        }
        let over = self.require(over, before);
        let item = match over {
            Type::Any => Type::Any,
            Type::List(item) => *item,
            Type::Object(_) | Type::Map(_) | Type::File => Type::String,
            other => {
                self.wrong(before, "a list", &other);
                Type::Any
            }
        };
        self.locals.push(item.clone());
        let known = self.facts.mark();
        let result = self.walk(item, walk, segment);
        self.facts.forget(known);
        self.locals.pop();
        result.into()
    }

    fn walk(&mut self, item: Type, walk: &Macro, segment: &Segment) -> Type {
        match walk.kind {
            MacroKind::All | MacroKind::Exists | MacroKind::ExistsOne => self.boolean(&walk.body),
            MacroKind::Map => match &walk.value {
                None => Type::list(self.whole(&walk.body)),
                Some(value) => {
                    self.boolean(&walk.body);
                    self.facts.learn(&walk.body, true);
                    Type::list(self.whole(value))
                }
            },
            MacroKind::Filter => {
                self.boolean(&walk.body);
                Type::list(self.kept_by(item, &walk.body))
            }
            MacroKind::SortBy => {
                self.key(&walk.body, segment);
                Type::list(item)
            }
            MacroKind::MaxBy | MacroKind::MinBy => {
                self.key(&walk.body, segment);
                item.nullable()
            }
            MacroKind::OptMap => Type::Any,
        }
    }

    /// What a filter lets through: `filter(x, x.a != null)` leaves items whose `a` is not null.
    fn kept_by(&mut self, item: Type, condition: &Node) -> Type {
        let known = self.facts.mark();
        self.facts.learn(condition, true);
        let local = self.locals.len() - 1;
        let paths: Vec<String> = self.facts.of_local(known, local).map(str::to_owned).collect();
        let itself = self.facts.holds(&format!("#{local}"));
        let kept = paths
            .iter()
            .filter_map(|path| facts::names(path))
            .fold(item, |item, names| item.not_null_at(&names));
        if itself { kept.required() } else { kept }
    }

    fn key(&mut self, body: &Node, segment: &Segment) {
        let type_ = self.required(body);
        match operators::order_of(&type_) {
            Some(note) => self.notes.set(segment.note, note),
            None => self.wrong(body.span, "something that has an order", &type_),
        }
    }

    fn opt_map(&mut self, over: Known, before: Span, walk: &Macro) -> Known {
        if !over.optional && over.type_ != Type::Any {
            self.problem(
                before,
                code::TYPE,
                format!("`{}` must be an optional (`a.?b`)", self.text(before)),
                None,
            );
        }
        self.locals.push(over.type_);
        let type_ = self.whole(&walk.body);
        self.locals.pop();
        Known { type_, optional: true }
    }
}
