//! Expressions that would hold up a core or take all memory end within their budget, each time the same way.

use consort_expr::{Expr, Template};
use consort_types::{ErrorKind, Json};
use std::collections::BTreeMap;

/// Bytes of the large texts: enough that looking through one at each of two thousand items would take minutes.
const LARGE: usize = 1 << 20;

fn data() -> BTreeMap<String, Json> {
    let numbers: Vec<u32> = (0..2_000).collect();
    let patterns: Vec<String> = (0..500).map(|n| format!("[a-z]{{40}}{n}")).collect();
    let large = "x".repeat(LARGE);
    let deep = format!("{}\"{large}\"{}", "[".repeat(60), "]".repeat(60));
    let rows: [(&str, Json); 8] = [
        ("xs", Json::of(&numbers)),
        ("patterns", Json::of(&patterns)),
        ("large", Json::of(&large)),
        ("other", Json::of(&format!("{large}y"))),
        ("zeros", Json::of(&"0".repeat(LARGE))),
        ("abs", Json::of(&"ab".repeat(LARGE / 2))),
        ("deep", Json::from_text(deep).expect("JSON")),
        ("times", Json::of(&vec!["2026-01-01T00:00:00Z"; 1_000])),
    ];
    rows.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[test]
fn each_ends_within_its_budget_and_always_the_same_way() {
    let data = data();
    let sources = [
        // Nests of macros.
        "xs.map(a, xs.map(b, a + b))",
        "xs.map(a, xs.filter(b, b > a).sort_by(c, -c))",
        "xs.map(x, chunk(flatten([xs, xs]), 1))",
        // Texts that grow.
        "xs.map(x, large + large)",
        "join(xs.map(x, large))",
        // Long texts that are looked through again and again.
        "xs.sort_by(x, large)",
        "xs.max_by(x, large)",
        "xs.exists(x, large < other && false)",
        "xs.exists(x, large == other)",
        "xs.exists(x, [large] == [other])",
        "xs.exists(x, large.startsWith(other))",
        "xs.exists(x, other.contains('y') && false)",
        "xs.exists(x, int(zeros) == 1)",
        "xs.exists(x, hash(large) == '')",
        // What is nested deeply is read at each level.
        "xs.exists(x, hash(deep) == '')",
        // Regular expressions.
        "patterns.exists(p, 'aaaa'.matches(p))",
        "abs.matches('[ab]*a[ab]{400}c')",
        "xs.exists(x, abs.matches('c'))",
        "xs.exists(x, 'a'.matches(large))",
        // JSON and back.
        "xs.map(x, json(large))",
        "xs.map(x, parse_json(zeros).x)",
    ];
    let mut wrong = Vec::new();
    for (place, source) in sources.into_iter().enumerate() {
        let expr = Expr::parse(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        let outcome = expr.evaluate(&data).map(|json| json.len());
        match &outcome {
            Err(error) if error.kind == ErrorKind::Limit => {}
            other => wrong.push(format!("{source}: {other:?}")),
        }
        // A count of work, not a time: the same at every evaluation.
        if place % 8 == 0 {
            assert_eq!(expr.evaluate(&data).map(|json| json.len()), outcome, "{source}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_people_write_is_far_from_the_budget() {
    let data = data();
    for source in [
        "size(large) + size(other) + size(abs)",
        "large == other",
        "deep[0][0]",
        "xs.filter(x, x % 2 == 0).map(x, {'n': x, 't': string(x)})",
        "times.map(t, format(timestamp(t), '%Y-%m-%d', 'Europe/Paris'))",
        "xs.filter(x, string(x).matches('^[0-9]{3}$'))",
        "xs.filter(x, string(x).matches('[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'))",
        "xs.filter(x, string(x).matches(times[0]))",
        "other.contains('y') && other.endsWith('xy') && other.matches('y$')",
        "xs.sort_by(x, string(x))",
    ] {
        let expr = Expr::parse(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        assert!(expr.evaluate(&data).is_ok(), "{source}: {:?}", expr.evaluate(&data).err());
    }
}

#[test]
fn what_looks_like_an_expression_in_data_is_text() {
    let data: BTreeMap<String, Json> =
        [("t".to_owned(), Json::of(&"${1 + 1} $${x}")), ("k".to_owned(), Json::of(&["${t}"]))].into();
    for (template, expected) in [
        ("${t}", "\"${1 + 1} $${x}\""),
        ("<${t}>", "\"<${1 + 1} $${x}>\""),
        ("${k[0] + t}", "\"${t}${1 + 1} $${x}\""),
        ("${parse_json('\"${t}\"')}", "\"${t}\""),
    ] {
        let template = Template::parse_text(template).expect("a template");
        let once = template.evaluate(&data).expect("a value");
        assert_eq!(once.text(), expected);
    }
}

#[test]
fn a_source_is_bounded_in_length_and_depth() {
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Expr::parse(&nested(60)).is_ok());
    assert!(Expr::parse(&nested(65)).is_err());
    let long = |len: usize| format!("'{}'", "a".repeat(len - 2));
    assert!(Expr::parse(&long(4096)).is_ok());
    assert!(Expr::parse(&long(4097)).is_err());
    let macros = |depth: usize| format!("{}1{}", "[1].map(x, ".repeat(depth), ")".repeat(depth));
    let deep = Expr::parse(&macros(60)).expect("an expression");
    assert!(deep.evaluate(&BTreeMap::new()).is_ok());
    assert!(Expr::parse(&macros(100)).is_err());
}
