//! What `consort bench` measures: a server of its own, an echo of its own, and callers in this process.
//!
//! Everything is as users have it: history, schema checks, lists and fsyncs are on. Server and echo are
//! processes of their own, so that what each of them costs can be told apart.

mod fsync;
mod load;
mod process;
mod report;

pub use process::ECHO_ARG;
pub use report::{Measured, Report, in_words};

use crate::{failure::Failure, serve::Durability};
use consort_client::Client;
use consort_wire::{ApplyRequest, SourceFile};
use std::{path::Path, time::Duration};

/// The workflows of the bench, around the address of the echo.
const PROJECT: &str = include_str!("consort.yaml");

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Workload {
    /// Durable steps a second: runs of ten steps in a row, many at once
    Steps,
    /// From a start to its end: runs of three steps in a row, one at a time
    Latency,
    /// Runs a second: runs of one step, started over the API and waited for, many at once
    Starts,
    /// One run that calls a thousand times at once
    FanOut,
}

impl Workload {
    /// All of them, in the order in which they are measured.
    pub const ALL: [Self; 4] = [Self::Latency, Self::Steps, Self::Starts, Self::FanOut];

    /// The workflow, how many steps each of its runs has, and how many callers start them.
    const fn shape(self, in_flight: usize) -> (&'static str, u64, usize) {
        match self {
            Self::Steps => ("ten", 10, in_flight),
            Self::Latency => ("three", 3, 1),
            Self::Starts => ("one", 1, in_flight),
            Self::FanOut => ("fan-out", 1_000, 1),
        }
    }
}

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Length of one round.
    pub round: Duration,
    /// Rounds of each workload.
    pub rounds: usize,
    /// Callers of the workloads that have many.
    pub in_flight: usize,
    /// What an acknowledged commit survives.
    pub durability: Durability,
}

/// Measures. `tell` hears of each workload as it is done.
///
/// # Errors
/// When server or echo do not start, or a run does not succeed.
pub async fn measure(
    workloads: &[Workload],
    plan: Plan,
    mut tell: impl FnMut(&Measured) -> Result<(), Failure>,
) -> Result<Report, Failure> {
    let folder =
        tempfile::tempdir().map_err(|error| Failure::usage(format!("no folder to work in: {error}")))?;
    let fsync = fsync::measure(folder.path())?;
    let echo = process::echo().await?;
    let server = process::server(&folder.path().join("data"), plan.durability).await?;
    let client = Client::new(&server.url)?.in_namespace(Some("bench".to_owned()));
    apply(&client, &echo.url).await?;
    let mut measured = Vec::new();
    for workload in workloads {
        let (workflow, steps, callers) = workload.shape(plan.in_flight);
        let mut rounds = Vec::new();
        // The first round warms connections and pages; it is not counted.
        load::round(&client, workflow, callers, plan.round / 4).await?;
        for _ in 0..plan.rounds {
            let before = (server.cpu(), echo.cpu());
            let mut round = load::round(&client, workflow, callers, plan.round).await?;
            round.server_cpu = server.cpu().saturating_sub(before.0);
            round.echo_cpu = echo.cpu().saturating_sub(before.1);
            rounds.push(round);
        }
        let one = Measured::of(*workload, steps, callers, &rounds);
        tell(&one)?;
        measured.push(one);
    }
    let rss = server.rss_bytes();
    Ok(Report { durability: plan.durability, fsync, server_rss_bytes: rss, measured })
}

async fn apply(client: &Client, echo: &str) -> Result<(), Failure> {
    let text = PROJECT.replace("http://echo", echo);
    let files = vec![SourceFile { path: "consort.yaml".to_owned(), text }];
    client.apply(&ApplyRequest { files, sources: std::collections::BTreeMap::new() }).await?;
    Ok(())
}

/// Runs the echo in this process: what the hidden command of the binary does.
///
/// # Errors
/// When it cannot listen.
pub async fn run_echo(address: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::usage(format!("the echo cannot listen: {error}"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
    process::tell_address(address, listener.local_addr().map_err(failed)?).map_err(failed)?;
    consort_api::serve_echo(listener).await.map_err(failed)
}
