//! Starting a server inside this process: the one place where the command line meets the node.

use crate::{exit::Exit, failure::Failure};
use std::{net::SocketAddr, path::PathBuf};

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
    /// Folders outside of a project that `files:` triggers may watch.
    pub watch_roots: Vec<PathBuf>,
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
    // To be filled in: start consort-node and consort-api with `options`.
    let message = format!("this build has no server yet (it would listen on {})", options.listen);
    Err(Failure::new(Exit::Failed, message))
}
