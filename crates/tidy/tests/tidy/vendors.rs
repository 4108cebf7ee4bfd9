//! A library from outside is known to one of our crates only, so that it can be replaced in one place.

use crate::repository::{none, ours};
use std::collections::BTreeMap;

/// Libraries that several of our crates may name, each with its reason.
const SHARED: &[(&str, &str)] = &[
    ("serde", "our types say themselves how they are written"),
    ("serde_json", "JSON is what every room hands on"),
    ("thiserror", "one error type for each crate"),
    ("tokio", "the one async runtime; kept out of the pure crates by purity.rs"),
    ("tokio-util", "tokio's cancellation and its streams of bytes"),
    ("futures-util", "the traits of streams, which tokio leaves to it"),
    ("bytes", "payloads go from socket to store without a copy"),
    ("tracing", "every room may say what it does"),
    ("jiff", "time: its form in types, CEL's functions over it in expr, slots in calendar"),
    ("sha2", "digests: of definitions and names in types, of streams in artifacts"),
    ("utoipa", "OpenAPI: schemas stand at the types of wire, routes at the handlers of api"),
    ("uuid", "ids: their form in types, their randomness outside of the pure crates"),
];

#[test]
fn a_library_is_known_to_one_crate() {
    let ours = ours();
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in &ours {
        for used in package.uses.iter().filter(|used| !ours.iter().any(|it| it.name == **used)) {
            users.entry(used).or_default().push(&package.name);
        }
    }
    let is_shared = |library: &str| SHARED.iter().any(|(name, _)| *name == library);
    let breaches: Vec<_> = users
        .iter()
        .filter(|(library, users)| users.len() > 1 && !is_shared(library))
        .map(|(library, users)| format!("{library} is used by {}", users.join(", ")))
        .collect();
    none(&breaches, "Let one crate wrap it, or add it with its reason to crates/tidy/tests/tidy/vendors.rs.");
}
