//! Expressions and templates with their places, so that a problem inside one can be marked.

use super::context::Context;
use crate::{
    codes,
    diagnostics::Span,
    yaml::{Key, Kind, Node, Plain},
};
use consort_expr::{Expr, ParseError, Template};

/// A value of the file in which expressions may stand.
pub(crate) enum Located<'a> {
    /// Nothing stands there, which means `{}`.
    Absent(Span),
    /// No expression in it.
    Literal(&'a Node),
    /// A text with `${…}`.
    Text(&'a Node, Template),
    List(&'a Node, Vec<Located<'a>>),
    Map(&'a Node, Vec<(&'a Key, Located<'a>)>),
}

impl<'a> Located<'a> {
    /// Reads a value; what cannot be parsed is reported and stands as its text.
    pub(crate) fn read(context: &Context<'_>, node: &'a Node) -> Self {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.value == Plain::Text && scalar.text.contains("${") => {
                match Template::parse_text(&scalar.text) {
                    Ok(template) => Self::Text(node, template),
                    Err(error) => {
                        report_parse(context, node, 0, &error);
                        Self::Literal(node)
                    }
                }
            }
            Kind::Scalar(_) => Self::Literal(node),
            Kind::List(items) => {
                Self::List(node, items.iter().map(|item| Self::read(context, item)).collect())
            }
            Kind::Map(entries) => Self::Map(
                node,
                entries.iter().map(|entry| (&entry.key, Self::read(context, &entry.value))).collect(),
            ),
        }
    }

    /// The same as the engine evaluates it.
    pub(crate) fn template(&self) -> Template {
        match self {
            Self::Absent(_) => Template::literal(serde_json::json!({})),
            Self::Literal(node) => Template::literal(node.to_json()),
            Self::Text(_, template) => template.clone(),
            Self::List(_, items) => Template::list(items.iter().map(Self::template).collect()),
            Self::Map(_, entries) => Template::map(
                entries.iter().map(|(key, value)| (key.text.clone(), value.template())).collect(),
            ),
        }
    }

    /// The value, when no expression is in it.
    pub(crate) fn literal(&self) -> Option<serde_json::Value> {
        match self {
            Self::Absent(_) => Some(serde_json::json!({})),
            Self::Literal(node) => Some(node.to_json()),
            Self::Text(..) => None,
            Self::List(_, items) => items.iter().map(Self::literal).collect(),
            Self::Map(_, entries) => {
                let fields = entries.iter().map(|(key, value)| Some((key.text.clone(), value.literal()?)));
                fields.collect::<Option<serde_json::Map<_, _>>>().map(serde_json::Value::Object)
            }
        }
    }

    /// Where the part at a path (`a.b[2]`) stands, or the last part on the way to it.
    pub(crate) fn place_of(&self, path: &str) -> Span {
        let parts =
            path.split(['.', '[']).map(|part| part.trim_end_matches(']')).filter(|part| !part.is_empty());
        let mut at = self;
        for part in parts {
            let next = match at {
                Self::Map(_, entries) => {
                    entries.iter().find(|(key, _)| key.text == part).map(|(_, value)| value)
                }
                Self::List(_, items) => part.parse::<usize>().ok().and_then(|index| items.get(index)),
                Self::Absent(_) | Self::Literal(_) | Self::Text(..) => None,
            };
            let Some(next) = next else { break };
            at = next;
        }
        at.span()
    }

    /// Where it stands.
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Absent(span) => *span,
            Self::Literal(node) | Self::Text(node, _) | Self::List(node, _) | Self::Map(node, _) => node.span,
        }
    }
}

/// A bare expression, or one in `${…}`.
pub(crate) struct Condition<'a> {
    pub node: &'a Node,
    pub expr: Expr,
    /// Where the expression begins in the text of the node, in bytes.
    pub base: usize,
}

impl<'a> Condition<'a> {
    /// Reads an expression; `None` when it cannot be parsed, and that is reported.
    pub(crate) fn read(context: &Context<'_>, node: &'a Node) -> Option<Self> {
        let scalar = node.scalar().filter(|scalar| scalar.value != Plain::Null);
        let Some(scalar) = scalar else {
            let message = format!("an expression is wanted, and this is {}", node.describe());
            context.report.error(node.span, codes::E_VALUE, message, None);
            return None;
        };
        let text = scalar.text.as_str();
        let trimmed = text.trim();
        let start = text.len() - text.trim_start().len();
        let inner = trimmed.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let (source, base) = match inner {
            Some(inner) => (inner, start + 2),
            None => (trimmed, start),
        };
        match Expr::parse(source) {
            Ok(expr) => Some(Self { node, expr, base }),
            Err(error) => {
                report_parse(context, node, base, &error);
                None
            }
        }
    }
}

/// The place of a part of a scalar.
pub(crate) fn place(node: &Node, offset: usize, length: usize) -> Span {
    match node.scalar() {
        Some(scalar) => scalar.source.locate(node.span, &scalar.text, offset, length),
        None => node.span,
    }
}

fn report_parse(context: &Context<'_>, node: &Node, base: usize, error: &ParseError) {
    let span = place(node, base + error.offset, 1);
    context.report.error(span, codes::E_EXPRESSION, error.message.clone(), error.hint.clone());
}
