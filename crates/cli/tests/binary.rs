//! The binary as a user meets it, where no server is needed.

use std::{
    net::TcpListener,
    path::Path,
    process::{Command, Output},
};

fn consort(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consort"));
    command.args(args).current_dir(folder).env_remove("CONSORT_SERVER").env_remove("NO_COLOR");
    command.output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// A port of this machine where nobody listens.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn bad_usage_is_exit_code_2_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for (args, words) in [
        (&["frobnicate"][..], "unrecognized subcommand"),
        (&["run"], "<WORKFLOW>"),
        (&["run", "loan", "--wait=5"], "a number and a unit"),
        (&["run", "loan", "--wait", "--detach"], "cannot be used with"),
        (&["runs", "show", "run_1"], "run_ and 32 hex digits"),
        (&["runs", "list", "--state", "done"], "queued, running"),
        (&["artifacts", "get", "sha256:1"], "64 hex digits"),
        (&["runs", "-n", "Not A Name"], "-n: "),
        (&["runs", "--server", "https://consort.internal"], "plain http"),
        (&["runs", "--server", "nowhere"], "http://HOST:PORT"),
        (&["init", "helo"], "templates: hello"),
    ] {
        let output = consort(folder.path(), args);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(words), "{args:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{args:?}: an error is no result");
    }
}

#[test]
fn no_server_is_exit_code_3_and_says_where_it_was_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = format!("http://127.0.0.1:{}", free_port());
    let run = "run_00000000000000000000000000000007";
    for args in [
        &["runs"][..],
        &["services", "--json"],
        &["workflows", "show", "loan"],
        &["run", "loan", "--detach"],
        &["runs", "cancel", run],
        &["services", "call", "parser.parse"],
    ] {
        let output = consort(folder.path(), &[args, &["--server", &server]].concat());
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{args:?}: {stderr}");
        assert!(stderr.starts_with(&format!("error: no server at {server}: ")), "{stderr}");
        assert!(stderr.contains("\nhint: start one with `consort dev`"), "{stderr}");
    }
}

#[test]
fn the_server_may_come_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let server = format!("http://127.0.0.1:{}", free_port());
    let mut command = Command::new(env!("CARGO_BIN_EXE_consort"));
    let output =
        command.arg("runs").current_dir(folder.path()).env("CONSORT_SERVER", &server).output().unwrap();
    assert!(text(&output.stderr).contains(&server));
}

#[test]
fn init_writes_a_project_and_never_over_another() {
    let folder = tempfile::tempdir().unwrap();
    let output = consort(folder.path(), &["init"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let stdout = text(&output.stdout);
    assert!(stdout.starts_with("wrote consort.yaml\nwrote services/greeter/greeter.py\n"), "{stdout}");
    assert!(stdout.contains("consort run hello -i name=Ann"), "{stdout}");
    let check = consort(folder.path(), &["check"]);
    assert_eq!(text(&check.stderr), "", "what init writes has no mistakes and no warnings");
    assert_eq!(text(&check.stdout), "hello is fine: 1 service, 1 workflow\n");
    let again = consort(folder.path(), &["init"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("nothing is overwritten"));
}

#[test]
fn completions_know_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let output = consort(folder.path(), &["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        let script = text(&output.stdout);
        for word in ["workflows", "rerun", "rollback", "--no-cache"] {
            assert!(script.contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
    }
}

#[test]
fn help_names_the_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let output = consort(folder.path(), &["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    assert!(help.contains("124  the --wait time is over"), "{help}");
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
}

#[test]
fn the_hidden_supervisor_is_reached_before_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    let output = consort(folder.path(), &["__replica", "no socket"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stderr.is_empty(), "clap was not asked: {}", text(&output.stderr));
}

#[test]
fn check_shows_each_mistake_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = "name: lending\nservices:\n  ledger:\n    url: http://127.0.0.1:1\n    operatons: {}\n";
    std::fs::write(folder.path().join("consort.yaml"), file).unwrap();
    let output = consort(folder.path(), &["check"]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.starts_with("consort.yaml:5:5 error "), "{stderr}");
    assert!(stderr.contains("^^^^^^^^^") && stderr.contains("`operations`"), "{stderr}");
    assert!(stderr.ends_with("error: 1 error in .\n"), "{stderr}");

    let output = consort(folder.path(), &["check", "consort.yaml", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let problem = &json["problems"][0];
    assert_eq!(
        (&problem["file"], &problem["line"], &problem["column"]),
        (&"consort.yaml".into(), &5.into(), &5.into())
    );
    assert_eq!(problem["severity"], "error");
}

/// The project of the checker's own tests: `#! CODE` ends each line with a mistake.
#[test]
fn check_tells_every_planted_mistake_in_one_go() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/tests/planted"));
    let planted = |file: &str, line: usize| {
        let text = std::fs::read_to_string(root.join(file)).expect("the file");
        let line = text.lines().nth(line - 1).expect("the line").to_owned();
        line.rsplit_once("#!").map(|(_, mark)| mark.trim_start_matches('!').trim().to_owned())
    };
    let output = consort(root, &["check", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json.as_object().map(serde_json::Map::len), Some(1));
    let problems = json["problems"].as_array().expect("problems");
    assert!(problems.len() >= 100, "{}", problems.len());
    let human = consort(root, &["check"]);
    assert_eq!(human.status.code(), Some(2));
    let stderr = text(&human.stderr);
    let mut places = Vec::new();
    for problem in problems {
        let keys: Vec<&str> = problem.as_object().expect("an object").keys().map(String::as_str).collect();
        let wanted = ["file", "line", "column", "severity", "code", "message", "hint"];
        assert!(keys.iter().all(|key| wanted.contains(key)) && keys.len() >= 6, "{keys:?}");
        let (file, code) = (problem["file"].as_str().expect("file"), problem["code"].as_str().expect("code"));
        let (line, column) =
            (problem["line"].as_u64().expect("line"), problem["column"].as_u64().expect("column"));
        assert_eq!(planted(file, line as usize).as_deref(), Some(code), "{problem}");
        let severity = problem["severity"].as_str().expect("severity");
        assert_eq!(severity, if code.starts_with("W_") { "warning" } else { "error" });
        assert!(stderr.contains(&format!("{file}:{line}:{column} {severity} {code}: ")), "{problem}");
        places.push((file, line, column));
    }
    assert!(places.is_sorted());
    assert!(stderr.contains("hint: did you mean `when`?"));
    assert!(stderr.ends_with(" in .\n"), "{stderr}");
}

#[test]
fn a_folder_without_a_project_is_told_apart_from_a_bad_one() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["check"][..], &["apply"], &["dev"]] {
        let output = consort(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let stderr = text(&output.stderr);
        assert!(
            stderr.starts_with("error: there is no consort.yaml in ") && stderr.contains("consort init"),
            "{stderr}"
        );
    }
    assert_eq!(consort(folder.path(), &["check", "no/such"]).status.code(), Some(2));
}

#[test]
fn apply_checks_before_it_looks_for_a_server() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("consort.yaml"), "name: lending\nworkflow: {}\n").unwrap();
    let output = consort(folder.path(), &["apply"]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.ends_with("error: . has errors; nothing was applied\n"), "{stderr}");
}

#[test]
fn the_schema_is_a_json_schema_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let output = consort(folder.path(), &["schema"]);
    assert_eq!(output.status.code(), Some(0));
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(schema["$schema"].is_string() && schema["properties"]["services"].is_object(), "{schema}");
}
