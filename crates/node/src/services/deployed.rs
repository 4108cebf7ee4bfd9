//! One deployed service: its revisions, its replicas, and the carrying out of plans.

use super::{
    Kept, PastReplica, Prepared, ReplicaView, ServiceSpec, ServiceView, ServicesParts,
    translate::{at_once, data_dir, exec_environment, health_check, rules, runtime_command, shell_line},
};
use crate::{
    admissions::Glance,
    balancer::{ServiceKey, Slot},
};
use consort_fleet::{Action, Exit, Fleet, Observed, Plan, Replica, ReplicaState, ServiceState};
use consort_invoke::{Process, Target};
use consort_runtime::{ExitReason, Observation, ReplicaId, ReplicaSpec, RevisionSpec};
use consort_spec::definition::{self, Runs};
use consort_types::Timestamp;
use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
};
use tokio::sync::mpsc::UnboundedSender;

/// Revisions whose definition is kept in memory, so that one can go back to them at once.
const REVISIONS_KEPT: usize = 10;

/// Ended replicas whose logs are shown: why the last starts failed, not how it was last week.
const PAST_REPLICAS_KEPT: usize = 5;

/// Calls at once of a `url` service that names no `concurrency`, and of an `exec` service per core.
const URL_CONCURRENCY: u32 = 64;

/// One deployed service.
pub(crate) struct DeployedService {
    pub(super) key: ServiceKey,
    /// The newest revision that was asked for. The fleet moves to it once its folder is ready.
    pub(super) wanted: u64,
    pub(super) revisions: BTreeMap<u64, Revision>,
    /// None until the first revision is ready to run.
    pub(super) fleet: Option<Fleet>,
    replicas: HashMap<ReplicaId, Held>,
    exits: Vec<Exit>,
    plan: Plan,
    /// Replicas that have ended, newest last: their logs can still be read.
    past: VecDeque<PastReplica>,
    pub(super) removed: bool,
    /// What the store has, or is about to have.
    pub(super) kept: Kept,
    /// What is to be kept of acts, beside what the fleet decides.
    pub(super) keep: Kept,
}

pub(super) struct Revision {
    pub(super) spec: ServiceSpec,
    folder: Folder,
    /// When it was asked for.
    asked_at: Timestamp,
}

enum Folder {
    Unprepared,
    Preparing,
    Ready(PathBuf),
    /// Why its setup failed, and when.
    Failed(String, Timestamp),
}

struct Held {
    number: u64,
    revision: u64,
    state: ReplicaState,
    since: Timestamp,
    started_at: Timestamp,
    address: Option<SocketAddr>,
    pid: Option<u32>,
    was_ready: bool,
    stopping: bool,
    detail: Option<String>,
}

impl DeployedService {
    pub fn new(mut spec: ServiceSpec, now: Timestamp) -> Self {
        let restored = spec.restored.take();
        let (kept, others) = restored.map(|it| (it.kept, it.others)).unwrap_or_default();
        let mut service = Self {
            key: spec.key.clone(),
            wanted: spec.revision,
            revisions: BTreeMap::new(),
            fleet: None,
            replicas: HashMap::new(),
            exits: Vec::new(),
            plan: Plan::default(),
            past: VecDeque::new(),
            removed: false,
            keep: kept.clone(),
            kept,
        };
        // Rolled back from the newest revision, by a hand or by its failure, it stays where it went.
        let back = service.kept.active.filter(|_| service.kept.held == Some(service.wanted));
        for other in others {
            service.remember(other, now);
        }
        service.remember(spec, now);
        service.wanted = back.filter(|back| service.revisions.contains_key(back)).unwrap_or(service.wanted);
        service.move_to_wanted(now);
        service
    }

    pub(super) fn remember(&mut self, spec: ServiceSpec, now: Timestamp) {
        let revision = spec.revision;
        let known = self.revisions.remove(&revision).map(|known| known.folder);
        let folder = match (&spec.problem, known) {
            (Some(problem), _) => Folder::Failed(problem.clone(), now),
            // What failed before is tried again: the registry may be back. What is ready stays.
            // What runs elsewhere has nothing to be made ready.
            (None, _) if matches!(spec.definition.runs, Runs::Url { .. }) => Folder::Ready(PathBuf::new()),
            (None, None | Some(Folder::Failed(..))) => Folder::Unprepared,
            (None, Some(folder)) => folder,
        };
        self.revisions.insert(revision, Revision { spec, folder, asked_at: now });
        let mut live: HashSet<u64> = self.replicas.values().map(|held| held.revision).collect();
        // Scaled to zero, the revision that serves has no replicas, and the one to go back to never has.
        live.extend(self.fleet.iter().map(|fleet| fleet.revision().0));
        live.extend(self.fleet.iter().filter_map(|fleet| fleet.previous_revision()).map(|it| it.0));
        while self.revisions.len() > REVISIONS_KEPT {
            let unused = |number: &&u64| **number != revision && !live.contains(*number);
            let Some(oldest) = self.revisions.keys().find(unused).copied() else { break };
            self.revisions.remove(&oldest);
        }
    }

    pub fn apply(&mut self, spec: ServiceSpec, now: Timestamp) {
        if self.removed {
            // It comes back while the old replicas still drain: begin anew, they leave by themselves.
            self.removed = false;
            self.fleet = None;
            (self.keep, self.kept) = <(Kept, Kept)>::default();
        }
        self.wanted = spec.revision;
        self.remember(spec, now);
        self.move_to_wanted(now);
        // What was rolled back from stays away; what serves is what is wanted.
        if let Some(fleet) =
            self.fleet.as_ref().filter(|it| it.saved().held.map(|held| held.0) == Some(self.wanted))
        {
            self.wanted = fleet.revision().0;
        }
    }

    /// Lets the fleet move to the wanted revision, once that can run.
    pub(super) fn move_to_wanted(&mut self, now: Timestamp) {
        let Some(revision) = self.revisions.get(&self.wanted) else { return };
        if !matches!(revision.folder, Folder::Ready(_)) {
            return;
        }
        let rules = rules(&revision.spec.definition);
        let wanted = consort_fleet::Revision(self.wanted);
        match &mut self.fleet {
            Some(fleet) => {
                fleet.apply(rules, wanted, now);
            }
            None => {
                let saved = self.keep.saved(wanted.0, |number| self.revisions.contains_key(&number));
                self.fleet = Some(Fleet::resume(rules, saved, now));
            }
        }
    }

    pub fn remove(&mut self) {
        self.removed = true;
        if let Some(fleet) = &mut self.fleet {
            fleet.remove();
        }
    }

    pub fn is_gone(&self) -> bool {
        self.removed && self.replicas.is_empty()
    }

    /// The revision that takes calls or is on its way there: the one asked for until the fleet goes back.
    fn current(&self) -> Option<&Revision> {
        let number = self.fleet.as_ref().map_or(self.wanted, |fleet| fleet.revision().0);
        self.revisions.get(&number)
    }

    /// Makes the folders of the wanted revision, and of those that may come back, ready in the background.
    pub fn prepare(&mut self, parts: &Arc<ServicesParts>, done: &UnboundedSender<Prepared>) {
        let fleet = self.fleet.as_ref();
        let back = [fleet.map(Fleet::revision), fleet.and_then(Fleet::previous_revision)];
        let back = back.into_iter().flatten().map(|revision| revision.0);
        for number in std::iter::once(self.wanted).chain(back).collect::<Vec<_>>() {
            self.prepare_one(number, parts, done);
        }
    }

    fn prepare_one(&mut self, number: u64, parts: &Arc<ServicesParts>, done: &UnboundedSender<Prepared>) {
        let Some(revision) = self.revisions.get_mut(&number) else { return };
        let open = matches!(revision.folder, Folder::Unprepared);
        let (Some(source), true) = (revision.spec.source, open && !self.removed) else { return };
        revision.folder = Folder::Preparing;
        let spec = &revision.spec;
        let setup = RevisionSpec {
            namespace: spec.key.namespace.clone(),
            service: spec.key.service.clone(),
            revision: spec.revision.to_string(),
            source,
            setup: spec.definition.setup.iter().map(shell_line).collect(),
            environment: spec.environment.clone(),
            secrets: spec.secrets.clone(),
        };
        let (runtime, done) = (parts.runtime.clone(), done.clone());
        let (key, revision) = (self.key.clone(), spec.revision);
        let data = data_dir(parts, &self.key);
        tokio::spawn(async move {
            // A replica's start makes it too; an `exec` process has nobody else to do it.
            let result = match tokio::fs::create_dir_all(&data).await {
                Ok(()) => runtime.prepare(setup).await.map_err(|error| error.to_string()),
                Err(error) => Err(format!("cannot make {}: {error}", data.display())),
            };
            let _ = done.send(Prepared { key, revision, result });
        });
    }

    pub fn prepared(&mut self, prepared: Prepared, now: Timestamp) {
        let Some(revision) = self.revisions.get_mut(&prepared.revision) else { return };
        revision.folder = match prepared.result {
            Ok(folder) => Folder::Ready(folder),
            Err(error) => {
                tracing::error!(service = %self.key.service, revision = prepared.revision, "{error}");
                Folder::Failed(error, now)
            }
        };
        self.move_to_wanted(now);
    }

    pub fn observe(&mut self, observation: Observation, now: Timestamp) {
        match observation {
            Observation::Started { replica, address, pid } => {
                if let Some(held) = self.replicas.get_mut(&replica) {
                    held.address = Some(address);
                    held.pid = pid;
                }
            }
            Observation::Ready { replica } => self.turn(&replica, ReplicaState::Ready, None, now),
            Observation::Unready { replica, reason } => {
                self.turn(&replica, ReplicaState::Unready, Some(reason), now);
            }
            Observation::Exited { replica, exit } => {
                let Some(held) = self.replicas.remove(&replica) else { return };
                self.past.push_back(PastReplica { id: replica.to_string(), revision: held.revision });
                if self.past.len() > PAST_REPLICAS_KEPT {
                    self.past.pop_front();
                }
                let asked = matches!(exit.reason, ExitReason::Stopped | ExitReason::Killed) || held.stopping;
                if !asked {
                    tracing::warn!(service = %self.key.service, %replica, "{}", exit.message);
                }
                self.exits.push(Exit {
                    replica: consort_fleet::ReplicaId(held.number),
                    revision: consort_fleet::Revision(held.revision),
                    ok: asked || exit.code == Some(0),
                    cause: exit.message,
                    was_ready: held.was_ready,
                    ran_for: exit.ran_for,
                });
            }
        }
    }

    fn turn(&mut self, replica: &ReplicaId, state: ReplicaState, detail: Option<String>, now: Timestamp) {
        let Some(held) = self.replicas.get_mut(replica) else { return };
        held.detail = detail;
        if held.state != ReplicaState::Draining && held.state != state {
            held.state = state;
            held.since = now;
        }
        if state == ReplicaState::Ready {
            held.was_ready = true;
        }
    }

    /// Decides and carries out. Returns the replicas that were started.
    pub fn reconcile(&mut self, parts: &ServicesParts, next_replica: &mut u64) -> Vec<ReplicaId> {
        let Some(revision) = self.current() else { return Vec::new() };
        let spec = revision.spec.clone();
        if !matches!(spec.definition.runs, Runs::Process { .. }) {
            self.stop_replicas_of_before(parts);
        }
        let started = match &spec.definition.runs {
            Runs::Process { .. } => self.reconcile_replicas(parts, next_replica),
            Runs::Exec { command, .. } => {
                self.set_exec_slot(parts, &spec, command);
                Vec::new()
            }
            Runs::Url { url } => {
                let target = Target::Http { base: url.clone() };
                // Without its secrets every call would be refused: they wait, and say what is missing.
                let takes_calls = !self.removed && spec.problem.is_none();
                let slots = if takes_calls { vec![self.only_slot(&spec, target)] } else { Vec::new() };
                parts.dispatcher.set_slots(&self.key, slots, at_once(&spec.definition, URL_CONCURRENCY));
                Vec::new()
            }
            Runs::Image { .. } => Vec::new(),
        };
        parts.admissions.glance(&self.key, Glance { detail: self.detail(parts) });
        started
    }

    fn reconcile_replicas(&mut self, parts: &ServicesParts, next_replica: &mut u64) -> Vec<ReplicaId> {
        let now = parts.clock.now();
        let replicas = self.observed_replicas(parts);
        let load = parts.dispatcher.load(&self.key);
        let exits = std::mem::take(&mut self.exits);
        let (in_flight, queued) = (load.in_flight, load.queued);
        let Some(fleet) = &mut self.fleet else { return Vec::new() };
        self.plan = fleet.decide(&Observed { replicas: &replicas, in_flight, queued, exits: &exits }, now);
        for line in &self.plan.explained {
            tracing::info!(service = %self.key.service, "{line}");
        }
        let mut started = Vec::new();
        for action in self.plan.actions.clone() {
            match action {
                Action::Start { revision, .. } => {
                    started.extend(self.start(parts, next_replica, revision.0, now));
                }
                Action::Drain { replica, .. } => self.drain(replica.0, now),
                Action::Stop { replica, .. } => self.stop(parts, replica.0),
            }
        }
        let slots = self.slots();
        let concurrency = self.current().map_or(1, |revision| revision.spec.definition.scale.concurrency);
        parts.dispatcher.set_slots(&self.key, slots, concurrency);
        started
    }

    fn observed_replicas(&self, parts: &ServicesParts) -> Vec<Replica> {
        let replicas = self.replicas.values().map(|held| Replica {
            id: consort_fleet::ReplicaId(held.number),
            revision: consort_fleet::Revision(held.revision),
            state: held.state,
            since: held.since,
            in_flight: parts.dispatcher.in_flight_on(&self.key, held.number),
        });
        let mut replicas: Vec<Replica> = replicas.collect();
        replicas.sort_by_key(|replica| replica.id);
        replicas
    }

    fn start(
        &mut self,
        parts: &ServicesParts,
        next_replica: &mut u64,
        revision: u64,
        now: Timestamp,
    ) -> Option<ReplicaId> {
        let known = self.revisions.get(&revision)?;
        let Folder::Ready(dir) = &known.folder else { return None };
        let spec = &known.spec;
        let Runs::Process { command, .. } = &spec.definition.runs else { return None };
        let number = *next_replica;
        let id = ReplicaId::new(&self.key.service, number);
        let replica = ReplicaSpec {
            service: self.key.service.clone(),
            revision: revision.to_string(),
            replica: id.clone(),
            dir: dir.clone(),
            command: runtime_command(command),
            environment: spec.environment.clone(),
            secrets: spec.secrets.clone(),
            data_dir: data_dir(parts, &self.key),
            server_url: parts.server_url.clone(),
            health: spec.definition.healthcheck.as_ref().map(health_check),
            stop_grace: spec.definition.stop_grace_period,
        };
        if let Err(error) = parts.runtime.start(replica) {
            tracing::warn!(service = %self.key.service, %error, "a replica was not started");
            return None;
        }
        *next_replica += 1;
        self.replicas.insert(
            id.clone(),
            Held {
                number,
                revision,
                state: ReplicaState::Starting,
                since: now,
                started_at: now,
                address: None,
                pid: None,
                was_ready: false,
                stopping: false,
                detail: None,
            },
        );
        Some(id)
    }

    fn drain(&mut self, number: u64, now: Timestamp) {
        if let Some(held) = self.replicas.values_mut().find(|held| held.number == number) {
            held.state = ReplicaState::Draining;
            held.since = now;
        }
    }

    fn stop(&mut self, parts: &ServicesParts, number: u64) {
        let found = self.replicas.iter_mut().find(|(_, held)| held.number == number);
        if let Some((id, held)) = found
            && !held.stopping
        {
            held.stopping = true;
            held.state = ReplicaState::Draining;
            parts.runtime.stop(id);
        }
    }

    /// A service that had replicas and is of another kind now: they end.
    fn stop_replicas_of_before(&mut self, parts: &ServicesParts) {
        let left: Vec<u64> =
            self.replicas.values().filter(|held| !held.stopping).map(|held| held.number).collect();
        left.into_iter().for_each(|number| self.stop(parts, number));
    }

    /// The replicas that take calls: ready ones of the revisions that serve.
    fn slots(&self) -> Vec<Slot> {
        let takes_calls = |held: &&Held| {
            held.state == ReplicaState::Ready
                && self.plan.serving.contains(&consort_fleet::Revision(held.revision))
        };
        let slots = self.replicas.iter().filter(|(_, held)| takes_calls(held)).filter_map(|(id, held)| {
            let target = Arc::new(Target::Http { base: format!("http://{}", held.address?) });
            Some(Slot { id: held.number, name: id.to_string(), revision: held.revision, target })
        });
        slots.collect()
    }

    fn set_exec_slot(&self, parts: &ServicesParts, spec: &ServiceSpec, command: &definition::Command) {
        let slots = match self.current().map(|revision| &revision.folder) {
            Some(Folder::Ready(dir)) if !self.removed => {
                let process = Process {
                    command: runtime_command(command),
                    dir: dir.clone(),
                    environment: exec_environment(parts, spec),
                    secrets: spec.secrets.clone(),
                    stop_grace: spec.definition.stop_grace_period,
                };
                vec![self.only_slot(spec, Target::Exec(process))]
            }
            _ => Vec::new(),
        };
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
        parts.dispatcher.set_slots(&self.key, slots, at_once(&spec.definition, cores));
    }

    /// The one slot of a service that has no replicas: a new revision takes the place of the old one.
    fn only_slot(&self, spec: &ServiceSpec, target: Target) -> Slot {
        let name = match &target {
            Target::Exec(_) => format!("{}-exec", self.key.service),
            Target::Http { .. } => self.key.service.to_string(),
        };
        Slot { id: spec.revision, name, revision: spec.revision, target: Arc::new(target) }
    }

    pub fn wake_at(&self) -> Option<Timestamp> {
        self.plan.wake_at
    }

    fn detail(&self, parts: &ServicesParts) -> String {
        let Some(revision) = self.revisions.get(&self.wanted) else { return "not deployed".to_owned() };
        match (&revision.folder, &revision.spec.definition.runs) {
            (Folder::Failed(error, _), _) => error.clone(),
            (Folder::Preparing | Folder::Unprepared, Runs::Process { .. } | Runs::Exec { .. }) => {
                format!("revision {} is being set up", self.wanted)
            }
            (_, Runs::Process { .. }) => self.status(parts).map_or_else(String::new, |status| status.detail),
            (_, Runs::Exec { .. }) => "one process per call".to_owned(),
            (_, Runs::Url { url }) => format!("calls go to {url}"),
            (_, Runs::Image { .. }) => "containers cannot run in this version".to_owned(),
        }
    }

    fn status(&self, parts: &ServicesParts) -> Option<consort_fleet::Status> {
        let replicas = self.observed_replicas(parts);
        let load = parts.dispatcher.load(&self.key);
        let (in_flight, queued) = (load.in_flight, load.queued);
        let observed = Observed { replicas: &replicas, in_flight, queued, exits: &[] };
        self.fleet.as_ref().map(|fleet| fleet.status(&observed))
    }

    /// How the service stands. A revision that cannot be set up makes it failed, or degraded while an older
    /// one still takes calls.
    fn state(&self, status: Option<&consort_fleet::Status>) -> ServiceState {
        let Some(revision) = self.revisions.get(&self.wanted) else { return ServiceState::Failed };
        let broken = matches!(revision.folder, Folder::Failed(..));
        let settled = match (&revision.spec.definition.runs, status) {
            (Runs::Process { .. }, Some(status)) => status.state,
            (Runs::Process { .. } | Runs::Exec { .. }, None)
                if matches!(revision.folder, Folder::Preparing | Folder::Unprepared) =>
            {
                ServiceState::Starting
            }
            (Runs::Process { .. }, None) => ServiceState::Starting,
            (Runs::Exec { .. } | Runs::Url { .. } | Runs::Image { .. }, _) => ServiceState::Ready,
        };
        match (self.removed, broken, self.fleet.is_some()) {
            (true, ..) => ServiceState::Removing,
            (false, true, false) => ServiceState::Failed,
            (false, true, true) => ServiceState::Degraded,
            (false, false, _) => settled,
        }
    }

    pub fn view(&self, parts: &ServicesParts) -> ServiceView {
        let status = self.status(parts);
        let load = parts.dispatcher.load(&self.key);
        let current = self.current().unwrap_or(&self.revisions[&self.wanted]);
        let is_process = matches!(current.spec.definition.runs, Runs::Process { .. });
        let mut replicas: Vec<ReplicaView> =
            self.replicas.iter().map(|(id, held)| self.replica_view(parts, id, held)).collect();
        replicas.sort_by(|a, b| a.id.cmp(&b.id));
        let previous = self.fleet.as_ref().and_then(Fleet::previous_revision).map(|revision| revision.0);
        ServiceView {
            key: self.key.clone(),
            definition: current.spec.definition.clone(),
            revision: current.spec.revision,
            previous_revision: previous,
            state: self.state(status.as_ref()),
            detail: self.detail(parts),
            counts: status.as_ref().filter(|_| is_process).map(|status| status.replicas).unwrap_or_default(),
            setting_up: matches!(self.revisions[&self.wanted].folder, Folder::Preparing),
            asked_at: self.revisions[&self.wanted].asked_at,
            setup_failed_at: match self.revisions[&self.wanted].folder {
                Folder::Failed(_, at) => Some(at),
                Folder::Unprepared | Folder::Preparing | Folder::Ready(_) => None,
            },
            wanted_revision: self.wanted,
            replicas,
            past_replicas: self.past.iter().cloned().collect(),
            in_flight: load.in_flight,
            queued: load.queued,
            rollout: status.and_then(|status| status.rollout).filter(|_| is_process),
        }
    }

    fn replica_view(&self, parts: &ServicesParts, id: &ReplicaId, held: &Held) -> ReplicaView {
        ReplicaView {
            id: id.to_string(),
            revision: held.revision,
            state: held.state,
            address: held.address,
            pid: held.pid,
            started_at: held.started_at,
            in_flight: parts.dispatcher.in_flight_on(&self.key, held.number),
            detail: held.detail.clone(),
        }
    }
}
