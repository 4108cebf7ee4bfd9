//! What we build on may be given away with what we build: the list stands in `deny.toml`.
//!
//! `make deny` asks cargo-deny, which knows more (sources, bans). It takes minutes to install, so that the rule
//! that matters most is also held here, for the crates and for the packages of the pages and the example.

use crate::repository::{files, none, packages, read};
use serde_json::Value;

#[test]
fn every_crate_has_a_licence_of_the_list() {
    let mut breaches = Vec::new();
    for package in packages() {
        let allowed = [allowed(), exceptions_for(&package.name)].concat();
        match &package.licence {
            None => breaches.push(format!("{} names no licence", package.name)),
            Some(licence) if !is_allowed(licence, &allowed) => {
                breaches.push(format!("{}: {licence}", package.name))
            }
            Some(_) => {}
        }
    }
    none(&breaches, "Use another library, or let somebody who may decide it add the licence to deny.toml.");
}

#[test]
fn every_package_of_npm_that_is_shipped_has_a_licence_of_the_list() {
    let allowed = allowed();
    let mut breaches = Vec::new();
    for lock in files().iter().filter(|path| path.ends_with("package-lock.json")) {
        let lock_file: Value = serde_json::from_str(&read(lock).unwrap()).unwrap();
        for (name, package) in lock_file["packages"].as_object().unwrap() {
            let licence = package["license"].as_str().unwrap_or("none named");
            let is_shipped = !name.is_empty() && package["dev"] != true;
            if is_shipped && !is_allowed(licence, &allowed) {
                breaches.push(format!("{lock}: {name}: {licence}"));
            }
        }
    }
    none(&breaches, "Use another package, or let somebody who may decide it add the licence to deny.toml.");
}

/// The strings of `allow = […]` under `[licenses]` in deny.toml.
fn allowed() -> Vec<String> {
    let text = read("deny.toml").unwrap();
    let (_, licences) = text.split_once("[licenses]").expect("deny.toml has [licenses]");
    allow_list(licences)
}

/// What the lines `{ allow = […], crate = "NAME" }` in deny.toml add for one crate.
fn exceptions_for(name: &str) -> Vec<String> {
    let text = read("deny.toml").unwrap();
    let ending = format!("crate = \"{name}\" }},");
    text.lines()
        .filter(|line| line.starts_with("    { allow") && line.ends_with(&ending))
        .flat_map(allow_list)
        .collect()
}

fn allow_list(text: &str) -> Vec<String> {
    let (_, list) = text.split_once("allow = [").expect("a list of licences");
    let (list, _) = list.split_once(']').expect("the list ends");
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether one way to satisfy an SPDX expression needs only what is allowed. `A/B` is the old way to write `A OR B`.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let is_allowed = any_of(&mut rest, allowed);
    assert!(rest.is_empty(), "{expression:?} is no SPDX expression");
    is_allowed
}

fn any_of(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut result = all_of(words, allowed);
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        result |= all_of(words, allowed);
    }
    result
}

fn all_of(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut result = one(words, allowed);
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        result &= one(words, allowed);
    }
    result
}

fn one(words: &mut &[&str], allowed: &[String]) -> bool {
    let (licence, rest) = match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let inside = any_of(words, allowed);
            assert_eq!(words.first(), Some(&")"), "an SPDX expression closes its parentheses");
            *words = &words[1..];
            return inside;
        }
        [licence, "WITH", exception, rest @ ..] => (format!("{licence} WITH {exception}"), rest),
        [licence, rest @ ..] => ((*licence).to_owned(), rest),
        [] => panic!("an SPDX expression ends too early"),
    };
    *words = rest;
    allowed.contains(&licence)
}

#[test]
fn spdx_expressions_are_read() {
    let allowed = ["MIT".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned(), "Zlib".to_owned()];
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("(GPL-3.0 OR MIT) AND Zlib", true),
        ("MIT AND (GPL-3.0 OR LGPL-3.0)", false),
        ("Apache-2.0", false),
        ("Apache-2.0 WITH LLVM-exception", true),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
