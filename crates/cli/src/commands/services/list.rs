//! `consort services list`.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
    show::{
        style::Tone,
        table::{Cell, Table},
    },
};
use clap::Args;
use consort_wire::{Page, Service, ServiceKind, ServiceState};

/// The arguments.
#[derive(Debug, Args)]
pub struct List {
    /// Print `{items, next_cursor}`
    #[arg(long)]
    json: bool,
}

impl List {
    /// Runs the command.
    ///
    /// # Errors
    /// As every call of the server.
    pub async fn run(&self, context: &Context) -> Outcome {
        let services = context.client()?.services().await?;
        let screen = context.screen;
        if self.json {
            screen.json(&Page::last(services))?;
        } else if services.is_empty() {
            screen.note("no services; deploy some with `consort apply`");
        } else {
            screen.text(&table(&services).render(screen))?;
        }
        Ok(Exit::Done)
    }
}

/// The colour of a service's state.
pub const fn tone(state: ServiceState) -> Tone {
    match state {
        ServiceState::Ready | ServiceState::Idle => Tone::Good,
        ServiceState::Starting | ServiceState::Stopping => Tone::Busy,
        ServiceState::Degraded => Tone::Wait,
        ServiceState::Failed => Tone::Bad,
    }
}

/// Ready of wanted replicas; nothing for services that have none.
pub fn replicas(service: &Service) -> String {
    match service.kind {
        ServiceKind::Process | ServiceKind::Image => {
            format!("{}/{}", service.replicas.ready, service.replicas.desired)
        }
        ServiceKind::Exec => "per call".to_owned(),
        ServiceKind::Url => "elsewhere".to_owned(),
    }
}

fn table(services: &[Service]) -> Table<7> {
    let mut table = Table::new(["SERVICE", "STATE", "REPLICAS", "REVISION", "IN FLIGHT", "QUEUED", "DETAIL"]);
    for service in services {
        table.row([
            service.name.clone().into(),
            Cell::toned(tone(service.state), service.state.as_str()),
            replicas(service).into(),
            service.revision.clone().unwrap_or_default().into(),
            service.in_flight.to_string().into(),
            service.queued.to_string().into(),
            service.detail.clone().unwrap_or_default().into(),
        ]);
    }
    table
}
