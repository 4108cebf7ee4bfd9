//! Starting a server inside this process: the one place where the command line meets the node.

use crate::{exit::Exit, failure::Failure};
use consort_api::ApiOptions;
use consort_artifacts::Artifacts;
use consort_node::{Node, Options, SystemClock};
use consort_runtime_process::{Config, ProcessRuntime};
use consort_store::{Error, Store};
use std::{
    io::IsTerminal,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;

/// How a server runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    /// Folder of the store, the artifacts, the revisions and the logs.
    pub data: PathBuf,
    /// Where it listens.
    pub listen: SocketAddr,
    /// What an acknowledged commit survives.
    pub durability: Durability,
    /// Goes on without keys on an address that others reach.
    pub allow_unauthenticated: bool,
    /// Where secrets that are files are read; the project's folder in `dev`.
    pub secrets_root: Option<PathBuf>,
    /// Whether the address is told on stderr once it listens.
    pub announce: Announce,
    /// How long a run is kept after its end.
    pub keep_runs: Duration,
    /// Folders outside of a project that `files:` triggers may watch.
    pub watch_roots: Vec<PathBuf>,
}

/// Whether a server tells where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announce {
    /// On stderr.
    Yes,
    /// Its caller does.
    No,
}

/// What an acknowledged commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Durability {
    /// Power loss: every commit is fsynced before it is acknowledged
    Full,
    /// The end of the process, not of the machine: faster, the last commits may be lost with the power
    Relaxed,
}

/// Runs a server until it is told to stop (SIGINT, SIGTERM), and stops it in order.
///
/// # Errors
/// When it cannot start: the port is in use, the folder cannot be written, another server holds it.
pub async fn serve(options: ServeOptions) -> Result<(), Failure> {
    refuse_the_open_world(&options)?;
    log_to_stderr();
    // The folder first: who holds it may also hold the port, and is the better thing to hear of.
    let store = open_store(&options)?;
    let listener =
        TcpListener::bind(options.listen).await.map_err(|error| not_bound(options.listen, &error))?;
    let address = listener.local_addr().map_err(|error| not_bound(options.listen, &error))?;
    let server_url = format!("http://{address}");
    let artifacts = Artifacts::open(&options.data).await.map_err(|error| unusable(&options.data, &error))?;
    let config = Config::new(&options.data);
    let (runtime, observations) =
        ProcessRuntime::new(config).map_err(|error| unusable(&options.data, &error))?;
    let sources = runtime.sources().clone();
    let runtime = Arc::new(runtime);
    let node = Node::start(Options {
        data_dir: options.data.clone(),
        secrets_root: options.secrets_root.clone(),
        server_url: server_url.clone(),
        store,
        runtime: runtime.clone(),
        exec: runtime,
        observations,
        clock: Arc::new(SystemClock),
        keep_runs: options.keep_runs,
    })
    .map_err(|error| unusable(&options.data, &error))?;
    let router = consort_api::router(ApiOptions {
        node: node.clone(),
        artifacts: Arc::new(artifacts),
        sources,
        local_address: address,
        version: env!("CARGO_PKG_VERSION"),
    });
    if options.announce == Announce::Yes {
        note(&format!("consort is at {server_url} (data in {})", options.data.display()));
    }
    let served = consort_api::serve(listener, router, told_to_stop()).await;
    node.shutdown().await;
    served.map_err(|error| Failure::new(Exit::Failed, format!("the server ended: {error}")))
}

/// Other machines are let in only where somebody is asked who they are, or the user says that nobody is.
fn refuse_the_open_world(options: &ServeOptions) -> Result<(), Failure> {
    if options.listen.ip().is_loopback() {
        return Ok(());
    }
    if options.allow_unauthenticated {
        note(&format!("warning: {} can be reached by others, and nobody is asked for a key", options.listen));
        return Ok(());
    }
    let message = format!("{} can be reached by others, and there are no keys yet", options.listen);
    Err(Failure::usage(message).hint("listen on 127.0.0.1, or say --allow-unauthenticated if you mean it"))
}

#[expect(clippy::print_stderr, reason = "what the command line says before anything is shown")]
fn note(text: &str) {
    eprintln!("{text}");
}

fn open_store(options: &ServeOptions) -> Result<Store, Failure> {
    let durability = match options.durability {
        Durability::Full => consort_store_sqlite::Durability::Full,
        Durability::Relaxed => consort_store_sqlite::Durability::Relaxed,
    };
    let store = consort_store_sqlite::open(&options.data, consort_store_sqlite::Options { durability });
    store.map_err(|error| {
        let failure = unusable(&options.data, &error);
        match error {
            Error::Locked { .. } => failure.hint("stop that server, or name another folder with --data"),
            Error::NotWritable { .. } => failure.hint("name a folder that you may write with --data"),
            _ => failure,
        }
    })
}

fn not_bound(listen: SocketAddr, error: &std::io::Error) -> Failure {
    let failure = Failure::usage(format!("cannot listen on {listen}: {error}"));
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            failure.hint("another program listens there: stop it, or name another port with --listen")
        }
        _ => failure,
    }
}

fn unusable(data: &Path, error: &dyn std::error::Error) -> Failure {
    Failure::usage(format!("cannot use the data folder {}: {error}", data.display()))
}

/// What goes wrong on the way is told on stderr; `CONSORT_LOG` (`error`, `warn`, `info`, `debug`) says how much.
fn log_to_stderr() {
    let level = std::env::var("CONSORT_LOG").ok().and_then(|level| level.parse().ok());
    let level = level.unwrap_or(tracing::level_filters::LevelFilter::WARN);
    // A second server in one process (tests) keeps the first one's.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .try_init();
}

async fn told_to_stop() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signals) => _ = signals.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
