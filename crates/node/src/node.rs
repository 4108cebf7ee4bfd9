//! The node: what is started, in which order, and how it ends.

use crate::{
    admissions::Admissions,
    apply::{self, Applied, ApplyError, ApplyRequest},
    cache,
    catalog::Catalog,
    clock::Clock,
    committer::{self, Outlets, Unit},
    dispatcher::{Call, Dispatcher, DispatcherParts},
    fail_points::{self, FailPoint},
    feed::Feed,
    health::Health,
    line::SharedGates,
    logs::{self, LogSender},
    permits::Permits,
    platform::Platform,
    reserve::Reserve,
    retention::{self, RetentionParts},
    revisions::Revisions,
    runs::RunReader,
    sequencer::{Inbox, Message, Sequencer, SequencerParts},
    services::{self, ServiceSpec, ServicesCommand, ServicesParts, Views},
    timers,
};
use consort_artifacts::Artifacts;
use consort_invoke::Invoker;
use consort_runtime::{Exec, Observations, Runtime};
use consort_store::{LogReader, Reader, Store};
use consort_types::{Name, RunId, Timestamp};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicUsize, mpsc as std_mpsc},
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::{mpsc, oneshot, watch};

/// Units that wait for the committer at most: behind that the sequencer waits, and with it everybody else.
const UNITS_WAITING_MAX: usize = 1_024;

/// How long services have to end when the server ends, beyond their own grace.
const SHUTDOWN_MAX: Duration = Duration::from_secs(60);

/// What a node is made of.
pub struct Options {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Root of the files that secrets name; the project folder in `dev`.
    pub secrets_root: Option<PathBuf>,
    /// `http://ADDRESS` of this server, as services on this machine reach it.
    pub server_url: String,
    /// The store.
    pub store: Store,
    /// Where replicas live, and what is seen of them.
    pub runtime: Arc<dyn Runtime>,
    /// Where `exec` processes run.
    pub exec: Arc<dyn Exec>,
    /// What is seen of replicas.
    pub observations: Observations,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long a run is kept after its end.
    pub keep_runs: Duration,
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] consort_store::Error),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// A running node. Cheap to share behind an `Arc`.
pub struct Node {
    pub(crate) inbox: Inbox,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) reader: Arc<dyn Reader>,
    pub(crate) log_reader: Arc<dyn LogReader>,
    pub(crate) runs: Arc<RunReader>,
    pub(crate) gates: SharedGates,
    pub(crate) admissions: Arc<Admissions>,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) permits: Arc<Permits<Call>>,
    pub(crate) views: Views,
    pub(crate) platform: Arc<Platform>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) health: Arc<Health>,
    pub(crate) data_dir: PathBuf,
    pub(crate) artifacts: Artifacts,
    feed: Arc<Feed>,
    /// Events that were posted and are not acknowledged.
    pub(crate) events_waiting: AtomicUsize,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Node {
    /// Starts all loops and takes over the runs that were open. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// When the store refuses or a thread cannot be started.
    pub fn start(options: Options) -> Result<Arc<Self>, StartupError> {
        let Options {
            data_dir,
            secrets_root,
            server_url,
            store,
            runtime,
            exec,
            observations,
            clock,
            keep_runs,
        } = options;
        let Store { mut writer, reader, mut log_writer, log_reader } = store;
        let artifacts = Artifacts::at(&data_dir);
        let catalog = Arc::new(Catalog::load(reader.clone())?);
        let runs = Arc::new(RunReader::new(reader.clone(), artifacts.clone()));
        let (inbox, messages) = Inbox::new();
        let feed = Arc::new(Feed::default());
        let permits = Arc::new(Permits::default());
        let admissions = Arc::new(Admissions::new(permits.clone(), clock.clone()));
        let health = Arc::new(Health::default());
        let (log_sender, log_lines) = LogSender::new();
        let invoker = Invoker::new(exec);
        let dispatcher = Arc::new(Dispatcher::new(DispatcherParts {
            admissions: admissions.clone(),
            permits: permits.clone(),
            invoker: invoker.clone(),
            inbox: inbox.clone(),
            clock: clock.clone(),
            logs: log_sender.clone(),
            runtime: tokio::runtime::Handle::current(),
            server_url: server_url.clone(),
        }));
        let (timer_sender, timer_commands) = mpsc::unbounded_channel();
        task(timers::run(timer_commands, inbox.clone(), clock.clone()));
        let (unit_sender, units) = std_mpsc::sync_channel::<Unit>(UNITS_WAITING_MAX);
        let outlets = Outlets {
            dispatcher: dispatcher.clone(),
            timers: timer_sender,
            inbox: inbox.clone(),
            health: health.clone(),
            artifacts: artifacts.clone(),
        };
        let reserve = Reserve::take(data_dir.join("reserve"));
        let mut threads = Vec::new();
        threads.push(thread("committer", move || committer::run(&units, &mut *writer, reserve, &outlets))?);
        let log_feed = feed.clone();
        threads.push(thread("logs", move || logs::run(&log_lines, &mut *log_writer, &log_feed))?);
        let views = Views::default();
        let (lookups, lookups_to_do) = std_mpsc::channel();
        let (cache_reader, cache_inbox, cache_clock) = (reader.clone(), inbox.clone(), clock.clone());
        let look = move || cache::run(&lookups_to_do, &*cache_reader, &cache_inbox, &*cache_clock);
        threads.push(thread("cache", look)?);
        let sequencer = Sequencer::new(SequencerParts {
            committer: unit_sender.clone(),
            inbox: inbox.clone(),
            clock: clock.clone(),
            feed: feed.clone(),
            admissions: admissions.clone(),
            permits: permits.clone(),
            reader: runs.clone(),
            catalog: catalog.clone(),
        });
        let mut sequencer = sequencer.with_cache(lookups, views.clone());
        permits.restore(reader.budgets()?);
        for namespace in catalog.namespaces() {
            declare_pools(&dispatcher, &catalog, &namespace);
        }
        let gates = sequencer.gates().clone();
        recover(&mut sequencer, &*reader, &runs, &catalog, &unit_sender)?;
        drop(unit_sender);
        threads.push(thread("sequencer", move || sequencer.run(&messages))?);
        task(dispatcher.clone().watch_permits());
        let (changes, changed) = watch::channel(0);
        let (services, service_commands) = mpsc::unbounded_channel();
        let parts = ServicesParts {
            runtime,
            dispatcher: dispatcher.clone(),
            admissions: admissions.clone(),
            feed: feed.clone(),
            clock: clock.clone(),
            logs: log_sender.clone(),
            views: views.clone(),
            changes,
            inbox: inbox.clone(),
            services_dir: data_dir.join("services"),
            server_url,
        };
        task(services::run(parts, service_commands, observations));
        let platform = Arc::new(Platform {
            revisions: Revisions { catalog: catalog.clone(), reader: reader.clone(), secrets_root },
            services,
            views: views.clone(),
            changes: changed,
            inbox: inbox.clone(),
            clock: clock.clone(),
            invoker,
            data_dir: data_dir.clone(),
            applying: Arc::default(),
        });
        task(retention::run(RetentionParts {
            reader: reader.clone(),
            inbox: inbox.clone(),
            logs: log_sender,
            clock: clock.clone(),
            keep_runs,
        }));
        let node = Arc::new(Self {
            inbox,
            catalog,
            reader,
            log_reader,
            runs,
            gates,
            admissions,
            dispatcher,
            permits,
            views,
            platform,
            clock,
            health,
            data_dir,
            artifacts,
            feed,
            events_waiting: AtomicUsize::new(0),
            threads: Mutex::new(threads),
        });
        let mut taken_up = Vec::new();
        for namespace in node.catalog.namespaces() {
            let services = node.platform.revisions.restored(&namespace);
            let (taken, seen) = oneshot::channel();
            node.deploy(&namespace, services, Some(taken));
            taken_up.push(seen);
        }
        // Acts of steps that a dead server left wait until there is something to act on.
        let (platform, dispatcher) = (node.platform.clone(), node.dispatcher.clone());
        tokio::spawn(async move {
            for seen in taken_up {
                let _ = seen.await;
            }
            dispatcher.set_platform(platform);
        });
        Ok(node)
    }

    /// The time, as this node has it.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Where everything is kept.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// What has just been committed, for everybody who looks.
    pub fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// Whether starts must be refused because the disk is full.
    pub fn is_disk_full(&self) -> bool {
        self.health.is_full()
    }

    /// Applies a project, or tells what that would change. Once begun it goes on to its end, also when the
    /// caller drops the future: what is committed is deployed.
    ///
    /// # Errors
    /// When the project has problems, lacks a source, or the store refuses.
    pub async fn apply(
        self: &Arc<Self>,
        request: ApplyRequest,
        dry_run: DryRun,
    ) -> Result<Applied, ApplyError> {
        let node = self.clone();
        let whole = tokio::spawn(async move { node.apply_whole(request, dry_run).await });
        whole.await.map_err(|_| ApplyError::Ending)?
    }

    async fn apply_whole(
        self: Arc<Self>,
        request: ApplyRequest,
        dry_run: DryRun,
    ) -> Result<Applied, ApplyError> {
        let _one = self.platform.applying.lock().await;
        let node = self.clone();
        let planned = tokio::task::spawn_blocking(move || {
            apply::plan(request, &node.catalog, &*node.reader, node.clock.now())
        });
        let mut plan = planned.await.map_err(|_| ApplyError::Ending)??;
        if dry_run == DryRun::No {
            let namespace = plan.applied.namespace.clone();
            if plan.changes_anything() {
                apply::commit(&mut plan, &self.inbox).await?;
                self.catalog.set(namespace.clone(), plan.deployed);
                self.inbox.send(Message::Applied(namespace.clone()));
            }
            // Also when nothing changed: a setup that had failed is tried again.
            let (taken, seen) = oneshot::channel();
            self.deploy(&namespace, self.platform.revisions.newest(&namespace), Some(taken));
            let _ = seen.await;
        }
        Ok(plan.applied)
    }

    fn deploy(&self, namespace: &Name, services: Vec<ServiceSpec>, taken: Option<oneshot::Sender<()>>) {
        declare_pools(&self.dispatcher, &self.catalog, namespace);
        let namespace = namespace.clone();
        let _ = self.platform.services.send(ServicesCommand::Deploy { namespace, services, taken });
    }

    /// Ends in order: no new calls, replicas stopped, what was decided committed.
    pub async fn shutdown(&self) {
        self.dispatcher.close();
        self.health.end();
        let (reply, done) = oneshot::channel();
        if self.platform.services.send(ServicesCommand::Shutdown(reply)).is_ok() {
            let _ = tokio::time::timeout(SHUTDOWN_MAX, done).await;
        }
        self.inbox.send(Message::Stop);
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        // The log thread ends when the last sender is gone, which lives as long as the dispatcher; its lines
        // are not worth waiting for.
        let waited = threads.into_iter().filter(|thread| thread.thread().name() != Some("consort-logs"));
        let waited: Vec<_> = waited.collect();
        let _ = tokio::task::spawn_blocking(move || {
            waited.into_iter().for_each(|thread| drop(thread.join()));
        })
        .await;
    }
}

/// Whether an apply only tells what it would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRun {
    /// It changes things.
    No,
    /// It changes nothing.
    Yes,
}

fn declare_pools(dispatcher: &Arc<Dispatcher>, catalog: &Catalog, namespace: &Name) {
    if let Some(deployed) = catalog.deployed(namespace.as_str()) {
        dispatcher.set_pools(namespace, &deployed.project.pools);
    }
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StartupError> {
    let run = move || {
        let _guard = AbortOnPanic;
        run();
    };
    std::thread::Builder::new().name(format!("consort-{name}")).spawn(run).map_err(StartupError::Thread)
}

fn task(run: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async move {
        let _guard = AbortOnPanic;
        run.await;
    });
}

/// A loop that panicked would leave a server that answers and does nothing. It ends instead: a restart goes on
/// from what was committed.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("a loop of the server panicked; the server ends");
            std::process::abort();
        }
    }
}

/// Takes over the runs that were open when the last server ended: the same loop goes on with them.
fn recover(
    sequencer: &mut Sequencer,
    reader: &dyn Reader,
    runs: &RunReader,
    catalog: &Catalog,
    units: &std_mpsc::SyncSender<Unit>,
) -> Result<(), StartupError> {
    sequencer.number_events_after(reader.newest_event()?);
    // All of them before the first call goes out: what is in flight holds its permits again.
    let mut pending = Vec::new();
    for namespace in catalog.namespaces() {
        sequencer.take_limits(&namespace);
    }
    for open in reader.open_runs()? {
        match runs.load(open.run, catalog) {
            Ok(Some((run, next_seq))) => {
                pending.push(sequencer.adopt(&open, run, next_seq));
                fail_points::reached(FailPoint::Recovering);
            }
            // One run that cannot be read must not keep the others from going on.
            Ok(None) => report(open.run, "its history is gone"),
            Err(error) => report(open.run, &error.to_string()),
        }
    }
    for after in pending {
        let _ = units.send(Unit::of(Vec::new(), after));
    }
    Ok(())
}

fn report(run: RunId, why: &str) {
    tracing::error!(%run, why, "an open run cannot go on");
}
