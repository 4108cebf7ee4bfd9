//! Files that fit into a head.

use crate::repository::{files, none, read};

const LINES_MAX: usize = 600;
const SOURCES: &[&str] = &["rs", "py", "ts", "tsx", "js", "mjs", "sh", "sql", "css"];

/// Longer ones, each with its reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn no_source_is_longer_than_600_lines() {
    let is_source = |path: &&String| path.rsplit_once('.').is_some_and(|(_, end)| SOURCES.contains(&end));
    let is_excused = |path: &str| EXCEPTIONS.iter().any(|(excused, _)| *excused == path);
    let mut breaches = Vec::new();
    for path in files().iter().filter(is_source).filter(|path| !is_excused(path)) {
        let lines = read(path).map_or(0, |text| text.lines().count());
        if lines > LINES_MAX {
            breaches.push(format!("{path} has {lines} lines"));
        }
    }
    none(&breaches, "Split it by noun: one file for each thing that it speaks of.");
}
