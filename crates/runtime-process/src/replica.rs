//! The life of one replica, from its command to its exit.

use crate::{
    environment,
    health::{self, Change, Subject},
    logs::{self, LogFile},
    process::{End, Launch, Process, Stdin},
    runtime::Place,
};
use consort_runtime::{Error, Exit, ExitReason, LogStream, Masker, Observation, ReplicaSpec};
use consort_types::format_duration;
use std::{fs, future::pending, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

/// How often a replica is started again because its port was taken before it could listen.
const PORT_TRIES_MAX: u32 = 3;

/// How long its last lines may take to reach the file once all its processes have ended.
const LAST_LINES_TIMEOUT: Duration = Duration::from_secs(2);

/// What is wanted of a replica; it only ever rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wanted {
    Run,
    Stop,
    Kill,
}

/// Lives through a replica and reports what happens to it, its exit last.
pub(crate) async fn live(place: Arc<Place>, spec: ReplicaSpec, mut wanted: watch::Receiver<Wanted>) {
    let mut tries = 1;
    let exit = loop {
        match once(&place, &spec, &mut wanted).await {
            Ok(Life { port_lost: true, exit }) if tries < PORT_TRIES_MAX => {
                tracing::info!(replica = %spec.replica, "{}; its port was taken, trying another", exit.message);
                tries += 1;
            }
            Ok(Life { exit, .. }) => break exit,
            Err(error) => break not_started(&error),
        }
    };
    place.see(Observation::Exited { replica: spec.replica.clone(), exit }).await;
    place.forget(&spec.replica);
}

struct Life {
    exit: Exit,
    port_lost: bool,
}

async fn once(
    place: &Place,
    spec: &ReplicaSpec,
    wanted: &mut watch::Receiver<Wanted>,
) -> Result<Life, Error> {
    let port = place.ports.take().map_err(|error| Error::NotStarted {
        command: spec.command.to_string(),
        problem: error.to_string(),
    })?;
    fs::create_dir_all(&spec.data_dir).map_err(|error| Error::io("cannot make", &spec.data_dir, error))?;
    let environment = environment::of_replica(spec, port.number);
    let argv = spec.command.argv();
    let launch = Launch {
        shim: &place.config.shim,
        argv: &argv,
        dir: &spec.dir,
        environment: &environment,
        stdin: Stdin::Nothing,
    };
    let mut process = Process::start(launch).await?;
    let began = Instant::now();
    let mut log = keep_log(place, spec, &mut process);
    let replica = || spec.replica.clone();
    let address = port.address();
    place.see(Observation::Started { replica: replica(), address, pid: Some(process.pid) }).await;
    let subject = Subject { address, shim: place.config.shim.clone(), dir: spec.dir.clone(), environment };
    let mut life = Supervision { place, spec, process, was_ready: false, stop: Stop::No };
    let (end, reason) = life.supervise(subject, wanted).await;
    // The tree is dead, so the pipes end and with them the drains; if not, somebody escaped us.
    let _ = timeout(LAST_LINES_TIMEOUT, async { while log.join_next().await.is_some() {} }).await;
    let ran_for = began.elapsed();
    // Somebody else listens where it should have.
    let port_lost = reason == ExitReason::Ended && !life.was_ready && port.is_in_use();
    Ok(Life { exit: exit(end, reason, ran_for), port_lost })
}

fn keep_log(place: &Place, spec: &ReplicaSpec, process: &mut Process) -> JoinSet<()> {
    let masker = Arc::new(Masker::new(spec.secrets.iter().map(|(_, value)| value.as_str())));
    let (to, from) = logs::channel();
    let mut tasks = JoinSet::new();
    if let Some(pipe) = process.stdout.take() {
        let (masker, to) = (Arc::clone(&masker), to.clone());
        tasks.spawn(logs::drain(pipe, LogStream::Stdout, spec.replica.clone(), masker, to));
    }
    if let Some(pipe) = process.stderr.take() {
        tasks.spawn(logs::drain(pipe, LogStream::Stderr, spec.replica.clone(), masker, to));
    }
    let limits = place.config.log_limits;
    let file = LogFile::new(&place.config.logs_dir(), spec.service.as_str(), &spec.replica, limits);
    tasks.spawn(logs::write(from, file, place.logs.clone()));
    tasks
}

/// How far the end of a replica has been asked for.
#[derive(Clone, Copy)]
enum Stop {
    No,
    Asked { kill_at: Instant },
    Killed,
}

struct Supervision<'a> {
    place: &'a Place,
    spec: &'a ReplicaSpec,
    process: Process,
    was_ready: bool,
    stop: Stop,
}

impl Supervision<'_> {
    async fn supervise(
        &mut self,
        subject: Subject,
        wanted: &mut watch::Receiver<Wanted>,
    ) -> (End, ExitReason) {
        let (changed, mut changes) = mpsc::channel(1);
        let mut health = JoinSet::new();
        health.spawn(health::watch(self.spec.health.clone(), subject, changed));
        loop {
            let stop = self.stop;
            let grace_over = async move {
                match stop {
                    Stop::Asked { kill_at } => sleep_until(kill_at).await,
                    Stop::No | Stop::Killed => pending().await,
                }
            };
            tokio::select! {
                end = self.process.wait() => return (end, self.reason()),
                Ok(()) = wanted.changed() => {
                    let wanted = *wanted.borrow_and_update();
                    self.obey(wanted).await;
                }
                () = grace_over => self.obey(Wanted::Kill).await,
                Some(change) = changes.recv(), if matches!(stop, Stop::No) => self.report(change).await,
            }
        }
    }

    async fn obey(&mut self, wanted: Wanted) {
        match (wanted, self.stop) {
            (Wanted::Stop, Stop::No) => {
                self.process.terminate().await;
                self.stop = Stop::Asked { kill_at: Instant::now() + self.spec.stop_grace };
            }
            (Wanted::Kill, Stop::No | Stop::Asked { .. }) => {
                self.process.kill().await;
                self.stop = Stop::Killed;
            }
            (Wanted::Run, _)
            | (Wanted::Stop, Stop::Asked { .. })
            | (Wanted::Stop | Wanted::Kill, Stop::Killed) => {}
        }
    }

    async fn report(&mut self, change: Change) {
        let replica = self.spec.replica.clone();
        match change {
            Change::Ready => {
                self.was_ready = true;
                self.place.see(Observation::Ready { replica }).await;
            }
            Change::Unready(reason) => self.place.see(Observation::Unready { replica, reason }).await,
        }
    }

    fn reason(&self) -> ExitReason {
        match self.stop {
            Stop::No => ExitReason::Ended,
            Stop::Asked { .. } => ExitReason::Stopped,
            Stop::Killed => ExitReason::Killed,
        }
    }
}

fn exit(end: End, reason: ExitReason, ran_for: Duration) -> Exit {
    let after = format_duration(ran_for);
    let how = match (end.code, end.signal) {
        (Some(127), _) => "exited with 127 (a command was not found)".to_owned(),
        (Some(code), _) => format!("exited with {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended in a way that nobody saw".to_owned(),
    };
    let message = match reason {
        ExitReason::Stopped => format!("stopped after {after}: {how}"),
        ExitReason::Killed => format!("killed after {after}"),
        ExitReason::Ended | ExitReason::NotStarted => format!("{how} after {after}"),
    };
    Exit { reason, code: end.code, signal: end.signal, message, ran_for }
}

fn not_started(error: &Error) -> Exit {
    Exit {
        reason: ExitReason::NotStarted,
        code: None,
        signal: None,
        message: error.to_string(),
        ran_for: Duration::ZERO,
    }
}
