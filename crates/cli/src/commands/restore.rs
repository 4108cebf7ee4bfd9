//! `consort restore`: make a data folder from a backup.

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
  consort restore /backups/tonight --data /var/lib/consort

Runs go on from where the backup was made. Calls that were made after it are made again: what took
effect in services since then is not undone by a restore.";

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Restore {
    /// Folder that `consort backup` made
    from: PathBuf,
    /// New data folder
    #[arg(long, value_name = "DIR", default_value = super::server::DATA_DEFAULT)]
    data: PathBuf,
}

impl Restore {
    /// Runs the command.
    ///
    /// # Errors
    /// When the backup is not whole, or the data folder holds something already.
    pub fn run(&self, context: &Context) -> Outcome {
        let copied = backup::restore(&self.from, &self.data)?;
        let (files, bytes) = (copied.files, format_bytes(copied.bytes));
        context.screen.line(&format!("restored {files} files, {bytes}: {}", self.data.display()))?;
        Ok(Exit::Done)
    }
}
