//! Whatever stands in a file: an answer, never a panic.

use consort_spec::{Colour, Folders, Texts, check, render};
use consort_types::{format_bytes, format_duration, parse_bytes, parse_cpu, parse_duration};
use proptest::prelude::*;
use std::time::Duration;

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

    /// Short types made of their own pieces, where an input is declared.
    #[test]
    fn any_short_type(pieces in prop::collection::vec(prop::sample::select(&["string", "integer", "file?", "?", "[", "]", "{", "}", ": ", ", ", "a", "b?", "enum", "\n      ", "object", "strng", "1", "null", "~", "'", "\"", "&x ", "*x", "!!str "][..]), 0..24)) {
        let types = pieces.concat();
        check_text(&format!("name: x\nworkflows:\n  w:\n    input: {types}\n    steps: {{ a: {{ value: 1 }} }}\n"));
        check_text(&format!("name: x\nservices:\n  s:\n    url: http://x\n    operations: {{ o: {{ input: {{ x: {types} }} }} }}\n"));
    }

    /// Steps whose keys and values are drawn at random.
    #[test]
    fn any_step(pairs in prop::collection::vec((prop::sample::select(&["call", "with", "steps", "switch", "value", "loop", "wait", "await", "emit", "run", "fail", "after", "when", "for_each", "as", "batch", "first", "tolerate", "retry", "timeout", "on_timeout", "cache", "undo", "catch", "finally", "output", "key", "background", "delivery"][..]), prop::sample::select(&["s.o", "x", "5", "5m", "true", "{}", "[]", "~", "[a, b]", "{ a: { value: 1 } }", "\"${input.x}\"", "\"${a}\"", "\"${item + previous}\"", "{ when: true, value: 1 }", "[{ else: , value: 1 }]", "{ steps: { b: { value: \"${carry}\" } }, next: \"${b}\", until: b == 1, max: 3 }", "{ call: s.o, with: { x: \"${output}\" } }", "{ until: x }", "{ approval: { ask: x } }", "{ attempts: 2, clean: true }"][..])), 1..6)) {
        let keys: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        let step = keys.join(", ");
        check_text(&format!("name: x\nservices: {{ s: {{ url: \"http://x\", operations: {{ o: {{ input: {{ x?: any }}, output: {{ y: integer }} }} }} }} }}\nworkflows:\n  w:\n    input: {{ x?: any }}\n    steps:\n      a: {{ {step} }}\n      c: {{ value: \"${{a}}\" }}\n    finally: {{ f: {{ {step} }} }}\n"));
    }

    /// What is written by us is read by us; anything else is read or refused.
    #[test]
    fn durations_and_quantities(text in "[0-9.]{0,6}(ms|s|m|h|d|Ki|Mi|G|B|us|%| |-)?([0-9]{1,3}(s|m|h))?", any in any::<String>(), millis in 0_u64..400_000_000_000, bytes in any::<u64>()) {
        for text in [&text, &any] {
            let _ = (parse_bytes(text), parse_cpu(text));
            if let Ok(duration) = parse_duration(text) {
                prop_assert!(duration <= Duration::from_secs(366_000 * 86_400));
            }
            check_text(&format!("name: x\npools: {{ p: {text:?} }}\nworkflows: {{ w: {{ timeout: {text:?}, steps: {{ a: {{ wait: {text:?} }} }} }} }}\n"));
        }
        // Two units are written: what is lost is less than the second of them.
        let duration = Duration::from_millis(millis);
        let read = parse_duration(&format_duration(duration));
        prop_assert!(read.as_ref().is_ok_and(|read| *read <= duration), "{duration:?} {read:?}");
        prop_assert!(bytes > 1 << 60 || parse_bytes(&format_bytes(bytes)).is_ok());
    }

    /// Any bytes in a file of the disk.
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("consort.yaml"), &bytes).expect("a file");
        let checked = check(&consort_spec::Folder::new(folder.path()).expect("a project"));
        prop_assert!(checked.project.is_some() || !checked.problems.is_empty());
    }
}
