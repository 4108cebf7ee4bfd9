//! `consort workflows graph`.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
};
use clap::Args;
use consort_wire::{Graph, GraphNode};

/// The arguments.
#[derive(Debug, Args)]
pub struct GraphCommand {
    /// The workflow
    name: String,
    /// A revision; the newest without it
    #[arg(long)]
    revision: Option<String>,
    /// Print nodes and edges as JSON
    #[arg(long)]
    json: bool,
}

impl GraphCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such workflow or revision.
    pub async fn run(&self, context: &Context) -> Outcome {
        let graph = context.client()?.graph(&self.name, self.revision.clone()).await?;
        if self.json {
            context.screen.json(&graph)?;
        } else {
            context.screen.text(&text(&graph))?;
        }
        Ok(Exit::Done)
    }
}

/// Each step with what it does and what it waits for, inner ones indented.
fn text(graph: &Graph) -> String {
    let mut text = String::new();
    add(&mut text, graph, None, 0);
    text
}

fn add(text: &mut String, graph: &Graph, parent: Option<&str>, depth: usize) {
    for node in graph
        .nodes
        .iter()
        .filter(|node| node.parent.as_deref() == parent && node.parent.as_ref() != Some(&node.id))
    {
        text.push_str(&"  ".repeat(depth));
        text.push_str(&line(graph, node));
        text.push('\n');
        add(text, graph, Some(&node.id), depth + 1);
    }
}

fn line(graph: &Graph, node: &GraphNode) -> String {
    let mut line = format!("{}: {}", node.name, node.kind);
    if let Some(call) = &node.call {
        line.push_str(&format!(" {call}"));
    }
    if node.for_each {
        line.push_str(", for each item");
    }
    if let Some(label) = node.label.as_ref().filter(|label| **label != node.name) {
        line.push_str(&format!(" ({label})"));
    }
    let waits: Vec<_> =
        graph.edges.iter().filter(|edge| edge.to == node.id).map(|edge| edge.from.as_str()).collect();
    if !waits.is_empty() {
        line.push_str(&format!(" <- {}", waits.join(", ")));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use consort_wire::{EdgeKind, GraphEdge};

    #[test]
    fn a_graph_reads_as_text() {
        let node = |id: &str, parent: Option<&str>, kind: &str, call: Option<&str>| GraphNode {
            cache: None,
            id: id.into(),
            name: id.rsplit('.').next().unwrap().into(),
            kind: kind.into(),
            call: call.map(Into::into),
            for_each: id == "fields",
            parent: parent.map(Into::into),
            label: Some(if id == "decision" { "who decides" } else { id }.into()),
        };
        let graph = Graph {
            revision: "r".into(),
            nodes: vec![
                node("pages", None, "call", Some("parser.split")),
                node("fields", None, "call", Some("parser.parse")),
                node("decision", None, "switch", None),
                node("decision.else", Some("decision"), "await", None),
            ],
            edges: vec![GraphEdge { from: "pages".into(), to: "fields".into(), kind: EdgeKind::Data }],
        };
        assert_eq!(
            text(&graph),
            "\
pages: call parser.split
fields: call parser.parse, for each item <- pages
decision: switch (who decides)
  else: await (decision.else)
"
        );
    }
}
