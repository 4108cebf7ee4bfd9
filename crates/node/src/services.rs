//! The services loop: desired and observed go into `fleet`, its plan goes to the runtime.
//!
//! It owns what is known of each service: its definition, its prepared revisions, its replicas. Everybody
//! else sees a copy of that in [`ServiceView`], and slots in the dispatcher.

mod acts;
mod deployed;
mod kept;
mod translate;
mod view;

pub use kept::{Kept, Restored};
pub use view::{PastReplica, ReplicaView, ServiceView};

use crate::{
    admissions::Admissions,
    balancer::ServiceKey,
    clock::Clock,
    committer::{After, Unit},
    dispatcher::Dispatcher,
    feed::{Feed, FeedData},
    logs::LogSender,
    replica_logs,
    sequencer::{Inbox, Message},
};
use consort_runtime::{Masker, Observation, Observations, Runtime};
use consort_spec::definition::Service;
use consort_store::Write;
use consort_types::{Digest, Name};
use deployed::DeployedService;
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};

/// How often the loop looks at every service even if nothing happened.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One revision of a service to deploy.
#[derive(Debug, Clone)]
pub struct ServiceSpec {
    /// Which.
    pub key: ServiceKey,
    /// Its definition.
    pub definition: Arc<Service>,
    /// The number of the revision.
    pub revision: u64,
    /// Content of its source.
    pub source: Option<Digest>,
    /// `environment` and `env_file`.
    pub environment: Vec<(String, String)>,
    /// Upper-case variables with secret values.
    pub secrets: Vec<(String, String)>,
    /// Headers for calls of a `url` service.
    pub headers: Vec<(String, String)>,
    /// Why it cannot run as it is: a secret that is missing.
    pub problem: Option<String>,
    /// After a restart: what it goes on from.
    pub restored: Option<Box<Restored>>,
}

/// Calls come and go thousands of times a second; their services are looked at this often at most.
const DEMAND_LOOK_EVERY: Duration = Duration::from_millis(5);

/// What the loop is told.
#[derive(Debug)]
pub enum ServicesCommand {
    /// These are the services of a namespace from now on.
    Deploy {
        /// The namespace.
        namespace: Name,
        /// All of its services.
        services: Vec<ServiceSpec>,
        /// Told once they are taken up and can be seen.
        taken: Option<oneshot::Sender<()>>,
    },
    /// Sets the number of replicas by hand; none: as the file says.
    Scale(ServiceKey, Option<u32>, Reply),
    /// Replaces the replicas one by one; with the key of a call once, however often it is told.
    Restart(ServiceKey, Option<String>, Reply),
    /// Goes back to a revision; with the key of a call once, however often it is told.
    Rollback(ServiceKey, Box<ServiceSpec>, Option<String>, Reply),
    /// Moves to a revision that was made for it, also if it was rolled back from.
    Rollout(ServiceKey, Box<ServiceSpec>, Reply),
    /// Ends all replicas and the loop.
    Shutdown(oneshot::Sender<()>),
}

/// Where the answer of a command goes: the revision that is wanted from now on, told once that is kept.
pub type Reply = oneshot::Sender<Result<u64, ServiceError>>;

/// Why a command for a service was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// No such service.
    #[error("there is no service `{0}`")]
    NoSuchService(Name),
    /// It has nothing to do that with.
    #[error("{0}")]
    NotPossible(String),
}

/// What everybody may see of the services.
pub type Views = Arc<RwLock<BTreeMap<ServiceKey, ServiceView>>>;

/// What the loop works with.
pub struct ServicesParts {
    /// Where replicas live.
    pub runtime: Arc<dyn Runtime>,
    /// Who sends calls.
    pub dispatcher: Arc<Dispatcher>,
    /// What is known of calls.
    pub admissions: Arc<Admissions>,
    /// Who hears of changes.
    pub feed: Arc<Feed>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where lines that belong to a step go.
    pub logs: LogSender,
    /// Where views are kept.
    pub views: Views,
    /// Counts the changes of views.
    pub changes: watch::Sender<u64>,
    /// Where what outlives the server goes.
    pub inbox: Inbox,
    /// Folder with a folder for each service, which outlives revisions.
    pub services_dir: PathBuf,
    /// `http://ADDRESS` of this server.
    pub server_url: String,
}

pub(crate) struct Services {
    parts: Arc<ServicesParts>,
    services: HashMap<ServiceKey, DeployedService>,
    /// Of which service a replica is.
    owners: HashMap<consort_runtime::ReplicaId, ServiceKey>,
    prepared: mpsc::UnboundedSender<Prepared>,
    next_replica: u64,
}

/// The folder of a revision is ready, or cannot be made.
pub(crate) struct Prepared {
    pub key: ServiceKey,
    pub revision: u64,
    pub result: Result<PathBuf, String>,
}

/// Runs until told to shut down.
pub async fn run(
    parts: ServicesParts,
    mut commands: mpsc::UnboundedReceiver<ServicesCommand>,
    observations: Observations,
) {
    let Observations { mut observations, logs } = observations;
    let lines = tokio::spawn(replica_logs::run(logs, parts.admissions.clone(), parts.logs.clone()));
    let (prepared, mut done) = mpsc::unbounded_channel();
    let demand = parts.dispatcher.demand.clone();
    let mut services = Services {
        parts: Arc::new(parts),
        services: HashMap::new(),
        owners: HashMap::new(),
        prepared,
        next_replica: 1,
    };
    let mut quiet_until = Instant::now();
    loop {
        let is_quiet = Instant::now() < quiet_until;
        tokio::select! {
            command = commands.recv() => match command {
                Some(ServicesCommand::Shutdown(reply)) => {
                    services.shutdown(&mut observations).await;
                    let _ = reply.send(());
                    break;
                }
                Some(command) => services.take(command),
                None => break,
            },
            Some(observation) = observations.recv() => services.observe(observation),
            Some(prepared) = done.recv() => services.prepared(prepared),
            () = demand.notified(), if !is_quiet => {
                services.look_at_all();
                quiet_until = Instant::now() + DEMAND_LOOK_EVERY;
            }
            () = tokio::time::sleep_until(quiet_until), if is_quiet => {}
            () = tokio::time::sleep(services.next_look()) => services.look_at_all(),
        }
    }
    lines.abort();
}

impl Services {
    fn take(&mut self, command: ServicesCommand) {
        match command {
            ServicesCommand::Deploy { namespace, services, taken } => {
                self.deploy(&namespace, services);
                _ = taken.map(|taken| taken.send(()));
            }
            ServicesCommand::Scale(key, replicas, reply) => {
                self.act(&key, reply, |service, _| service.scale(replicas));
            }
            ServicesCommand::Restart(key, act, reply) => {
                self.act(&key, reply, |service, now| service.restart(act.as_deref(), now));
            }
            ServicesCommand::Rollback(key, to, act, reply) => {
                self.act(&key, reply, |service, now| service.roll_back(*to, act.as_deref(), now));
            }
            ServicesCommand::Rollout(key, to, reply) => {
                self.act(&key, reply, |service, now| Ok(service.roll_out(*to, now)));
            }
            ServicesCommand::Shutdown(_) => unreachable!("the loop takes it"),
        }
    }

    fn act(
        &mut self,
        key: &ServiceKey,
        reply: Reply,
        act: impl FnOnce(&mut DeployedService, consort_types::Timestamp) -> Result<u64, ServiceError>,
    ) {
        let now = self.parts.clock.now();
        let result = match self.services.get_mut(key) {
            Some(service) => act(service, now),
            None => Err(ServiceError::NoSuchService(key.service.clone())),
        };
        self.look(key);
        // An answer says that the act outlives the server.
        let told: Box<dyn FnOnce() + Send> = Box::new(move || _ = reply.send(result));
        let unit = Unit::of(Vec::new(), vec![After::Call(told)]);
        self.parts.inbox.send(Message::Write(unit));
    }

    /// The services of a namespace are these from now on; those that are not named are drained and removed.
    fn deploy(&mut self, namespace: &Name, specs: Vec<ServiceSpec>) {
        let now = self.parts.clock.now();
        let named: Vec<ServiceKey> = specs.iter().map(|spec| spec.key.clone()).collect();
        for spec in specs {
            let key = spec.key.clone();
            let masker = Masker::new(spec.secrets.iter().map(|(_, value)| value.as_str()));
            self.parts.dispatcher.set_headers(&key, spec.headers.clone(), masker);
            match self.services.get_mut(&key) {
                Some(service) => service.apply(spec, now),
                None => {
                    self.services.insert(key, DeployedService::new(spec, now));
                }
            }
        }
        for (key, service) in &mut self.services {
            if key.namespace == *namespace && !named.contains(key) {
                service.remove();
            }
        }
        self.look_at_all();
    }

    fn observe(&mut self, observation: Observation) {
        let Some(key) = self.owners.get(observation.replica()).cloned() else { return };
        if let Observation::Exited { replica, .. } = &observation {
            self.owners.remove(replica);
        }
        let now = self.parts.clock.now();
        if let Some(service) = self.services.get_mut(&key) {
            service.observe(observation, now);
        }
        self.look(&key);
    }

    fn prepared(&mut self, prepared: Prepared) {
        let key = prepared.key.clone();
        let now = self.parts.clock.now();
        if let Some(service) = self.services.get_mut(&key) {
            service.prepared(prepared, now);
        }
        self.look(&key);
    }

    fn look_at_all(&mut self) {
        let keys: Vec<ServiceKey> = self.services.keys().cloned().collect();
        keys.iter().for_each(|key| self.look(key));
    }

    /// Decides for one service, carries the plan out, and shows how it stands.
    fn look(&mut self, key: &ServiceKey) {
        let Some(service) = self.services.get_mut(key) else { return };
        service.prepare(&self.parts, &self.prepared);
        for started in service.reconcile(&self.parts, &mut self.next_replica) {
            self.owners.insert(started, key.clone());
        }
        if let Some(kept) = service.unkept() {
            let writes = vec![Write::SetService(Box::new(kept))];
            self.parts.inbox.send(Message::Write(Unit::of(writes, Vec::new())));
        }
        let view = service.view(&self.parts);
        let gone = service.is_gone();
        self.show(key, view, gone);
        if gone {
            self.services.remove(key);
            self.parts.dispatcher.forget(key);
            self.parts.admissions.forget(key);
        }
    }

    fn show(&self, key: &ServiceKey, view: ServiceView, gone: bool) {
        let mut views = self.parts.views.write().unwrap_or_else(PoisonError::into_inner);
        let changed = views.get(key) != Some(&view);
        if gone {
            views.remove(key);
        } else {
            views.insert(key.clone(), view.clone());
        }
        drop(views);
        if changed {
            self.parts.changes.send_modify(|count| *count = count.wrapping_add(1));
        }
        if changed && self.parts.feed.is_heard(self.parts.clock.now().as_millis()) {
            self.parts.feed.publish(FeedData::Service(Box::new(view)));
        }
    }

    fn next_look(&self) -> Duration {
        let now = self.parts.clock.now();
        let wakes = self.services.values().filter_map(DeployedService::wake_at);
        wakes.map(|at| at.since(now)).min().unwrap_or(LOOK_EVERY).clamp(Duration::from_millis(5), LOOK_EVERY)
    }

    /// Ends all replicas; their last observations are taken so that the runtime never waits for us.
    async fn shutdown(&mut self, observations: &mut mpsc::Receiver<Observation>) {
        let runtime = self.parts.runtime.clone();
        let mut stopped = runtime.shutdown();
        loop {
            tokio::select! {
                () = &mut stopped => return,
                Some(_) = observations.recv() => {}
            }
        }
    }
}
