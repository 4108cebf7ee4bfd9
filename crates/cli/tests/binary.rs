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
