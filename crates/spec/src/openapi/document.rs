//! The document itself: its version, and what its references name.

use crate::{
    codes,
    diagnostics::{Report, Span},
    yaml::Node,
};
use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
};

/// How many references are followed one after another: a chain that is longer is a circle.
const REFERENCES_MAX: usize = 32;

/// What differs between the versions that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Schemas are an older JSON Schema, with `nullable` and boolean `exclusiveMinimum`.
    V30,
    /// Schemas are JSON Schema 2020-12.
    V31,
}

/// One document.
pub(super) struct Document<'t> {
    pub report: &'t Report,
    pub root: &'t Node,
    pub version: Version,
    /// What stands under `components.schemas`: asked for by name as often as there are references.
    schemas: HashMap<&'t str, &'t Node>,
    /// Places that were reported: a broken part that ten operations share is one mistake.
    told: RefCell<BTreeSet<Span>>,
}

impl<'t> Document<'t> {
    /// Judges the version. None: nothing in it can be read, and that is reported.
    pub(super) fn open(report: &'t Report, root: &'t Node) -> Option<Self> {
        let refuse = |span: Span, message: String, hint: &str| {
            report.error(span, codes::E_OPENAPI, message, Some(hint.to_owned()));
            None
        };
        if let Some(swagger) = root.get("swagger") {
            let message = "this is Swagger 2.0, and OpenAPI 3.0 and 3.1 are read".to_owned();
            return refuse(
                swagger.span,
                message,
                "convert it to OpenAPI 3; most editors of such documents do",
            );
        }
        let Some(version) = root.get("openapi") else {
            let hint = "it begins with `openapi: 3.1.0` or `openapi: 3.0.3`";
            return refuse(root.span, "this is no OpenAPI document".to_owned(), hint);
        };
        let text = version.scalar().map_or("", |scalar| scalar.text.as_str());
        let mut parts = text.split('.');
        let version = match (parts.next(), parts.next()) {
            (Some("3"), Some("0")) => Version::V30,
            (Some("3"), Some("1")) => Version::V31,
            _ => {
                let message = format!("OpenAPI 3.0 and 3.1 are read, and this is `{text}`");
                return refuse(version.span, message, "write `openapi: 3.1.0` or `openapi: 3.0.3`");
            }
        };
        let schemas = root.get("components").and_then(|components| components.get("schemas"));
        let schemas = schemas.and_then(Node::entries).unwrap_or(&[]);
        let schemas = schemas.iter().map(|entry| (entry.key.text.as_str(), &entry.value)).collect();
        Some(Self { report, root, version, schemas, told: RefCell::default() })
    }

    /// A mistake in the document, told once.
    pub(super) fn error(&self, span: Span, message: impl Into<String>) {
        if self.told.borrow_mut().insert(span) {
            self.report.error(span, codes::E_OPENAPI, message, None);
        }
    }

    /// What is legal in a document and means less than its author thought, told once.
    pub(super) fn warning(&self, span: Span, message: impl Into<String>) {
        if self.told.borrow_mut().insert(span) {
            self.report.warning(span, codes::W_OPENAPI, message, None);
        }
    }

    /// A node, or what its `$ref` names. None: it names nothing, and that is reported.
    pub(super) fn followed(&self, node: &'t Node) -> Option<&'t Node> {
        let mut at = node;
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = at.get("$ref") else { return Some(at) };
            at = self.target(reference)?;
        }
        self.error(node.span, "this refers to itself and to nothing else");
        None
    }

    /// What a reference names. None: nothing, and that is reported.
    pub(super) fn target(&self, reference: &'t Node) -> Option<&'t Node> {
        let text = self.reference(reference)?;
        let found = self.at(&pointer_parts(text));
        if found.is_none() {
            self.error(reference.span, format!("`{text}` names nothing in this document"));
        }
        found
    }

    /// The text of a reference that stays in the document.
    pub(super) fn reference(&self, reference: &'t Node) -> Option<&'t str> {
        let Some(text) = reference.text() else {
            self.error(reference.span, "a reference is a text like `#/components/schemas/User`");
            return None;
        };
        if !(text.starts_with("#/") || text == "#") {
            let message = format!("`{text}` leads out of the document; only `#/…` is followed");
            self.error(reference.span, message);
            return None;
        }
        Some(text)
    }

    fn at(&self, parts: &[String]) -> Option<&'t Node> {
        if let [components, schemas, name, rest @ ..] = parts
            && components == "components"
            && schemas == "schemas"
        {
            return rest.iter().try_fold(*self.schemas.get(name.as_str())?, |at, part| child(at, part));
        }
        parts.iter().try_fold(self.root, |at, part| child(at, part))
    }
}

fn child<'t>(node: &'t Node, part: &str) -> Option<&'t Node> {
    node.get(part).or_else(|| node.items()?.get(part.parse::<usize>().ok()?))
}

/// The parts of `#/a/b~1c/d%20e`.
pub(super) fn pointer_parts(reference: &str) -> Vec<String> {
    let parts = reference.trim_start_matches('#').split('/').skip(1);
    parts.map(|part| percent_decoded(part).replace("~1", "/").replace("~0", "~")).collect()
}

fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
