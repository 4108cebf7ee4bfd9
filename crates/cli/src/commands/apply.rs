//! `consort apply`: make the server hold what the project file says.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
    failure::Failure,
    project::{Checked, check, print_problems},
    show::{
        Screen, printable,
        style::Tone,
        table::{Cell, Table},
    },
};
use clap::Args;
use consort_client::Client;
use consort_spec::definition::{Runs, Service};
use consort_types::Digest;
use consort_wire::{
    ApplyRequest, ApplyResponse, Change, ChangeAction, ChangeKind, RolloutState, Service as Deployed,
    ServiceState, SourceFile,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// How often the rollouts are asked about.
const ASK_EVERY: Duration = Duration::from_millis(300);

const EXAMPLES: &str = "\
Examples:
  consort apply --dry-run
  consort apply examples/loan-application --no-wait

What the file no longer names is drained and removed. The exit code is 1 if a rollout failed.";

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Apply {
    /// Folder of the project, or its consort.yaml
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Only print what would change
    #[arg(long)]
    dry_run: bool,
    /// Do not wait for the rollouts
    #[arg(long)]
    no_wait: bool,
    /// Print `{namespace, changes, problems}`
    #[arg(long)]
    json: bool,
}

impl Apply {
    /// Runs the command.
    ///
    /// # Errors
    /// When the file has errors, or the server refuses.
    pub async fn run(&self, context: &Context) -> Outcome {
        let checked = check(&self.path)?.for_apply();
        print_problems(&checked, context.screen);
        if checked.errors() > 0 {
            let message = format!("{} has errors; nothing was applied", self.path.display());
            return Err(Failure::usage(message));
        }
        let client = client_of(context, &checked)?;
        let request = request(&client, &checked).await?;
        let answer =
            if self.dry_run { client.dry_run(&request).await? } else { client.apply(&request).await? };
        if self.json {
            context.screen.json(&answer)?;
        } else {
            context.screen.text(&changes(&answer, context.screen, self.dry_run))?;
        }
        if self.dry_run || self.no_wait {
            return Ok(Exit::Done);
        }
        wait_for_rollouts(&client, &answer.changes, context.screen).await
    }
}

/// A client that sees the namespace of the file, which is not always that of this folder.
fn client_of(context: &Context, checked: &Checked) -> Result<Client, Failure> {
    let namespace = checked.project.as_ref().map(|project| project.name.as_str().to_owned());
    Ok(context.client()?.in_namespace(namespace))
}

/// Packs and uploads every source, and puts the request together.
///
/// # Errors
/// When a source cannot be read or uploaded.
pub async fn request(client: &Client, checked: &Checked) -> Result<ApplyRequest, Failure> {
    let files = checked
        .files
        .iter()
        .map(|file| SourceFile { path: file.path.clone(), text: file.text.clone() })
        .collect();
    let mut sources = BTreeMap::new();
    let services = checked.project.iter().flat_map(|project| project.services.values());
    for service in services {
        if let Some(source) = source_of(service) {
            let digest = upload_source(client, &checked.root.join(source)).await?;
            sources.insert(service.name.as_str().to_owned(), digest);
        }
    }
    Ok(ApplyRequest { files, sources })
}

fn source_of(service: &Service) -> Option<&Path> {
    match &service.runs {
        Runs::Process { source, .. } | Runs::Exec { source, .. } => Some(source),
        Runs::Image { .. } | Runs::Url { .. } => None,
    }
}

async fn upload_source(client: &Client, folder: &Path) -> Result<Digest, Failure> {
    let packing = {
        let folder = folder.to_owned();
        tokio::task::spawn_blocking(move || pack(&folder))
    };
    let tar =
        packing.await.map_err(|error| Failure::new(Exit::Failed, format!("packing stopped: {error}")))??;
    Ok(client.upload_file(tar.path()).await?.artifact)
}

fn pack(folder: &Path) -> Result<tempfile::NamedTempFile, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::usage(format!("{} cannot be packed: {error}", folder.display()))
    };
    let mut tar = tempfile::Builder::new().suffix(".tar").tempfile().map_err(|error| failed(&error))?;
    consort_runtime_process::pack(folder, std::io::BufWriter::new(&mut tar))
        .map_err(|error| failed(&error))?;
    Ok(tar)
}

fn changes(answer: &ApplyResponse, screen: Screen, dry_run: bool) -> String {
    let touched: Vec<_> =
        answer.changes.iter().filter(|change| change.action != ChangeAction::Unchanged).collect();
    if touched.is_empty() {
        return "nothing changes: the server holds this already\n".to_owned();
    }
    let title = if dry_run { "WOULD" } else { "CHANGE" };
    let mut table = Table::new([title, "KIND", "NAME", "REVISION", "DETAIL"]);
    for change in touched {
        let (word, tone) = match change.action {
            ChangeAction::Create => ("create", Tone::Good),
            ChangeAction::Update => ("update", Tone::Wait),
            ChangeAction::Remove => ("remove", Tone::Bad),
            ChangeAction::Unchanged => ("keep", Tone::Dim),
        };
        table.row([
            Cell::toned(tone, word),
            change.kind.as_str().into(),
            change.name.clone().into(),
            change.revision.clone().unwrap_or_default().into(),
            change.detail.clone().unwrap_or_default().into(),
        ]);
    }
    table.render(screen)
}

/// Waits until every service that was changed is rolled out, or failed to be.
///
/// # Errors
/// When the server goes away.
pub async fn wait_for_rollouts(client: &Client, changes: &[Change], screen: Screen) -> Outcome {
    let rolls = |change: &&Change| {
        change.kind == ChangeKind::Service
            && matches!(change.action, ChangeAction::Create | ChangeAction::Update | ChangeAction::Unchanged)
    };
    let mut open: Vec<&Change> = changes.iter().filter(rolls).collect();
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    let mut exit = Exit::Done;
    while !open.is_empty() {
        let services = client.services().await?;
        open.retain(|change| {
            let service = services.iter().find(|service| service.name == change.name);
            let (progress, words) = judge(service, change);
            // Of what did not change one hears only when it does not run.
            if change.action == ChangeAction::Unchanged && progress == Progress::Ready {
                return false;
            }
            if said.get(&change.name) != Some(&words) {
                screen.note(&format!("{}: {}", change.name, printable_lines(&words)));
                said.insert(change.name.clone(), words);
            }
            if progress == Progress::Failed {
                exit = Exit::Failed;
            }
            progress == Progress::Open
        });
        if !open.is_empty() {
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
    Ok(exit)
}

fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n  ")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Open,
    Ready,
    Failed,
}

/// Where the rollout of a change stands, and the words for it. A revision that is only being watched is ready.
fn judge(service: Option<&Deployed>, change: &Change) -> (Progress, String) {
    let Some(service) = service else { return (Progress::Open, "waiting to be taken up".to_owned()) };
    let with = |word: &str, detail: Option<&String>| match detail {
        Some(detail) => format!("{word}: {detail}"),
        None => word.to_owned(),
    };
    let rollout = service
        .rollout
        .as_ref()
        .filter(|rollout| change.revision.as_ref().is_none_or(|revision| *revision == rollout.revision));
    if let Some(rollout) = rollout {
        let progress = match rollout.state {
            RolloutState::SettingUp | RolloutState::Running => Progress::Open,
            RolloutState::Monitoring | RolloutState::Succeeded => Progress::Ready,
            RolloutState::Failed | RolloutState::RolledBack => Progress::Failed,
        };
        let word = if progress == Progress::Ready { "ready" } else { rollout.state.as_str() };
        return (progress, with(word, rollout.detail.as_ref().filter(|_| progress != Progress::Ready)));
    }
    let is_current = change.revision.is_none() || service.revision == change.revision;
    // What did not change and is not on its way was rolled back from, and stays away.
    let went_back = service.rollout.as_ref().is_none_or(|rollout| {
        rollout.state == RolloutState::Succeeded && service.revision.as_ref() == Some(&rollout.revision)
    });
    let is_current = is_current || (change.action == ChangeAction::Unchanged && went_back);
    let progress = match service.state {
        _ if !is_current => Progress::Open,
        ServiceState::Ready | ServiceState::Idle => Progress::Ready,
        ServiceState::Failed => Progress::Failed,
        ServiceState::Starting | ServiceState::Degraded | ServiceState::Stopping => Progress::Open,
    };
    (progress, with(service.state.as_str(), service.detail.as_ref().filter(|_| progress != Progress::Ready)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::run::tests::PIPE;
    use serde_json::{Value, json};

    fn change(action: ChangeAction, revision: &str) -> Change {
        Change {
            kind: ChangeKind::Service,
            name: "parser".into(),
            action,
            revision: Some(revision.into()),
            detail: None,
        }
    }

    fn service(state: &str, rollout: &Value) -> Deployed {
        let service = json!({
            "namespace": "n", "name": "parser", "kind": "process", "revision": "r2", "previous_revision": "r1",
            "state": state, "detail": "why", "replicas": {"desired": 1, "ready": 1, "starting": 0, "draining": 0, "failed": 0},
            "in_flight": 0, "queued": 0, "operations": {}, "rollout": rollout
        });
        serde_json::from_str(&service.to_string()).unwrap()
    }

    #[test]
    fn a_rollout_is_judged_by_the_revision_that_was_applied() {
        let rollout = |state: &str| json!({"revision": "r2", "from": "r1", "state": state, "started_at": "2026-11-24T09:30:00Z", "finished_at": null, "detail": "pip: no such package"});
        for (service, revision, progress, words) in [
            (
                service("starting", &rollout("setting_up")),
                "r2",
                Progress::Open,
                "setting_up: pip: no such package",
            ),
            (service("ready", &rollout("monitoring")), "r2", Progress::Ready, "ready"),
            (service("ready", &rollout("succeeded")), "r2", Progress::Ready, "ready"),
            (service("ready", &rollout("failed")), "r2", Progress::Failed, "failed: pip: no such package"),
            (
                service("ready", &rollout("rolled_back")),
                "r2",
                Progress::Failed,
                "rolled_back: pip: no such package",
            ),
            (service("ready", &rollout("succeeded")), "r3", Progress::Open, "ready: why"),
            (service("ready", &Value::Null), "r2", Progress::Ready, "ready"),
            (service("failed", &Value::Null), "r2", Progress::Failed, "failed: why"),
        ] {
            assert_eq!(
                judge(Some(&service), &change(ChangeAction::Update, revision)),
                (progress, words.to_owned())
            );
        }
        assert_eq!(judge(None, &change(ChangeAction::Create, "r1")).0, Progress::Open);
    }

    #[test]
    fn what_stays_is_not_told() {
        let answer = |changes| ApplyResponse { namespace: Some("n".into()), changes, problems: vec![] };
        let text = changes(&answer(vec![change(ChangeAction::Unchanged, "r1")]), PIPE, false);
        assert_eq!(text, "nothing changes: the server holds this already\n");
        let text = changes(&answer(vec![change(ChangeAction::Create, "r1")]), PIPE, true);
        assert_eq!(text, "WOULD   KIND     NAME    REVISION  DETAIL\ncreate  service  parser  r1\n");
    }
}
