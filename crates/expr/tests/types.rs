//! What the check finds, and which types fit which.

mod support;
use consort_expr::{Expr, Field, ObjectType, Template, Type, TypeEnv};
use consort_types::Json;
use std::sync::Arc;
use support::scope;

fn optional(fields: &[(&str, Type, bool)]) -> Type {
    let field = |(name, type_, required): &(&str, Type, bool)| Field {
        name: (*name).to_owned(),
        type_: type_.clone(),
        required: *required,
    };
    Type::Object(Arc::new(ObjectType { fields: fields.iter().map(field).collect() }))
}

fn names() -> TypeEnv {
    let parsed = Type::object([
        ("employer", Type::String),
        ("monthly_income", Type::Number),
        ("pages", Type::Integer),
        ("started", Type::Datetime),
        ("kind", Type::Enum(vec!["paystub".into(), "letter".into()])),
        ("comment", Type::String.nullable()),
    ]);
    let inner = optional(&[("c", Type::Integer, true), ("d", Type::Integer, false)]);
    TypeEnv::new()
        .with("parsed", parsed.clone())
        .with("fields", Type::list(parsed))
        .with("maybe", inner.clone().nullable())
        .with("sure", inner)
        .with("doc", Type::File)
        .with("bag", Type::Map(Box::new(Type::Any)))
        .with("any", Type::Any)
        .with("t", Type::Datetime)
        .with("dur", Type::Duration)
}

fn types(rows: &[(&str, &str)]) {
    let env = names();
    for (source, expected) in rows {
        let (type_, problems) = Expr::parse(source).unwrap_or_else(|e| panic!("{source}: {e}")).check(&env);
        assert!(problems.is_empty(), "{source}: {problems:?}");
        assert_eq!(type_.to_string(), *expected, "{source}");
    }
}

#[test]
fn every_expression_has_a_type() {
    types(&[
        ("1", "integer"),
        ("1.5", "number"),
        ("'x'", "{enum: [x]}"),
        ("[1, 2.5]", "[number]"),
        ("{'a': 1, 'b': [true]}", "{a: integer, b: [boolean]}"),
        ("{?'a': any.?x, 'b': 1}", "{a?: any, b: integer}"),
        ("parsed.monthly_income / 2", "number"),
        ("parsed.pages / 2", "integer"),
        ("parsed.employer + '!'", "string"),
        ("parsed.comment", "string?"),
        ("sure.d", "integer?"),
        ("maybe.c", "integer?"),
        ("default(maybe.c, 0)", "integer"),
        ("default(sure.d, 0.5)", "number"),
        ("maybe != null ? maybe.c : 0", "integer"),
        ("maybe == null ? 0 : maybe.c + 1", "integer"),
        ("has(sure.d) && sure.d > 1", "boolean"),
        ("!has(maybe.d) || maybe.d + maybe.c > 1", "boolean"),
        ("parsed.comment != null && parsed.comment.startsWith('x')", "boolean"),
        ("fields.map(f, f.monthly_income)", "[number]"),
        ("fields.filter(f, f.comment != null).map(f, f.comment.size())", "[integer]"),
        ("fields.map(f, has(f.comment), f.comment)", "[string]"),
        ("fields.sort_by(f, f.started)[0].pages", "integer"),
        (
            "fields.max_by(f, f.pages)",
            "{employer: string, monthly_income: number, pages: integer, started: datetime, kind: {enum: [paystub, letter]}, comment: string?}?",
        ),
        ("default(max(fields.map(f, f.pages)), 0)", "integer"),
        ("max(1, 2.5)", "number"),
        ("sum(fields.map(f, f.monthly_income))", "number"),
        ("any.x.y[0] + 1", "any"),
        ("doc.size + 1", "integer"),
        ("bag.x", "any"),
        ("t - t", "duration"),
        ("t + dur > t && t.getMonth() == 1", "boolean"),
        ("sure.?d.orValue(0)", "integer"),
        ("sure.?d", "integer?"),
        ("true ? 1 : null", "integer?"),
        ("parsed.kind == 'paystub' ? 'a' : 'b'", "{enum: [a, b]}"),
        ("any ? 'a' : any", "any"),
        ("'a'.split(',').flatten().distinct()", "[string]"),
        ("chunk([1], 2)", "[[integer]]"),
        ("parse_json('1')", "any"),
    ]);
}

#[test]
fn problems_are_found_and_placed() {
    let env = names();
    for (source, code, marked, hint) in [
        ("1 + parsd.pages", "E_UNKNOWN_NAME", "parsd", Some("did you mean `parsed`?")),
        ("parsed.montly_income", "E_EXPR_NO_FIELD", "montly_income", Some("did you mean `monthly_income`?")),
        ("fields.map(f, f.page)", "E_EXPR_NO_FIELD", "page", Some("did you mean `pages`?")),
        ("has(parsed.payges)", "E_EXPR_NO_FIELD", "payges", Some("did you mean `pages`?")),
        ("parsed.employer.x", "E_EXPR_TYPE", "x", None),
        ("parsed.employer + 1", "E_EXPR_TYPE", "parsed.employer + 1", Some("string(…)")),
        ("maybe.c + 1", "E_EXPR_NULL", "maybe.c", Some("default(maybe.c, …)")),
        ("sure.d > 1", "E_EXPR_NULL", "sure.d", Some("sure.d != null")),
        ("parsed.comment.size()", "E_EXPR_NULL", "parsed.comment", None),
        ("parsed.pages ? 1 : 2", "E_EXPR_TYPE", "parsed.pages", None),
        ("!parsed.pages", "E_EXPR_TYPE", "parsed.pages", None),
        ("parsed.map(p, p + 1)", "E_EXPR_TYPE", "p + 1", None),
        ("parsed.pages.map(p, p)", "E_EXPR_TYPE", "parsed.pages", None),
        ("fields.map(f, f.pages).filter(n, n)", "E_EXPR_TYPE", "n", None),
        ("true ? 1 : 'a'", "E_EXPR_TYPE", "true ? 1 : 'a'", None),
        ("parsed.kind == 'paystup'", "E_EXPR_TYPE", "parsed.kind == 'paystup'", Some("'paystub'")),
        ("parsed.pages == 'a'", "E_EXPR_TYPE", "parsed.pages == 'a'", None),
        ("sure.?d + 1", "E_EXPR_TYPE", "sure.?d", Some("orValue")),
        ("sure.d.orValue(1)", "E_EXPR_TYPE", "sure.d", None),
        ("sum(fields)", "E_EXPR_TYPE", "fields", None),
        ("parsed.monthly_income % 2", "E_EXPR_TYPE", "parsed.monthly_income % 2", None),
        ("'at ' + t", "E_EXPR_TYPE", "'at ' + t", Some("string(…)")),
        ("fields.sort_by(f, f)", "E_EXPR_TYPE", "f", None),
        ("parsed in [1]", "E_EXPR_TYPE", "parsed in [1]", None),
    ] {
        let (_, problems) = Expr::parse(source).unwrap().check(&env);
        let [problem] = problems.as_slice() else { panic!("{source}: {problems:#?}") };
        assert_eq!(problem.code, code, "{source}: {}", problem.message);
        assert_eq!(&source[problem.offset..problem.offset + problem.length], marked, "{source}");
        match (hint, &problem.hint) {
            (Some(words), Some(found)) => assert!(found.contains(words), "{source}: {found}"),
            (Some(words), None) => panic!("{source}: no hint, wanted {words}"),
            (None, _) => {}
        }
    }
}

#[test]
fn a_template_places_its_problems_by_scalar() {
    let env = names();
    let text = |text: &str| Template::parse_text(text).unwrap();
    let template = Template::map(vec![
        ("a".into(), text("${parsed.pages}")),
        ("b".into(), Template::list(vec![text("x"), text("pages: ${parsed.pges}!")])),
    ]);
    let (type_, problems) = template.check(&env);
    assert_eq!(type_.to_string(), "{a: integer, b: [string]}");
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].scalar.as_slice(), problems[0].offset), (&[1, 1][..], 16));
}

#[test]
fn types_fit_or_say_where_not() {
    let number = Type::object([("a", Type::Number)]);
    let nested = |inner: Type| Type::object([("items", Type::list(inner))]);
    for (wanted, given, expected) in [
        (Type::Number, Type::Integer, None),
        (Type::Integer, Type::Number, Some(("", "integer is wanted, this is number"))),
        (Type::String, Type::Datetime, None),
        (Type::String, Type::Integer, Some(("", "string is wanted, this is integer"))),
        (Type::String, Type::String.nullable(), Some(("", "string is wanted, this may be null"))),
        (Type::String.nullable(), Type::Null, None),
        (Type::Datetime, Type::Enum(vec!["2026-01-01T00:00:00Z".into()]), None),
        (
            Type::Datetime,
            Type::Enum(vec!["soon".into()]),
            Some(("", "datetime is wanted, this is {enum: [soon]}")),
        ),
        (
            Type::Enum(vec!["a".into()]),
            Type::Enum(vec!["b".into()]),
            Some(("", "one of a is wanted, this is b")),
        ),
        (nested(number.clone()), nested(Type::object([("a", Type::Integer)])), None),
        (
            nested(number.clone()),
            nested(Type::object([("a", Type::String)])),
            Some(("items[].a", "number is wanted, this is string")),
        ),
        (number.clone(), Type::object([]), Some(("a", "number is wanted, it is missing"))),
        (
            number.clone(),
            Type::object([("a", Type::Number), ("aa", Type::Null)]),
            Some(("aa", "there is no such field, but `a`")),
        ),
        (
            number.clone(),
            optional(&[("a", Type::Number, false)]),
            Some(("a", "number is wanted, it may be missing")),
        ),
        (Type::Map(Box::new(Type::Any)), number.clone(), None),
        (number, Type::Map(Box::new(Type::Any)), Some(("", "{a: number} is wanted, this is object"))),
        (Type::File, Type::Any, None),
        (Type::object([("url", Type::String)]), Type::File, Some(("artifact", "there is no such field"))),
    ] {
        let found = wanted.accepts(&given).err();
        let found = found.as_ref().map(|mismatch| (mismatch.path.as_str(), mismatch.message.as_str()));
        assert_eq!(found, expected, "{wanted} accepts {given}");
    }
}

#[test]
fn binding_evaluates_by_what_is_declared() {
    let env = TypeEnv::new()
        .with("n", Type::Number)
        .with("ns", Type::list(Type::Number))
        .with("i", Type::Integer)
        .with("a", Type::Datetime)
        .with("b", Type::Datetime)
        .with("o", optional(&[("x", Type::Integer, false)]));
    let data = scope(
        r#"{"n": 5, "ns": [3, 4], "i": 5.0, "a": "2026-01-01T01:00:00+02:00", "b": "2026-01-01T00:00:00Z", "o": {}}"#,
    );
    for (source, unbound, bound) in [
        ("n / 2", "2", "2.5"),
        ("sum(ns) / 2", "3", "3.5"),
        ("ns.map(x, x / 2)", "[1,2]", "[1.5,2]"),
        ("i / 2", "2", "2"),
        ("a < b", "false", "true"),
        ("b - a", "E_EXPR_TYPE", "\"3600s\""),
        ("[b, a].sort_by(t, t) == [a, b]", "false", "true"),
        ("o.x", "E_EXPR_NO_FIELD", "null"),
    ] {
        let expr = Expr::parse(source).unwrap();
        assert!(expr.check(&env).1.is_empty(), "{source}");
        let show = |expr: &Expr| {
            expr.evaluate(&data).map_or_else(|e| e.code.to_owned(), |v: Json| v.text().to_owned())
        };
        assert_eq!(show(&expr), unbound, "{source}");
        assert_eq!(show(&expr.bind(&env)), bound, "{source}");
    }
}
