//! The one binary, `consort`: what users type, and what they read.
//!
//! It may know the server only through `consort-client`; `consort server` and `consort dev` alone start one
//! inside this process. Nothing else in the workspace prints or reads the user's environment. Start reading
//! at `args` (the command tree), then `commands`, one file per command; `failure` and `exit` say how it ends.

mod args;
mod backup;
mod bench;
mod commands;
mod context;
mod exit;
mod failure;
mod follow;
mod input;
mod project;
mod serve;
mod show;

use args::{Cli, Command};
use clap::Parser;
use consort_runtime_process::{SHIM_ARG, shim_main};
use context::Context;
use exit::{Exit, Outcome};
use failure::Failure;
use show::Screen;
use std::{io::Write, process::ExitCode};

fn main() -> ExitCode {
    become_shim_if_asked();
    let outcome = echo_if_asked().unwrap_or_else(|| run(Cli::parse()));
    let exit = outcome.unwrap_or_else(|failure| report(&failure));
    ExitCode::from(exit as u8)
}

/// Called as `consort __replica …` by the process runtime, this program is the supervisor of one replica and
/// nothing else: before any thread, any argument of ours and any allocation of a runtime.
fn become_shim_if_asked() {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == SHIM_ARG) {
        shim_main(args)
    }
}

/// Called as `consort __echo FILE` by `consort bench`, this program is the service that is called.
fn echo_if_asked() -> Option<Outcome> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != bench::ECHO_ARG {
        return None;
    }
    let address = args.next()?;
    Some(within(async move { bench::run_echo(address.as_ref()).await.map(|()| Exit::Done) }))
}

fn run(cli: Cli) -> Outcome {
    within(dispatch(cli))
}

fn within(work: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::new(Exit::Failed, format!("no threads to run on: {error}")))?;
    let outcome = runtime.block_on(work);
    // A read of standard input that nobody waits for any more must not hold the program.
    runtime.shutdown_background();
    outcome
}

async fn dispatch(cli: Cli) -> Outcome {
    let context = Context::new(cli.global, Screen::detect());
    match cli.command {
        Command::Init(command) => command.run(&context),
        Command::Dev(command) => command.run(&context).await,
        Command::Server(command) => command.run(&context).await,
        Command::Check(command) => command.run(&context),
        Command::Apply(command) => command.run(&context).await,
        Command::Run(command) => command.run(&context).await,
        Command::Runs(command) => command.run(&context).await,
        Command::Incidents(command) => command.run(&context).await,
        Command::Events(command) => command.run(&context).await,
        Command::Services(command) => command.run(&context).await,
        Command::Pools(command) => command.run(&context).await,
        Command::Workflows(command) => command.run(&context).await,
        Command::Artifacts(command) => command.run(&context).await,
        Command::Backup(command) => command.run(&context),
        Command::Restore(command) => command.run(&context),
        Command::Bench(command) => command.run(&context).await,
        Command::Doctor(command) => command.run(&context),
        Command::Schema(command) => command.run(&context),
        Command::Completions(command) => command.run(&context),
    }
}

/// Every error message of the program is printed here.
fn report(failure: &Failure) -> Exit {
    let _ = std::io::stderr().write_all(failure.text().as_bytes());
    failure.exit
}
