//! Services, their replicas and revisions.

use super::revision;
use consort_node::{CallStats, Deployed, ReplicaState, ReplicaView, RolloutState, ServiceState, ServiceView};
use consort_runtime::{LogLine, LogStream};
use consort_spec::definition::{Operation, Runs};
use consort_store::ServiceRevision;
use consort_types::Json;
use consort_wire as wire;
use std::collections::BTreeMap;

/// A service as it stands.
pub fn service(view: &ServiceView) -> wire::Service {
    let counts = &view.counts;
    let operations = view.definition.operations.iter();
    wire::Service {
        namespace: view.key.namespace.to_string(),
        name: view.key.service.to_string(),
        kind: kind(&view.definition.runs),
        revision: Some(revision(view.revision)),
        previous_revision: view.previous_revision.map(revision),
        state: state(view.state, counts.ready),
        detail: Some(view.detail.clone()).filter(|detail| !detail.is_empty()),
        replicas: wire::ReplicaCounts {
            desired: counts.desired,
            ready: counts.ready,
            starting: counts.starting,
            draining: counts.draining,
            failed: counts.failed,
        },
        in_flight: view.in_flight.into(),
        queued: view.queued.into(),
        operations: operations.map(|(name, it)| (name.to_string(), operation(it))).collect(),
        rollout: rollout(view),
    }
}

const fn kind(runs: &Runs) -> wire::ServiceKind {
    match runs {
        Runs::Process { .. } => wire::ServiceKind::Process,
        Runs::Exec { .. } => wire::ServiceKind::Exec,
        Runs::Image { .. } => wire::ServiceKind::Image,
        Runs::Url { .. } => wire::ServiceKind::Url,
    }
}

const fn state(state: ServiceState, ready: u32) -> wire::ServiceState {
    match state {
        ServiceState::Starting => wire::ServiceState::Starting,
        ServiceState::Ready => wire::ServiceState::Ready,
        ServiceState::Degraded => wire::ServiceState::Degraded,
        ServiceState::Idle => wire::ServiceState::Idle,
        ServiceState::RollingOut | ServiceState::RollingBack if ready > 0 => wire::ServiceState::Ready,
        ServiceState::RollingOut | ServiceState::RollingBack => wire::ServiceState::Starting,
        // None takes calls, and none will by itself soon; the detail says why.
        ServiceState::CrashLoop | ServiceState::Failed | ServiceState::Stopped => wire::ServiceState::Failed,
        ServiceState::Removing => wire::ServiceState::Stopping,
    }
}

fn operation(operation: &Operation) -> wire::Operation {
    wire::Operation {
        input: Json::of(operation.input.document()),
        output: Json::of(operation.output.document()),
        timeout_ms: u64::try_from(operation.timeout.as_millis()).unwrap_or(u64::MAX),
        description: operation.description.clone(),
    }
}

/// The newest rollout. A revision that is still being set up shows in the state and the detail: its rollout
/// begins when its folder is ready, and has failed when its setup has.
fn rollout(view: &ServiceView) -> Option<wire::Rollout> {
    if let Some(at) = view.setup_failed_at {
        let serving = view.rollout.as_ref().map(|_| revision(view.revision));
        return Some(wire::Rollout {
            revision: revision(view.wanted_revision),
            from: serving,
            state: wire::RolloutState::Failed,
            started_at: at,
            finished_at: Some(at),
            detail: Some(view.detail.clone()),
        });
    }
    if view.setting_up && view.revision != view.wanted_revision {
        return Some(wire::Rollout {
            revision: revision(view.wanted_revision),
            from: Some(revision(view.revision)),
            state: wire::RolloutState::SettingUp,
            started_at: view.asked_at,
            finished_at: None,
            detail: Some(view.detail.clone()),
        });
    }
    let rollout = view.rollout.as_ref()?;
    let (state, ended) = match rollout.state {
        RolloutState::Running | RolloutState::RollingBack => (wire::RolloutState::Running, false),
        RolloutState::Succeeded => (wire::RolloutState::Succeeded, true),
        RolloutState::Failed => (wire::RolloutState::Failed, true),
        RolloutState::RolledBack => (wire::RolloutState::RolledBack, true),
    };
    Some(wire::Rollout {
        revision: revision(rollout.to.0),
        from: rollout.from.map(|from| revision(from.0)),
        state,
        started_at: rollout.started_at,
        finished_at: ended.then_some(rollout.updated_at),
        detail: Some(rollout.detail.clone()).filter(|detail| !detail.is_empty()),
    })
}

/// A replica.
pub fn replica(view: &ReplicaView) -> wire::Replica {
    wire::Replica {
        id: view.id.clone(),
        revision: revision(view.revision),
        state: match view.state {
            ReplicaState::Starting => wire::ReplicaState::Starting,
            ReplicaState::Ready => wire::ReplicaState::Ready,
            ReplicaState::Unready => wire::ReplicaState::Failed,
            ReplicaState::Draining => wire::ReplicaState::Draining,
        },
        address: view.address.map(|address| address.to_string()),
        pid: view.pid,
        started_at: view.started_at,
        // A replica that ended is replaced by another one with an id of its own.
        restarts: 0,
        in_flight: view.in_flight.into(),
        detail: view.detail.clone(),
    }
}

/// A revision of a service that is deployed as `deployed` and stands as `view`.
pub fn service_revision(
    stored: &ServiceRevision,
    deployed: &Deployed,
    view: &ServiceView,
) -> wire::ServiceRevision {
    let current = deployed.services.get(&stored.name) == Some(&stored.number);
    let replicas = view.replicas.iter().filter(|replica| replica.revision == stored.number).count();
    wire::ServiceRevision {
        revision: revision(stored.number),
        created_at: stored.applied_at,
        current,
        source: deployed.sources.get(stored.name.as_str()).copied().filter(|_| current),
        replicas: u32::try_from(replicas).unwrap_or(u32::MAX),
    }
}

/// A line that a replica of a revision wrote.
pub fn service_line(line: LogLine, of_revision: u64) -> wire::ServiceLogLine {
    wire::ServiceLogLine {
        at: line.at,
        replica: Some(line.replica.to_string()),
        revision: revision(of_revision),
        stream: match line.stream {
            LogStream::Stdout => wire::Stream::Stdout,
            LogStream::Stderr => wire::Stream::Stderr,
        },
        line: line.line,
    }
}

/// How calls of a service have gone.
pub fn service_stats(view: &ServiceView, operations: &BTreeMap<String, CallStats>) -> wire::ServiceStats {
    let mut all = CallStats::default();
    operations.values().for_each(|stats| all.add(stats));
    wire::ServiceStats {
        all: call_stats(&all),
        in_flight: u64::from(view.in_flight),
        queued: u64::from(view.queued),
        operations: operations.iter().map(|(name, stats)| (name.clone(), call_stats(stats))).collect(),
    }
}

fn call_stats(stats: &CallStats) -> wire::CallStats {
    wire::CallStats {
        calls: stats.calls,
        failures: stats.failures,
        success_ratio: stats.success_ratio(),
        p50_ms: stats.percentile_ms(50.0),
        p95_ms: stats.percentile_ms(95.0),
        p99_ms: stats.percentile_ms(99.0),
        max_ms: stats.longest_ms(),
    }
}
