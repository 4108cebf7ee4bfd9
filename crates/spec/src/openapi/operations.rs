//! Paths and methods → operations.

use super::{
    Described, DescribedOperation,
    bodies::{self, Answers, Body},
    definitions::{Collector, Definitions},
    document::Document,
    input,
    naming::operation_name,
    parameters::{self, Parameter},
    schema::{Converter, Direction, flag},
    seen_as::Types,
};
use crate::{
    definition::{Method, Schema},
    diagnostics::Span,
    yaml::{Entry, Node},
};
use consort_types::Name;
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};

/// The most operations of one document.
const OPERATIONS_MAX: usize = 5_000;

/// Methods by their keys. HEAD, OPTIONS and TRACE give no output, so they are no operations.
const METHODS: [(&str, Method); 5] = [
    ("get", Method::Get),
    ("post", Method::Post),
    ("put", Method::Put),
    ("patch", Method::Patch),
    ("delete", Method::Delete),
];

/// An operation before the schemas that it refers to are known.
struct Draft<'t> {
    name: Name,
    id: Option<&'t str>,
    method: Method,
    path: &'t str,
    parameters: Vec<Parameter>,
    body: Body,
    answers: Answers,
    description: Option<String>,
    deprecated: bool,
}

/// Reads all operations of a document.
pub(super) fn read(document: &Document<'_>, headers: &[&str]) -> Described {
    let collector = Collector::of(document);
    let drafts = drafts(document, &collector);
    let definitions = Arc::new(collector.finish(document));
    let types = Types::new(&definitions);
    let mut described = Described { definitions: definitions.clone(), ..Described::default() };
    for draft in drafts {
        match reason(&draft, headers) {
            Some(reason) => _ = described.left_out.insert(draft.name, reason),
            None => {
                let (name, operation) = finish(draft, &definitions, &types);
                described.operations.insert(name, operation);
            }
        }
    }
    described
}

fn drafts<'t>(document: &Document<'t>, collector: &Collector<'t>) -> Vec<Draft<'t>> {
    let Some(paths) = document.root.get("paths").filter(|paths| !paths.is_null()) else { return Vec::new() };
    let Some(paths) = paths.entries() else {
        document.error(paths.span, format!("`paths` is a map, and this is {}", paths.describe()));
        return Vec::new();
    };
    let mut drafts: Vec<Draft<'t>> = Vec::new();
    let mut places: HashMap<Name, Span> = HashMap::new();
    for Entry { key: path, value } in paths.iter().filter(|entry| !entry.key.text.starts_with("x-")) {
        if !path.text.starts_with('/') || path.text.contains([' ', '#']) || !braces_close(&path.text) {
            document.error(path.span, format!("`{}` is not a path like `/users/{{id}}`", path.text));
            continue;
        }
        let Some(item) = document.followed(value) else { continue };
        for (key, method) in METHODS {
            let Some(operation) = item.get(key) else { continue };
            if operation.entries().is_none() {
                let message = format!("an operation is a map, and this is {}", operation.describe());
                document.error(operation.span, message);
                continue;
            }
            if drafts.len() >= OPERATIONS_MAX {
                document.error(operation.span, format!("a service has at most {OPERATIONS_MAX} operations"));
                return drafts;
            }
            let Some(draft) = draft(document, collector, &path.text, method, item, operation) else {
                continue;
            };
            let place = operation.get("operationId").map_or(operation.span, |id| id.span);
            if let Some(first) = places.get(&draft.name) {
                let message = format!(
                    "a second operation named `{}`, which is left out; the first stands at {}:{}",
                    draft.name, first.line, first.column
                );
                document.warning(place, message);
                continue;
            }
            places.insert(draft.name.clone(), place);
            drafts.push(draft);
        }
    }
    drafts
}

fn braces_close(path: &str) -> bool {
    path.split('{').skip(1).all(|part| part.split_once('}').is_some_and(|(name, _)| !name.is_empty()))
}

fn draft<'t>(
    document: &Document<'t>,
    collector: &Collector<'t>,
    path: &'t str,
    method: Method,
    item: &'t Node,
    operation: &'t Node,
) -> Option<Draft<'t>> {
    let id = operation.get("operationId").and_then(Node::scalar).map(|scalar| scalar.text.as_str());
    let Some(name) = operation_name(id, method, path) else {
        let message = "neither `operationId` nor the path has letters that a name may have; it is left out";
        document.warning(operation.span, message);
        return None;
    };
    let request = Converter { document, collector, direction: Direction::Request };
    let response = Converter { document, collector, direction: Direction::Response };
    let text = |key: &str| operation.get(key).and_then(Node::text).filter(|text| !text.is_empty());
    Some(Draft {
        name,
        id,
        method,
        path,
        parameters: parameters::parameters(&request, item, operation),
        body: bodies::request(&request, operation),
        answers: bodies::responses(&response, operation),
        description: text("summary").or_else(|| text("description")).map(str::to_owned),
        deprecated: flag(operation, "deprecated"),
    })
}

/// Why an operation cannot be called from here.
fn reason(draft: &Draft<'_>, headers: &[&str]) -> Option<String> {
    if let Body::Other(media_type) = &draft.body {
        return Some(format!("its body is `{media_type}`, and only JSON is sent"));
    }
    if let Answers::Other(media_type) = &draft.answers {
        return Some(format!("it answers with `{media_type}`, and only JSON is read"));
    }
    draft.parameters.iter().find_map(|parameter| parameter.missing(headers))
}

fn finish(draft: Draft<'_>, definitions: &Arc<Definitions>, types: &Types<'_>) -> (Name, DescribedOperation) {
    let (input, placing) = input::input(definitions, draft.path, &draft.parameters, &draft.body);
    let mut outputs = match draft.answers {
        Answers::Json(schemas) => schemas,
        Answers::Other(_) => Vec::new(),
    };
    let output = if outputs.len() == 1 { outputs.remove(0) } else { json!({ "anyOf": outputs }) };
    let schema = |root: Value| {
        let seen_as = types.of(&root);
        Schema::of_document(root, definitions.clone(), seen_as)
    };
    let operation = DescribedOperation {
        id: draft.id.map(str::to_owned),
        method: draft.method,
        path: draft.path.to_owned(),
        placing,
        input: schema(input),
        output: schema(output),
        description: draft.description,
        deprecated: draft.deprecated,
    };
    (draft.name, operation)
}
