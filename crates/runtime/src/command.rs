//! What to run.

use std::fmt;

/// The command of a service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Command {
    /// A line for the shell, run as `/bin/sh -c 'exec LINE'`, so that the service itself gets the signals.
    Shell(String),
    /// A program and its arguments, as they are.
    Argv(Vec<String>),
}

impl Command {
    /// The program and its arguments; empty only for an empty `Argv`.
    pub fn argv(&self) -> Vec<String> {
        match self {
            Self::Shell(line) => vec!["/bin/sh".into(), "-c".into(), format!("exec {line}")],
            Self::Argv(argv) => argv.clone(),
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shell(line) => f.write_str(line),
            Self::Argv(argv) => f.write_str(&argv.join(" ")),
        }
    }
}
