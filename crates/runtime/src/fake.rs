//! A runtime in memory: replicas that start, answer, fail and end as a test says.

use crate::{
    BoxFuture, Error, Exit, ExitReason, LogLine, LogStream, Observation, Observations, ReplicaId,
    ReplicaSpec, RevisionSpec, Runtime,
};
use consort_types::{Name, Timestamp};
use std::{
    collections::BTreeMap,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, mpsc};

/// How many observations wait for the reader before the fake waits for it.
const QUEUE_MAX: usize = 1024;

/// How many replicas live at once: a bound as a real runtime has one.
const REPLICAS_MAX: usize = 1000;

/// The discard port, where no test listens.
const NOBODYS_PORT: u16 = 9;

/// What the replicas of a service do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FakeBehaviour {
    /// Ready at once, answering at this address (a server of the test, or nobody).
    Serve(SocketAddr),
    /// Lives, but never gets ready.
    Silent,
    /// Cannot be started, for this reason.
    NotStarted(String),
    /// Ends with this code as soon as it was started.
    Exit(i32),
    /// Serves, and does not end when it is asked to: only its grace ends it.
    Stubborn(SocketAddr),
}

/// A [`Runtime`] in memory. Services serve at a port where nobody listens unless [`FakeRuntime::behave`]
/// says otherwise.
pub struct FakeRuntime {
    state: Mutex<State>,
    ended: Notify,
    observations: mpsc::Sender<Observation>,
    logs: mpsc::Sender<LogLine>,
    this: std::sync::Weak<Self>,
}

#[derive(Default)]
struct State {
    behaviours: BTreeMap<Name, FakeBehaviour>,
    setups: BTreeMap<Name, String>,
    prepared: Vec<(Name, String)>,
    replicas: BTreeMap<ReplicaId, mpsc::UnboundedSender<Order>>,
    shut: bool,
}

enum Order {
    Stop,
    Kill,
    Crash(i32),
    Unready(String),
    Ready,
}

impl FakeRuntime {
    /// An empty place, and what will be seen of it.
    pub fn new() -> (Arc<Self>, Observations) {
        let (observations, seen) = mpsc::channel(QUEUE_MAX);
        let (logs, lines) = mpsc::channel(QUEUE_MAX);
        let fake = Arc::new_cyclic(|this| Self {
            state: Mutex::default(),
            ended: Notify::new(),
            observations,
            logs,
            this: this.clone(),
        });
        (fake, Observations { observations: seen, logs: lines })
    }

    /// Says what replicas of a service that start from now on do.
    pub fn behave(&self, service: &Name, behaviour: FakeBehaviour) {
        self.state().behaviours.insert(service.clone(), behaviour);
    }

    /// Lets the setup of a service fail with this output.
    pub fn fail_setup(&self, service: &Name, output: &str) {
        self.state().setups.insert(service.clone(), output.to_owned());
    }

    /// The revisions that were prepared, in order.
    pub fn prepared(&self) -> Vec<(Name, String)> {
        self.state().prepared.clone()
    }

    /// The replicas that live, in order.
    pub fn live(&self) -> Vec<ReplicaId> {
        self.state().replicas.keys().cloned().collect()
    }

    /// Lets a replica end by itself with this code.
    pub fn crash(&self, replica: &ReplicaId, code: i32) {
        self.order(replica, Order::Crash(code));
    }

    /// Lets a replica fail its health checks.
    pub fn sicken(&self, replica: &ReplicaId, reason: &str) {
        self.order(replica, Order::Unready(reason.to_owned()));
    }

    /// Lets a replica pass its health checks again.
    pub fn recover(&self, replica: &ReplicaId) {
        self.order(replica, Order::Ready);
    }

    /// Lets a replica write a line; left out when the reader is slow, as a real runtime does.
    pub fn log(&self, replica: &ReplicaId, stream: LogStream, at: Timestamp, line: &str) {
        let line = LogLine { replica: replica.clone(), stream, at, line: line.to_owned(), skipped: 0 };
        let _ = self.logs.try_send(line);
    }

    fn order(&self, replica: &ReplicaId, order: Order) {
        if let Some(orders) = self.state().replicas.get(replica) {
            let _ = orders.send(order);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn live_through(
        self: Arc<Self>,
        spec: ReplicaSpec,
        behaviour: FakeBehaviour,
        orders: mpsc::UnboundedReceiver<Order>,
    ) {
        let began = tokio::time::Instant::now();
        let mut exit = self.until_exit(&spec, behaviour, orders).await;
        if exit.reason != ExitReason::NotStarted {
            exit.ran_for = began.elapsed();
        }
        self.see(Observation::Exited { replica: spec.replica.clone(), exit }).await;
        self.state().replicas.remove(&spec.replica);
        self.ended.notify_waiters();
    }

    async fn until_exit(
        &self,
        spec: &ReplicaSpec,
        behaviour: FakeBehaviour,
        mut orders: mpsc::UnboundedReceiver<Order>,
    ) -> Exit {
        let replica = || spec.replica.clone();
        let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, NOBODYS_PORT));
        let (address, ready) = match behaviour {
            FakeBehaviour::NotStarted(why) => return exit(ExitReason::NotStarted, None, None, why),
            FakeBehaviour::Serve(address) | FakeBehaviour::Stubborn(address) => (address, true),
            FakeBehaviour::Silent | FakeBehaviour::Exit(_) => (nobody, false),
        };
        self.see(Observation::Started { replica: replica(), address, pid: None }).await;
        if let FakeBehaviour::Exit(code) = behaviour {
            return exit(ExitReason::Ended, Some(code), None, format!("exited with {code}"));
        }
        if ready {
            self.see(Observation::Ready { replica: replica() }).await;
        }
        let stubborn = matches!(behaviour, FakeBehaviour::Stubborn(_));
        while let Some(order) = orders.recv().await {
            match order {
                Order::Ready => self.see(Observation::Ready { replica: replica() }).await,
                Order::Unready(reason) => self.see(Observation::Unready { replica: replica(), reason }).await,
                Order::Crash(code) => {
                    return exit(ExitReason::Ended, Some(code), None, format!("exited with {code}"));
                }
                Order::Stop if stubborn => {
                    let kill = async { while !matches!(orders.recv().await, Some(Order::Kill) | None) {} };
                    let _ = tokio::time::timeout(spec.stop_grace, kill).await;
                    return killed();
                }
                Order::Stop => return exit(ExitReason::Stopped, Some(0), None, "stopped".to_owned()),
                Order::Kill => return killed(),
            }
        }
        killed()
    }

    /// Waits while the reader is slow; what happens after the reader has gone is nobody's business.
    async fn see(&self, observation: Observation) {
        let _ = self.observations.send(observation).await;
    }
}

fn exit(reason: ExitReason, code: Option<i32>, signal: Option<i32>, message: String) -> Exit {
    Exit { reason, code, signal, message, ran_for: Duration::ZERO }
}

fn killed() -> Exit {
    exit(ExitReason::Killed, None, Some(9), "killed".to_owned())
}

impl Runtime for FakeRuntime {
    fn prepare(&self, revision: RevisionSpec) -> BoxFuture<'_, Result<PathBuf, Error>> {
        let mut state = self.state();
        let result = match state.setups.get(&revision.service).cloned() {
            Some(output) => Err(Error::SetupFailed {
                service: revision.service.to_string(),
                command: revision.setup.first().cloned().unwrap_or_default(),
                status: "exited with 1".to_owned(),
                output,
            }),
            None => {
                let prepared = (revision.service.clone(), revision.revision.clone());
                if !state.prepared.contains(&prepared) {
                    state.prepared.push(prepared);
                }
                Ok(PathBuf::from(format!("{}/{}", revision.service, revision.revision)))
            }
        };
        Box::pin(std::future::ready(result))
    }

    fn start(&self, replica: ReplicaSpec) -> Result<(), Error> {
        let this = self.this.upgrade().ok_or(Error::ShuttingDown)?;
        let mut state = self.state();
        if state.shut {
            return Err(Error::ShuttingDown);
        }
        if state.replicas.contains_key(&replica.replica) {
            return Err(Error::AlreadyRunning(replica.replica));
        }
        if state.replicas.len() >= REPLICAS_MAX {
            return Err(Error::TooManyReplicas(REPLICAS_MAX));
        }
        let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, NOBODYS_PORT));
        let behaviour = state.behaviours.get(&replica.service).cloned();
        let (orders, received) = mpsc::unbounded_channel();
        state.replicas.insert(replica.replica.clone(), orders);
        tokio::spawn(this.live_through(replica, behaviour.unwrap_or(FakeBehaviour::Serve(nobody)), received));
        Ok(())
    }

    fn stop(&self, replica: &ReplicaId) {
        self.order(replica, Order::Stop);
    }

    fn kill(&self, replica: &ReplicaId) {
        self.order(replica, Order::Kill);
    }

    fn shutdown(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            {
                let mut state = self.state();
                state.shut = true;
                for orders in state.replicas.values() {
                    let _ = orders.send(Order::Stop);
                }
            }
            loop {
                let ended = self.ended.notified();
                tokio::pin!(ended);
                ended.as_mut().enable();
                if self.state().replicas.is_empty() {
                    return;
                }
                ended.await;
            }
        })
    }
}

impl fmt::Debug for FakeRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FakeRuntime({:?})", self.live())
    }
}
