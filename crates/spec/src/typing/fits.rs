//! Whether a value fits what takes it.

use crate::{
    codes,
    definition::Schema,
    diagnostics::{Report, Span},
    lower::{
        draft::{Expects, SiteValue},
        expression::{Condition, Located, place},
    },
    yaml::{Kind, Node, Plain},
};
use consort_expr::{Field, ObjectType, Template, Type, TypeEnv, TypeProblem, nearest};
use consort_types::{Timestamp, parse_duration};
use std::sync::Arc;

/// What to do about a value that may be null.
const GUARD: &str = "guard it: `default(x, …)`, `x != null ? x : …`, or let what takes it take null (`T?`)";

/// Checks one site against what it must be, and gives its type. Each mistake is reported once, at the part
/// that is wrong.
pub(crate) fn judge(report: &Report, value: &SiteValue<'_>, env: &TypeEnv, expects: &Expects) -> Type {
    let value = match value {
        SiteValue::Condition(condition) => return judge_condition(report, condition, env, expects),
        SiteValue::Value(value) => value,
    };
    match expects {
        Expects::Anything => type_of(report, value, env),
        Expects::Condition => fit(report, value, env, &Type::Boolean, "the condition"),
        Expects::Type(type_) => fit(report, value, env, type_, "the value"),
        Expects::List => {
            let list = type_of(report, value, env);
            judge_list(report, value.span(), &list);
            list
        }
        Expects::Input { schema, callee, place } => {
            let errors = report.errors();
            let input = Input { report, env, callee, place: *place };
            input.fit(value, schema.seen_as(), "");
            if report.errors() == errors
                && let Some(literal) = value.literal()
            {
                input.fit_literal(value, schema, literal);
            }
            Type::Any
        }
    }
}

fn judge_condition(report: &Report, condition: &Condition<'_>, env: &TypeEnv, expects: &Expects) -> Type {
    let (type_, problems) = condition.expr.check(env);
    if !problems.is_empty() {
        report_problems(report, condition.node, condition.base, &problems);
        return Type::Any;
    }
    let span = place(condition.node, condition.base, condition.expr.source().len());
    match expects {
        Expects::Condition if Type::Boolean.accepts(&type_).is_err() => {
            let hint = match &type_ {
                Type::Nullable(_) => "compare it: `… == true`",
                _ => "compare it with something: `==`, `<`, `in`, …",
            };
            let message = format!("a condition is true or false, and this is {type_}");
            report.error(span, codes::E_CONDITION, message, Some(hint.to_owned()));
        }
        Expects::List => judge_list(report, span, &type_),
        Expects::Type(expected) => mismatch(report, span, "the value", expected, &type_),
        Expects::Condition | Expects::Anything | Expects::Input { .. } => {}
    }
    type_
}

fn judge_list(report: &Report, span: Span, type_: &Type) {
    match type_ {
        Type::List(_) | Type::Any => {}
        Type::Nullable(inner) if matches!(**inner, Type::List(_) | Type::Any) => {
            let message = "`for_each` goes over a list, and this is perhaps null";
            report.error(span, codes::E_PERHAPS_NULL, message, Some("write `default(…, [])`".to_owned()));
        }
        other => {
            let message = format!("`for_each` goes over a list, and this is {other}");
            report.error(span, codes::E_FOR_EACH, message, None);
        }
    }
}

/// Checks a value that must have a type, and gives its own.
fn fit(report: &Report, value: &Located<'_>, env: &TypeEnv, expected: &Type, what: &str) -> Type {
    let errors = report.errors();
    let type_ = match value {
        Located::Literal(node) if literal_fits(node, expected) => expected.clone(),
        _ => type_of(report, value, env),
    };
    if report.errors() == errors {
        mismatch(report, value.span(), what, expected, &type_);
    }
    type_
}

/// Reports one type that does not fit another.
fn mismatch(report: &Report, span: Span, what: &str, expected: &Type, actual: &Type) {
    let Err(error) = expected.accepts(actual) else { return };
    let by_null = matches!(actual, Type::Nullable(inner) if expected.accepts(inner).is_ok());
    if by_null {
        let message = format!("{what} must be {expected}, and this is perhaps null");
        report.error(span, codes::E_PERHAPS_NULL, message, Some(GUARD.to_owned()));
        return;
    }
    let message = match actual {
        Type::Enum(texts) if texts.len() == 1 => {
            format!("{what} must be {expected}, and this is the text {:?}", texts[0])
        }
        _ if error.path.is_empty() => format!("{what} must be {expected}, and this is {actual}"),
        _ => format!("{what} does not fit at `{}`: {}", error.path, error.message),
    };
    report.error(span, codes::E_TYPE, message, conversion(expected, actual));
}

/// How to make a value of one type out of one of another, where there is a way.
fn conversion(expected: &Type, actual: &Type) -> Option<String> {
    if let (Type::Enum(known), Type::Enum(given)) = (expected, actual)
        && let [given] = given.as_slice()
    {
        return nearest(given, known.iter().map(String::as_str))
            .map(|word| format!("did you mean `{word}`?"));
    }
    let hint = match (expected, actual) {
        (Type::Nullable(expected), actual) => return conversion(expected, actual),
        (Type::String, Type::Integer | Type::Number | Type::Boolean) => {
            "quote it if it is a text; an expression becomes one by `string(…)`"
        }
        (Type::Integer, Type::Number) => "`int(…)` cuts the fraction off",
        (Type::Integer, Type::String) => "`int(…)` reads a text as a whole number",
        (Type::Number, Type::String) => "`double(…)` reads a text as a number",
        (Type::Boolean, Type::String) => "`bool(…)` reads a text; a comparison gives a boolean",
        (Type::List(_), Type::Object(_) | Type::Map(_) | Type::String) => "put it into a list: `[…]`",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// What an operation or a workflow is given.
struct Input<'r> {
    report: &'r Report,
    env: &'r TypeEnv,
    callee: &'r str,
    place: Span,
}

impl Input<'_> {
    /// Goes down the value and the type together, so that each mistake is reported at its own place.
    fn fit(&self, value: &Located<'_>, expected: &Type, path: &str) {
        match (value, expected) {
            (Located::Absent(_), Type::Object(object)) => self.missing(object, &[], self.place, path),
            (Located::Literal(node), Type::Object(object)) if node.is_null() && path.is_empty() => {
                self.missing(object, &[], self.place, path);
            }
            (Located::Map(_, entries), Type::Object(object)) => {
                let place = if path.is_empty() { self.place } else { value.span() };
                let given: Vec<&str> = entries.iter().map(|(key, _)| key.text.as_str()).collect();
                self.missing(object, &given, place, path);
                for (key, value) in entries {
                    match object.fields.iter().find(|field| *field.name == *key.text) {
                        Some(field) => self.fit(value, &field.type_, &join(path, &key.text)),
                        None => self.extra(object, &key.text, key.span, path),
                    }
                }
            }
            (Located::List(_, items), Type::List(item)) => {
                for (index, value) in items.iter().enumerate() {
                    self.fit(value, item, &format!("{path}[{index}]"));
                }
            }
            (Located::Map(..) | Located::List(..), Type::Nullable(inner)) => self.fit(value, inner, path),
            _ => {
                let what = match path {
                    "" => format!("the input of {}", self.callee),
                    path => format!("`{path}` of {}", self.callee),
                };
                fit(self.report, value, self.env, expected, &what);
            }
        }
    }

    /// A schema may ask for more than types tell: a least number, a pattern. A value that is written down shows
    /// whether it has that.
    fn fit_literal(&self, value: &Located<'_>, schema: &Schema, literal: serde_json::Value) {
        let Err(errors) = schema.check(&literal.into()) else { return };
        for error in errors {
            let (span, code) = match error.code.as_str() {
                "missing" => (self.place, codes::E_MISSING_INPUT),
                "unknown" => (value.place_of(&error.path), codes::E_EXTRA_INPUT),
                _ => (value.place_of(&error.path), codes::E_TYPE),
            };
            let what = match error.path.as_str() {
                "" => format!("the input of {}", self.callee),
                path => format!("`{path}` of {}", self.callee),
            };
            self.report.error(span, code, format!("{what}: {}", error.message), None);
        }
    }

    fn missing(&self, object: &ObjectType, given: &[&str], place: Span, path: &str) {
        for field in object.fields.iter().filter(|field| field.required && !given.contains(&&*field.name)) {
            let message = format!("{} needs `{}` ({})", self.callee, join(path, &field.name), field.type_);
            // A field that is misspelt is one mistake, told at the field.
            if given.iter().any(|name| self.is_misspelt(object, name, &field.name)) {
                continue;
            }
            self.report.error(place, codes::E_MISSING_INPUT, message, None);
        }
    }

    fn is_misspelt(&self, object: &ObjectType, given: &str, wanted: &str) -> bool {
        let unknown = !object.fields.iter().any(|field| *field.name == *given);
        unknown && nearest(given, [wanted].into_iter()).is_some()
    }

    fn extra(&self, object: &ObjectType, name: &str, span: Span, path: &str) {
        let known: Vec<&str> = object.fields.iter().map(|field| &*field.name).collect();
        let hint = match nearest(name, known.iter().copied()) {
            Some(name) => Some(format!("did you mean `{name}`?")),
            None if known.is_empty() => Some("it takes no input".to_owned()),
            None => Some(format!("it takes {}", known.join(", "))),
        };
        let message = format!("{} takes no `{}`", self.callee, join(path, name));
        self.report.error(span, codes::E_EXTRA_INPUT, message, hint);
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The type of a value; problems inside its expressions are reported.
fn type_of(report: &Report, value: &Located<'_>, env: &TypeEnv) -> Type {
    match value {
        Located::Absent(_) => Type::Object(Arc::new(ObjectType { fields: Vec::new() })),
        Located::Literal(node) => literal_type(node),
        Located::Text(node, template) => text_type(report, node, template, env),
        Located::List(_, items) => {
            let mut types = items.iter().map(|item| type_of(report, item, env));
            let first = types.next().unwrap_or(Type::Any);
            Type::list(types.fold(first, |joined, type_| joined.join(&type_)))
        }
        Located::Map(_, entries) => {
            let field = |name: &str, type_| Field { name: name.into(), type_, required: true };
            let fields =
                entries.iter().map(|(key, value)| field(&key.text, type_of(report, value, env))).collect();
            Type::Object(Arc::new(ObjectType { fields }))
        }
    }
}

fn text_type(report: &Report, node: &Node, template: &Template, env: &TypeEnv) -> Type {
    let (type_, problems) = template.check(env);
    if problems.is_empty() {
        type_
    } else {
        report_problems(report, node, 0, &problems);
        Type::Any
    }
}

fn report_problems(report: &Report, node: &Node, base: usize, problems: &[TypeProblem]) {
    for problem in problems {
        let span = place(node, base + problem.offset, problem.length);
        report.error(span, code_of(problem.code), problem.message.clone(), problem.hint.clone());
    }
}

/// One mistake has one code, whether an expression or a `with` makes it.
fn code_of(code: &'static str) -> &'static str {
    match code {
        consort_expr::code::TYPE => codes::E_TYPE,
        consort_expr::code::NULL => codes::E_PERHAPS_NULL,
        consort_expr::code::NO_FIELD => codes::E_UNKNOWN_FIELD,
        other => other,
    }
}

fn literal_type(node: &Node) -> Type {
    match &node.kind {
        Kind::Scalar(scalar) => match scalar.value {
            Plain::Null => Type::Null,
            Plain::Boolean(_) => Type::Boolean,
            Plain::Integer(_) => Type::Integer,
            Plain::Number(_) => Type::Number,
            Plain::Text => Type::Enum(vec![scalar.text.clone()]),
        },
        // Lists and maps are read as such, see `Located::read`.
        Kind::List(_) | Kind::Map(_) => Type::Any,
    }
}

/// Literals fit where their value does, not only their type: `5.0` is an integer, `small` one of an
/// enumeration, `5m` a duration.
fn literal_fits(node: &Node, expected: &Type) -> bool {
    let Some(scalar) = node.scalar() else { return false };
    match (expected, scalar.value) {
        (Type::Nullable(inner), value) => value == Plain::Null || literal_fits(node, inner),
        (Type::Integer, Plain::Number(number)) => number.fract() == 0.0,
        (Type::Datetime, Plain::Text) => scalar.text.parse::<Timestamp>().is_ok(),
        (Type::Duration, Plain::Text) => parse_duration(&scalar.text).is_ok(),
        _ => false,
    }
}
