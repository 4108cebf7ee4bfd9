//! What was measured, in figures and in words.

use super::{Workload, load::Round};
use crate::serve::Durability;
use consort_types::format_bytes;
use serde::Serialize;
use std::time::Duration;

/// Everything that was measured in one sitting.
#[derive(Debug)]
pub struct Report {
    /// What an acknowledged commit survived.
    pub durability: Durability,
    /// Median time of an fdatasync on the disk of the data folder.
    pub fsync: Duration,
    /// Resident memory of the server at the end.
    pub server_rss_bytes: u64,
    /// Each workload.
    pub measured: Vec<Measured>,
}

/// A figure over several rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

/// One workload over several rounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// Which.
    pub workload: &'static str,
    /// Callers at once.
    pub callers: usize,
    /// Runs that were measured, over all rounds.
    pub runs: usize,
    /// Runs a second.
    pub runs_per_second: Spread,
    /// Durable steps a second: calls whose result was fsynced before anything followed from it.
    pub steps_per_second: Spread,
    /// Milliseconds from the start of a request to the end of its run: the half of the runs, and all but 1 %.
    pub p50_ms: Spread,
    /// The same for all but one in a hundred.
    pub p99_ms: Spread,
    /// Milliseconds of the server's CPU for a step.
    pub server_cpu_ms_per_step: Spread,
    /// Milliseconds of the echo's CPU for a step.
    pub echo_cpu_ms_per_step: Spread,
}

impl Measured {
    pub(super) fn of(workload: Workload, steps: u64, callers: usize, rounds: &[Round]) -> Self {
        let spread = |figure: &dyn Fn(&Round) -> f64| Spread::of(rounds.iter().map(figure).collect());
        let runs = |round: &Round| round.latencies.len() as f64;
        let all_steps = |round: &Round| runs(round) * steps as f64;
        Self {
            workload: match workload {
                Workload::Steps => "steps",
                Workload::Latency => "latency",
                Workload::Starts => "starts",
                Workload::FanOut => "fan-out",
            },
            callers,
            runs: rounds.iter().map(|round| round.latencies.len()).sum(),
            runs_per_second: spread(&|round| runs(round) / round.lasted.as_secs_f64()),
            steps_per_second: spread(&|round| all_steps(round) / round.lasted.as_secs_f64()),
            p50_ms: spread(&|round| quantile_ms(round, 0.50)),
            p99_ms: spread(&|round| quantile_ms(round, 0.99)),
            server_cpu_ms_per_step: spread(&|round| millis(round.server_cpu) / all_steps(round)),
            echo_cpu_ms_per_step: spread(&|round| millis(round.echo_cpu) / all_steps(round)),
        }
    }
}

impl Spread {
    fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_unstable_by(f64::total_cmp);
        let at = |position: usize| figures.get(position).copied().unwrap_or(f64::NAN);
        Self { median: at(figures.len() / 2), min: at(0), max: at(figures.len().saturating_sub(1)) }
    }
}

/// The latency that a share of the runs keeps within: the nearest rank.
fn quantile_ms(round: &Round, share: f64) -> f64 {
    let mut latencies = round.latencies.clone();
    latencies.sort_unstable();
    let rank = (latencies.len() as f64 * share).ceil() as usize;
    latencies.get(rank.saturating_sub(1)).map_or(f64::NAN, |latency| millis(*latency))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// One workload as a line.
pub fn in_words(measured: &Measured) -> String {
    let Measured {
        workload, callers, runs_per_second: runs, steps_per_second: steps, p50_ms, p99_ms, ..
    } = measured;
    let cpu = measured.server_cpu_ms_per_step.median;
    format!(
        "{workload:<8} {callers:>4} callers  {:>7.0} steps/s [{:.0}–{:.0}]  {:>6.0} runs/s  p50 {:.2} ms  p99 {:.2} ms  server {cpu:.3} ms CPU a step",
        steps.median, steps.min, steps.max, runs.median, p50_ms.median, p99_ms.median,
    )
}

impl Report {
    /// What the figures were measured under.
    pub fn conditions(&self) -> String {
        let durability = match self.durability {
            Durability::Full => "full (fsynced before it is acknowledged)",
            Durability::Relaxed => "relaxed (not fsynced: the last commits may be lost with the power)",
        };
        let (fsync, memory) = (millis(self.fsync), format_bytes(self.server_rss_bytes));
        format!(
            "durability {durability}; fdatasync of 4 KiB here: {fsync:.2} ms; server memory at the end: {memory}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_medians_over_rounds_with_their_spread() {
        let round = |runs: u64, seconds| Round {
            lasted: Duration::from_secs(seconds),
            latencies: (1..=runs).map(Duration::from_millis).collect(),
            server_cpu: Duration::from_millis(runs * 10),
            echo_cpu: Duration::ZERO,
        };
        let rounds = [round(100, 1), round(400, 2), round(300, 1)];
        let measured = Measured::of(Workload::Steps, 10, 8, &rounds);
        assert_eq!(measured.runs, 800);
        assert_eq!(measured.runs_per_second, Spread { median: 200.0, min: 100.0, max: 300.0 });
        assert_eq!(measured.steps_per_second.median, 2_000.0);
        assert_eq!(measured.server_cpu_ms_per_step, Spread { median: 1.0, min: 1.0, max: 1.0 });
        assert_eq!((measured.p50_ms.min, measured.p99_ms.max), (50.0, 396.0));
    }
}
