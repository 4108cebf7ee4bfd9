//! What users type. Every name here is fixed by the contract.

use crate::commands;
use clap::{Args, Parser, Subcommand};

const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  the run failed, was cancelled or timed out; a rollout or a call failed
    2  bad file or usage
    3  no server
    4  not found
    5  not allowed
    6  refused by a limit
  124  the --wait time is over; the run goes on";

/// Runs your services, and workflows over them, from one file.
#[derive(Debug, Parser)]
#[command(name = "consort", version, after_help = EXIT_CODES, disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    /// The options that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The options that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Address of the server
    #[arg(
        long,
        global = true,
        env = "CONSORT_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:7878",
        hide_env_values = true
    )]
    pub server: String,
    /// Namespace; without it the one of the project file in this folder, else the server's only one
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a small project that runs at once
    Init(commands::init::Init),
    /// Run a project here: server, deploy, page, reload on save, logs of all services
    Dev(commands::dev::Dev),
    /// Run the server
    Server(commands::server::Server),
    /// Find every mistake in a project file, without a server
    Check(commands::check::Check),
    /// Make the server hold what the project file says
    Apply(commands::apply::Apply),
    /// Start a workflow and wait for its end
    Run(commands::run::RunCommand),
    /// Look at runs and act on them
    Runs(commands::runs::Runs),
    /// Look at what does not go on without a person
    Incidents(commands::incidents::Incidents),
    /// Look at services and act on them
    Services(commands::services::Services),
    /// Look at pools: how full, who holds permits, who waits
    Pools(commands::pools::Pools),
    /// Look at workflows
    Workflows(commands::workflows::Workflows),
    /// Send events and look at those that were accepted
    Events(commands::events::Events),
    /// Store and fetch immutable bytes
    Artifacts(commands::artifacts::Artifacts),
    /// Copy a data folder, also while its server runs
    Backup(commands::backup::Backup),
    /// Make a data folder from a backup
    Restore(commands::restore::Restore),
    /// Measure durable steps a second, latency and fan-out on this machine
    Bench(commands::bench::Bench),
    /// Say what is wrong with a data folder, and what can be saved
    Doctor(commands::doctor::Doctor),
    /// Print the JSON Schema of the project file, for completion in editors
    Schema(commands::schema::Schema),
    /// Print completions for a shell
    Completions(commands::completions::Completions),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_of_the_contract_is_there() {
        let tree = Cli::command();
        let names = |command: &clap::Command| {
            command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect::<Vec<_>>().join(" ")
        };
        let of = |name: &str| names(tree.find_subcommand(name).unwrap());
        assert_eq!(
            names(&tree),
            "init dev server check apply run runs incidents services pools workflows events artifacts backup restore bench doctor schema completions"
        );
        assert_eq!(
            of("runs"),
            "list show logs watch cancel pause resume retry skip complete rerun undo signal approve history"
        );
        assert_eq!(of("incidents"), "list show");
        assert_eq!(of("services"), "list show logs scale restart rollback revisions call");
        assert_eq!(of("workflows"), "list show graph");
        assert_eq!(of("events"), "send list");
        assert_eq!(of("artifacts"), "put get");
    }

    #[test]
    fn what_the_contract_shows_is_understood() {
        for line in [
            "consort run loan -i who=ann -i document=@a.pdf --wait=30s --json --key k --no-cache",
            "consort run loan --wait --input -",
            "consort run loan --wait -i a=1",
            "consort run loan --detach",
            "consort runs",
            "consort runs --json",
            "consort runs list --state failed --json",
            "consort runs rerun run_1 --from fields --clean",
            "consort runs approve run_1 decision.else -i approved=true",
            "consort runs approve run_1 -i approved=true",
            "consort runs skip run_1 a",
            "consort runs complete run_1 a --output {}",
            "consort pools",
            "consort pools --json",
            "consort pools add spend 5.5 --key ann",
            "consort services",
            "consort events send order.paid -d {} --source /s --subject x --id 1",
            "consort events list --json",
            "consort services --json --server http://x:1",
            "consort -n lending workflows show loan --json",
            "consort apply --dry-run",
            "consort apply . --no-wait",
            "consort check . --json",
            "consort bench",
            "consort bench steps fan-out --round 2s --rounds 5 --in-flight 800 --durability relaxed --json",
            "consort backup to",
            "consort backup --data d to",
            "consort backup --verify to",
            "consort restore from --data d",
            "consort doctor --data d --json",
            "consort server --data d --listen 127.0.0.1:0 --durability relaxed",
        ] {
            if let Err(error) = Cli::try_parse_from(line.split(' ')) {
                panic!("{line}: {error}");
            }
        }
        for line in
            ["consort run", "consort run loan --wait --detach", "consort runs show", "consort frobnicate"]
        {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
