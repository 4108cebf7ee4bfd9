//! The example of the contract with its users.

use consort_spec::{Colour, Folders, Texts, check, render};

/// The example, word by word.
const EXAMPLE: &str = include_str!("contract.yaml");

fn example() -> Texts {
    let folders = ["services/parser", "services/income", "services/ledger"].map(str::to_owned);
    Texts::new([("consort.yaml".to_owned(), EXAMPLE.to_owned())], Folders::Known(folders.into()))
}

#[test]
fn the_example_passes_without_a_warning() {
    let checked = check(&example());
    let shown: Vec<String> =
        checked.problems.iter().map(|problem| render(problem, &checked.files, Colour::Never)).collect();
    assert!(shown.is_empty(), "{}", shown.concat());
    let project = checked.project.expect("a project without problems");
    assert_eq!(project.name.as_str(), "lending");
    assert_eq!(project.services.len(), 4);
    let workflow = &project.workflows["loan-application"];
    let waits = |path: &str| -> Vec<&str> {
        let step = workflow.steps.iter().find(|step| step.path == path).expect("the step is there");
        step.waits_for.iter().map(|id| workflow.step(*id).path.as_str()).collect()
    };
    assert_eq!(waits("pages"), Vec::<&str>::new());
    assert_eq!(waits("fields"), ["pages"]);
    assert_eq!(waits("check"), ["fields"]);
    assert_eq!(waits("decision"), ["check"]);
    assert_eq!(waits("decision.else"), ["check"]);
    assert_eq!(waits("notice"), ["account", "decision"]);
}

#[test]
fn the_published_schema_takes_the_example() {
    // The same tree as JSON, by way of the checker's own reading of a value.
    let schema =
        consort_spec::definition::Schema::from_json_schema(&consort_spec::json_schema()).expect("a schema");
    let json = consort_spec::yaml_to_json(EXAMPLE).expect("YAML");
    if let Err(errors) = schema.check(&json.into()) {
        panic!("{errors:#?}");
    }
    for (wrong, path) in [
        ("name: a\nworkflows: { w: { steps: { s: { cal: x.y } } } }", "workflows.w.steps.s"),
        ("name: a\nservices: { s: { restart: sometimes } }", "services.s.restart"),
        ("services: {}", "name"),
    ] {
        let json = consort_spec::yaml_to_json(wrong).expect("YAML");
        let errors = schema.check(&json.into()).expect_err(wrong);
        assert!(errors.iter().any(|error| error.path == path), "{wrong}: {errors:?}");
    }
}
