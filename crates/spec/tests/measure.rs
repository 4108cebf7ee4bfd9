//! How long a check takes: prints, and asserts nothing about time. `cargo nextest run -p consort-spec measure
//! --no-capture` shows it; the release build is some ten times as fast as the one of tests.
#![allow(clippy::print_stderr)]

use consort_spec::{Folders, Texts, check};
use std::{fmt::Write, time::Instant};

/// Services with operations, and the beginning of a workflow.
fn head() -> String {
    let mut text = "name: large\nservices:\n".to_owned();
    for service in 0..20 {
        let _ = writeln!(
            text,
            "  s{service}:\n    url: \"http://s{service}\"\n    operations: {{ ask: {{ input: {{ text: string, more?: [integer] }}, output: {{ text: string, score: number, parts: [{{ label: string, size: integer }}] }} }} }}"
        );
    }
    text.push_str("workflows:\n  w:\n    input: { text: string, list: [string] }\n    steps:\n");
    text
}

/// Steps that each name the two before them, every tenth a loop over items, every fiftieth a switch.
fn chained(count: usize) -> String {
    let mut text = head();
    text.push_str("      a0: { call: s0.ask, with: { text: \"${input.text}\" } }\n");
    text.push_str("      a1: { call: s1.ask, with: { text: \"${a0.text}\" } }\n");
    for step in 2..count {
        let (last, one_before, service) = (step - 1, step - 2, step % 20);
        let line = match step % 50 {
            0 => format!(
                "      a{step}:\n        switch:\n          - {{ when: a{last}.score > 1.0, call: s{service}.ask, with: {{ text: \"${{a{one_before}.text}}\" }} }}\n          - {{ else: , call: s{service}.ask, with: {{ text: \"${{a{last}.text}}\" }} }}\n"
            ),
            10 | 20 | 30 | 40 => format!(
                "      b{step}: {{ for_each: \"${{a{last}.parts}}\", call: s{service}.ask, with: {{ text: \"${{item.label}}\" }} }}\n      a{step}: {{ call: s{service}.ask, with: {{ text: \"${{b{step}.map(b, b.text).join()}}\" }} }}\n"
            ),
            _ => format!(
                "      a{step}: {{ call: s{service}.ask, with: {{ text: \"${{a{last}.text}} ${{a{one_before}.parts.filter(p, p.size > 1).map(p, p.label)}}\", more: [{step}] }} }}\n"
            ),
        };
        text.push_str(&line);
    }
    text
}

/// Steps side by side that all name the first one.
fn side_by_side(count: usize) -> String {
    let mut text = head();
    text.push_str("      a0: { call: s0.ask, with: { text: \"${input.text}\" } }\n");
    for step in 1..count {
        let _ = writeln!(
            text,
            "      a{step}: {{ call: s{}.ask, with: {{ text: \"${{a0.text}}\" }} }}",
            step % 20
        );
    }
    text
}

/// Groups inside groups, and at the bottom some steps that name what is outside.
fn nested(depth: usize) -> String {
    let mut text = head();
    text.push_str("      a0: { call: s0.ask, with: { text: \"${input.text}\" } }\n");
    let mut indent = "      ".to_owned();
    for level in 1..depth {
        let _ = writeln!(text, "{indent}g{level}:\n{indent}  when: a0.score > 1.0\n{indent}  steps:");
        indent.push_str("    ");
        let _ = writeln!(text, "{indent}i{level}: {{ call: s1.ask, with: {{ text: \"${{a0.text}}\" }} }}");
    }
    text
}

/// Loops whose `carry` is made anew by each turn.
fn turning(count: usize) -> String {
    let mut text = head();
    for step in 0..count {
        let _ = writeln!(
            text,
            "      l{step}:\n        loop:\n          carry: {{ n: 0, last: null }}\n          steps: {{ c: {{ call: s0.ask, with: {{ text: \"${{default(carry.last, input.text)}}\" }} }} }}\n          next: {{ n: \"${{carry.n + c.score}}\", last: \"${{c.text}}\" }}\n          until: carry.n > 3.0\n          max: 10"
        );
    }
    text
}

fn measured(name: &str, text: String) {
    let bytes = text.len();
    let files = Texts::new([("consort.yaml".to_owned(), text)], Folders::Assumed);
    let began = Instant::now();
    let checked = check(&files);
    let took = began.elapsed();
    let shown: Vec<_> = checked.problems.iter().take(3).collect();
    assert!(checked.project.is_some(), "{name}: {shown:#?}");
    eprintln!("{name}: {} ms, {bytes} bytes", took.as_millis());
}

#[test]
fn measure() {
    measured("100 steps in a chain", chained(100));
    measured("1,000 steps in a chain", chained(1_000));
    measured("5,000 steps in a chain", chained(5_000));
    measured("5,000 steps side by side", side_by_side(5_000));
    measured("groups 64 deep", nested(64));
    measured("100 loops", turning(100));
    measured("1,000 loops", turning(1_000));
}
