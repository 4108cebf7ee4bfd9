//! `consort doctor`: what is wrong with a data folder, what can be saved, what to do.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
    failure::Failure,
};
use clap::Args;
use consort_store_sqlite::{FileReport, Health, Inspection, inspect};
use consort_types::format_bytes;
use serde_json::{Value, json};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  consort doctor
  consort doctor --data /var/lib/consort --json

Reads every page of the store and changes nothing; a server may run meanwhile. Exit code 1 when
something is wrong.";

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    /// Data folder of the server
    #[arg(long, value_name = "DIR", default_value = super::server::DATA_DEFAULT)]
    data: PathBuf,
    /// Print `{in_use, open_runs, files: [{name, bytes, log_bytes, health, complaints, tables}]}`
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such folder, or something is wrong with it.
    pub fn run(&self, context: &Context) -> Outcome {
        if !self.data.is_dir() {
            let message = format!("{} is no folder", self.data.display());
            return Err(Failure::new(Exit::NotFound, message).hint("name the server's folder with --data"));
        }
        let found = inspect(&self.data);
        if self.json {
            context.screen.json(&as_json(&found))?;
        } else {
            for line in in_words(&found) {
                context.screen.line(&line)?;
            }
        }
        let is_whole = |file: &FileReport| matches!(file.health, Health::Whole { .. });
        if found.files.iter().all(is_whole) {
            return Ok(Exit::Done);
        }
        let failure = Failure::new(Exit::Failed, format!("{} is not in order", self.data.display()));
        Err(failure.hint(advice(&found)))
    }
}

fn in_words(found: &Inspection) -> Vec<String> {
    let mut lines = vec![match found.in_use_by {
        Some(Some(process)) => format!("in use by a server (process {process})"),
        Some(None) => "in use by a server".to_owned(),
        None => "no server has it".to_owned(),
    }];
    for file in &found.files {
        let (bytes, log) = (format_bytes(file.bytes.0), format_bytes(file.bytes.1));
        lines.push(format!("{}: {} ({bytes}, write-ahead log {log})", file.name, health(&file.health).1));
        if let Health::Damaged { complaints } = &file.health {
            lines.extend(complaints.iter().flat_map(|all| all.lines()).map(|line| format!("  {line}")));
        }
        lines.extend(file.tables.iter().map(|table| {
            let rows = table.readable_rows;
            let end = if table.is_whole { "whole" } else { "damaged" };
            format!("  table {}: {rows} rows can be read, {end}", table.name)
        }));
    }
    lines.extend(found.open_runs.map(|runs| format!("open runs: {runs}")));
    lines
}

/// What a file is, as a word for programs and as words for people.
fn health(health: &Health) -> (&'static str, String) {
    match health {
        Health::Whole { format, known } if format < known => {
            ("whole", format!("whole, format {format}; the next server brings it to {known}"))
        }
        Health::Whole { format, .. } => ("whole", format!("whole, format {format}")),
        Health::Missing => ("missing", "is not there".to_owned()),
        Health::Newer { format, known } => {
            ("newer", format!("has format {format}, this program knows up to {known}"))
        }
        Health::Damaged { .. } => ("damaged", "damaged".to_owned()),
    }
}

fn as_json(found: &Inspection) -> Value {
    let files = found.files.iter().map(|file| {
        let complaints = match &file.health {
            Health::Damaged { complaints } => complaints.clone(),
            _ => Vec::new(),
        };
        let tables = file.tables.iter().map(
            |table| json!({ "name": table.name, "readable_rows": table.readable_rows, "whole": table.is_whole }),
        );
        json!({
            "name": file.name,
            "bytes": file.bytes.0,
            "log_bytes": file.bytes.1,
            "health": health(&file.health).0,
            "complaints": complaints,
            "tables": tables.collect::<Vec<_>>(),
        })
    });
    json!({
        "in_use": found.in_use_by.is_some(),
        "process": found.in_use_by.flatten(),
        "open_runs": found.open_runs,
        "files": files.collect::<Vec<_>>(),
    })
}

fn advice(found: &Inspection) -> &'static str {
    let any = |is: fn(&Health) -> bool| found.files.iter().any(|file| is(&file.health));
    if any(|health| matches!(health, Health::Damaged { .. })) {
        "keep a copy of the folder as it is, then `consort restore` the newest backup into a new one"
    } else if any(|health| matches!(health, Health::Newer { .. })) {
        "use a consort at least as new as the one that wrote it"
    } else {
        "a server makes what is missing; if there was a store here, restore a backup"
    }
}
