//! Each code that a user can meet has its section in `docs/errors.md`, and each section a code that exists.

use crate::repository::{code_of, none, ours, read};
use std::collections::BTreeSet;

const PAGE: &str = "docs/errors.md";

/// `E_…` and `W_…`, whole words.
fn codes_in(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_part(c));
    let is_code = |word: &&str| {
        let name = word.strip_prefix("E_").or_else(|| word.strip_prefix("W_"));
        name.is_some_and(|name| {
            !name.is_empty()
                && !name.ends_with('_')
                && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        })
    };
    words.filter(is_code).map(str::to_owned).collect()
}

fn used() -> BTreeSet<String> {
    let crates = ours().into_iter().filter(|package| package.name != "tidy");
    let lines = crates.flat_map(|package| code_of(&package.name));
    lines.flat_map(|(_, _, code)| codes_in(&code)).collect()
}

#[test]
fn each_error_code_has_its_section() {
    let page = read(PAGE).unwrap();
    let headings = page.lines().filter_map(|line| line.strip_prefix("### "));
    let described: BTreeSet<String> = headings.flat_map(codes_in).collect();
    let used = used();
    let mut breaches: Vec<String> =
        used.difference(&described).map(|code| format!("{code} has no section")).collect();
    breaches.extend(described.difference(&used).map(|code| format!("{code} is no code any more")));
    none(&breaches, "docs/errors.md: one `### CODE` for each, with what happened and what to do.");
}
