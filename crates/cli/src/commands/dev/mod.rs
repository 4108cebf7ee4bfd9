//! `consort dev`: a project here, with everything: server, deploy, page, reload on save, logs.

mod logs;
mod watch;

use crate::{
    commands::{
        apply::{request, wait_for_rollouts},
        server::ListenArgs,
    },
    context::Context,
    exit::{Exit, Outcome},
    failure::Failure,
    project::{check, print_problems},
    serve::{Announce, serve},
    show::Screen,
};
use clap::Args;
use consort_client::Client;
use consort_wire::ChangeAction;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// The data of a project that is being worked on, inside of it.
const DATA: &str = ".consort";

/// A server on this machine with a large store is ready within this.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How often a server that is starting is asked.
const ASK_EVERY: Duration = Duration::from_millis(20);

const EXAMPLES: &str = "\
Examples:
  consort dev
  consort dev examples/loan-application

Ctrl-C stops the server and every service. The data stays in .consort inside of the project.";

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Dev {
    /// Folder of the project, or its consort.yaml
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Folder of the store, the artifacts, the revisions and the logs [default: .consort in the project]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How it listens and what it promises.
    #[command(flatten)]
    listen: ListenArgs,
}

impl Dev {
    /// Runs the command until Ctrl-C.
    ///
    /// # Errors
    /// When there is no project, or the server cannot start. A project with mistakes is waited for.
    pub async fn run(&self, context: &Context) -> Outcome {
        let root = check(&self.path)?.root;
        let data = self.data.clone().unwrap_or_else(|| root.join(DATA));
        let mut options = self.listen.with_data(data.clone());
        options.secrets_root = Some(root.clone());
        options.announce = Announce::No;
        let client = Client::new(&format!("http://{}", reachable(self.listen.listen)))?;
        let work = async {
            ready(&client).await?;
            context.screen.note(&format!("consort is at {} (Ctrl-C stops it)", client.server()));
            keep_applied(&client, &root, &data, context.screen).await
        };
        // The server ends on Ctrl-C by itself, in order; nothing of the project outlives it.
        tokio::select! {
            served = serve(options) => served.map(|()| Exit::Done),
            worked = work => worked,
        }
    }
}

/// Where a client reaches a server that listens on `listen`.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let mut address = listen;
    if listen.ip().is_unspecified() {
        address.set_ip(if listen.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    address
}

async fn ready(client: &Client) -> Result<(), Failure> {
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        match client.ready().await {
            Ok(health) if health.state == consort_wire::HealthState::Ok => return Ok(()),
            Err(error) if !error.may_pass() => return Err(error.into()),
            Ok(_) | Err(_) if Instant::now() > deadline => {
                return Err(Failure::new(Exit::NoServer, "the server did not get ready within 30 s"));
            }
            Ok(_) | Err(_) => sleep(ASK_EVERY).await,
        }
    }
}

/// Applies the project now and after every save, for ever.
async fn keep_applied(client: &Client, root: &Path, data: &Path, screen: Screen) -> Outcome {
    let mut logs = logs::Tails::new(screen);
    let mut seen = watch::State::of(root, data);
    loop {
        match apply_once(client, root, screen, &mut logs).await {
            Ok(()) => {}
            // A mistake in the file is part of the work: the next save mends it.
            Err(failure) if failure.exit != Exit::NoServer => screen.note(failure.text().trim_end()),
            Err(failure) => return Err(failure),
        }
        seen = watch::change(root, data, seen).await;
        screen.note("saved: applying again");
    }
}

async fn apply_once(
    client: &Client,
    root: &Path,
    screen: Screen,
    logs: &mut logs::Tails,
) -> Result<(), Failure> {
    let checked = check(root)?.for_apply();
    print_problems(&checked, screen);
    if checked.errors() > 0 {
        return Err(Failure::usage("the project has errors; what runs stays as it is until the next save"));
    }
    let Some(project) = &checked.project else { return Ok(()) };
    let client = client.clone().in_namespace(Some(project.name.as_str().to_owned()));
    let answer = client.apply(&request(&client, &checked).await?).await?;
    for change in answer.changes.iter().filter(|change| change.action != ChangeAction::Unchanged) {
        screen.note(&format!("{} {}: {}", change.kind.as_str(), change.name, action(change.action)));
    }
    logs.follow(&client, project.services.keys().map(|name| name.as_str()));
    match wait_for_rollouts(&client, &answer.changes, screen).await? {
        Exit::Done => screen.note("ready"),
        _ => screen.note("error: not every service is ready; the next save tries again"),
    }
    Ok(())
}

const fn action(action: ChangeAction) -> &'static str {
    match action {
        ChangeAction::Create => "new",
        ChangeAction::Update => "changed",
        ChangeAction::Remove => "removed",
        ChangeAction::Unchanged => "as it was",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_every_address_is_reached_on_loopback() {
        for (listen, expected) in
            [("127.0.0.1:7878", "127.0.0.1:7878"), ("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80")]
        {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), expected);
        }
    }
}
