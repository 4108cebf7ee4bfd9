//! Short types: `string`, `[T]`, nested maps, `name?`, `T?`, `{ enum: [...] }`.

use crate::{
    codes,
    diagnostics::Report,
    yaml::{Entry, Node},
};
use consort_expr::{Field, ObjectType, Type, nearest};
use std::sync::Arc;

/// The deepest nesting of a type: that of values (contract, section 5).
const NESTING_MAX: usize = 64;

/// The words of the short form.
pub(crate) const WORDS: &[&str] =
    &["string", "number", "integer", "boolean", "object", "file", "datetime", "duration", "any"];

fn of_word(word: &str) -> Option<Type> {
    Some(match word {
        "string" => Type::String,
        "number" => Type::Number,
        "integer" => Type::Integer,
        "boolean" => Type::Boolean,
        "object" => any_object(),
        "file" => Type::File,
        "datetime" => Type::Datetime,
        "duration" => Type::Duration,
        "any" => Type::Any,
        _ => return None,
    })
}

/// An object of any keys.
pub(crate) fn any_object() -> Type {
    Type::Map(Box::new(Type::Any))
}

/// Reads a short type. What is wrong is reported, and anything stands in for it.
pub(crate) fn short_type(report: &Report, node: &Node) -> Type {
    read(report, node, 0)
}

fn read(report: &Report, node: &Node, depth: usize) -> Type {
    if depth > NESTING_MAX {
        let message = format!("a type is nested at most {NESTING_MAX} deep");
        report.error(node.span, codes::E_LIMIT, message, None);
        return Type::Any;
    }
    if let Some(text) = node.text() {
        return word(report, node, text);
    }
    if let Some(items) = node.items() {
        return match items {
            [item] => Type::list(read(report, item, depth + 1)),
            _ => {
                let message = format!("a list type holds one type, this one {}", items.len());
                report.error(node.span, codes::E_SHORT_TYPE, message, Some("write `[string]`".to_owned()));
                Type::Any
            }
        };
    }
    match node.entries() {
        Some([Entry { key, value }]) if key.text == "enum" => enumeration(report, value),
        Some(entries) => Type::Object(Arc::new(ObjectType {
            fields: entries.iter().filter_map(|entry| field(report, entries, entry, depth)).collect(),
        })),
        None => {
            let message = format!("a type is wanted, and this is {}", node.describe());
            report.error(node.span, codes::E_SHORT_TYPE, message, Some(words_hint()));
            Type::Any
        }
    }
}

fn word(report: &Report, node: &Node, text: &str) -> Type {
    let (bare, nullable) = match text.strip_suffix('?') {
        Some(bare) => (bare, true),
        None => (text, false),
    };
    let Some(found) = of_word(bare) else {
        let message = format!("`{text}` is not a type");
        let right = nearest(bare, WORDS.iter().copied());
        let hint = right.map_or_else(words_hint, |word| format!("did you mean `{word}`?"));
        report.error(node.span, codes::E_SHORT_TYPE, message, Some(hint));
        return Type::Any;
    };
    if nullable { found.nullable() } else { found }
}

fn words_hint() -> String {
    let words = WORDS.join(", ");
    format!("types are {words}, [T], {{ name: T }}, {{ enum: [...] }}, and T? where null is taken")
}

fn enumeration(report: &Report, node: &Node) -> Type {
    let items = node.items().unwrap_or(&[]);
    let texts: Vec<String> = items.iter().filter_map(|item| item.text().map(str::to_owned)).collect();
    if items.is_empty() || texts.len() != items.len() {
        let message = "an enumeration is a list of texts";
        report.error(
            node.span,
            codes::E_SHORT_TYPE,
            message,
            Some("write `{ enum: [small, large] }`".to_owned()),
        );
        return Type::Any;
    }
    Type::Enum(texts)
}

fn field(report: &Report, entries: &[Entry], entry: &Entry, depth: usize) -> Option<Field> {
    let (name, required) = match entry.key.text.strip_suffix('?') {
        Some(name) => (name, false),
        None => (entry.key.text.as_str(), true),
    };
    // YAML sees `a` and `a?` as two keys.
    if !required && entries.iter().any(|other| other.key.text == name) {
        let message = format!("the field `{name}` stands here twice");
        report.error(entry.key.span, codes::E_DUPLICATE_KEY, message, Some("keep one of them".to_owned()));
        return None;
    }
    Some(Field { name: name.into(), type_: read(report, &entry.value, depth + 1), required })
}
