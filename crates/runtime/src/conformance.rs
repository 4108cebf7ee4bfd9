//! What every runtime must do, as one function that a test runs over it.
//!
//! It lives in the library and not in a test, so that each implementation can run it; it panics where a
//! rule is broken.

use crate::{Error, Exit, ExitReason, Observation, Observations, ReplicaId, ReplicaSpec, Runtime};
use std::{future::Future, time::Duration};

/// How long anything may take before the suite calls it hanging.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the suite needs a replica to do; the runtime's own test knows which command does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Gets ready, and ends when it is asked to.
    Serves,
    /// Lives and never gets ready.
    Silent,
    /// Has a command that cannot be run.
    NotStarted,
    /// Exits with 3 at once.
    ExitsWith3,
    /// Gets ready, and ends only when it is killed. Its grace is short.
    Stubborn,
}

/// Runs the whole suite. `replica` makes the description of a replica for a case, with this number. The
/// runtime is shut down at the end.
///
/// # Panics
/// Where the runtime breaks a rule, with the rule.
pub async fn run(runtime: &impl Runtime, mut seen: Observations, replica: impl Fn(Case, u64) -> ReplicaSpec) {
    let seen = &mut seen;
    a_replica_starts_gets_ready_and_stops(runtime, seen, &replica).await;
    an_id_is_free_again_after_the_exit(runtime, seen, &replica).await;
    ends_are_told_apart(runtime, seen, &replica).await;
    what_cannot_start_is_an_exit(runtime, seen, &replica).await;
    asking_for_the_unknown_does_nothing(runtime);
    shutdown_ends_everything(runtime, seen, &replica).await;
}

async fn a_replica_starts_gets_ready_and_stops(
    runtime: &impl Runtime,
    seen: &mut Observations,
    replica: &impl Fn(Case, u64) -> ReplicaSpec,
) {
    let spec = replica(Case::Serves, 1);
    let id = spec.replica.clone();
    runtime.start(spec).expect("a replica can be started");
    assert!(matches!(next(seen).await, Observation::Started { replica, .. } if replica == id));
    assert_eq!(next(seen).await, Observation::Ready { replica: id.clone() });
    let twice = runtime.start(replica(Case::Serves, 1));
    assert!(matches!(twice, Err(Error::AlreadyRunning(_))), "an id is used once at a time");
    runtime.stop(&id);
    runtime.stop(&id);
    let exit = exit_of(seen, &id).await;
    assert_eq!(exit.reason, ExitReason::Stopped, "{exit:?}");
    assert!(exit.ran_for > Duration::ZERO, "{exit:?}");
}

async fn an_id_is_free_again_after_the_exit(
    runtime: &impl Runtime,
    seen: &mut Observations,
    replica: &impl Fn(Case, u64) -> ReplicaSpec,
) {
    let spec = replica(Case::Serves, 1);
    let id = spec.replica.clone();
    runtime.start(spec).expect("an id can be used again as soon as its exit was seen");
    runtime.kill(&id);
    assert_eq!(exit_of(seen, &id).await.reason, ExitReason::Killed);
}

async fn ends_are_told_apart(
    runtime: &impl Runtime,
    seen: &mut Observations,
    replica: &impl Fn(Case, u64) -> ReplicaSpec,
) {
    let spec = replica(Case::ExitsWith3, 2);
    let id = spec.replica.clone();
    runtime.start(spec).expect("starts");
    let exit = exit_of(seen, &id).await;
    assert_eq!((exit.reason, exit.code, exit.signal), (ExitReason::Ended, Some(3), None), "{exit:?}");

    let spec = replica(Case::Stubborn, 3);
    let (id, grace) = (spec.replica.clone(), spec.stop_grace);
    runtime.start(spec).expect("starts");
    while !matches!(next(seen).await, Observation::Ready { .. }) {}
    let asked = tokio::time::Instant::now();
    runtime.stop(&id);
    let exit = exit_of(seen, &id).await;
    assert_eq!(exit.reason, ExitReason::Killed, "{exit:?}");
    assert!(asked.elapsed() >= grace, "killed after {:?}, its grace is {grace:?}", asked.elapsed());

    let spec = replica(Case::Silent, 4);
    let id = spec.replica.clone();
    runtime.start(spec).expect("starts");
    assert!(matches!(next(seen).await, Observation::Started { .. }));
    runtime.kill(&id);
    assert_eq!(exit_of(seen, &id).await.reason, ExitReason::Killed);
}

async fn what_cannot_start_is_an_exit(
    runtime: &impl Runtime,
    seen: &mut Observations,
    replica: &impl Fn(Case, u64) -> ReplicaSpec,
) {
    let spec = replica(Case::NotStarted, 5);
    let id = spec.replica.clone();
    runtime.start(spec).expect("to start never waits for the command");
    let Observation::Exited { replica, exit } = next(seen).await else { panic!("nothing had started") };
    assert_eq!((replica, exit.reason), (id, ExitReason::NotStarted));
    assert!(!exit.message.is_empty());
}

fn asking_for_the_unknown_does_nothing(runtime: &impl Runtime) {
    let name = consort_types::Name::new("nobody", consort_types::NameKind::Kebab).expect("a name");
    runtime.stop(&ReplicaId::new(&name, 1));
    runtime.kill(&ReplicaId::new(&name, 1));
}

async fn shutdown_ends_everything(
    runtime: &impl Runtime,
    seen: &mut Observations,
    replica: &impl Fn(Case, u64) -> ReplicaSpec,
) {
    let specs = [replica(Case::Serves, 6), replica(Case::Stubborn, 7), replica(Case::Silent, 8)];
    for spec in &specs {
        runtime.start(spec.clone()).expect("starts");
    }
    within("shutdown", runtime.shutdown()).await;
    let mut left: Vec<_> = specs.iter().map(|spec| spec.replica.clone()).collect();
    while !left.is_empty() {
        if let Observation::Exited { replica, .. } = next(seen).await {
            left.retain(|id| *id != replica);
        }
    }
    assert!(matches!(runtime.start(replica(Case::Serves, 9)), Err(Error::ShuttingDown)));
}

/// The exit of a replica; what is seen of it before is passed over.
async fn exit_of(seen: &mut Observations, id: &ReplicaId) -> Exit {
    loop {
        match next(seen).await {
            Observation::Exited { replica, exit } if replica == *id => return exit,
            other => assert_eq!(other.replica(), id, "only {id} lives: {other:?}"),
        }
    }
}

async fn next(seen: &mut Observations) -> Observation {
    within("an observation", seen.observations.recv()).await.expect("the runtime lives")
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("{what} did not come in {PATIENCE:?}"))
}
