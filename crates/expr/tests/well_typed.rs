//! Expressions that the check accepts do not fail for a reason of type, and give a value of the type that it
//! tells. They are made by type, so that most are accepted, and the test says that it reached everything there is.

mod support;
use consort_expr::{Expr, Field, ObjectType, Type, TypeEnv, code, function_table};
use consort_types::Json;
use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};
use serde_json::{Value, json};
use std::{cell::RefCell, collections::BTreeMap, sync::Arc};
use support::is_of;

/// What a source must be reached through: the words of the language, and where null comes from.
const SOURCES_OF_NULL: &[(&str, &str)] = &[
    ("a field that is declared nullable", "o.q"),
    ("a field that may be absent", "o.m"),
    ("an object that is null", "z.i"),
    ("the literal", "null"),
    ("the least of no items", "min("),
    ("the greatest of no items", "max("),
    ("the best of no items", ".max_by("),
    ("the worst of no items", ".min_by("),
    ("an optional without a value", ".?"),
    ("an index that may be out of range", "[?"),
    ("an arm of a ternary", " : null"),
    ("no optional", "optional.none()"),
];

/// Every form of [`Type`].
const FORMERS: &[&str] = &[
    "Any", "Null", "Boolean", "Integer", "Number", "String", "Enum", "Datetime", "Duration", "File", "List",
    "Object", "Map", "Nullable",
];

fn env() -> TypeEnv {
    let field = |name: &str, type_, required| Field { name: name.into(), type_, required };
    let fields = vec![
        field("i", Type::Integer, true),
        field("n", Type::Number, true),
        field("s", Type::String, true),
        field("b", Type::Boolean, true),
        field("e", Type::Enum(vec!["red".into(), "blue".into()]), true),
        field("q", Type::Integer.nullable(), true),
        field("m", Type::String, false),
        field("t", Type::Datetime, true),
        field("d", Type::Duration, true),
        field("l", Type::list(Type::Number), true),
        field("f", Type::File, true),
        field("h", Type::Map(Box::new(Type::Integer)), true),
    ];
    let object = Type::Object(Arc::new(ObjectType { fields }));
    TypeEnv::new()
        .with("o", object.clone())
        .with("os", Type::list(object.clone()))
        .with("z", object.nullable())
}

fn object() -> impl Strategy<Value = Value> {
    let number = prop_oneof![(-50_i64..50).prop_map(Value::from), (-9.0..9.0_f64).prop_map(Value::from)];
    let integer = prop_oneof![(-50_i64..50).prop_map(Value::from), Just(json!(4.0))];
    let time = prop::sample::select(&["2026-01-01T00:00:00Z", "2025-06-01T10:00:00+02:00"][..]);
    let some = (
        integer.clone(),
        number.clone(),
        "[a-c]{0,3}",
        any::<bool>(),
        prop::sample::select(&["red", "blue"][..]),
    );
    let more = (prop::option::of(integer.clone()), prop::option::of("[a-c]{0,2}"), time);
    let rest = (
        prop::sample::select(&["1h", "90s", "1.5s"][..]),
        prop::collection::vec(number, 0..4),
        prop::collection::btree_map("[kx]", integer, 0..3),
    );
    (some, more, rest).prop_map(|((i, n, s, b, e), (q, m, t), (d, l, h))| {
        let f = json!({"artifact": format!("sha256:{}", "0".repeat(64)), "name": "a.pdf", "type": "application/pdf", "size": 7, "url": "/a"});
        let mut object = json!({"i": i, "n": n, "s": s, "b": b, "e": e, "q": q, "t": t, "d": d, "l": l, "f": f, "h": h});
        if let Some(m) = m {
            object["m"] = json!(m);
        }
        object
    })
}

fn data() -> impl Strategy<Value = BTreeMap<String, Json>> {
    (object(), prop::collection::vec(object(), 0..4), prop::option::of(object())).prop_map(|(o, os, z)| {
        [("o", o), ("os", Value::from(os)), ("z", Value::from(z))]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Json::from(value)))
            .collect()
    })
}

/// Draws expressions: a seed and a depth give one.
struct Draw(u64);

type Rule = fn(&mut Draw, u32) -> String;

impl Draw {
    fn next(&mut self, below: usize) -> usize {
        // SplitMix64: small, and the same everywhere.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % below as u64) as usize
    }

    fn word(&mut self, words: &[&str]) -> String {
        words[self.next(words.len())].to_owned()
    }

    /// One of the leaves at the bottom, else one of the rules.
    fn of(&mut self, depth: u32, leaves: &[&str], rules: &[Rule]) -> String {
        if depth == 0 || self.next(5) == 0 {
            return self.word(leaves);
        }
        let rule = rules[self.next(rules.len())];
        rule(self, depth - 1)
    }

    fn int(&mut self, d: u32) -> String {
        self.of(
            d,
            &["o.i", "1", "7", "size(os)", "o.f.size"],
            &[
                |r, d| format!("({} + {})", r.int(d), r.int(d)),
                |r, d| format!("({} - {} * {})", r.int(d), r.int(d), r.int(d)),
                |r, d| format!("({} / {})", r.int(d), r.int(d)),
                |r, d| format!("({} % {})", r.int(d), r.int(d)),
                |r, d| format!("-({})", r.int(d)),
                |r, d| format!("size({})", r.text(d)),
                |r, d| format!("{}.size()", r.ints(d)),
                |r, d| format!("int({})", r.num(d)),
                |r, d| format!("int(string({}))", r.int(d)),
                |r, d| format!("int({})", r.time(d)),
                |r, d| format!("sum({})", r.ints(d)),
                |r, d| format!("default(max({}), {})", r.ints(d), r.int(d)),
                |r, d| format!("min({}, {})", r.int(d), r.int(d)),
                |r, d| format!("default(z.i, {})", r.int(d)),
                |r, d| format!("(o.q != null ? o.q : {})", r.int(d)),
                |r, d| format!("default(o.h.k, {})", r.int(d)),
                |r, d| format!("({} ? {} : {})", r.bool(d), r.int(d), r.int(d)),
                |r, d| format!("{{'a': {}, 'b': {}}}.a", r.int(d), r.text(d)),
                |r, d| format!("{}[0]", r.ints(d)),
                |r, d| format!("{}.orValue({})", r.optional(d), r.int(d)),
                |r, d| format!("{}.value()", r.optional(d)),
                |r, d| {
                    let part = r.word(&[
                        "getFullYear",
                        "getMonth",
                        "getDate",
                        "getDayOfMonth",
                        "getDayOfWeek",
                        "getDayOfYear",
                        "getHours",
                        "getMinutes",
                        "getSeconds",
                        "getMilliseconds",
                    ]);
                    let zone = r.word(&["", "'UTC'", "'Europe/Paris'", "'+02:00'"]);
                    format!("{}.{part}({zone})", r.time(d))
                },
                |r, d| {
                    let part = r.word(&["getHours", "getMinutes", "getSeconds", "getMilliseconds"]);
                    format!("{}.{part}()", r.duration(d))
                },
            ],
        )
    }

    fn num(&mut self, d: u32) -> String {
        self.of(
            d,
            &["o.n", "2.5", "os[0].n"],
            &[
                |r, d| format!("({} + {})", r.num(d), r.int(d)),
                |r, d| format!("({} * {})", r.num(d), r.num(d)),
                |r, d| format!("({} / {})", r.int(d), r.num(d)),
                |r, d| format!("double({})", r.int(d)),
                |r, d| format!("double(string({}))", r.num(d)),
                |r, d| format!("sum({})", r.nums(d)),
                |r, d| format!("default(min({}), {})", r.nums(d), r.num(d)),
                |r, d| format!("max({}, {}, {})", r.num(d), r.int(d), r.num(d)),
                |r, d| format!("({} ? {} : {})", r.bool(d), r.num(d), r.int(d)),
            ],
        )
    }

    fn text(&mut self, d: u32) -> String {
        self.of(
            d,
            &["o.s", "'b'", "o.e", "o.f.name", "os[0].s"],
            &[
                |r, d| format!("({} + {})", r.text(d), r.text(d)),
                |r, d| format!("lower({})", r.text(d)),
                |r, d| format!("{}.upper()", r.text(d)),
                |r, d| format!("trim({})", r.text(d)),
                |r, d| format!("string({})", r.any(d)),
                |r, d| format!("json({})", r.any(d)),
                |r, d| format!("hash({})", r.any(d)),
                |r, d| format!("join({}, {})", r.texts(d), r.text(d)),
                |r, d| format!("format({}, '%Y-%m', 'Asia/Tokyo')", r.time(d)),
                |r, d| format!("default(o.m, {})", r.text(d)),
                |r, d| format!("(has(o.m) ? o.m : {})", r.text(d)),
                |r, d| format!("({} ? {} : {})", r.bool(d), r.text(d), r.text(d)),
            ],
        )
    }

    fn bool(&mut self, d: u32) -> String {
        self.of(
            d,
            &["o.b", "true", "has(o.m)", "z != null", "o.e == 'red'"],
            &[
                |r, d| {
                    let operator = r.word(&["<", "<=", ">", ">=", "==", "!="]);
                    format!("({} {operator} {})", r.num(d), r.int(d))
                },
                |r, d| format!("({} < {})", r.text(d), r.text(d)),
                |r, d| format!("({} >= {})", r.time(d), r.time(d)),
                |r, d| format!("({} == {})", r.duration(d), r.duration(d)),
                |r, d| format!("({} && {} || {})", r.bool(d), r.bool(d), r.bool(d)),
                |r, d| format!("!({})", r.bool(d)),
                |r, d| format!("({} in {})", r.int(d), r.ints(d)),
                |r, d| format!("({} in o.h)", r.text(d)),
                |r, d| format!("{}.contains({})", r.text(d), r.text(d)),
                |r, d| format!("startsWith({}, {})", r.text(d), r.text(d)),
                |r, d| format!("{}.endsWith({})", r.text(d), r.text(d)),
                |r, d| format!("{}.matches('^[a-z]+')", r.text(d)),
                |r, d| format!("bool(string({}))", r.bool(d)),
                |r, d| format!("(type({}) == int)", r.any(d)),
                |r, d| format!("(dyn({}) == dyn({}))", r.any(d), r.any(d)),
                |r, d| format!("(parse_json(json({})) == null)", r.any(d)),
                |r, d| format!("{}.hasValue()", r.optional(d)),
                |r, d| {
                    let walk = r.word(&["all", "exists", "exists_one"]);
                    format!("{}.{walk}(x, x.i > {})", r.objects(d), r.int(d))
                },
                |r, d| format!("{}.exists(x, x == null)", r.texts(d)),
                |r, d| format!("(z != null && z.i > {})", r.int(d)),
                |r, d| format!("(o.q == null || o.q < {})", r.int(d)),
            ],
        )
    }

    fn time(&mut self, d: u32) -> String {
        self.of(
            d,
            &["o.t", "timestamp('2026-03-01T10:00:00Z')", "timestamp(0)"],
            &[
                |r, d| format!("({} + {})", r.time(d), r.duration(d)),
                |r, d| format!("({} - {})", r.time(d), r.duration(d)),
                |r, d| format!("timestamp({})", r.time(d)),
                |r, d| format!("default(max({}.map(x, x.t)), {})", r.objects(d), r.time(d)),
            ],
        )
    }

    fn duration(&mut self, d: u32) -> String {
        self.of(
            d,
            &["o.d", "duration('1h30m')"],
            &[
                |r, d| format!("({} - {})", r.time(d), r.time(d)),
                |r, d| format!("({} + {})", r.duration(d), r.duration(d)),
                |r, d| format!("duration({})", r.duration(d)),
            ],
        )
    }

    fn ints(&mut self, d: u32) -> String {
        self.of(
            d,
            &["[1, 2]", "[o.i]", "os.map(x, x.i)"],
            &[
                |r, d| format!("[{}, {}]", r.int(d), r.int(d)),
                |r, d| format!("({} + {})", r.ints(d), r.ints(d)),
                |r, d| format!("distinct({})", r.ints(d)),
                |r, d| format!("flatten([{}, {}])", r.ints(d), r.ints(d)),
                |r, d| format!("flatten(chunk({}, 2))", r.ints(d)),
                |r, d| format!("{}.filter(x, x > {})", r.ints(d), r.int(d)),
                |r, d| format!("{}.sort_by(x, -x)", r.ints(d)),
                |r, d| format!("{}.filter(x, x.q != null).map(x, x.q + {})", r.objects(d), r.int(d)),
                |r, d| format!("{}.map(x, x.b, x.i)", r.objects(d)),
                |r, d| format!("o.h.map(k, default(o.h[k], {}))", r.int(d)),
            ],
        )
    }

    fn nums(&mut self, d: u32) -> String {
        self.of(
            d,
            &["o.l", "[2.5, 1]"],
            &[
                |r, d| format!("{}.map(x, x.n / 2)", r.objects(d)),
                |r, d| format!("[{}, {}]", r.num(d), r.int(d)),
                |r, d| format!("{}.filter(x, x != {})", r.nums(d), r.num(d)),
            ],
        )
    }

    fn texts(&mut self, d: u32) -> String {
        self.of(
            d,
            &["['a', o.s]", "os.map(x, x.s)"],
            &[
                |r, d| format!("split({}, {})", r.text(d), r.text(d)),
                |r, d| format!("{}.filter(x, has(x.m)).map(x, x.m)", r.objects(d)),
                |r, d| format!("{}.map(x, string(x))", r.nums(d)),
                |r, d| format!("distinct({} + {})", r.texts(d), r.texts(d)),
            ],
        )
    }

    fn objects(&mut self, d: u32) -> String {
        self.of(
            d,
            &["os", "[o]"],
            &[
                |r, d| format!("{}.filter(x, x.n > {})", r.objects(d), r.num(d)),
                |r, d| {
                    let key = r.word(&["i", "n", "s", "t", "d", "e", "b"]);
                    format!("{}.sort_by(x, x.{key})", r.objects(d))
                },
                |r, d| format!("({} + [{}])", r.objects(d), r.object(d)),
                |r, d| format!("distinct({})", r.objects(d)),
            ],
        )
    }

    fn object(&mut self, d: u32) -> String {
        self.of(
            d,
            &["o", "os[0]"],
            &[
                |r, d| format!("default(z, {})", r.object(d)),
                |r, d| format!("default({}.max_by(x, x.n), {})", r.objects(d), r.object(d)),
                |r, d| format!("default({}.min_by(x, x.t), {})", r.objects(d), r.object(d)),
                |r, d| format!("({} ? {} : {})", r.bool(d), r.object(d), r.object(d)),
            ],
        )
    }

    /// An optional integer.
    fn optional(&mut self, d: u32) -> String {
        self.of(
            d,
            &["z.?i", "o.?i", "os[?0].i"],
            &[
                |r, d| format!("optional.of({})", r.int(d)),
                |r, d| format!("optional.ofNonZeroValue({})", r.int(d)),
                |r, d| format!("{}.or({})", r.optional(d), r.optional(d)),
                |r, d| format!("{}.optMap(x, x + {})", r.optional(d), r.int(d)),
                |r, d| format!("({} ? optional.none() : {})", r.bool(d), r.optional(d)),
                |r, d| format!("{}[?{}]", r.ints(d), r.int(d)),
            ],
        )
    }

    /// What may be null where it is put out.
    fn perhaps(&mut self, d: u32) -> String {
        self.of(
            d,
            &["null", "o.q", "o.m", "z.i", "z", "z.l", "o.h.map(k, k)"],
            &[
                |r, d| format!("max({})", r.ints(d)),
                |r, d| format!("min({})", r.nums(d)),
                |r, d| format!("{}.max_by(x, x.i)", r.objects(d)),
                |r, d| format!("{}.min_by(x, x.d)", r.objects(d)),
                |r, d| format!("({} ? {} : null)", r.bool(d), r.text(d)),
                |r, d| r.optional(d),
                |r, d| format!("[?{}, {}]", r.optional(d), r.int(d)),
                |r, d| format!("{{?'k': {}, 'v': {}}}", r.optional(d), r.perhaps(d)),
                |r, d| format!("[{}, {}]", r.perhaps(d), r.int(d)),
                |r, d| format!("parse_json(json({}))", r.any(d)),
                |r, d| format!("{{{}: {}}}", r.text(d), r.int(d)),
            ],
        )
    }

    fn any(&mut self, d: u32) -> String {
        let rules: &[Rule] = &[
            Self::int,
            Self::num,
            Self::text,
            Self::bool,
            Self::time,
            Self::duration,
            Self::ints,
            Self::nums,
            Self::texts,
            Self::objects,
            Self::object,
            Self::perhaps,
            |_, _| "o.f".to_owned(),
            |_, _| "o.h".to_owned(),
        ];
        let rule = rules[self.next(rules.len())];
        rule(self, d)
    }
}

/// Which form each part of a type has.
fn formers(type_: &Type, reached: &mut BTreeMap<String, usize>) {
    let form = format!("{type_:?}");
    let form = form.split(['(', ' ']).next().unwrap_or_default().to_owned();
    *reached.entry(form).or_default() += 1;
    match type_ {
        Type::List(inner) | Type::Map(inner) | Type::Nullable(inner) => formers(inner, reached),
        Type::Object(object) => object.fields.iter().for_each(|field| formers(&field.type_, reached)),
        _ => {}
    }
}

/// How often each word was called: `name(`, not as the end of a longer name.
fn called(source: &str, reached: &mut BTreeMap<String, usize>) {
    for (at, _) in source.match_indices('(') {
        let before = &source[..at];
        let start =
            before.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map_or(0, |found| found + 1);
        *reached.entry(format!("{}(", &before[start..])).or_default() += 1;
    }
}

/// The same cases at every run; `PROPTEST_RNG_SEED` and `PROPTEST_CASES` look further.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(20_261_129),
        chosen @ RngSeed::Fixed(_) => chosen,
    };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { 2_500 };
    ProptestConfig { cases, rng_seed, max_global_rejects: 100_000, failure_persistence: None, ..default }
}

#[test]
#[allow(clippy::print_stderr)]
fn what_is_accepted_does_not_fail_for_a_reason_of_type_and_all_is_reached() {
    let env = env();
    let reached = RefCell::new(BTreeMap::new());
    let (drawn, accepted) = (RefCell::new(0_usize), RefCell::new(0_usize));
    let strategy = (any::<u64>(), 0_u32..5, data());
    let outcome = TestRunner::new(config()).run(&strategy, |(seed, depth, data)| {
        let source = Draw(seed).any(depth);
        prop_assume!(source.len() < 4_000);
        *drawn.borrow_mut() += 1;
        // Deep ones may be nested deeper than an expression may be.
        let Ok(parsed) = Expr::parse(&source) else { return Ok(()) };
        let (type_, problems) = parsed.check(&env);
        if !problems.is_empty() {
            return Ok(());
        }
        *accepted.borrow_mut() += 1;
        formers(&type_, &mut reached.borrow_mut());
        called(&source, &mut reached.borrow_mut());
        for (name, _) in SOURCES_OF_NULL.iter().filter(|(_, word)| source.contains(word)) {
            *reached.borrow_mut().entry((*name).to_owned()).or_default() += 1;
        }
        match parsed.bind(&env).evaluate(&data) {
            Err(error) => {
                let of_type = [code::TYPE, code::NULL, code::NAME].contains(&error.code);
                // The value of an optional that has none is asked for on one's own risk.
                let of_field = error.code == code::NO_FIELD && !source.contains(".value()");
                prop_assert!(!of_type && !of_field, "{source}: {error}");
            }
            Ok(json) => {
                let value = json.to_value();
                prop_assert!(is_of(&value, &type_), "{source} gave {value} which is no {type_}");
            }
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    let (drawn, accepted, reached) = (drawn.into_inner(), accepted.into_inner(), reached.into_inner());
    eprintln!("{accepted} of {drawn} expressions were accepted; reached: {reached:?}");
    assert!(accepted * 10 > drawn * 8, "only {accepted} of {drawn} are accepted");
    let words = function_table::names().map(|name| format!("{name}("));
    let optionals = ["of(", "ofNonZeroValue(", "none("].map(str::to_owned);
    let nulls = SOURCES_OF_NULL.iter().map(|(name, _)| (*name).to_owned());
    let formers = FORMERS.iter().map(|name| (*name).to_owned());
    let all = words.chain(optionals).chain(nulls).chain(formers);
    let missed: Vec<String> = all.filter(|word| !reached.contains_key(word)).collect();
    assert!(missed.is_empty(), "the generator never reaches {missed:?}");
}
