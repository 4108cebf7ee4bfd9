//! `consort workflows list`.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
    show::table::Table,
};
use clap::Args;
use consort_wire::{Page, Workflow};

/// The arguments.
#[derive(Debug, Args)]
pub struct List {
    /// Print `{items, next_cursor}`
    #[arg(long)]
    json: bool,
}

impl List {
    /// Runs the command.
    ///
    /// # Errors
    /// As every call of the server.
    pub async fn run(&self, context: &Context) -> Outcome {
        let workflows = context.client()?.workflows().await?;
        if self.json {
            context.screen.json(&Page::last(workflows))?;
        } else if workflows.is_empty() {
            context.screen.note("no workflows; deploy some with `consort apply`");
        } else {
            context.screen.text(&table(&workflows).render(context.screen))?;
        }
        Ok(Exit::Done)
    }
}

fn table(workflows: &[Workflow]) -> Table<4> {
    let mut table = Table::new(["WORKFLOW", "REVISION", "INPUT", "DESCRIPTION"]);
    for workflow in workflows {
        table.row([
            workflow.name.clone().into(),
            workflow.revision.clone().into(),
            fields(&workflow.input.to_value()).join(", ").into(),
            workflow.description.clone().unwrap_or_default().into(),
        ]);
    }
    table
}

/// The fields of an input, those that may be left out with a question mark.
fn fields(schema: &serde_json::Value) -> Vec<String> {
    let required: Vec<_> =
        schema["required"].as_array().into_iter().flatten().filter_map(|name| name.as_str()).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, _)| if required.contains(&name.as_str()) { name.clone() } else { format!("{name}?") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_that_may_be_left_out_are_marked() {
        let schema = json!({"type": "object", "properties": {"who": {}, "note": {}}, "required": ["who"]});
        assert_eq!(fields(&schema), ["who", "note?"]);
        assert!(fields(&json!(true)).is_empty());
    }
}
