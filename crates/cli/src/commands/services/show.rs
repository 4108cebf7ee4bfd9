//! `consort services show`.

use super::list::{replicas, tone};
use crate::{
    context::Context,
    exit::{Exit, Outcome},
    failure::Failure,
    show::{Screen, printable, table::Table, time},
};
use clap::Args;
use consort_wire::{Replica, Service, ServiceStats};

/// The arguments.
#[derive(Debug, Args)]
pub struct Show {
    /// The service
    name: String,
    /// Print the service as JSON
    #[arg(long)]
    json: bool,
}

impl Show {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such service.
    pub async fn run(&self, context: &Context) -> Outcome {
        let client = context.client()?;
        let service = client.service(&self.name).await?;
        if self.json {
            context.screen.json(&service)?;
        } else {
            let running = client.replicas(&self.name).await?;
            let stats = client.service_stats(&self.name).await?;
            print(context.screen, &service, &running, &stats)?;
        }
        Ok(Exit::Done)
    }
}

fn print(
    screen: Screen,
    service: &Service,
    running: &[Replica],
    stats: &ServiceStats,
) -> Result<(), Failure> {
    let state = screen.style.paint(tone(service.state), service.state.as_str());
    screen.line(&format!("{}  {state}  {}", service.name, replicas(service)))?;
    if let Some(detail) = &service.detail {
        screen.line(&format!("  {}", printable(detail)))?;
    }
    let line = |title: &str, value: &str| screen.line(&format!("{title:12}{value}"));
    line("revision", service.revision.as_deref().unwrap_or("none yet"))?;
    if let Some(previous) = &service.previous_revision {
        line("previous", previous)?;
    }
    if let Some(rollout) = &service.rollout {
        line("rollout", &format!("{} to {}", rollout.state.as_str(), rollout.revision))?;
        for text in rollout.detail.iter().flat_map(|detail| detail.lines()) {
            line("", &printable(text))?;
        }
    }
    let operations: Vec<_> = service.operations.keys().map(String::as_str).collect();
    line("operations", &operations.join(", "))?;
    line("calls", &format!("{} in flight, {} queued", service.in_flight, service.queued))?;
    if !running.is_empty() {
        screen.line("")?;
        screen.text(&table(running).render(screen))?;
    }
    if stats.all.calls > 0 {
        screen.line("")?;
        screen.text(&calls(stats).render(screen))?;
    }
    Ok(())
}

/// Calls since the server started.
fn calls(stats: &ServiceStats) -> Table<6> {
    let mut table = Table::new(["OPERATION", "CALLS", "SUCCEEDED", "P50", "P95", "P99"]);
    let ms = |time: Option<f64>| time.map(|time| format!("{time:.1} ms")).unwrap_or_default();
    for (name, stats) in &stats.operations {
        let ratio = stats.success_ratio.map(|ratio| format!("{:.1} %", ratio * 100.0)).unwrap_or_default();
        let calls = stats.calls.to_string();
        table.row([
            name.clone().into(),
            calls.into(),
            ratio.into(),
            ms(stats.p50_ms).into(),
            ms(stats.p95_ms).into(),
            ms(stats.p99_ms).into(),
        ]);
    }
    table
}

fn table(running: &[Replica]) -> Table<7> {
    let now = time::now();
    let mut table = Table::new(["REPLICA", "STATE", "REVISION", "ADDRESS", "STARTED", "RESTARTS", "DETAIL"]);
    for replica in running {
        table.row([
            replica.id.clone().into(),
            replica.state.as_str().into(),
            replica.revision.clone().into(),
            replica.address.clone().unwrap_or_default().into(),
            time::ago(replica.started_at, now).into(),
            replica.restarts.to_string().into(),
            replica.detail.clone().unwrap_or_default().into(),
        ]);
    }
    table
}
