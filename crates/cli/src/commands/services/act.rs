//! `consort services scale|restart|rollback`.

use super::list::replicas;
use crate::{
    context::Context,
    exit::{Exit, Outcome},
};
use clap::Args;
use consort_wire::Service;

/// The arguments of `scale`.
#[derive(Debug, Args)]
pub struct Scale {
    /// The service
    name: String,
    /// Replicas wanted
    replicas: u32,
    /// Print the service as JSON
    #[arg(long)]
    json: bool,
}

/// The arguments of `restart`.
#[derive(Debug, Args)]
pub struct Restart {
    /// The service
    name: String,
    /// Print the service as JSON
    #[arg(long)]
    json: bool,
}

/// The arguments of `rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    /// The service
    name: String,
    /// The revision to go back to; the previous one without it
    revision: Option<String>,
    /// Print the service as JSON
    #[arg(long)]
    json: bool,
}

impl Scale {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such service, or the number is outside of its bounds.
    pub async fn run(&self, context: &Context) -> Outcome {
        done(context, &context.client()?.scale(&self.name, self.replicas).await?, self.json)
    }
}

impl Restart {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such service.
    pub async fn run(&self, context: &Context) -> Outcome {
        done(context, &context.client()?.restart(&self.name).await?, self.json)
    }
}

impl Rollback {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such service or revision.
    pub async fn run(&self, context: &Context) -> Outcome {
        done(context, &context.client()?.roll_back(&self.name, self.revision.clone()).await?, self.json)
    }
}

fn done(context: &Context, service: &Service, json: bool) -> Outcome {
    if json {
        context.screen.json(service)?;
    } else {
        let revision = service.revision.as_deref().unwrap_or("none yet");
        let line = format!(
            "{}  {}  {}  revision {revision}",
            service.name,
            service.state.as_str(),
            replicas(service)
        );
        context.screen.line(&line)?;
    }
    Ok(Exit::Done)
}
