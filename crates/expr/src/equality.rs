//! Tests of a condition that an index can decide: `event.data.id == input.id`.

use crate::ast::{Kind, Link, Node, Operator, Path, Root, SegmentKind};
use crate::cost::Budget;
use crate::eval::Evaluator;
use crate::value::into_json;
use crate::{Expr, Reference, Scope};
use consort_types::Json;

/// A place below a name, and the value that it must have.
#[derive(Debug, Clone, PartialEq)]
pub struct Equality {
    /// The fields behind the name: `data`, `id`.
    pub path: Vec<String>,
    /// A text, a number or a boolean.
    pub value: Json,
}

impl Expr {
    /// What must be equal below a name for the condition to hold, as far as that is known without the name:
    /// the condition itself or the terms of its `&&` that compare a plain place with a value of the scope.
    /// Where they all hold the condition may hold; where one does not, it does not.
    pub fn equalities(&self, name: &str, scope: &dyn Scope) -> Vec<Equality> {
        let root = self.root();
        let terms = match &root.kind {
            Kind::All(terms) => terms.as_slice(),
            _ => std::slice::from_ref(root),
        };
        terms.iter().filter_map(|term| self.equality(term, name, scope)).collect()
    }

    fn equality(&self, term: &Node, name: &str, scope: &dyn Scope) -> Option<Equality> {
        let Kind::Chain(left, links) = &term.kind else { return None };
        let [Link { operator: Operator::Equal, right, .. }] = links.as_slice() else { return None };
        let sides = [(&**left, right), (right, &**left)];
        let (path, other) = sides.into_iter().find_map(|(side, other)| Some((plain(side, name)?, other)))?;
        let reads_name = |reference: &Reference| {
            let at = reference.offset as u32;
            reference.root == name && other.span.start <= at && at < other.span.end
        };
        if self.references().iter().any(reads_name) {
            return None;
        }
        let mut evaluator = Evaluator::new(scope, self.source(), self.notes(), Budget::new());
        let value = into_json(evaluator.node(other).ok()?).ok()?;
        decides(&value).then_some(Equality { path, value })
    }
}

/// The fields of a plain place below a name.
fn plain(node: &Node, name: &str) -> Option<Vec<String>> {
    let Kind::Path(path @ Path { root: Root::Free(root, _), segments, .. }) = &node.kind else { return None };
    if &**root != name || segments.is_empty() || path.constant_len() < segments.len() {
        return None;
    }
    let field = |kind: &SegmentKind| match kind {
        SegmentKind::Field(field, _) => Some(field.to_string()),
        SegmentKind::Index(..) | SegmentKind::Call(_) | SegmentKind::Macro(_) => None,
    };
    segments.iter().map(|segment| field(&segment.kind)).collect()
}

/// Whether two values that are equal are always written alike: not so for times, lists and objects.
fn decides(value: &Json) -> bool {
    match value.text().as_bytes().first() {
        Some(b'"') => value.read::<consort_types::Timestamp>().is_err(),
        Some(b't' | b'f' | b'-' | b'0'..=b'9') => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(condition: &str) -> Vec<(String, String)> {
        let input = Json::of(&serde_json::json!({"id": "a", "n": 3, "at": "2026-01-01T00:00:00Z"}));
        let found = Expr::parse(condition).unwrap().equalities("event", &[("input", input)]);
        found.into_iter().map(|it| (it.path.join("."), it.value.to_string())).collect()
    }

    fn pair(path: &str, value: &str) -> (String, String) {
        (path.to_owned(), value.to_owned())
    }

    #[test]
    fn the_tests_that_decide_are_found() {
        assert_eq!(of("event.data.id == input.id"), [pair("data.id", "\"a\"")]);
        assert_eq!(of("'x' == event.subject"), [pair("subject", "\"x\"")]);
        assert_eq!(
            of("event.data.id == input.id && event.data.n > 2 && event.data.n == input.n + 1"),
            [pair("data.id", "\"a\""), pair("data.n", "4")]
        );
    }

    #[test]
    fn what_does_not_decide_is_left_out() {
        for condition in [
            "event.data.id != input.id",
            "event.data.id == input.id || event.data.n == 3",
            "event.data.id == event.data.other",
            "event.data.list[0] == 1",
            "event.data.id == input.unknown.x",
            "event.data.at == input.at",
            "event.data.x == null",
            "size(event.data.id) == 3",
            "event == input.id",
            "!(event.data.id == input.id)",
        ] {
            assert!(of(condition).is_empty(), "{condition}");
        }
    }
}
