//! The repository as cargo and git see it.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

const PREFIX: &str = "consort-";

static METADATA: LazyLock<Value> = LazyLock::new(|| {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root()).args(["metadata", "--format-version=1", "--locked"]);
    if cfg!(target_os = "linux") {
        // Without it cargo would download the libraries of every other system, just to name them.
        command.arg(format!("--filter-platform={}-unknown-linux-gnu", std::env::consts::ARCH));
    }
    serde_json::from_slice(&output(command)).expect("cargo metadata is JSON")
});

pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> =
        LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned());
    &ROOT
}

/// One package of the dependency graph.
pub struct Package {
    pub id: String,
    /// As cargo knows it; ours without `consort-`.
    pub name: String,
    pub licence: Option<String>,
    pub is_ours: bool,
    /// What it names itself under `[dependencies]`; ours without `consort-`.
    pub uses: BTreeSet<String>,
    /// The same for `[dev-dependencies]`.
    pub uses_in_tests: BTreeSet<String>,
}

pub fn packages() -> Vec<Package> {
    let list = METADATA["packages"].as_array().unwrap();
    list.iter()
        .map(|package| Package {
            id: text(&package["id"]),
            name: short(&package["name"]),
            licence: package["license"].as_str().map(str::to_owned),
            is_ours: package["source"].is_null(),
            uses: dependencies(package, |kind| kind.is_null()),
            uses_in_tests: dependencies(package, |kind| kind == "dev"),
        })
        .collect()
}

pub fn ours() -> Vec<Package> {
    packages().into_iter().filter(|package| package.is_ours).collect()
}

fn dependencies(package: &Value, is_kind: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().unwrap();
    all.iter().filter(|dependency| is_kind(&dependency["kind"])).map(|it| short(&it["name"])).collect()
}

/// Names of all that is linked into a package, itself included; not what only tests and builds need.
pub fn linked_into(package: &Package) -> BTreeSet<String> {
    let nodes = METADATA["resolve"]["nodes"].as_array().unwrap();
    let edges: BTreeMap<&str, &Value> =
        nodes.iter().map(|node| (node["id"].as_str().unwrap(), &node["deps"])).collect();
    let names: BTreeMap<String, String> = packages().into_iter().map(|it| (it.id, it.name)).collect();
    let mut seen = BTreeSet::new();
    let mut open = vec![package.id.as_str()];
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            let deps = edges[id].as_array().unwrap();
            let linked =
                |dep: &&Value| dep["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"].is_null());
            open.extend(deps.iter().filter(linked).map(|dep| dep["pkg"].as_str().unwrap()));
        }
    }
    seen.into_iter().map(|id| names[id].clone()).collect()
}

/// Paths, relative to the root, of every file that is or would be committed.
pub fn files() -> Vec<String> {
    let mut command = Command::new("git");
    command.current_dir(root()).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = String::from_utf8(output(command)).expect("paths are UTF-8");
    let there = |path: &&str| !path.is_empty() && root().join(path).is_file();
    listed.split('\0').filter(there).map(str::to_owned).collect()
}

/// The text of a file; None for one that is no text.
pub fn read(path: &str) -> Option<String> {
    let bytes = fs::read(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    String::from_utf8(bytes).ok()
}

/// The Rust sources of one of our crates: `src/`, with path, number and code of each line, comments cut off.
pub fn code_of(name: &str) -> Vec<(String, usize, String)> {
    let folder = format!("crates/{name}/src/");
    let sources = files()
        .into_iter()
        .filter(|path| path.starts_with(&folder) && path.ends_with(".rs"))
        .collect::<Vec<_>>();
    assert!(!sources.is_empty(), "{folder} has no sources");
    let mut lines = Vec::new();
    for path in sources {
        let text = read(&path).unwrap();
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned());
        lines.extend(code.enumerate().map(|(number, code)| (path.clone(), number + 1, code)));
    }
    lines
}

/// Whether `word` stands in `code` by itself, not as a part of a longer name.
pub fn has_word(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !(before.is_some_and(is_part) || word.ends_with(is_part) && after.is_some_and(is_part))
    })
}

fn output(mut command: Command) -> Vec<u8> {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn short(name: &Value) -> String {
    let name = name.as_str().unwrap();
    name.strip_prefix(PREFIX).unwrap_or(name).to_owned()
}

/// Fails with one line for each breach, and what to do about them.
pub fn none(breaches: &[String], what_to_do: &str) {
    assert!(breaches.is_empty(), "\n{}\n\n{what_to_do}\n", breaches.join("\n"));
}
