//! `consort check`: every mistake in a project file, without a server.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
    failure::Failure,
    project::{Checked, check, print_problems},
};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  consort check
  consort check examples/loan-application --json | jq '.problems[].message'

Warnings do not change the exit code.";

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Check {
    /// Folder of the project, or its consort.yaml
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Print `{problems: [{file, line, column, severity, code, message, hint?}]}`
    #[arg(long)]
    json: bool,
}

impl Check {
    /// Runs the command.
    ///
    /// # Errors
    /// When the folder cannot be read, or the file has errors.
    pub fn run(&self, context: &Context) -> Outcome {
        let checked = check(&self.path)?;
        if self.json {
            context.screen.json(&json!({"problems": checked.problems}))?;
            return Ok(if checked.errors() > 0 { Exit::Usage } else { Exit::Done });
        }
        print_problems(&checked, context.screen);
        let (errors, warnings) = (checked.errors(), checked.problems.len() - checked.errors());
        if errors > 0 {
            return Err(Failure::usage(format!("{} in {}", counted(errors, warnings), self.path.display())));
        }
        context.screen.line(&summary(&checked, warnings))?;
        Ok(Exit::Done)
    }
}

fn counted(errors: usize, warnings: usize) -> String {
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    match (errors, warnings) {
        (errors, 0) => plural(errors, "error"),
        (0, warnings) => plural(warnings, "warning"),
        (errors, warnings) => format!("{}, {}", plural(errors, "error"), plural(warnings, "warning")),
    }
}

fn summary(checked: &Checked, warnings: usize) -> String {
    let Some(project) = &checked.project else { return "nothing to check".to_owned() };
    let mut text =
        format!("{} is fine: {}", project.name, contents(project.services.len(), project.workflows.len()));
    if warnings > 0 {
        text.push_str(&format!(", {}", counted(0, warnings)));
    }
    text
}

fn contents(services: usize, workflows: usize) -> String {
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    format!("{}, {}", plural(services, "service"), plural(workflows, "workflow"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_words() {
        for (errors, warnings, text) in
            [(1, 0, "1 error"), (2, 0, "2 errors"), (2, 1, "2 errors, 1 warning"), (0, 2, "2 warnings")]
        {
            assert_eq!(counted(errors, warnings), text);
        }
        assert_eq!(contents(1, 2), "1 service, 2 workflows");
    }
}
