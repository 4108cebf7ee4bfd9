//! What must never be committed: where somebody's machine keeps its files, where it gets its packages, secrets.

use crate::repository::{files, none, read};

/// This file names what it looks for.
const THIS: &str = "crates/tidy/tests/tidy/committed.rs";

const MACHINE_PATHS: &[&str] = &["/root/", "/home/", "/Users/", "/work/", "/mnt/"];
const REGISTRY_HOSTS: &[&str] = &[
    "registry.npmjs.org",
    "registry.yarnpkg.com",
    "pypi.org",
    "files.pythonhosted.org",
    "index.crates.io",
    "static.crates.io",
    "deb.debian.org",
    "security.debian.org",
];
const SECRETS: &[&str] = &["PRIVATE KEY-----", "AKIA", "ghp_", "github_pat_", "xoxb-", "sk-ant-", "glpat-"];

/// Cargo.lock names crates.io as the origin of each package by cargo's own rule.
fn texts() -> impl Iterator<Item = (String, String)> {
    let own = |path: &String| path != THIS && path != "Cargo.lock" && path != "LICENSE";
    files().into_iter().filter(own).filter_map(|path| read(&path).map(|text| (path, text)))
}

fn lines_with(found: impl Fn(&str) -> Option<&'static str>) -> Vec<String> {
    let mut breaches = Vec::new();
    for (path, text) in texts() {
        for (number, line) in text.lines().enumerate() {
            breaches.extend(found(line).map(|what| format!("{path}:{}: {what}", number + 1)));
        }
    }
    breaches
}

/// Whether an absolute path begins with it: `/home/ann`, not `artifacts/home/ann`.
fn begins_a_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-*}/)>".contains(c))
    })
}

fn begins_a_word(line: &str, mark: &str) -> bool {
    line.match_indices(mark).any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[test]
fn no_path_of_a_machine() {
    let breaches =
        lines_with(|line| MACHINE_PATHS.iter().find(|folder| begins_a_path(line, folder)).copied());
    none(&breaches, "Name it relative to the repository, or let the environment say it.");
}

#[test]
fn no_host_of_a_registry() {
    let breaches = lines_with(|line| REGISTRY_HOSTS.iter().find(|host| line.contains(**host)).copied());
    none(
        &breaches,
        "Packages are named, never addressed: a machine knows its own registries. In a lock file of npm: omit-lockfile-registry-resolved.",
    );
}

#[test]
fn no_secret() {
    let breaches = lines_with(|line| SECRETS.iter().find(|mark| begins_a_word(line, mark)).copied());
    none(&breaches, "Take it out, also of the history, and make a new one: it is known now.");
}
