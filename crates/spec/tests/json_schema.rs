//! The published JSON Schema of the project file.

use consort_spec::{
    Colour, Folders, Severity, Texts, check, definition::Schema, json_schema, render, yaml_to_json,
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The keys of the language, written down from its rules.
const KEYS: &str = include_str!("keys.txt");

/// Files in folders of these names are not part of the repository, or wrong on purpose.
const NOT_LOOKED_INTO: &[&str] = &["target", "node_modules", ".git", ".venv", "planted"];

fn schema() -> Schema {
    Schema::from_json_schema(&json_schema()).expect("a JSON Schema")
}

/// Every project file of the repository.
fn project_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && !NOT_LOOKED_INTO.iter().any(|skipped| name == *skipped) {
            project_files(&path, found);
        } else if name == "consort.yaml" || name == "contract.yaml" {
            found.push(path);
        }
    }
}

/// The project files that stand in the pages of the reference, each with its page.
fn files_of_the_docs() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    for page in fs::read_dir(pages).into_iter().flatten().flatten() {
        let name = page.file_name().to_string_lossy().into_owned();
        let text = fs::read_to_string(page.path()).expect("a page");
        for block in text.split("```yaml title=consort.yaml\n").skip(1) {
            let example = block.split("\n```").next().unwrap_or("");
            found.push((name.clone(), format!("{example}\n")));
        }
    }
    found
}

#[test]
fn every_example_of_the_reference_is_valid_and_passes_the_check() {
    let schema = schema();
    let mut wrong = Vec::new();
    for (page, text) in files_of_the_docs() {
        let json = yaml_to_json(&text).unwrap_or_else(|| panic!("{page} is no YAML:\n{text}"));
        if let Err(errors) = schema.check(&json.into()) {
            wrong.push(format!("{page}: {errors:#?}"));
        }
        let checked = check(&Texts::new([("consort.yaml".to_owned(), text)], Folders::Assumed));
        // What a page names beside its example is not here; some show what is warned of.
        let errors = checked.problems.iter().filter(|problem| problem.severity == Severity::Error);
        let problems = errors.filter(|problem| problem.code != "E_PATH");
        wrong.extend(
            problems.map(|problem| format!("{page}: {}", render(problem, &checked.files, Colour::Never))),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_project_file_of_the_repository_is_valid() {
    let mut files = Vec::new();
    project_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."), &mut files);
    assert!(files.len() >= 2, "{files:?}");
    let schema = schema();
    for file in files {
        let json = yaml_to_json(&fs::read_to_string(&file).expect("a text")).expect("YAML");
        if let Err(errors) = schema.check(&json.into()) {
            panic!("{}: {errors:#?}", file.display());
        }
    }
}

#[test]
fn wrong_files_are_not() {
    let schema = schema();
    let step = |step: &str| format!("name: a\nworkflows: {{ w: {{ steps: {{ s: {step} }} }} }}");
    let service = |service: &str| format!("name: a\nservices: {{ s: {service} }}");
    for (wrong, path) in [
        ("services: {}".to_owned(), "name"),
        ("name: Upper".to_owned(), "name"),
        ("name: a\ntrigers: {}".to_owned(), ""),
        ("name: a\nworkflows: { w: {} }".to_owned(), "workflows.w.steps"),
        (step("{ cal: x.y }"), "workflows.w.steps.s"),
        (step("{ call: x.y, timeout: 5 }"), "workflows.w.steps.s.timeout"),
        (step("{ call: x.y, delivery: sometimes }"), "workflows.w.steps.s.delivery"),
        (step("{ call: x.y, retry: { attempts: 0 } }"), "workflows.w.steps.s.retry"),
        (step("{ loop: { until: x } }"), "workflows.w.steps.s.loop.steps"),
        (step("{ switch: { when: x } }"), "workflows.w.steps.s.switch"),
        (step("{ call: x.y, priority: 101 }"), "workflows.w.steps.s.priority"),
        (service("{ restart: sometimes }"), "services.s.restart"),
        (service("{ rollout: { strategy: slow } }"), "services.s.rollout"),
        (service("{ operations: { o: { method: FETCH } } }"), "services.s.operations.o.method"),
        (service("{ operations: { o: { input: { x: strng } } } }"), "services.s.operations.o.input"),
        (service("{ scale: { min: -1 } }"), "services.s.scale"),
        ("name: a\ntriggers: { t: { run: w, overlap: never } }".to_owned(), "triggers.t.overlap"),
        ("name: a\nalerts: { x: { failures: 0 } }".to_owned(), "alerts.x.failures"),
        ("name: a\npools: { p: { sise: 1 } }".to_owned(), "pools.p"),
    ] {
        let json = yaml_to_json(&wrong).expect("YAML");
        let errors = schema.check(&json.into()).expect_err(&wrong);
        assert!(errors.iter().any(|error| error.path.starts_with(path)), "{wrong}: {errors:?}");
    }
}

/// The maps of the schema; the file itself is `project`.
fn maps(schema: &Value) -> Vec<(&str, &Value)> {
    let named = schema["$defs"].as_object().into_iter().flatten();
    let named = named.filter(|(_, map)| map.get("properties").is_some());
    std::iter::once(("project", schema)).chain(named.map(|(name, map)| (name.as_str(), map))).collect()
}

#[test]
fn its_keys_are_those_of_the_language() {
    let schema = json_schema();
    let keys = |map: &'_ Value| map["properties"].as_object().map(|map| map.keys().cloned().collect());
    let found: Vec<(&str, BTreeSet<String>)> =
        maps(&schema).into_iter().map(|(name, map)| (name, keys(map).unwrap_or_default())).collect();
    let lines = KEYS.lines().filter(|line| !line.starts_with('#'));
    let wanted: Vec<(&str, BTreeSet<String>)> = lines
        .map(|line| {
            let (map, keys) = line.split_once(':').expect("a map and its keys");
            (map, keys.split_whitespace().map(str::to_owned).collect())
        })
        .collect();
    for (map, keys) in &wanted {
        let known = found.iter().find(|(name, _)| name == map);
        assert_eq!(known.map(|(_, keys)| keys), Some(keys), "{map}");
    }
    for (map, _) in &found {
        assert!(wanted.iter().any(|(name, _)| name == map), "{map} is not in the list");
    }
}

#[test]
fn every_key_is_described_and_words_are_offered() {
    let schema = json_schema();
    let mut silent = Vec::new();
    for (name, map) in maps(&schema) {
        for (key, value) in map["properties"].as_object().into_iter().flatten() {
            let described = value["description"].as_str().is_some_and(|text| text.len() > 3);
            if !described {
                silent.push(format!("{name}.{key}"));
            }
        }
    }
    assert!(silent.is_empty(), "{silent:?}");
    let words = |map: &str, key: &str| schema["$defs"][map]["properties"][key]["enum"].clone();
    assert_eq!(words("service", "restart"), serde_json::json!(["always", "on-failure", "no"]));
    assert_eq!(words("step", "delivery"), serde_json::json!(["at_least_once", "at_most_once"]));
    assert_eq!(words("trigger", "overlap"), serde_json::json!(["allow", "skip", "queue", "replace"]));
    assert_eq!(words("webhook", "preset"), serde_json::json!(["github", "stripe", "slack"]));
}
