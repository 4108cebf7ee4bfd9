//! Each class of mistake, planted once: exactly one problem, at the marked place, with its code.

mod support;
use support::{all, check_one};

/// What surrounds the steps of a case. Line 1 to 17.
const AROUND: &str = r#"name: shop
services:
  desk:
    url: "http://desk"
    operations:
      ask: { input: { name: string, age?: integer, size?: { enum: [small, large] } }, output: { answer: string, score: number, tags: [string], note: string? } }
      tell: { input: { text: string }, idempotent: false }
      ping: {}
pools: { gpu: 2 }
notify: { ops: { webhook: "http://hooks/x" } }
workflows:
  other: { input: { id: integer }, steps: { only: { value: 1 } } }
  order:
    input: { who: string, list: [string], maybe: string? }
    timeout: 1h
    steps:
"#;

/// A service file around one service.
const SERVICE: &str = "name: shop\nservices:\n  desk:\n";

#[test]
fn mistakes_in_the_shape_of_a_step() {
    all(
        AROUND,
        6,
        &[
            ("E_UNKNOWN_KEY", "a: { value: 1, «wehn»: true }"),
            ("E_UNKNOWN_KEY", "a: { «cal»: desk.ping }"),
            ("E_MISSING_KEY", "«a»: { when: true }"),
            ("E_KEY_CONFLICT", "a: { call: desk.ping, «value»: 1 }"),
            ("E_KEY_NOT_HERE", "a: { value: 1, «retry»: { attempts: 2 } }"),
            ("E_KEY_NOT_HERE", "a: { value: 1, «max_parallel»: 2 }"),
            ("E_NAME", "«input»: { value: 1 }"),
            ("E_NAME", "«Bad-Name»: { value: 1 }"),
            ("E_DUPLICATE_KEY", "a: { value: 1 }\n«a»: { value: 2 }"),
            ("E_QUANTITY", "a: { wait: «5» }"),
            ("E_QUANTITY", "a: { call: desk.ping, timeout: «5 minutes» }"),
            ("E_QUANTITY", "a: { call: desk.ping, retry: { attempts: «0» } }"),
            ("E_VALUE", "a: { call: desk.ping, delivery: «sometimes» }"),
            ("E_VALUE", "a: { call: «desk» }"),
            ("E_KEY_CONFLICT", "a: { call: desk.ping, delivery: at_most_once, «retry»: { attempts: 2 } }"),
            ("E_KEY_CONFLICT", "a: { call: desk.ping, «cache»: { for: 1d }, undo: { call: desk.ping } }"),
            (
                "E_KEY_CONFLICT",
                "a: { call: desk.ask, with: { name: x }, retry: { clean: true }, undo: { call: desk.tell, with: { text: \"${«output».answer}\" } } }",
            ),
            ("E_MISSING_KEY", "a:\n  switch:\n    - { «value»: 1 }"),
            ("E_UNREACHABLE", "a:\n  switch:\n    - { else: , value: 1 }\n    - «{» when: true, value: 2 }"),
        ],
    );
}

#[test]
fn mistakes_in_names() {
    check_one(
        "E_RESOURCES",
        "name: a\npools: { gpu: 1 }\nservices: { s: { source: a, command: x, resources: { gpu: «2» } } }\n",
    );
    check_one(
        "E_UNKNOWN_POOL",
        "name: a\npools: { tapes: 1 }\nservices: { s: { source: a, command: x, resources: { «tape»: 2 } } }\n",
    );
    all(
        AROUND,
        6,
        &[
            ("E_UNKNOWN_SERVICE", "a: { call: «dsk».ping }"),
            ("E_UNKNOWN_OPERATION", "a: { call: «desk.pong» }"),
            ("E_UNKNOWN_OPERATION", "a: { call: «consort.rollot», with: { service: desk } }"),
            ("E_UNKNOWN_STEP", "a: { value: 1 }\nb: { value: \"${«aa»}\" }"),
            ("E_UNKNOWN_STEP", "a: { value: 1, after: [«b»] }"),
            ("E_UNKNOWN_STEP", "a: { steps: { x: { value: 1 } } }\nb: { value: \"${«x»}\" }"),
            ("E_UNKNOWN_NAME", "a: { value: \"${«item»}\" }"),
            ("E_UNKNOWN_NAME", "a: { value: \"${«error».code}\" }"),
            ("E_UNKNOWN_WORKFLOW", "a: { run: «ordr» }"),
            ("E_UNKNOWN_POOL", "a: { call: desk.ping, use: { «gpus»: 1 } }"),
            ("E_RESOURCES", "a: { call: desk.ping, use: { gpu: «2.5» } }"),
            ("E_QUANTITY", "a: { call: desk.ping, use: { gpu: «0» } }"),
            ("E_KEY_CONFLICT", "a: { call: desk.ping, use: { «gpu»: { take: 1, settle: output } } }"),
            ("E_UNKNOWN_CHANNEL", "a: { await: { approval: { ask: ok?, notify: [«opps»] } } }"),
            ("E_HIDDEN_NAME", "a: { value: 1 }\nb: { steps: { «a»: { value: 2 } } }"),
            (
                "E_HIDDEN_NAME",
                "a: { value: 1 }\nb: { for_each: \"${input.list}\", as: «a», call: desk.ping }",
            ),
            ("E_CYCLE", "a: { value: \"${«b»}\" }\nb: { value: \"${a}\" }"),
            ("E_CYCLE", "a: { value: \"${«a»}\" }"),
            (
                "E_CYCLE",
                "a: { call: desk.ping, after: [«b»] }\nb: { call: desk.ping, after: [c] }\nc: { call: desk.ping, after: [a] }",
            ),
            ("E_CYCLE", "g: { steps: { x: { value: \"${«late»}\" } } }\nlate: { value: \"${g}\" }"),
        ],
    );
}

#[test]
fn mistakes_in_expressions() {
    all(
        AROUND,
        6,
        &[
            ("E_UNKNOWN_FIELD", "a: { call: desk.ask, with: { name: x } }\nb: { value: \"${a.«anwser»}\" }"),
            ("E_UNKNOWN_FIELD", "b: { value: \"${input.«whom»}\" }"),
            ("E_CONDITION", "a: { call: desk.ping, when: «input.who» }"),
            ("E_CONDITION", "a:\n  switch:\n    - { when: «input.who», value: 1 }"),
            ("E_FOR_EACH", "a: { for_each: «\"${input.who}\"», call: desk.ping }"),
            ("E_MISSING_INPUT", "a: { call: desk.ask, «with»: {} }"),
            ("E_MISSING_INPUT", "a: { «call»: desk.ask }"),
            ("E_EXTRA_INPUT", "a: { call: desk.ask, with: { name: x, «colour»: red } }"),
            ("E_EXTRA_INPUT", "a: { call: desk.ask, with: { «nmae»: x } }"),
            ("E_EXTRA_INPUT", "a: { call: desk.ping, with: { «x»: 1 } }"),
            ("E_TYPE", "a: { call: desk.ask, with: { name: «5» } }"),
            ("E_TYPE", "a: { call: desk.ask, with: { name: x, age: «\"${input.who}\"» } }"),
            ("E_TYPE", "a: { call: desk.ask, with: { name: x, size: «huge» } }"),
            ("E_TYPE", "a: { run: other, with: { id: «\"${input.who}\"» } }"),
            ("E_PERHAPS_NULL", "a: { call: desk.ask, with: { name: «\"${input.maybe}\"» } }"),
            (
                "E_PERHAPS_NULL",
                "a: { call: desk.ask, with: { name: x }, when: \"input.who == ''\" }\nb: { call: desk.tell, with: { text: «\"${a.answer}\"» } }",
            ),
            ("E_EXPRESSION", "a: { value: \"${1 +«}»\" }"),
            (
                "E_TYPE",
                "a: { for_each: \"${input.list}\", call: desk.ask, with: { name: x, age: «\"${item}\"» } }",
            ),
            (
                "E_TYPE",
                "a: { call: desk.ask, with: { name: x }, undo: { call: desk.tell, with: { text: «\"${output.score}\"» } } }",
            ),
        ],
    );
}

#[test]
fn a_schema_may_ask_for_more_than_a_type() {
    let around = "name: shop\nservices:\n  desk:\n    url: \"http://desk\"\n    operations: { ask: { input_schema: { type: object, properties: { n: { type: integer, minimum: 1 }, tags: { type: array, items: { type: string, pattern: ^a } } }, required: [n], additionalProperties: false } } }\nworkflows:\n  w:\n    steps:\n";
    all(
        around,
        6,
        &[
            ("E_TYPE", "a: { call: desk.ask, with: { n: «0» } }"),
            ("E_TYPE", "a: { call: desk.ask, with: { n: 1, tags: [ab, «b»] } }"),
            ("E_MISSING_INPUT", "a: { call: desk.ask, «with»: { tags: [] } }"),
            ("E_EXTRA_INPUT", "a: { call: desk.ask, with: { n: 1, «m»: 1 } }"),
        ],
    );
}

#[test]
fn what_is_legal_and_probably_not_meant() {
    all(
        AROUND,
        6,
        &[
            ("W_TIMEOUT_TOO_LONG", "«a»: { call: desk.ping, timeout: 2h }"),
            ("W_RETRY_NOT_IDEMPOTENT", "«a»: { call: desk.tell, with: { text: x }, retry: { attempts: 2 } }"),
        ],
    );
    all(
        AROUND,
        6,
        &[(
            "W_UNREACHABLE",
            "g: { first: 1, steps: { a: { wait: 1m }, «b»: { call: desk.ping, after: [a] }, c: { call: desk.ping } } }",
        )],
    );
    all(AROUND, 4, &[("W_UNUSED", "  «a»: { value: 1 }\n  b: { value: 2 }\noutput: \"${b}\"")]);
}

#[test]
fn mistakes_in_services() {
    all(
        SERVICE,
        4,
        &[
            ("E_UNKNOWN_KEY", "«sorce»: ./a\nurl: \"http://x\""),
            ("E_PATH", "source: «./b»\ncommand: x"),
            ("E_PATH", "source: «../a»\ncommand: x"),
            ("E_PATH", "source: «/etc»\ncommand: x"),
        ],
    );
    all(
        "name: shop\nservices:\n",
        2,
        &[
            ("E_MISSING_KEY", "«desk»: { command: run.sh }"),
            ("E_MISSING_KEY", "«desk»: { description: x }"),
            ("E_NAME", "«consort»: { url: \"http://x\" }"),
            ("E_KEY_CONFLICT", "desk: { url: \"http://x\", «command»: run }"),
            ("E_KEY_NOT_HERE", "desk: { url: \"http://x\", scale: { «min»: 2 } }"),
            ("E_EXPRESSION_NOT_HERE", "desk: { source: ./a, command: \"run «${PORT}»\" }"),
            ("E_UNKNOWN_SECRET", "desk: { source: ./a, command: run, secrets: [«key»] }"),
            ("E_QUANTITY", "desk: { source: ./a, command: run, resources: { memory: «512» } }"),
            ("E_QUANTITY", "desk: { source: ./a, command: run, scale: { min: 3, «max»: 2 } }"),
            ("E_VALUE", "desk: { url: «desk» }"),
            ("E_SHORT_TYPE", "desk: { url: \"http://x\", operations: { a: { input: { x: «strng» } } } }"),
            (
                "E_SHORT_TYPE",
                "desk: { url: \"http://x\", operations: { a: { output: «[»string, number] } } }",
            ),
            (
                "E_JSON_SCHEMA",
                "desk: { url: \"http://x\", operations: { a: { input_schema: { type: «thing» } } } }",
            ),
            (
                "E_JSON_SCHEMA",
                "desk: { url: \"http://x\", operations: { a: { input_schema: { $ref: «\"http://x/y\"» } } } }",
            ),
            ("E_VALUE", "desk: { url: \"http://x\", operations: { a: { method: «FETCH» } } }"),
            ("E_UNKNOWN_FIELD", "desk: { url: \"http://x\", operations: { a: { path: «\"/u/{id}\"» } } }"),
        ],
    );
}

#[test]
fn mistakes_in_the_other_sections() {
    all(
        &AROUND.replace("    steps:\n", "    steps: { a: { call: desk.ping } }\n"),
        0,
        &[
            ("E_UNKNOWN_KEY", "«trigers»: {}"),
            ("E_MISSING_KEY", "triggers: { «t»: { run: other, with: { id: 1 } } }"),
            ("E_UNKNOWN_WORKFLOW", "triggers: { t: { every: 1h, run: «nothing» } }"),
            ("E_TYPE", "triggers: { t: { every: 1h, run: other, with: { id: «x» } } }"),
            ("E_MISSING_KEY", "triggers: { t: { «webhook»: { path: x }, run: other, with: { id: 1 } } }"),
            ("E_UNKNOWN_CHANNEL", "alerts: { a: { failures: 1, notify: [«op»] } }"),
            ("E_MISSING_KEY", "secrets: { «k»: {} }"),
        ],
    );
}

#[test]
fn mistakes_in_the_file_itself() {
    for (code, case) in [
        ("E_YAML", "name: a\nx: { a: $«{»b} }\n"),
        ("E_YAML", "name: a\nservices: &x {}\nworkflows: «*x»\n"),
        ("E_YAML", "name: a\nservices: { «<<»: {} }\n"),
        ("E_YAML", "name: a\nservices: «!thing x»\n"),
        ("E_YAML", "name: a\n«---»\nname: b\n"),
        ("E_YAML", "name: «.inf»\n"),
        ("E_EMPTY_FILE", "«#» nothing\n"),
        ("E_MISSING_KEY", "«s»ervices: {}\n"),
    ] {
        check_one(code, case);
    }
}
