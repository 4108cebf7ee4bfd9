//! What a checked project says to those who run it.

use consort_spec::{
    EdgeKind, Folders, Severity, Texts, check,
    definition::{Body, KeyPart, Project, Schema, Workflow},
    graph, unsupported,
};
use consort_types::{FieldError, Json};
use serde_json::{Value, json};
use std::sync::Arc;

fn project(text: &str) -> Arc<Project> {
    let checked = check(&Texts::new([("consort.yaml".to_owned(), text.to_owned())], Folders::Assumed));
    checked.project.unwrap_or_else(|| panic!("{:#?}", checked.problems))
}

const SERVICES: &str = "name: shop\nservices:\n  desk:\n    url: \"http://desk\"\n    operations: { ask: { input: { name: string }, output: { id: string } }, drop: { input: { id: string } }, ping: {} }\nworkflows:\n  w:\n    input: { who: string, list: [string] }\n    steps:\n";

fn workflow(steps: &str) -> Arc<Workflow> {
    let steps: String = steps.lines().map(|line| format!("      {line}\n")).collect();
    project(&format!("{SERVICES}{steps}")).workflows["w"].clone()
}

fn waits(workflow: &Workflow, path: &str) -> Vec<String> {
    let step = workflow.steps.iter().find(|step| step.path == path).unwrap_or_else(|| panic!("{path}"));
    step.waits_for.iter().map(|id| workflow.step(*id).path.clone()).collect()
}

#[test]
fn a_group_waits_for_its_own_and_inner_steps_for_what_they_name() {
    let w = workflow(
        "a: { call: desk.ping }
b: { call: desk.ask, with: { name: \"${input.who}\" } }
g:
  when: a != null
  steps:
    x: { call: desk.ask, with: { name: \"${b.id}\" } }
    y: { value: \"${x.id}\" }
  output: { y: \"${y}\", n: \"${x.id}\" }
  undo: { call: desk.drop, with: { id: \"${output.n}\" } }
last: { value: \"${g.n}\", after: [a, b] }
",
    );
    assert_eq!(waits(&w, "g"), ["a"]);
    assert_eq!(waits(&w, "g.x"), ["b"]);
    assert_eq!(waits(&w, "g.y"), ["g.x"]);
    assert_eq!(waits(&w, "last"), ["a", "b", "g"]);
    let group = w.steps.iter().find(|step| step.path == "g").unwrap();
    assert!(group.output.is_some() && group.undo.is_some());
    let graph = graph(&w);
    let edge =
        |from: &str, to: &str| graph.edges.iter().find(|e| e.from == from && e.to == to).map(|e| e.kind);
    assert_eq!(edge("g", "last"), Some(EdgeKind::Data));
    assert_eq!(edge("a", "last"), Some(EdgeKind::After));
    let inner = graph.nodes.iter().find(|node| node.id == "g.x").unwrap();
    assert_eq!(
        (inner.parent.as_deref(), inner.call.as_deref(), inner.kind),
        (Some("g"), Some("desk.ask"), "call")
    );
}

#[test]
fn a_switch_waits_for_its_conditions_and_a_branch_for_what_it_names() {
    let w = workflow(
        "a: { call: desk.ping }
b: { call: desk.ask, with: { name: x } }
s:
  switch:
    - { when: a == 1, value: \"${b.id}\" }
    - else: { steps: { in_else: { call: desk.ping } } }
",
    );
    assert_eq!(waits(&w, "s"), ["a"]);
    assert_eq!(waits(&w, "s[0]"), ["b"]);
    let keys: Vec<&KeyPart> = w.steps.iter().map(|step| &step.key_part).collect();
    assert_eq!(keys[3], &KeyPart::Index(0));
    assert!(w.steps.iter().any(|step| step.path == "s.else.in_else"));
    let Body::Switch(branches) = &w.steps[2].body else { panic!("a switch") };
    assert!(branches[0].when.is_some() && branches[1].when.is_none());
}

#[test]
fn items_inner_names_and_undo_are_seen_where_they_are() {
    let w = workflow(
        "each:
  for_each: \"${input.list}\"
  as: name
  steps:
    open: { call: desk.ask, with: { name: \"${name}\" }, undo: { call: desk.drop, with: { id: \"${output.id}\" } } }
    twice:
      for_each: [1, 2]
      value: \"${item + name_index + index}\"
risky:
  call: desk.ping
  retry: { when: error.kind == 'timeout' }
  catch: { when: error.code == 'X', value: \"${error.message}\" }
  finally: { tidy: { call: desk.ping } }
",
    );
    assert_eq!(waits(&w, "each"), Vec::<String>::new());
    let paths: Vec<&str> = w.steps.iter().map(|step| step.path.as_str()).collect();
    assert_eq!(paths, ["each", "risky", "each[].open", "each[].twice", "risky.catch", "risky.finally.tidy"]);
}

#[test]
fn the_finally_of_a_workflow_waits_for_no_step() {
    let text = format!(
        "{SERVICES}      a: {{ call: desk.ping }}\n    finally:\n      x: {{ value: \"${{a}}\" }}\n      y: {{ call: desk.ping, after: [x] }}\n"
    );
    let w = &project(&text).workflows["w"];
    assert_eq!(waits(w, "finally.x"), Vec::<String>::new());
    assert_eq!(waits(w, "finally.y"), ["finally.x"]);
}

#[test]
fn a_workflow_is_another_when_what_it_calls_is() {
    let base = format!("{SERVICES}      a: {{ call: desk.ping }}\n");
    let digest = |text: &str| project(text).workflows["w"].digest;
    assert_eq!(
        digest(&base),
        digest(
            &base.replace("name: string }, output: { id: string }", "name: string }, output: { id: any }")
        )
    );
    assert_ne!(digest(&base), digest(&base.replace("ping: {}", "ping: { timeout: 5s }")));
    assert_ne!(digest(&base), digest(&base.replace("a: {", "b: {")));
}

#[test]
fn what_this_build_cannot_run_is_told_at_its_key() {
    let text = format!(
        "{SERVICES}      a: {{ call: desk.ping }}\n      b:\n        value: 1\n        background: true\n"
    );
    let found = unsupported(&project(&text));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].code, found[0].line, found[0].column, found[0].length), ("E_NOT_YET", 13, 9, 10));
}

fn errors(schema: &Schema, value: &Value) -> Vec<(String, String)> {
    match schema.check(&Json::of(value)) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.into_iter().map(|FieldError { path, code, .. }| (path, code)).collect(),
    }
}

fn input_schema(types: &str) -> Schema {
    let text =
        format!("name: shop\nworkflows: {{ w: {{ input: {types}, steps: {{ a: {{ value: 1 }} }} }} }}");
    project(&text).workflows["w"].input.clone()
}

#[test]
fn every_wrong_field_of_a_value_is_named() {
    let schema = input_schema(
        "{ name: string, age?: integer, size?: { enum: [s, m] }, at?: datetime, wait?: duration, note?: string?, list?: [{ n: number }], any?: any, more?: object }",
    );
    let good = json!({ "name": "x", "age": 5.0, "size": "m", "at": "2026-01-01T00:00:00Z", "wait": "5m", "note": null, "list": [{ "n": 1 }], "any": null, "more": { "a": 1 } });
    assert_eq!(errors(&schema, &good), []);
    let same = Json::of(&good);
    assert_eq!(schema.check(&same).unwrap().text(), same.text());
    let bad = json!({ "nmae": "x", "age": 5.5, "size": "l", "at": "noon", "wait": 5, "note": 1, "list": [{ "n": 1 }, { "n": null }], "more": [] });
    let found = errors(&schema, &bad);
    let wanted = [
        ("nmae", "unknown"),
        ("age", "type"),
        ("size", "enum"),
        ("at", "format"),
        ("wait", "type"),
        ("note", "type"),
        ("list[1].n", "null"),
        ("more", "type"),
        ("name", "missing"),
    ];
    assert_eq!(found, wanted.map(|(path, code)| (path.to_owned(), code.to_owned())));
    assert_eq!(errors(&schema, &json!([])), [(String::new(), "type".to_owned())]);
    assert_eq!(errors(&schema, &json!({ "name": null })), [("name".to_owned(), "null".to_owned())]);
}

#[test]
fn a_file_is_what_the_artifacts_say() {
    let schema = input_schema("{ document: file }");
    let digest = format!("sha256:{}", "0".repeat(64));
    let file = json!({ "artifact": digest, "name": "a.pdf", "type": "application/pdf", "size": 3, "url": "http://x" });
    assert_eq!(errors(&schema, &json!({ "document": file })), []);
    assert_eq!(
        errors(&schema, &json!({ "document": "a.pdf" })),
        [("document".to_owned(), "type".to_owned())]
    );
    let found =
        errors(&schema, &json!({ "document": { "artifact": "x", "name": "a", "type": "b", "size": 1 } }));
    assert_eq!(
        found.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(),
        ["document.artifact", "document.url"]
    );
}

#[test]
fn json_schema_is_checked_and_fills_in_defaults() {
    let schema = Schema::from_json_schema(&json!({
        "type": "object",
        "properties": { "n": { "type": "integer", "minimum": 1, "default": 7 }, "who": { "$ref": "#/$defs/who" } },
        "required": ["who"],
        "$defs": { "who": { "type": "string", "pattern": "^[a-z]+$" } },
    }))
    .unwrap();
    assert_eq!(
        schema.check(&Json::of(&json!({ "who": "x" }))).unwrap(),
        Json::of(&json!({ "who": "x", "n": 7 }))
    );
    assert_eq!(
        errors(&schema, &json!({ "n": 0 })),
        [("who".to_owned(), "missing".to_owned()), ("n".to_owned(), "range".to_owned())]
    );
    assert!(Schema::from_json_schema(&json!({ "$ref": "http://elsewhere/x" })).is_err());
    assert!(Schema::from_json_schema(&json!({ "type": 5 })).is_err());
}

#[test]
fn the_output_of_a_child_is_known_to_its_parent_wherever_it_stands() {
    let problems = |field: &str| {
        let text = format!(
            "name: shop
workflows:
  a: {{ steps: {{ c: {{ run: b }}, u: {{ value: \"${{c.{field}}}\" }}, id: {{ run: b, detach: true }} }} }}
  b: {{ steps: {{ c: {{ run: z }} }}, output: {{ id: \"${{c.n}}\", circle: \"${{c.n}}\" }} }}
  z: {{ steps: {{ n: {{ value: one }} }} }}
  again: {{ steps: {{ c: {{ run: again }}, u: {{ value: \"${{c.anything}}\" }} }} }}
"
        );
        let checked = check(&Texts::new([("consort.yaml".to_owned(), text)], Folders::Assumed));
        let errors = checked.problems.into_iter().filter(|problem| problem.severity == Severity::Error);
        errors.map(|problem| (problem.code, problem.line)).collect::<Vec<_>>()
    };
    assert_eq!(problems("id"), []);
    assert_eq!(problems("nothing"), [("E_UNKNOWN_FIELD", 3)]);
}
