//! The pure crates decide; they know no clock, no chance, no disk, no network and no other task.

use crate::repository::{code_of, has_word, linked_into, none, ours};

const PURE: &[&str] = &["types", "expr", "spec", "calendar", "admission", "fleet", "engine"];

/// What does I/O, however deep it is linked in.
const IMPURE_LIBRARIES: &[&str] =
    &["tokio", "mio", "socket2", "hyper", "reqwest", "axum", "rusqlite", "libsqlite3-sys", "nix", "rand"];

/// Words that a pure source has no use for.
const IMPURE_WORDS: &[&str] = &[
    "async",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "now_v7",
    "new_v4",
    "fs::",
    "File::",
    "std::net",
    "TcpStream",
    "std::env",
    "env::var",
    "process::",
    "thread::",
    "rand::",
    "stdin",
    "stdout",
];

/// The one reader of the disk: a project is a folder of files.
const READS_THE_DISK: &str = "crates/spec/src/files";

fn pure_crates() -> impl Iterator<Item = crate::repository::Package> {
    ours().into_iter().filter(|package| PURE.contains(&package.name.as_str()))
}

#[test]
fn nothing_impure_is_linked_into_a_pure_crate() {
    let mut breaches = Vec::new();
    for package in pure_crates() {
        let linked = linked_into(&package);
        let impure = IMPURE_LIBRARIES.iter().filter(|library| linked.contains(**library));
        breaches.extend(impure.map(|library| format!("{} links {library}", package.name)));
    }
    none(&breaches, "Move what needs it into the crate that acts (node, store-*, runtime-*, invoke, cli).");
}

#[test]
fn no_pure_source_asks_the_world() {
    let mut breaches = Vec::new();
    for package in pure_crates() {
        for (path, line, code) in code_of(&package.name) {
            let may_read = path.starts_with(READS_THE_DISK);
            for word in IMPURE_WORDS.iter().filter(|word| has_word(&code, word)) {
                if !(may_read && ["fs::", "File::"].contains(word)) {
                    breaches.push(format!("{path}:{line}: {word}"));
                }
            }
        }
    }
    none(&breaches, "Take time, ids and randomness as arguments; leave reading and writing to the caller.");
}
