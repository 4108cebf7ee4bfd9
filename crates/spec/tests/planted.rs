//! A project in which each class of mistake is planted: one check finds each of them once, at its line.

use consort_spec::{Checked, Colour, Folder, Severity, check, codes, render};
use std::{collections::BTreeSet, fs, path::Path};

/// Codes of files that have no tree: one of them would hide what the others plant. `tests/files.rs` has them.
const OF_WHOLE_FILES: &[&str] = &["E_FILE", "E_ENCODING", "E_EMPTY_FILE", "E_YAML"];

/// Codes that take a large file, a document, or a build that cannot run something.
const ELSEWHERE: &[&str] = &["E_LIMIT", "E_OPENAPI", "E_NOT_YET"];

/// `#! CODE` at the end of a line.
struct Planted {
    file: String,
    line: u32,
    code: String,
    /// `#!! CODE`: there is nothing to advise.
    advised: bool,
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/planted"))
}

fn planted() -> Vec<Planted> {
    let mut files = vec!["consort.yaml".to_owned()];
    let parts = fs::read_dir(root().join("parts")).expect("the parts");
    files.extend(parts.map(|part| format!("parts/{}", part.expect("a part").file_name().to_string_lossy())));
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let text = fs::read_to_string(root().join(&file)).expect("a text");
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
            let Some((_, mark)) = line.rsplit_once("#!") else { continue };
            let advised = !mark.starts_with('!');
            let code = mark.trim_start_matches('!').trim().to_owned();
            all.push(Planted { file: file.clone(), line: index as u32 + 1, code, advised });
        }
    }
    all
}

fn checked() -> Checked {
    check(&Folder::new(root()).expect("the project"))
}

#[test]
fn each_mistake_is_found_once_at_its_line_in_one_check() {
    let (planted, checked) = (planted(), checked());
    let shown = |problem: &consort_spec::Problem| render(problem, &checked.files, Colour::Never);
    let found: Vec<String> =
        checked.problems.iter().map(|it| format!("{}:{} {}", it.file, it.line, it.code)).collect();
    let wanted: Vec<String> =
        planted.iter().map(|it| format!("{}:{} {}", it.file, it.line, it.code)).collect();
    let missed: Vec<&String> = wanted.iter().filter(|it| !found.contains(it)).collect();
    let too_much: Vec<String> = checked
        .problems
        .iter()
        .zip(&found)
        .enumerate()
        .filter(|(at, (_, it))| !wanted.contains(it) || found[..*at].contains(it))
        .map(|(_, (problem, _))| shown(problem))
        .collect();
    assert!(missed.is_empty() && too_much.is_empty(), "missed {missed:#?}\ntoo much:\n{}", too_much.concat());
    assert_eq!(found, wanted, "sorted by their places");
    assert!(planted.len() >= 100);
    assert!(checked.project.is_none());
}

#[test]
fn each_is_marked_and_has_a_hint() {
    let (planted, checked) = (planted(), checked());
    let mut wrong = Vec::new();
    for (planted, problem) in planted.iter().zip(&checked.problems) {
        let shown = render(problem, &checked.files, Colour::Never);
        if planted.advised != problem.hint.is_some() || !shown.contains('^') {
            wrong.push(shown);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn each_code_is_planted() {
    let planted: BTreeSet<String> = planted().into_iter().map(|planted| planted.code).collect();
    let known = |code: &&&str| !OF_WHOLE_FILES.contains(*code) && !ELSEWHERE.contains(*code);
    let missing: Vec<&&str> =
        codes::ALL.iter().filter(known).filter(|code| !planted.contains(**code)).collect();
    assert!(missing.is_empty(), "no mistake has {missing:?}");
    assert!(checked().problems.iter().any(|problem| problem.severity == Severity::Warning));
}
