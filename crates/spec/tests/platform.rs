//! Calls of the service `consort`, and channels.

use consort_spec::{Folders, Texts, check, unsupported};

fn told(notify: &str, steps: &str) -> Vec<String> {
    let steps: String = steps.lines().map(|line| format!("      {line}\n")).collect();
    let file = format!(
        "name: shop\nservices:\n  scorer: {{ source: ./s, command: ./run }}\n  mailer: {{ url: \"http://m\" }}\nnotify: {{ {notify} }}\nworkflows:\n  w:\n    input: {{ model: string, n: integer }}\n    steps:\n{steps}"
    );
    let checked = check(&Texts::new([("consort.yaml".to_owned(), file)], Folders::Assumed));
    let not_yet = checked.project.iter().flat_map(|project| unsupported(project)).collect::<Vec<_>>();
    let all = checked.problems.iter().chain(&not_yet);
    all.map(|problem| format!("{} {}:{} {}", problem.code, problem.line, problem.column, problem.message))
        .collect()
}

#[test]
fn acts_of_the_platform_are_ordinary_steps() {
    let steps = "out:
  call: consort.rollout
  with: { service: scorer, environment: { MODEL: \"${input.model}\", N: \"${input.n}\" } }
  retry: { attempts: 3 }
  undo: { call: consort.rollback, with: { service: scorer, to: \"${output.previous}\" } }
more: { call: consort.scale, with: { service: scorer, replicas: \"${input.n}\" }, after: [out] }
again: { call: consort.restart, with: { service: scorer }, after: [more] }
told: { call: consort.notify, with: { channel: ops, text: \"${out.revision}\" } }
back: { value: \"${out.previous}\" }
";
    let channels = "ops: { webhook: \"http://h/x\" }, chat: { slack: \"${secrets.url}\" }, run: { command: [./page, now] }";
    assert_eq!(told(channels, steps), Vec::<String>::new());
}

#[test]
fn what_they_name_must_be_there() {
    for (steps, expected) in [
        (
            "a: { call: consort.rollout, with: { service: scoer } }",
            "E_UNKNOWN_SERVICE 10:52 there is no service `scoer`",
        ),
        ("a: { call: consort.restart, with: { service: mailer } }", "E_VALUE 10:52 `mailer` has no replicas"),
        ("a: { call: consort.notify, with: { channel: oops, text: x } }", "E_UNKNOWN_CHANNEL"),
        ("a: { call: consort.scale, with: { service: scorer } }", "E_MISSING_INPUT"),
        ("a: { call: consort.scale, with: { service: scorer, replicas: many } }", "E_TYPE"),
        ("a: { call: consort.rolout, with: { service: scorer } }", "E_UNKNOWN_OPERATION"),
        ("a: { value: 1, undo: { call: consort.rollback, with: { service: gone } } }", "E_UNKNOWN_SERVICE"),
    ] {
        let told = told("ops: { webhook: \"http://h/x\" }", steps);
        assert!(told.iter().any(|it| it.starts_with(expected)), "{expected}\n{told:#?}");
    }
}

#[test]
fn a_channel_is_one_thing_that_can_be_reached() {
    for (channel, expected) in [
        ("{ webhook: \"hooks.internal\" }", "E_VALUE"),
        ("{ command: [] }", "E_VALUE"),
        ("{ webhook: \"http://a\", slack: \"http://b\" }", "E_MISSING_KEY"),
        ("{ email: a@b.example }", "E_NOT_YET"),
    ] {
        let told = told(&format!("ops: {channel}"), "a: { value: 1 }");
        assert!(told.len() == 1 && told[0].starts_with(expected), "{channel}\n{told:#?}");
    }
}
