//! `consort schema`: the JSON Schema of the project file.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
};
use clap::Args;

const EXAMPLES: &str = "\
Example: consort schema > .consort.schema.json, and as the first line of consort.yaml
  # yaml-language-server: $schema=.consort.schema.json";

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Schema {}

impl Schema {
    /// Runs the command.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn run(&self, context: &Context) -> Outcome {
        context.screen.json(&consort_spec::json_schema())?;
        Ok(Exit::Done)
    }
}
