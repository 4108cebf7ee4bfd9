//! Callers that start runs and wait for their ends.

use crate::failure::Failure;
use consort_client::Client;
use consort_types::{Json, RunState};
use consort_wire::StartRun;
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// The longest that one run is waited for; the most that the API waits in one request.
const RUN_MAX: Duration = Duration::from_secs(60);

/// What came of one round.
#[derive(Debug, Clone, Default)]
pub(super) struct Round {
    /// How long it lasted, until the last run had ended.
    pub lasted: Duration,
    /// How long each run took, from the start of its request to the end of the answer.
    pub latencies: Vec<Duration>,
    /// CPU time of the server.
    pub server_cpu: Duration,
    /// CPU time of the echo.
    pub echo_cpu: Duration,
}

/// Lets callers start runs, one after the other each, until the time is over.
///
/// # Errors
/// When a run cannot be started or does not succeed.
pub(super) async fn round(
    client: &Client,
    workflow: &'static str,
    callers: usize,
    lasts: Duration,
) -> Result<Round, Failure> {
    let begun = Instant::now();
    let client = Arc::new(client.clone());
    let mut all = JoinSet::new();
    for caller in 0..callers {
        let client = client.clone();
        all.spawn(async move {
            let mut latencies = Vec::new();
            // At least one, however slow the machine: a round without a run measures nothing.
            while latencies.is_empty() || begun.elapsed() < lasts {
                latencies.push(one_run(&client, workflow, caller).await?);
            }
            Ok::<_, Failure>(latencies)
        });
    }
    let mut round = Round::default();
    while let Some(done) = all.join_next().await {
        let done = done.map_err(|error| Failure::usage(format!("a caller stopped: {error}")))?;
        round.latencies.extend(done?);
    }
    round.lasted = begun.elapsed();
    Ok(round)
}

async fn one_run(client: &Client, workflow: &str, number: usize) -> Result<Duration, Failure> {
    let start = StartRun::with_input(Json::of(&json!({ "n": number })));
    let begun = Instant::now();
    let run = client.start_and_wait(workflow, &start, RUN_MAX).await?;
    match run.state {
        RunState::Succeeded => Ok(begun.elapsed()),
        state => Err(Failure::usage(format!("a run of the bench is {state}: {:?}", run.error))),
    }
}
