//! What each source gives flows into every expression that uses it: a wrong field behind it is found.

mod support;
use support::all;

/// What surrounds the steps of a case.
const AROUND: &str = r#"name: shop
services:
  desk:
    url: "http://desk"
    operations:
      ask: { input: { name: string }, output: { answer: string, score: number, parts: [{ label: string, size: integer }], note: string? } }
      tell: { input: { text: string } }
      ping: {}
pools: { llm: { rate: 600/1m } }
workflows:
  child: { input: { id: integer }, steps: { made: { value: { title: x, count: 1 } } }, output: "${made}" }
  bare: { steps: { only: { value: { title: x } } } }
  parent: { steps: { inner: { run: child, with: { id: 1 } } }, output: { of: "${inner}" } }
  order:
    input: { who: string, list: [{ id: integer, name: string }], maybe: string? }
    steps:
"#;

/// A step that most cases go out from.
const ASKED: &str = "asked: { call: desk.ask, with: { name: x } }\n";

fn wrong_fields(cases: &[&str]) {
    let cases: Vec<(&str, String)> =
        cases.iter().map(|case| ("E_UNKNOWN_FIELD", format!("{ASKED}{case}"))).collect();
    let cases: Vec<(&str, &str)> = cases.iter().map(|(code, case)| (*code, case.as_str())).collect();
    all(AROUND, 6, &cases);
}

#[test]
fn of_calls_through_every_macro_and_function() {
    wrong_fields(&[
        "z: { value: \"${asked.«anwser»}\" }",
        "z: { value: \"${asked.parts[0].«lable»}\" }",
        "z: { value: \"${asked.parts.map(p, p.«lable»)}\" }",
        "z: { value: \"${asked.parts.map(p, p.size > 1, p.«lable»)}\" }",
        "z: { value: \"${asked.parts.filter(p, p.«sise» > 1)}\" }",
        "z: { value: \"${asked.parts.filter(p, p.size > 1)[0].«lable»}\" }",
        "z: { value: \"${asked.parts.exists(p, p.«sise» > 1)}\" }",
        "z: { value: \"${asked.parts.exists_one(p, p.«sise» > 1)}\" }",
        "z: { value: \"${asked.parts.all(p, p.«sise» > 1)}\" }",
        "z: { value: \"${asked.parts.sort_by(p, p.«sise»)}\" }",
        "z: { value: \"${asked.parts.sort_by(p, p.size).map(p, p.«lable»)}\" }",
        "z: { value: \"${asked.parts.max_by(p, p.size).«lable»}\" }",
        "z: { value: \"${asked.parts.min_by(p, p.«sise»)}\" }",
        "z: { value: \"${asked.parts.distinct()[0].«lable»}\" }",
        "z: { value: \"${flatten([asked.parts])[0].«lable»}\" }",
        "z: { value: \"${chunk(asked.parts, 2)[0][0].«lable»}\" }",
        "z: { value: \"${(asked.parts + asked.parts)[0].«lable»}\" }",
        "z: { value: \"${(asked.score > 1.0 ? asked.parts[0] : asked.parts[1]).«lable»}\" }",
        "z: { value: \"${default(asked.parts[0], null).«lable»}\" }",
        "z: { value: \"${asked.?«anwser».orValue('')}\" }",
        "z: { value: \"${asked.parts[?0].«lable».orValue('')}\" }",
        "z: { value: \"${asked.parts[?0].optMap(p, p.«lable»)}\" }",
        "z: { value: \"${optional.of(asked).«anwser».orValue('')}\" }",
        "z: { value: \"${has(asked.«anwser»)}\" }",
        "z: { value: \"${[asked][0].«anwser»}\" }",
        "z: { value: \"${{'a': asked}.a.«anwser»}\" }",
        "z: { value: \"text with ${asked.«anwser»}\" }",
        "z: { value: { deep: [{ in: \"${asked.«anwser»}\" }] } }",
    ]);
}

#[test]
fn of_items_and_what_is_made_of_them() {
    wrong_fields(&[
        "z: { for_each: \"${input.list}\", value: \"${item.«nmae»}\" }",
        "z: { for_each: \"${input.list}\", as: entry, value: \"${entry.«nmae»}\" }",
        "z: { for_each: \"${input.list}\", batch: 2, value: \"${item[0].«nmae»}\" }",
        "z: { for_each: \"${input.list}\", key: \"${item.«nmae»}\", call: desk.ping }",
        "z: { for_each: \"${input.list}\", key: \"${item.name}\", item_after: \"[item.«nmae»]\", call: desk.ping }",
        "z:\n  for_each: \"${asked.parts}\"\n  as: part\n  steps:\n    y: { for_each: \"${input.list}\", value: \"${part.«lable»}\" }",
        "z:\n  for_each: \"${asked.parts}\"\n  steps:\n    y: { value: \"${item.«lable»}\" }",
        "y: { for_each: \"${input.list}\", call: desk.ask, with: { name: \"${item.name}\" } }\nz: { value: \"${y[0].«anwser»}\" }",
        "y: { for_each: \"${input.list}\", tolerate: 1, call: desk.ask, with: { name: \"${item.name}\" } }\nz: { value: \"${y[0].«anwser»}\" }",
        "y: { for_each: \"${input.list}\", batch: 2, call: desk.ask, with: { name: x } }\nz: { value: \"${y[0].«anwser»}\" }",
        "y:\n  for_each: \"${input.list}\"\n  steps: { a: { call: desk.ask, with: { name: x } } }\nz: { value: \"${y[0].a.«anwser»}\" }",
        "z: { for_each: \"${input.list}\", call: desk.ask, with: { name: x }, undo: { call: desk.tell, with: { text: \"${output.«anwser»}\" } } }",
        "z: { for_each: \"${input.list}\", call: desk.ask, with: { name: x }, output: \"${output.«anwser»}\" }",
    ]);
}

#[test]
fn of_groups_branches_and_what_takes_over() {
    wrong_fields(&[
        "y: { steps: { a: { call: desk.ask, with: { name: x } } } }\nz: { value: \"${y.a.«anwser»}\" }",
        "y: { steps: { a: { value: 1 } } }\nz: { value: \"${y.«b»}\" }",
        "y:\n  steps: { a: { call: desk.ask, with: { name: x } } }\n  output: \"${a.«anwser»}\"",
        "y:\n  steps: { a: { value: 1 } }\n  output: { sum: \"${a}\" }\nz: { value: \"${y.«summ»}\" }",
        "y:\n  first: 1\n  steps: { a: { call: desk.ask, with: { name: x } }, b: { call: desk.ping } }\nz: { value: \"${y.a.«anwser»}\" }",
        "y:\n  switch:\n    - { when: asked.score > 1.0, call: desk.ask, with: { name: x } }\n    - { else: , value: { answer: no } }\nz: { value: \"${y.«anwser»}\" }",
        "y:\n  switch:\n    - { when: asked.score > 1.0, value: { a: 1 } }\n    - { when: asked.score > 2.0, value: { b: 1 } }\nz: { value: \"${y.«c»}\" }",
        "y:\n  switch:\n    - { when: asked.«scor» > 1.0, value: 1 }",
        "y:\n  switch:\n    - { when: asked.score > 1.0, value: \"${asked.«anwser»}\" }",
        "y: { call: desk.ask, with: { name: x }, catch: { value: { answer: none } } }\nz: { value: \"${y.«anwser»}\" }",
        "y: { call: desk.ask, with: { name: x }, catch: { value: { reason: \"${error.«mesage»}\" } } }",
        "y: { call: desk.ask, with: { name: x }, catch: [{ when: \"error.«knd» == 'timeout'\", value: null }] }",
        "y: { call: desk.ask, with: { name: x }, retry: { when: \"error.«knd» == 'timeout'\" } }",
        "y: { call: desk.ping, finally: { f: { call: desk.ping, when: error.«mesage» != null } } }",
        "y: { call: desk.ask, with: { name: x }, undo: { call: desk.tell, with: { text: \"${output.«anwser»}\" } } }",
        "y: { call: desk.ask, with: { name: x }, output: { short: \"${output.answer}\" }, undo: { call: desk.tell, with: { text: \"${output.«answer»}\" } } }",
        "y: { call: desk.ask, with: { name: x }, output: { short: \"${output.answer}\" } }\nz: { value: \"${y.«answer»}\" }",
        "y: { call: desk.ask, with: { name: x }, when: asked.score > 1.0 }\nz: { value: \"${y.«anwser»}\" }",
        "y: { call: desk.ask, with: { name: x }, background: true }\nz: { value: \"${y.«anwser»}\" }",
        "y: { call: desk.ask, with: { name: x }, use: { llm: { take: 1, settle: output.«scor» } } }",
    ]);
}

#[test]
fn of_answers_children_and_turns() {
    wrong_fields(&[
        "y: { await: { approval: { ask: ok?, form: { approved: boolean, why: string } } } }\nz: { value: \"${y.«wy»}\" }",
        "y: { await: { approval: { ask: ok? } } }\nz: { value: \"${y.«aproved»}\" }",
        "y: { await: { approval: { ask: ok? } }, timeout: 1h, on_timeout: { approved: false, late: true } }\nz: { value: \"${y.«lat»}\" }",
        "y: { await: { approval: { ask: \"${asked.«anwser»}\" } } }",
        "y: { await: { approval: { ask: ok?, show: \"${asked.«anwser»}\" } } }",
        "y: { await: { event: it.came } }\nz: { value: \"${y.«subjct»}\" }",
        "y: { await: { event: it.came, where: event.«subjct» == 'x' } }",
        "y: { run: child, with: { id: 1 } }\nz: { value: \"${y.«titel»}\" }",
        "y: { run: bare }\nz: { value: \"${y.only.«titel»}\" }",
        "y: { run: parent }\nz: { value: \"${y.of.«titel»}\" }",
        "y: { for_each: \"${input.list}\", run: child, with: { id: \"${item.id}\" } }\nz: { value: \"${y[0].«titel»}\" }",
        "y: { loop: { carry: { n: 0 }, steps: { a: { value: \"${carry.«m»}\" } }, until: carry.n > 3, max: 5 } }",
        "y: { loop: { carry: { n: 0 }, steps: { a: { call: desk.ask, with: { name: x } } }, next: { n: 1, last: \"${a.answer}\" }, until: carry.«lst» != null, max: 5 } }",
        "y: { loop: { carry: { n: 0 }, steps: { a: { call: desk.ask, with: { name: x } } }, next: { n: \"${a.«scor»}\" }, until: 'true', max: 5 } }",
        "y: { loop: { carry: { all: null }, steps: { a: { call: desk.ask, with: { name: x } }, b: { value: \"${default(carry.all, asked.parts)[0].«lable»}\" } }, next: { all: \"${a.parts}\" }, until: 'true', max: 5 } }",
        "y: { loop: { steps: { a: { call: desk.ask, with: { name: x } } }, until: a.«scor» > 1.0, max: 5 } }",
        "y: { loop: { steps: { a: { call: desk.ask, with: { name: x } } }, until: 'true', max: 5 } }\nz: { value: \"${y.a.«anwser»}\" }",
        "y: { loop: { steps: { a: { call: desk.ask, with: { name: x } } }, until: 'true', max: 5, output: { got: \"${a.answer}\" } } }\nz: { value: \"${y.«gt»}\" }",
        "y: { emit: { type: it.came, data: \"${asked.«anwser»}\" } }",
        "y: { when: asked.score > 1.0, fail: { message: \"${asked.«anwser»}\" } }",
        "y: { wait: { until: \"${run.started_at + duration(asked.«anwser»)}\" } }",
        "y: { value: \"${run.«stated_at»}\" }",
    ]);
}

/// Cases that stand in place of the steps and go on below them.
fn below(cases: &[(&str, &str)]) {
    all(AROUND, 4, cases);
}

#[test]
fn of_what_the_run_before_gave_and_of_how_the_run_ended() {
    below(&[
        (
            "E_UNKNOWN_FIELD",
            "  a: { value: \"${previous.«watermrk»}\" }\noutput: { watermark: 5, a: \"${a}\" }",
        ),
        (
            "E_PERHAPS_NULL",
            "  a: { value: \"${«previous.watermark» + 1}\" }\noutput: { watermark: 5, a: \"${a}\" }",
        ),
        (
            "E_UNKNOWN_FIELD",
            "  a: { value: \"${default(previous.watermark, 0) + 1}\" }\n  b: { value: \"${previous.«b»}\" }\noutput: { watermark: \"${a}\", c: \"${b}\" }",
        ),
        (
            "E_UNKNOWN_FIELD",
            "  a: { call: desk.ping }\nfinally:\n  f: { call: desk.tell, with: { text: \"${run.«stat»}\" } }",
        ),
        (
            "E_PERHAPS_NULL",
            "  a: { call: desk.ping }\nfinally:\n  f: { call: desk.tell, with: { text: «\"${error.message}\"» } }",
        ),
        (
            "E_PERHAPS_NULL",
            "  a: { call: desk.ask, with: { name: x } }\nfinally:\n  f: { call: desk.tell, with: { text: «\"${a.answer}\"» } }",
        ),
        ("E_UNKNOWN_FIELD", "  a: { call: desk.ask, with: { name: x } }\noutput: \"${a.«anwser»}\""),
        ("E_UNKNOWN_FIELD", "  a: { call: desk.ping }\ntags: { who: \"${input.«whom»}\" }"),
        ("E_UNKNOWN_FIELD", "  a: { call: desk.ping }\nconcurrency: { limit: 1, key: \"${input.«whom»}\" }"),
        ("E_UNKNOWN_FIELD", "  a: { call: desk.ping }\nretry: { when: \"error.«knd» == 'timeout'\" }"),
    ]);
}

#[test]
fn null_is_where_something_may_not_have_run() {
    for (code, case) in [
        (
            "E_PERHAPS_NULL",
            "y: { call: desk.ask, with: { name: x }, when: asked.score > 1.0 }\nz: { call: desk.tell, with: { text: «\"${y.answer}\"» } }",
        ),
        (
            "E_PERHAPS_NULL",
            "y: { for_each: \"${input.list}\", tolerate: 1, call: desk.ask, with: { name: x } }\nz: { call: desk.tell, with: { text: «\"${y[0].answer}\"» } }",
        ),
        (
            "E_PERHAPS_NULL",
            "y:\n  first: 1\n  steps: { a: { call: desk.ask, with: { name: x } }, b: { call: desk.ping } }\nz: { call: desk.tell, with: { text: «\"${y.a.answer}\"» } }",
        ),
        (
            "E_PERHAPS_NULL",
            "y:\n  first: 1\n  steps: { a: { call: desk.ask, with: { name: x } }, b: { call: desk.ping } }\n  output: \"${a.answer}\"\nz: { call: desk.tell, with: { text: «\"${y}\"» } }",
        ),
        (
            "E_PERHAPS_NULL",
            "y:\n  switch:\n    - { when: asked.score > 1.0, value: { a: x } }\nz: { call: desk.tell, with: { text: «\"${y.a}\"» } }",
        ),
        (
            "E_PERHAPS_NULL",
            "y: { call: desk.ask, with: { name: x }, catch: { value: null } }\nz: { call: desk.tell, with: { text: «\"${y.answer}\"» } }",
        ),
        (
            "E_PERHAPS_NULL",
            "y: { await: { approval: { ask: ok?, form: { why: string } } }, timeout: 1h, on_timeout: null }\nz: { call: desk.tell, with: { text: «\"${y.why}\"» } }",
        ),
        (
            "E_PERHAPS_NULL",
            "y: { call: desk.ask, with: { name: x }, background: true }\nz: { call: desk.tell, with: { text: «\"${y.answer}\"» } }",
        ),
        (
            "E_PERHAPS_NULL",
            "y: { loop: { carry: { last: null }, steps: { a: { call: desk.tell, with: { text: «\"${carry.last}\"» } } }, next: { last: x }, until: 'true', max: 5 } }",
        ),
        (
            "E_TYPE",
            "y: { loop: { carry: { n: 0 }, steps: { a: { call: desk.tell, with: { text: «\"${carry.n}\"» } } }, next: { n: \"${carry.n + 0.5}\" }, until: 'true', max: 5 } }",
        ),
    ] {
        all(AROUND, 6, &[(code, &format!("{ASKED}{case}"))]);
    }
}

#[test]
fn a_condition_that_held_is_known_afterwards() {
    for case in [
        "z: { when: asked.note != null, call: desk.tell, with: { text: \"${asked.note}\" } }",
        "z: { when: has(asked.note) && asked.score > 1.0, call: desk.tell, with: { text: \"${asked.note}\" } }",
        "z:\n  switch:\n    - { when: asked.note != null, call: desk.tell, with: { text: \"${asked.note}\" } }",
        "z:\n  switch:\n    - { when: asked.note == null, value: 1 }\n    - { else: , call: desk.tell, with: { text: \"${asked.note}\" } }",
        "z:\n  switch:\n    - { when: asked.note == null, value: 1 }\n    - { when: asked.note.size() > 3, value: 2 }",
        "z:\n  when: input.maybe != null\n  steps:\n    y: { call: desk.tell, with: { text: \"${input.maybe}\" } }",
        "z: { when: input.maybe != null, for_each: \"${input.list}\", call: desk.tell, with: { text: \"${input.maybe}\" } }",
        "z: { call: desk.ping, catch: [{ when: error.details != null, call: desk.tell, with: { text: \"${error.message}\" } }] }",
        "z: { call: desk.ping, finally: { f: { when: error != null, call: desk.tell, with: { text: \"${error.message}\" } } } }",
        "z: { loop: { carry: { last: null }, steps: { a: { when: carry.last != null, call: desk.tell, with: { text: \"${carry.last}\" } } }, next: { last: x }, until: 'true', max: 5 } }",
    ] {
        support::check_none(&support::indented(AROUND, 6, &format!("{ASKED}{case}")));
    }
    // What is asked of one item says nothing of another, nor of what stands beside the step.
    all(
        AROUND,
        6,
        &[
            (
                "E_PERHAPS_NULL",
                "asked: { call: desk.ask, with: { name: x } }\ny: { when: asked.note != null, call: desk.ping }\nz: { call: desk.tell, with: { text: «\"${asked.note}\"» } }",
            ),
            (
                "E_PERHAPS_NULL",
                "asked: { call: desk.ask, with: { name: x } }\nz:\n  switch:\n    - { when: asked.note == null, call: desk.tell, with: { text: «\"${asked.note}\"» } }",
            ),
        ],
    );
}
