//! What every command needs: the server, the namespace, the screen.

use crate::{args::Global, failure::Failure, project, show::Screen};
use consort_client::Client;
use consort_types::{Name, NameKind, RunId};
use std::path::Path;

/// A longer name of a user is not sent: the server takes so many bytes.
const USER_BYTES_MAX: usize = 100;

/// What every command needs.
#[derive(Debug)]
pub struct Context {
    global: Global,
    /// Where the words go.
    pub screen: Screen,
}

impl Context {
    /// Takes the options that every command has.
    pub const fn new(global: Global, screen: Screen) -> Self {
        Self { global, screen }
    }

    /// A client that sees the namespace of `-n`, else of the project file in this folder, else none: then the
    /// server takes its only one, or refuses and names them.
    ///
    /// # Errors
    /// When `--server` or `-n` cannot be.
    pub fn client(&self) -> Result<Client, Failure> {
        let namespace = match &self.global.namespace {
            Some(text) => Some(namespace(text)?),
            None => project::namespace_in(Path::new(".")),
        };
        Ok(Client::new(&self.global.server)?.in_namespace(namespace).acting_as(user()))
    }
}

/// Who sits at the terminal, as far as the environment says.
fn user() -> Option<String> {
    let names = ["USER", "LOGNAME"].into_iter().filter_map(|name| std::env::var(name).ok());
    { names }.find(|name| !name.is_empty() && name.len() <= USER_BYTES_MAX)
}

fn namespace(text: &str) -> Result<String, Failure> {
    match Name::new(text, NameKind::Kebab) {
        Ok(name) => Ok(name.as_str().to_owned()),
        Err(error) => Err(Failure::usage(format!("-n: {error}"))),
    }
}

/// Reads the id of a run as users give it.
///
/// # Errors
/// When it is none.
pub fn run_id(text: &str) -> Result<RunId, Failure> {
    text.parse().map_err(|error| Failure::usage(format!("{error}")).hint("`consort runs list` shows the ids"))
}
