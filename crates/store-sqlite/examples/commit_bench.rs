//! How fast commits and lists are on this machine: `cargo run --release -p consort-store-sqlite --example
//! commit_bench [RUNS]`. Each figure is the median of several rounds; `RUNS` finished runs are listed.
#![allow(clippy::print_stdout)]

use consort_store::{Batch, PageRequest, RunFilter, RunSummary, Store, Waiting, Write};
use consort_store_sqlite::{Durability, Options, open};
use consort_types::{Json, Name, NameKind, RunId, RunState, Timestamp, UndoState, WaitKind};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(600);
/// Runs that the rows of a round are spread over.
const LIVE_RUNS: u64 = 1_000;

fn main() {
    let listed = std::env::args().nth(1).map_or(100_000, |runs| runs.parse().expect("a number of runs"));
    for durability in [Durability::Full, Durability::Relaxed] {
        for rows in [1, 10, 100, 1_000] {
            commits(durability, rows);
        }
    }
    lists(listed);
}

fn run(number: u64) -> RunId {
    format!("run_{number:032x}").parse().expect("32 hex digits")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// CPU time of this process, all threads, in microseconds. Linux counts it in hundredths of a second.
fn cpu_us() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10_000.0
}

fn commits(durability: Durability, rows: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path(), Options { durability }).expect("the store opens");
    let (mut rates, mut cpu, mut slowest) = (Vec::new(), Vec::new(), Duration::ZERO);
    let mut written = 0;
    for _ in 0..ROUNDS {
        let (began, cpu_before, before) = (Instant::now(), cpu_us(), written);
        while began.elapsed() < ROUND {
            let batch = (written..written + rows).map(|n| Write::Append {
                run: run(n % LIVE_RUNS),
                seq: n / LIVE_RUNS,
                entries: vec![b'x'; 100].into(),
            });
            let batch = Batch::from(batch.collect::<Vec<_>>());
            let commit = Instant::now();
            store.writer.commit(&batch).expect("a commit");
            slowest = slowest.max(commit.elapsed());
            written += rows;
        }
        let done = (written - before) as f64;
        rates.push(done / began.elapsed().as_secs_f64());
        cpu.push((cpu_us() - cpu_before) / done);
    }
    let rate = median(rates);
    println!(
        "{durability:?} {rows:>5} rows a commit: {:>8.0} commits/s {rate:>8.0} rows/s {:>6.1} us CPU a row, slowest commit {:.1} ms",
        rate / rows as f64,
        median(cpu),
        slowest.as_secs_f64() * 1e3,
    );
}

fn name(text: &str) -> Name {
    Name::new(text, NameKind::Kebab).expect("a name")
}

fn summary(number: u64) -> RunSummary {
    let waiting = (number % 10_000 == 7).then(|| Waiting { kind: WaitKind::Pool, name: "gpu".to_owned() });
    let state = match (&waiting, number % 1_000) {
        (Some(_), _) => RunState::Waiting,
        (None, 3) => RunState::Failed,
        (None, _) => RunState::Succeeded,
    };
    RunSummary {
        run: run(number),
        namespace: name("lending"),
        workflow: name(
            ["loan-application", "report", "rare"]
                [if number.is_multiple_of(5_000) { 2 } else { (number % 2) as usize }],
        ),
        revision: 1,
        state,
        created_at: Timestamp::from_millis(number as i64),
        started_at: None,
        finished_at: None,
        tags: [("team".to_owned(), format!("team-{}", number % 100))].into(),
        trigger: None,
        waiting,
        error: None,
        undo: UndoState::None,
        document: Json::of(&"x".repeat(500)),
        search: format!("{} loan-application team=team-{}", run(number), number % 100),
    }
}

fn lists(runs: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path(), Options::default()).expect("the store opens");
    let (began, cpu_before) = (Instant::now(), cpu_us());
    for first in (0..runs).step_by(500) {
        let batch = (first..(first + 500).min(runs)).map(|n| Write::Summarize(Box::new(summary(n))));
        store.writer.commit(&Batch::from(batch.collect::<Vec<_>>())).expect("a commit");
    }
    println!(
        "{runs} runs summarized: {:.0} runs/s, {:.1} us CPU each",
        runs as f64 / began.elapsed().as_secs_f64(),
        (cpu_us() - cpu_before) / runs as f64
    );
    let all = RunFilter::all(name("lending"));
    let failed = vec![RunState::Failed];
    let cases = [
        ("all", all.clone()),
        ("a workflow", RunFilter { workflow: Some(name("report")), ..all.clone() }),
        ("a rare workflow", RunFilter { workflow: Some(name("rare")), ..all.clone() }),
        ("failed", RunFilter { states: failed.clone(), ..all.clone() }),
        ("every open state", RunFilter { states: RunState::ALL[..6].to_vec(), ..all.clone() }),
        ("failed of a workflow", RunFilter { states: failed, workflow: Some(name("report")), ..all.clone() }),
        ("a tag", RunFilter { tag: Some("team=team-7".to_owned()), ..all.clone() }),
        ("waiting for a pool", RunFilter { waiting_on: Some(WaitKind::Pool), ..all.clone() }),
        ("a text that is common", RunFilter { text: Some("team-77".to_owned()), ..all.clone() }),
        ("a text that is nowhere", RunFilter { text: Some("nowhere".to_owned()), ..all }),
    ];
    for (what, filter) in cases {
        list(&store, runs, what, &filter);
    }
    let began = Instant::now();
    let counts = store.reader.run_counts("lending").expect("counts").len();
    println!("counts: {counts} in {:.2} ms", began.elapsed().as_secs_f64() * 1e3);
}

/// The first page, and one from the middle of the list.
fn list(store: &Store, runs: u64, what: &str, filter: &RunFilter) {
    let until = Timestamp::from_millis(runs as i64 / 2);
    let middle = RunFilter { until: Some(until), ..filter.clone() };
    for limit in [50, 500] {
        let (mut first_ms, mut middle_ms, mut found) = (Vec::new(), Vec::new(), 0);
        for _ in 0..ROUNDS {
            for (filter, times) in [(filter, &mut first_ms), (&middle, &mut middle_ms)] {
                let began = Instant::now();
                found = store.reader.runs(filter, &PageRequest::first(limit)).expect("a page").items.len();
                times.push(began.elapsed().as_secs_f64() * 1e3);
            }
        }
        println!(
            "{what:<24} limit {limit:>3}: {found:>3} runs, first page {:>6.2} ms, from the middle {:>6.2} ms",
            median(first_ms),
            median(middle_ms)
        );
    }
}
