//! From what the project file says to what the fleet and the runtime take.

use super::{ServiceSpec, ServicesParts};
use crate::balancer::ServiceKey;
use consort_fleet::Rules;
use consort_runtime::{Command, HealthCheck, HealthProbe};
use consort_spec::definition::{self, Probe, Restart, Service, Strategy};
use std::path::PathBuf;

/// `concurrency` of a service that names none; the project file's default.
const DEFAULT_CONCURRENCY: u32 = 16;

pub(super) fn rules(service: &Service) -> Rules {
    let rollout = &service.rollout;
    let roll_back = rollout.roll_back_when.as_ref();
    Rules {
        min: service.scale.min,
        max: service.scale.max,
        concurrency: service.scale.concurrency,
        idle: service.scale.idle,
        restart: match service.restart {
            Restart::Always => consort_fleet::RestartRule::Always,
            Restart::OnFailure => consort_fleet::RestartRule::OnFailure,
            Restart::No => consort_fleet::RestartRule::No,
        },
        max_surge: rollout.max_surge,
        max_unavailable: rollout.max_unavailable,
        strategy: match rollout.strategy {
            // A canary cannot run yet and is refused at apply; it comes in as a rolling one would.
            Strategy::Rolling | Strategy::Canary(_) => consort_fleet::Strategy::Rolling,
            Strategy::Recreate => consort_fleet::Strategy::Recreate,
        },
        progress_deadline: rollout.progress_deadline,
        failed_starts: roll_back.map_or(3, |when| when.failed_starts),
        roll_back: roll_back.is_some(),
    }
}

/// Calls at once of a service without replicas: what the file says, else what is usual for its kind.
pub(super) fn at_once(service: &Service, usual: u32) -> u32 {
    match service.scale.concurrency {
        0 | DEFAULT_CONCURRENCY => usual,
        named => named,
    }
}

pub(super) fn runtime_command(command: &definition::Command) -> Command {
    match command {
        definition::Command::Shell(line) => Command::Shell(line.clone()),
        definition::Command::Argv(argv) => Command::Argv(argv.clone()),
    }
}

pub(super) fn shell_line(command: &definition::Command) -> String {
    match command {
        definition::Command::Shell(line) => line.clone(),
        definition::Command::Argv(argv) => argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    }
}

/// A word that `/bin/sh` reads back as it is.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

pub(super) fn health_check(check: &definition::HealthCheck) -> HealthCheck {
    HealthCheck {
        probe: match &check.probe {
            Probe::Http { path } => HealthProbe::Http { path: path.clone() },
            Probe::Tcp => HealthProbe::Tcp,
            Probe::Test(argv) => HealthProbe::Test(argv.clone()),
        },
        interval: check.interval,
        timeout: check.timeout,
        retries: check.retries,
        start_period: check.start_period,
    }
}

/// The folder of a service that outlives revisions.
pub(super) fn data_dir(parts: &ServicesParts, key: &ServiceKey) -> PathBuf {
    parts.services_dir.join(key.namespace.as_str()).join(key.service.as_str())
}

pub(super) fn exec_environment(parts: &ServicesParts, spec: &ServiceSpec) -> Vec<(String, String)> {
    let mut environment = spec.environment.clone();
    let data = data_dir(parts, &spec.key).to_string_lossy().into_owned();
    environment.extend([
        ("CONSORT_SERVICE".to_owned(), spec.key.service.to_string()),
        ("CONSORT_REVISION".to_owned(), spec.revision.to_string()),
        ("CONSORT_URL".to_owned(), parts.server_url.clone()),
        ("CONSORT_DATA".to_owned(), data),
    ]);
    environment
}
