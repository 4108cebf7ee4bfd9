//! `consort backup`: copy a data folder, also while its server runs.

use crate::{
    backup,
    context::Context,
    exit::{Exit, Outcome},
};
use clap::Args;
use consort_types::format_bytes;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  consort backup /backups/consort-2026-12-01
  consort backup --data /var/lib/consort /backups/tonight
  consort backup --verify /backups/tonight

The server may go on. Files that services keep in CONSORT_DATA are copied as they are read: a
database among them is whole for sure only if its service was stopped.";

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Backup {
    /// New folder that becomes the backup
    to: PathBuf,
    /// Data folder of the server
    #[arg(long, value_name = "DIR", default_value = super::server::DATA_DEFAULT)]
    data: PathBuf,
    /// Copy nothing: read the backup through and compare it with its manifest
    #[arg(long, conflicts_with = "data")]
    verify: bool,
}

impl Backup {
    /// Runs the command.
    ///
    /// # Errors
    /// When the folder holds no store, the backup cannot be written, or what is verified is not whole.
    pub fn run(&self, context: &Context) -> Outcome {
        let copied =
            if self.verify { backup::verify(&self.to)? } else { backup::make(&self.data, &self.to)? };
        let what = if self.verify { "verified" } else { "backed up" };
        let (files, bytes) = (copied.files, format_bytes(copied.bytes));
        context.screen.line(&format!("{what} {files} files, {bytes}: {}", self.to.display()))?;
        Ok(Exit::Done)
    }
}
