//! The parameters of an operation.

use super::{
    document::Document,
    schema::{Converter, flag},
};
use crate::yaml::Node;
use consort_types::QueryStyle;
use serde_json::{Value, json};

/// Headers that a call has without anybody's doing. `Authorization` is a matter of `headers`, and OpenAPI
/// says that it is no parameter.
const SENT_ANYWAY: [&str; 6] =
    ["accept", "content-type", "authorization", "user-agent", "idempotency-key", "traceparent"];

/// Where a parameter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Cookie,
}

/// One parameter.
pub(super) struct Parameter {
    pub name: String,
    pub place: Place,
    pub required: bool,
    pub schema: Value,
    pub style: QueryStyle,
    /// Why a call that needs it cannot be made.
    pub problem: Option<String>,
}

/// Reads the parameters of a path, then those of the operation, which win.
pub(super) fn parameters<'t>(
    converter: &Converter<'_, 't>,
    path: &'t Node,
    operation: &'t Node,
) -> Vec<Parameter> {
    let mut all: Vec<Parameter> = Vec::new();
    for holder in [path, operation] {
        let Some(list) = holder.get("parameters") else { continue };
        let Some(items) = list.items() else {
            converter
                .document
                .error(list.span, format!("`parameters` is a list, and this is {}", list.describe()));
            continue;
        };
        for found in items.iter().filter_map(|item| parameter(converter, item)) {
            all.retain(|known| (known.place, &known.name) != (found.place, &found.name));
            all.push(found);
        }
    }
    all
}

fn parameter<'t>(converter: &Converter<'_, 't>, node: &'t Node) -> Option<Parameter> {
    let document = converter.document;
    let node = document.followed(node)?;
    let name = text(document, node, "name")?;
    let place = match text(document, node, "in")? {
        "path" => Place::Path,
        "query" => Place::Query,
        "header" => Place::Header,
        "cookie" => Place::Cookie,
        other => {
            let span = node.get("in").map_or(node.span, |at| at.span);
            document
                .error(span, format!("`in` is one of path, query, header, cookie, and this is `{other}`"));
            return None;
        }
    };
    let content = node.get("content").and_then(Node::entries).and_then(<[_]>::first);
    let schema = match (node.get("schema"), content) {
        (Some(schema), _) => converter.schema(schema),
        (None, Some(content)) => {
            content.value.get("schema").map_or_else(|| json!({}), |schema| converter.schema(schema))
        }
        (None, None) => json!({}),
    };
    let style = node.get("style").and_then(Node::text);
    let problem = match (place, style) {
        (Place::Path, Some(style @ ("label" | "matrix"))) => {
            Some(format!("its path writes `{name}` in the style `{style}`, which is not spoken here"))
        }
        _ => None,
    };
    let style = if content.is_some() { QueryStyle::Json } else { query_style(node, style) };
    // A path without the field is another path.
    let required = place == Place::Path || flag(node, "required");
    Some(Parameter { name: name.to_owned(), place, required, schema, style, problem })
}

fn query_style(node: &Node, style: Option<&str>) -> QueryStyle {
    let style = style.unwrap_or("form");
    let explode = if node.get("explode").is_some() { flag(node, "explode") } else { style == "form" };
    match (style, explode) {
        ("deepObject", _) => QueryStyle::Deep,
        (_, true) => QueryStyle::Repeated,
        ("spaceDelimited", false) => QueryStyle::Space,
        ("pipeDelimited", false) => QueryStyle::Pipe,
        (_, false) => QueryStyle::Comma,
    }
}

fn text<'t>(document: &Document<'t>, node: &'t Node, key: &str) -> Option<&'t str> {
    let found = node.get(key).and_then(Node::scalar).map(|scalar| scalar.text.as_str());
    if found.is_none_or(str::is_empty) {
        let what = if node.entries().is_some() {
            format!("a parameter needs `{key}`")
        } else {
            format!("a parameter is a map, and this is {}", node.describe())
        };
        document.error(node.span, what);
    }
    found.filter(|text| !text.is_empty())
}

impl Parameter {
    /// Why a call cannot carry it, though it must. `headers` are those that the service sets on each call.
    pub(super) fn missing(&self, headers: &[&str]) -> Option<String> {
        let given = |name: &str| headers.iter().any(|header| header.eq_ignore_ascii_case(name));
        let name = &self.name;
        match self.place {
            Place::Header if !self.required || given(name) => None,
            Place::Header if SENT_ANYWAY.iter().any(|sent| name.eq_ignore_ascii_case(sent)) => None,
            Place::Header => Some(format!(
                "it needs the header `{name}`; a service with `url` can set it for all calls under `headers`"
            )),
            Place::Cookie if self.required && !given("cookie") => Some(format!(
                "it needs the cookie `{name}`; a service with `url` can set `Cookie` for all calls under `headers`"
            )),
            Place::Path | Place::Query | Place::Cookie => self.problem.clone(),
        }
    }
}
