//! `consort completions`: completions for a shell.

use crate::{
    args::Cli,
    context::Context,
    exit::{Exit, Outcome},
};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  consort completions bash > ~/.local/share/bash-completion/completions/consort
  consort completions zsh > \"${fpath[1]}/_consort\"";

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Runs the command.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn run(&self, context: &Context) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "consort", &mut script);
        context.screen.text(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}
