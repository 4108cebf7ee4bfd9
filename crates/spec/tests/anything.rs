//! Whatever stands in a file: an answer, never a panic.

use consort_spec::{Colour, Folders, Texts, check, render};
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("contract.yaml");

fn check_text(text: &str) {
    let checked = check(&Texts::new([("consort.yaml".to_owned(), text.to_owned())], Folders::Assumed));
    assert_eq!(checked.project.is_none(), checked.has_errors());
    for problem in &checked.problems {
        assert!(problem.line >= 1 && problem.column >= 1 && problem.length >= 1, "{problem:?}");
        render(problem, &checked.files, Colour::Always);
    }
    let places: Vec<_> = checked.problems.iter().map(|p| (&p.file, p.line, p.column)).collect();
    assert!(places.is_sorted());
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(20_261_124), ..ProptestConfig::with_cases(256) })]

    #[test]
    fn any_text(text in any::<String>()) {
        check_text(&text);
    }

    #[test]
    fn text_that_looks_like_yaml(text in "([a-z]{1,4}: |- |\\{|\\}|\\[|\\]|\"|'|\\||>|\\$\\{|\n|\n  |\n    |&a|\\*a|!|#|,|\t|é|[0-9]){0,40}") {
        check_text(&format!("name: x\n{text}"));
    }

    /// The example with a piece taken out, doubled, or put elsewhere.
    #[test]
    fn the_example_cut_up(from in 0..EXAMPLE.len(), length in 0_usize..60, to in 0..EXAMPLE.len(), keep in any::<bool>()) {
        let boundary = |at: usize| (0..=at.min(EXAMPLE.len())).rev().find(|at| EXAMPLE.is_char_boundary(*at)).unwrap_or(0);
        let (from, end, to) = (boundary(from), boundary(from + length), boundary(to));
        let piece = &EXAMPLE[from..end.max(from)];
        let mut text = EXAMPLE.to_owned();
        text.insert_str(to, piece);
        if !keep && to >= end {
            text.replace_range(from..end.max(from), "");
        }
        check_text(&text);
    }
}
