//! How long a check takes: `cargo run --release --example check_many_steps -- 1000`.

use consort_spec::{Folders, Texts, check};
use std::{fmt::Write, time::Instant};

#[allow(clippy::print_stdout, reason = "an example talks to a terminal")]
fn main() {
    let steps: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let mut text = "name: many\nservices:\n  desk:\n    url: \"http://desk\"\n    operations: { ask: { input: { n: integer }, output: { n: integer } } }\nworkflows:\n  chain:\n    input: { n: integer }\n    steps:\n".to_owned();
    for step in 0..steps {
        let before = if step == 0 { "input".to_owned() } else { format!("s{}", step - 1) };
        let _ = writeln!(text, "      s{step}: {{ call: desk.ask, with: {{ n: \"${{{before}.n + 1}}\" }} }}");
    }
    let files = Texts::new([("consort.yaml".to_owned(), text)], Folders::Assumed);
    let start = Instant::now();
    let checked = check(&files);
    println!("{steps} steps, {} problems: {:?}", checked.problems.len(), start.elapsed());
}
