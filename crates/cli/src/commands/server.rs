//! `consort server`: run the server.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
    serve::{Announce, Durability, ServeOptions, serve},
};
use clap::Args;
use consort_types::parse_duration;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Where the server keeps its data when nothing is said: a folder that is seen, in the working directory.
pub const DATA_DEFAULT: &str = "consort-data";

/// Where a server listens when nothing is said: on loopback, at Consort's port.
pub const LISTEN_DEFAULT: &str = "127.0.0.1:7878";

const EXAMPLES: &str = "\
Examples:
  consort server
  consort server --data /var/lib/consort --listen 127.0.0.1:7878";

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Server {
    /// Folder of the store, the artifacts, the revisions and the logs
    #[arg(long, value_name = "DIR", default_value = DATA_DEFAULT)]
    data: PathBuf,
    /// How it listens and what it promises.
    #[command(flatten)]
    options: ListenArgs,
}

/// How a server listens and what it promises; `consort dev` takes the same.
#[derive(Debug, Args)]
pub struct ListenArgs {
    /// Address to listen on; any that is not loopback is refused until keys exist
    #[arg(long, value_name = "ADDR", default_value = LISTEN_DEFAULT)]
    pub listen: SocketAddr,
    /// What an acknowledged commit survives
    #[arg(long, value_enum, default_value_t = Durability::Full)]
    durability: Durability,
    /// Listen on an address that others reach, without keys
    #[arg(long)]
    allow_unauthenticated: bool,
    /// How long a run is kept after its end
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "30d")]
    keep_runs: Duration,
    /// Folder outside of a project that `files:` triggers may watch
    #[arg(long = "watch-root", value_name = "DIR")]
    watch_roots: Vec<PathBuf>,
}

impl ListenArgs {
    /// The options of a server that keeps its data in `data`.
    pub fn with_data(&self, data: PathBuf) -> ServeOptions {
        ServeOptions {
            data,
            listen: self.listen,
            durability: self.durability,
            allow_unauthenticated: self.allow_unauthenticated,
            secrets_root: None,
            announce: Announce::Yes,
            keep_runs: self.keep_runs,
            watch_roots: self.watch_roots.clone(),
        }
    }
}

impl Server {
    /// Runs the command until the server is told to stop.
    ///
    /// # Errors
    /// When it cannot start.
    pub async fn run(&self, _context: &Context) -> Outcome {
        serve(self.options.with_data(self.data.clone())).await?;
        Ok(Exit::Done)
    }
}
