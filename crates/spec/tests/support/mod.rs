//! Projects with a planted mistake, marked with `«…»`.
#![allow(dead_code)]

use consort_spec::{Colour, Folders, Texts, check, render};

/// Takes the marks `«…»` out and gives the text, the line, the column and the length of what they held.
pub fn planted(marked: &str) -> (String, u32, u32, u32) {
    let start = marked.find('«').expect("a mark");
    let before = &marked[..start];
    let inside = marked[start..].trim_start_matches('«').split('»').next().expect("the mark ends");
    let line = before.matches('\n').count() as u32 + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1;
    (marked.replace(['«', '»'], ""), line, column, inside.chars().count() as u32)
}

/// What is wrong with a project that should have exactly the planted mistake, at its mark.
fn judged(code: &str, marked: &str) -> Result<(), String> {
    let (text, line, column, length) = planted(marked);
    let folders = ["a", "services/a"].map(str::to_owned);
    let checked = check(&Texts::new([("consort.yaml".to_owned(), text)], Folders::Known(folders.into())));
    let shown: String =
        checked.problems.iter().map(|problem| render(problem, &checked.files, Colour::Never)).collect();
    let found: Vec<_> =
        checked.problems.iter().map(|found| (found.code, found.line, found.column, found.length)).collect();
    if found != [(code, line, column, length)] {
        let wanted = marked.lines().nth(line as usize - 1).unwrap_or("");
        return Err(format!("expected one {code} in\n{wanted}\nfound:\n{shown}"));
    }
    match checked.project.is_some() == code.starts_with("W_") {
        true => Ok(()),
        false => Err(format!("a warning keeps nobody, an error everybody:\n{marked}")),
    }
}

/// The project has exactly the planted mistake, at its mark.
pub fn check_one(code: &str, marked: &str) {
    if let Err(wrong) = judged(code, marked) {
        panic!("{wrong}");
    }
}

/// Each case in its surroundings.
pub fn all(around: &str, indent: usize, cases: &[(&str, &str)]) {
    let judged = cases.iter().map(|(code, case)| judged(code, &indented(around, indent, case)));
    let wrong: Vec<String> = judged.filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A case behind its surroundings.
pub fn indented(around: &str, indent: usize, case: &str) -> String {
    let lines: String = case.lines().map(|line| format!("{}{line}\n", " ".repeat(indent))).collect();
    format!("{around}{lines}")
}

/// The project has no problem at all.
pub fn check_none(text: &str) {
    let checked = check(&Texts::new([("consort.yaml".to_owned(), text.to_owned())], Folders::Assumed));
    let shown: String =
        checked.problems.iter().map(|problem| render(problem, &checked.files, Colour::Never)).collect();
    assert!(checked.problems.is_empty(), "{text}\n{shown}");
}
