//! Arrows go one way: `cli → api → node → stores, runtimes, calls → pure rules → spec → expr → types`.

use crate::repository::{none, ours};

/// Each crate with those of ours that it may use. A crate stands below all that it uses, so a new arrow can
/// only point upwards in this list; adding one is a decision about the design and belongs into ARCHITECTURE.md.
const MAY_USE: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("expr", &["types"]),
    ("calendar", &["types"]),
    ("spec", &["types", "expr", "calendar"]),
    // Pure rules.
    ("admission", &["types"]),
    ("fleet", &["types"]),
    ("events", &["types"]),
    ("engine", &["types", "expr", "spec", "events"]),
    // Contracts, and what keeps them.
    ("store", &["types"]),
    ("store-sqlite", &["types", "store"]),
    ("artifacts", &["types"]),
    ("runtime", &["types"]),
    ("runtime-process", &["types", "runtime"]),
    ("invoke", &["types", "runtime"]),
    // The loops.
    (
        "node",
        &[
            "types",
            "expr",
            "spec",
            "events",
            "calendar",
            "admission",
            "fleet",
            "engine",
            "store",
            "store-sqlite",
            "artifacts",
            "runtime",
            "runtime-process",
            "invoke",
        ],
    ),
    // The outside.
    ("wire", &["types"]),
    ("client", &["types", "wire"]),
    ("api", &["types", "expr", "spec", "store", "artifacts", "runtime", "runtime-process", "node", "wire"]),
    (
        "cli",
        &[
            "types",
            "expr",
            "spec",
            "store",
            "store-sqlite",
            "artifacts",
            "runtime",
            "runtime-process",
            "node",
            "wire",
            "client",
            "api",
        ],
    ),
    ("tidy", &[]),
];

#[test]
fn a_crate_uses_only_what_lies_below_it() {
    for (place, (name, uses)) in MAY_USE.iter().enumerate() {
        for used in *uses {
            assert!(
                MAY_USE[..place].iter().any(|(below, _)| below == used),
                "{name} stands above {used} in the list"
            );
        }
    }
    let ours = ours();
    let mut breaches = Vec::new();
    for package in &ours {
        let Some((name, may_use)) = MAY_USE.iter().find(|(name, _)| *name == package.name) else {
            breaches.push(format!("{} has no place in the list", package.name));
            continue;
        };
        for used in package.uses.union(&package.uses_in_tests) {
            let is_ours = ours.iter().any(|it| it.name == *used);
            if is_ours && used != name && !may_use.contains(&used.as_str()) {
                breaches.push(format!("{name} uses {used}"));
            }
        }
    }
    none(
        &breaches,
        "Turn the arrow round, or give the crate its place in crates/tidy/tests/tidy/direction.rs.",
    );
}
