//! `consort artifacts get`.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
    failure::Failure,
};
use clap::Args;
use consort_client::{Client, Error};
use consort_types::Digest;
use std::path::{Path, PathBuf};
use tokio::{fs, io::stdout};

/// The arguments.
#[derive(Debug, Args)]
pub struct Get {
    /// The digest, `sha256:…`
    digest: Digest,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Get {
    /// Runs the command.
    ///
    /// # Errors
    /// When there are no such bytes, or they cannot be written.
    pub async fn run(&self, context: &Context) -> Outcome {
        let client = context.client()?;
        match &self.output {
            Some(path) => to_file(&client, self.digest, path).await?,
            None => {
                client.download(self.digest, &mut stdout()).await?;
            }
        }
        Ok(Exit::Done)
    }
}

/// Beside the file first, so that a broken download never looks like the whole.
async fn to_file(client: &Client, digest: Digest, path: &Path) -> Result<(), Failure> {
    let failed = |source| Failure::from(Error::File { path: path.to_owned(), source });
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let mut file = fs::File::create(&part).await.map_err(failed)?;
    let downloaded = client.download(digest, &mut file).await;
    if let Err(error) = downloaded {
        let _ = fs::remove_file(&part).await;
        return Err(error.into());
    }
    fs::rename(&part, path).await.map_err(failed)
}
