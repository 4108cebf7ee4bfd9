//! `consort services show`.

use super::list::{replicas, tone};
use crate::{
    context::Context,
    exit::{Exit, Outcome},
    failure::Failure,
    show::{Screen, printable, table::Table, time},
};
use clap::Args;
use consort_wire::{Replica, Service};

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
            print(context.screen, &service, &client.replicas(&self.name).await?)?;
        }
        Ok(Exit::Done)
    }
}

fn print(screen: Screen, service: &Service, running: &[Replica]) -> Result<(), Failure> {
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
    if running.is_empty() {
        return Ok(());
    }
    screen.line("")?;
    screen.text(&table(running).render(screen))
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
