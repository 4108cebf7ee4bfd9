//! What expressions give, rule by rule of the language.

mod support;
use consort_expr::{Expr, Template};
use consort_types::{ErrorKind, Json};
use support::{filled, scope, table, value};

#[test]
fn places_are_given_out_as_they_stand() {
    let data =
        scope(r#"{"a": {"b": [ {"c": [1, 2.50 ]}, 7 ], "n": null, "odd name": 1, "5": "five"}, "t": "x"}"#);
    table(
        &data,
        &[
            ("a.b[0].c", "[1, 2.50 ]"),
            ("a['b'][0]['c'][1]", "2.50"),
            ("a.b[1.0]", "7"),
            ("a['odd name']", "1"),
            ("a[5]", "\"five\""),
            ("t", "\"x\""),
            ("a.n", "null"),
            ("a.n.x.y[0].z", "null"),
            ("a.missing", "E_EXPR_NO_FIELD"),
            ("a.b[2]", "E_EXPR_INDEX"),
            ("a.b[-1]", "E_EXPR_INDEX"),
            ("a.b[0.5]", "E_EXPR_TYPE"),
            ("t.x", "E_EXPR_TYPE"),
            ("nobody", "E_EXPR_NAME"),
        ],
    );
}

#[test]
fn a_missing_field_is_named_with_its_path() {
    let data = scope(r#"{"check": {"confidence": 1}}"#);
    let error = Expr::parse("1 + check.confidense").unwrap().evaluate(&data).unwrap_err();
    assert_eq!(error.message, "`check` has no field `confidense`, but `confidence`");
    assert_eq!(error.kind, ErrorKind::Expression);
}

#[test]
fn numbers() {
    let data = scope(r#"{"i": 5, "d": 2.5, "w": 5.0, "big": 9223372036854775807, "huge": 1e999, "e": 1e2}"#);
    table(
        &data,
        &[
            ("i / 2", "2"),
            ("i / 2.0", "2.5"),
            ("w / 2", "2"),
            ("i + d", "7.5"),
            ("d * 2", "5"),
            ("2.0", "2"),
            ("1.5 + 1.5", "3"),
            ("e + 1", "101"),
            ("-7 % 3", "-1"),
            ("7.0 % 4", "3"),
            ("7.5 % 4", "E_EXPR_TYPE"),
            ("-i", "-5"),
            ("0x10", "16"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("big + 1", "E_EXPR_NUMBER"),
            ("big + 1.0", "9223372036854775808"),
            ("1e308 * 10", "E_EXPR_NUMBER"),
            ("1 / 0", "E_EXPR_NUMBER"),
            ("1.0 / 0", "E_EXPR_NUMBER"),
            ("1 % 0", "E_EXPR_NUMBER"),
            ("huge + 1", "E_EXPR_NUMBER"),
            ("0.1 + 0.2", "0.30000000000000004"),
            ("-0.0 * 1", "0"),
            ("5 == 5.0 && i == w && i != d", "true"),
            ("big == 9223372036854775807.0", "false"),
            ("1 < 1.5 && 2 > 1.5 && i >= w", "true"),
            ("'a' + 1", "E_EXPR_TYPE"),
            ("null + 1", "E_EXPR_NULL"),
        ],
    );
}

#[test]
fn null_has_and_default() {
    let data = scope(r#"{"a": {"n": null, "x": 0}, "nil": null}"#);
    table(
        &data,
        &[
            ("has(a.x)", "true"),
            ("has(a.n)", "false"),
            ("has(a.m)", "false"),
            ("has(nil.x)", "false"),
            ("has(a.m.deeper)", "false"),
            ("default(a.n, 1)", "1"),
            ("default(a.m, 2)", "2"),
            ("default(a.m.deeper[3], 2)", "2"),
            ("default(a.x, 3)", "0"),
            ("default(nil.x.y, 'z')", "\"z\""),
            ("a.m == null", "true"),
            ("a.m != null", "false"),
            ("null != a.x", "true"),
            ("a.n == null ? 'none' : 'some'", "\"none\""),
            ("nil < 1", "E_EXPR_NULL"),
            ("nil ? 1 : 2", "E_EXPR_NULL"),
        ],
    );
}

#[test]
fn logic_as_in_cel() {
    let data = scope(r#"{"a": {"x": 1}, "t": true}"#);
    table(
        &data,
        &[
            ("t && !t", "false"),
            ("false && a.gone", "false"),
            ("a.gone && false", "false"),
            ("a.gone || true", "true"),
            ("a.gone || false", "E_EXPR_NO_FIELD"),
            ("t && a.gone && t", "E_EXPR_NO_FIELD"),
            ("1 && true", "E_EXPR_TYPE"),
            ("t ? 1 : a.gone", "1"),
            ("!t ? a.gone : t ? 'x' : 'y'", "\"x\""),
            ("1 + 2 * 3 - 4 / 2 == 5 && 1 in [1, 2] || false", "true"),
            ("'x' in a && !('y' in a)", "true"),
            ("1 in [1.0]", "true"),
        ],
    );
}

#[test]
fn literals_texts_and_equality() {
    let data = scope(r#"{"t": "h\u00e9llo \"x\"", "o": {"a": 1, "b": [1, {"c": null}]}, "k": "key"}"#);
    table(
        &data,
        &[
            ("[1, 'a', t]", r#"[1,"a","h\u00e9llo \"x\""]"#),
            ("{'a': 1, k: o}['key'].b", r#"[1, {"c": null}]"#),
            ("{'x': o.b}", r#"{"x":[1,{"c":null}]}"#),
            ("{'a': 1, 'a': 2}", "E_EXPR_TYPE"),
            ("o == {'b': [1.0, {'c': null}], 'a': 1}", "true"),
            ("o == {'a': 1}", "false"),
            ("1 == '1'", "false"),
            ("'a' < 'b'", "true"),
            ("[1] + [2, 3]", "[1,2,3]"),
            ("[1] < [2]", "E_EXPR_TYPE"),
            ("r'\\d' + \"\\u00e9\" + '''a'b'''", r#""\\déa'b""#),
            ("'a\\tb\\x41\\101'", r#""a\tbAA""#),
            ("size(t) == 9 && t.size() == 9", "true"),
            ("t.startsWith('hé') && t.endsWith('\"') && t.contains('llo')", "true"),
            ("'v1.2.3'.matches('^v[0-9]+') && matches('abc', 'b')", "true"),
            ("'a'.matches(k + '(')", "E_EXPR_FORMAT"),
            ("'a' // a comment with } and '\n + 'b'", r#""ab""#),
        ],
    );
}

#[test]
fn conversions_and_types() {
    table(
        &scope("{}"),
        &[
            ("int('42') + int(2.9) + int(-2.9)", "42"),
            ("int('x')", "E_EXPR_FORMAT"),
            ("int(1e300)", "E_EXPR_NUMBER"),
            ("double('2.5')", "2.5"),
            ("double('inf')", "E_EXPR_FORMAT"),
            ("string(5.0) + string(true) + string(null) + string([1, 'a'])", r#""5true[1,\"a\"]""#),
            ("bool('true')", "true"),
            ("type(1) == int && type(1.5) == double && type('') == string && type([]) == list", "true"),
            ("type({}) == map && type(null) == null_type && type(true) == bool", "true"),
            ("type(timestamp(0)) == timestamp && type(1) != string", "true"),
            ("json({'a': [1.0, null]})", r#""{\"a\":[1,null]}""#),
            ("parse_json('{\"a\": [1, 2]}').a[1]", "2"),
            ("parse_json('{')", "E_EXPR_FORMAT"),
            ("hash({'a': 1, 'b': 2.0}) == hash({'b': 2, 'a': 1})", "true"),
            ("hash('abc')", r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#),
        ],
    );
}

#[test]
fn lists() {
    let data = scope(
        r#"{"xs": [{"n": 3, "s": "c"}, {"n": 1, "s": "a"}, {"n": 2, "s": "b"}, {"n": 1, "s": "d"}], "limit": {"n": 2}, "m": {"k1": 1, "k2": 2}}"#,
    );
    table(
        &data,
        &[
            ("xs.map(x, x.n)", "[3,1,2,1]"),
            ("xs.filter(x, x.n >= limit.n).map(x, x.s)", r#"["c","b"]"#),
            ("xs.map(x, x.n > 1, x.s)", r#"["c","b"]"#),
            ("xs.all(x, x.n > 0)", "true"),
            ("xs.exists(x, x.n > 2)", "true"),
            ("xs.exists_one(x, x.n == 1)", "false"),
            ("[1, 'a'].exists(x, x < 'b')", "true"),
            ("[1, 'a'].all(x, x < 'b')", "E_EXPR_TYPE"),
            ("m.map(k, m[k])", "[1,2]"),
            ("xs.map(x, xs.filter(y, y.n == x.n).size())", "[1,2,1,2]"),
            ("xs.sort_by(x, x.n).map(x, x.s)", r#"["a","d","b","c"]"#),
            ("xs.max_by(x, x.n).s + xs.min_by(x, x.n).s", r#""ca""#),
            ("[].max_by(x, x.n)", "null"),
            ("[1, 'a'].sort_by(x, x)", "E_EXPR_TYPE"),
            ("sum(xs.map(x, x.n)) + [0.5, 1].sum() + sum([])", "8.5"),
            ("min([3, 1.5]) + max(1, 2, 3)", "4.5"),
            ("max([])", "null"),
            ("distinct([1, 1.0, 'a', {'x': 1}, {'x': 1.0}, 'a'])", r#"[1,"a",{"x":1}]"#),
            ("flatten([[1, 2], 3, [], [[4]]])", "[1,2,3,[4]]"),
            ("chunk([1, 2, 3], 2)", "[[1,2],[3]]"),
            ("chunk([1], 0)", "E_EXPR_NUMBER"),
            ("join(['a', 1, null, [2]], '-')", r#""a-1--[2]""#),
            ("['a', 'b'].join()", r#""ab""#),
            ("'a,b,,c'.split(',')", r#"["a","b","","c"]"#),
            ("split('hé', '')", r#"["h","é"]"#),
            ("lower('ÄB') + upper('ß') + trim(' x ')", r#""äbSSx""#),
            ("size(xs) + size(m)", "6"),
            ("'x'.map(x, x)", "E_EXPR_TYPE"),
            ("null.map(x, x)", "E_EXPR_NULL"),
        ],
    );
}

#[test]
fn times() {
    let data = scope(r#"{"event": {"time": "2026-03-01T23:30:00Z"}}"#);
    table(
        &data,
        &[
            ("timestamp(event.time) + duration('1h')", r#""2026-03-02T00:30:00Z""#),
            ("event.time + duration('45m') > timestamp('2026-03-02T00:00:00Z')", "true"),
            ("timestamp('2026-01-02T00:00:00Z') - timestamp('2026-01-01T00:00:00Z')", r#""86400s""#),
            ("duration('1h30m') - duration('500ms')", r#""5399.5s""#),
            ("duration('2d') == duration('48h')", "true"),
            ("string(duration('-1.5s'))", r#""-1.5s""#),
            ("duration('5')", "E_EXPR_FORMAT"),
            ("timestamp('yesterday')", "E_EXPR_FORMAT"),
            ("timestamp(0)", r#""1970-01-01T00:00:00Z""#),
            ("int(timestamp('1970-01-01T00:01:00Z'))", "60"),
            ("timestamp(event.time).getFullYear()", "2026"),
            ("event.time.getMonth()", "2"),
            ("event.time.getDate() + event.time.getDayOfMonth()", "1"),
            ("event.time.getDayOfWeek()", "0"),
            ("event.time.getDayOfYear()", "59"),
            ("event.time.getHours('Europe/Paris')", "0"),
            ("event.time.getMinutes('+00:45')", "15"),
            ("duration('90m').getHours() * 100 + duration('90m').getMinutes()", "190"),
            ("format(event.time, '%Y-%m', 'Asia/Tokyo')", r#""2026-03""#),
            ("format(event.time, '%Y-%m-%d %H:%M')", r#""2026-03-01 23:30""#),
            ("format(event.time, '%H', 'Nowhere/Land')", "E_EXPR_FORMAT"),
            ("format(event.time, '%!')", "E_EXPR_FORMAT"),
            ("timestamp('9999-12-30T00:00:00Z') + duration('100d')", "E_EXPR_NUMBER"),
        ],
    );
}

#[test]
fn optionals() {
    let data = scope(r#"{"a": {"b": {"c": 1}, "n": null}, "xs": [1]}"#);
    table(
        &data,
        &[
            ("a.?b.c.orValue(0)", "1"),
            ("a.?x.c.orValue(0)", "0"),
            ("a[?'x'].orValue(0)", "0"),
            ("xs[?3].orValue(9) + xs[?0].orValue(0)", "10"),
            ("a.?x.hasValue()", "false"),
            ("a.?x.or(a.?b).value().c", "1"),
            ("a.?b.optMap(b, b.c + 1).orValue(0)", "2"),
            ("a.?x", "null"),
            ("[?a.?x, ?optional.of(2), 3]", "[2,3]"),
            ("{?'x': a.?x, 'y': 1}", r#"{"y":1}"#),
            ("optional.none().orValue('z')", "\"z\""),
            ("optional.ofNonZeroValue('').hasValue()", "false"),
            ("a.?x.value()", "E_EXPR_NO_FIELD"),
        ],
    );
}

#[test]
fn texts_with_holes() {
    let data = scope(r#"{"a": "x", "n": null, "o": {"k" : [1, 2.0]}, "d": 5.0}"#);
    for (text, expected) in [
        ("plain", "\"plain\""),
        ("${a}", "\"x\""),
        ("${o}", r#"{"k" : [1, 2.0]}"#),
        (" ${a}", "\" x\""),
        ("<${a}${n}|${o}|${d}>", r#""<x|{\"k\":[1,2.0]}|5>""#),
        ("$${a} costs $5 and $", "\"${a} costs $5 and $\""),
        ("${'}' + {'a': '{'}['a'] + \"${\"}", "\"}{${\""),
        ("${'${a}'}", "\"${a}\""),
        ("", "\"\""),
    ] {
        assert_eq!(filled(text, &data), expected, "{text}");
    }
    assert_eq!(Template::parse_text("a ${b").unwrap_err().offset, 2);
    assert_eq!(Template::parse_text("ab ${1 + }").unwrap_err().offset, 9);
}

#[test]
fn templates_nest_and_keep_literals() {
    let data = scope(r#"{"a": [1, 2]}"#);
    let text = |text: &str| Template::parse_text(text).unwrap();
    let template = Template::map(vec![
        ("list".into(), Template::list(vec![text("${a}"), text("${a[1]}!")])),
        ("raw".into(), Template::literal(serde_json::json!({"x": "${a}"}))),
    ]);
    let value = template.evaluate(&data).unwrap();
    assert_eq!(value.text(), r#"{"list":[[1,2],"2!"],"raw":{"x":"${a}"}}"#);
    let named: Vec<_> = template.references().into_iter().map(|r| (r.root, r.offset)).collect();
    assert_eq!(named, [("a".to_owned(), 2), ("a".to_owned(), 2)]);
}

#[test]
fn references_are_the_free_names_with_their_constant_path() {
    let expr =
        Expr::parse("a.b['c'][0].d + xs.map(x, x.y + a.z).size() + f.g[i].h - type(q) == int").unwrap();
    let found: Vec<_> =
        expr.references().iter().map(|r| format!("{}:{}@{}", r.root, r.path.join("."), r.offset)).collect();
    assert_eq!(found, ["a:b.c@0", "xs:@16", "a:z@32", "f:g@46", "i:@50", "q:@62", "int:@68"]);
    let expr = Expr::parse("type(q) == int && default(a.b, has(c.d))").unwrap();
    let found: Vec<_> =
        expr.references().iter().map(|r| format!("{}:{}", r.root, r.path.join("."))).collect();
    assert_eq!(found, ["q:", "a:b", "c:d"]);
}

#[test]
fn what_is_no_expression_is_told_with_its_place() {
    for (source, offset, says) in [
        ("", 0, "empty"),
        ("1 +", 3, "expected a value, found the end"),
        ("a = 1", 2, "`=` has no meaning here"),
        ("a and b", 2, "expected the end of the expression, found `and`"),
        ("'abc", 0, "never ends"),
        ("a.map(1, 2)", 6, "needs a variable"),
        ("lenght(a)", 0, "no function `lenght`"),
        ("size()", 0, "takes 1 argument"),
        ("size(a, b)", 0, "takes 1 argument"),
        ("has(a)", 0, "asks for a field"),
        ("for + 1", 0, "reserved"),
        ("9223372036854775808", 0, "too large"),
        ("1u", 1, "unsigned"),
        ("b'x'", 0, "bytes"),
        ("(1", 2, "expected `)`"),
        ("'\\q'", 1, "no escape"),
        ("x.matches('(')", 10, "regular expression"),
        ("é", 0, "no meaning"),
        ("5m", 1, "does not belong to a number"),
    ] {
        let error = Expr::parse(source).expect_err(source);
        assert!(error.message.contains(says), "{source}: {}", error.message);
        assert_eq!(error.offset, offset, "{source}: {}", error.message);
    }
    assert_eq!(Expr::parse("a and b").unwrap_err().hint.as_deref(), Some("write `&&`"));
    assert_eq!(Expr::parse("len(a)").unwrap_err().hint.as_deref(), Some("did you mean `size`?"));
}

#[test]
fn hostile_sources_are_refused_or_read_without_harm() {
    let long = |piece: &str, tail: &str| format!("{}{tail}", piece.repeat(4090 / piece.len()));
    let data = scope(r#"{"a": 1}"#);
    for source in [
        long("(", ""),
        long("[", ""),
        long("{", ""),
        long("!", "a"),
        long("-", "a"),
        long("- ", "a"),
        long("a?a:", "a"),
        long("a?", "a"),
        long("f(", ""),
        long("size(", ""),
        long("a.map(x,", ""),
        long("[[", "]]"),
        "a".repeat(4097),
    ] {
        assert!(Expr::parse(&source).is_err(), "{}", &source[..20]);
    }
    for source in [
        long("a+", "a"),
        long("a.a.", "a"),
        format!("a{}", "[0]".repeat(1300)),
        long("a&&", "a"),
        long("a.size().", "size()"),
        long("a==", "a"),
    ] {
        let expr = Expr::parse(&source).unwrap_or_else(|error| panic!("{}: {error}", &source[..20]));
        let _ = expr.evaluate(&data);
        let _ = expr.check(&consort_expr::TypeEnv::new());
    }
}

#[test]
fn the_budget_lets_long_lists_pass_and_stops_nests() {
    let items: Vec<_> = (0..100_000).map(|n| serde_json::json!({"n": n, "s": format!("item {n}")})).collect();
    let data = [("xs", Json::of(&items))];
    assert_eq!(value("size(xs.filter(x, x.n % 2 == 0).map(x, x.s + '!'))", &data), "50000");
    assert_eq!(value("sum(xs.sort_by(x, -x.n).map(x, x.n))", &data), "4999950000");
    assert_eq!(value("xs[99999].n", &data), "99999");
    assert_eq!(value("size(xs.filter(x, x.n < xs[10].n))", &data), "10");
    let nest = Expr::parse("xs.exists(x, xs.exists(y, x.n + y.n < 0))").unwrap();
    let error = nest.evaluate(&data).unwrap_err();
    assert_eq!((error.code, error.kind), ("E_EXPR_COST", ErrorKind::Limit));
}

#[test]
fn texts_cannot_be_doubled_without_end() {
    let data = [("t", Json::of(&"x".repeat(1 << 20)))];
    let eight = "[1,2,3,4,5,6,7,8].map(i, t + t + t + t + t + t + t + t).join()";
    let error = Expr::parse(&format!("[{eight}, {eight}, {eight}, {eight}, {eight}]"))
        .unwrap()
        .evaluate(&data)
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Limit);
}

#[test]
fn values_nest_as_deep_as_one_value_may() {
    let wrapped = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let empty = scope("{}");
    assert_eq!(value(&wrapped(63), &empty), wrapped(63));
    let data = [("d", Json::from_text(wrapped(64)).unwrap())];
    assert_eq!(value("d", &data), wrapped(64));
    assert_eq!(value("[d]", &data), "E_EXPR_DEPTH");
}
