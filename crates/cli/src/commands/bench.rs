//! `consort bench`: what this machine makes of Consort.

use crate::{
    bench::{Plan, Workload, in_words, measure},
    context::Context,
    exit::{Exit, Outcome},
    failure::Failure,
    serve::Durability,
};
use clap::Args;
use consort_types::parse_duration;
use serde_json::json;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  consort bench
  consort bench steps --in-flight 800 --rounds 5
  consort bench --durability relaxed --json

Starts a server and an echo of its own in a temporary folder, measures, and takes both away again.
Each figure is the median over the rounds, with the smallest and the largest. Quote the fdatasync
time beside any rate, and say what else the machine was doing.";

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Bench {
    /// What to measure [default: all]
    #[arg(value_enum)]
    workloads: Vec<Workload>,
    /// Length of one round
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "5s")]
    round: Duration,
    /// Rounds of each workload, after one to warm up
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// Runs at once, in the workloads that have many
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=2_000))]
    in_flight: u16,
    /// What an acknowledged commit survives
    #[arg(long, value_enum, default_value_t = Durability::Full)]
    durability: Durability,
    /// Print `{durability, fsync_ms, server_rss_bytes, workloads: [...]}`
    #[arg(long)]
    json: bool,
}

impl Bench {
    /// Runs the command.
    ///
    /// # Errors
    /// When server or echo do not start, or a run does not succeed.
    pub async fn run(&self, context: &Context) -> Outcome {
        let all = Workload::ALL;
        let workloads = if self.workloads.is_empty() { &all[..] } else { &self.workloads };
        let plan = Plan {
            round: self.round,
            rounds: self.rounds.into(),
            in_flight: self.in_flight.into(),
            durability: self.durability,
        };
        let tell =
            |one: &_| if self.json { Ok::<_, Failure>(()) } else { context.screen.line(&in_words(one)) };
        let report = measure(workloads, plan, tell).await?;
        if self.json {
            context.screen.json(&json!({
                "durability": match report.durability { Durability::Full => "full", Durability::Relaxed => "relaxed" },
                "fsync_ms": report.fsync.as_secs_f64() * 1_000.0,
                "server_rss_bytes": report.server_rss_bytes,
                "workloads": report.measured,
            }))?;
        } else {
            context.screen.line(&report.conditions())?;
        }
        Ok(Exit::Done)
    }
}
