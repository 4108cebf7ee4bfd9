//! Raw JSON Schema documents: the validator of the `jsonschema` crate, what expressions may rely on, defaults.

use super::{FIELD_ERRORS_MAX, SchemaError};
use consort_expr::{Field, ObjectType, Type};
use consort_types::{FieldError, Json};
use jsonschema::{PatternOptions, Validator, error::ValidationErrorKind};
use serde_json::Value;
use std::{fmt::Write, sync::Arc};

/// How deep a document is looked into for types and defaults: deeper it counts as anything.
const DEPTH_MAX: usize = 32;

/// A document, ready to check values.
pub(super) struct Compiled {
    validator: Validator,
    document: Value,
    has_defaults: bool,
}

impl Compiled {
    /// Compiles a document. Patterns run in linear time; formats are checked.
    pub(super) fn new(document: &Value) -> Result<Self, SchemaError> {
        if let Some((pointer, reference)) = outside_reference(document, "", 0) {
            let message = format!("`$ref: {reference}` leads out of the document; only `#/…` is followed");
            return Err(SchemaError { pointer, message });
        }
        let validator = jsonschema::draft202012::options()
            .with_pattern_options(PatternOptions::regex())
            .should_validate_formats(true)
            .build(document)
            .map_err(|error| SchemaError {
                pointer: error.instance_path().to_string(),
                message: format!("not a JSON Schema: {error}"),
            })?;
        Ok(Self { validator, document: document.clone(), has_defaults: has_default(document, 0) })
    }

    /// Checks a value and fills in defaults.
    pub(super) fn check(&self, value: &Json) -> Result<Json, Vec<FieldError>> {
        let mut tree = value.to_value();
        let filled = self.has_defaults && fill(&self.document, &self.document, &mut tree, 0);
        let errors: Vec<FieldError> = self
            .validator
            .iter_errors(&tree)
            .take(FIELD_ERRORS_MAX)
            .map(|error| field_error(&error))
            .collect();
        match (errors.is_empty(), filled) {
            (true, true) => Ok(Json::from(tree)),
            (true, false) => Ok(value.clone()),
            (false, _) => Err(errors),
        }
    }
}

/// Whether a pattern can be checked in linear time.
pub(crate) fn is_pattern(pattern: &str) -> bool {
    let schema = serde_json::json!({ "pattern": pattern });
    jsonschema::draft202012::options().with_pattern_options(PatternOptions::regex()).build(&schema).is_ok()
}

fn field_error(error: &jsonschema::ValidationError<'_>) -> FieldError {
    let mut path = path_of(&error.instance_path().to_string());
    let code = match error.kind() {
        ValidationErrorKind::Required { property } => {
            if let Some(name) = property.as_str() {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
            "missing"
        }
        ValidationErrorKind::AdditionalProperties { .. }
        | ValidationErrorKind::UnevaluatedProperties { .. } => "unknown",
        ValidationErrorKind::Type { .. } if error.instance().is_null() => "null",
        ValidationErrorKind::Type { .. } => "type",
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => "enum",
        ValidationErrorKind::Format { .. } | ValidationErrorKind::Pattern { .. } => "format",
        ValidationErrorKind::Minimum { .. }
        | ValidationErrorKind::Maximum { .. }
        | ValidationErrorKind::ExclusiveMinimum { .. }
        | ValidationErrorKind::ExclusiveMaximum { .. }
        | ValidationErrorKind::MinLength { .. }
        | ValidationErrorKind::MaxLength { .. }
        | ValidationErrorKind::MinItems { .. }
        | ValidationErrorKind::MaxItems { .. }
        | ValidationErrorKind::MultipleOf { .. } => "range",
        _ => "schema",
    };
    // The message of a long value would hold the value.
    let message: String = error.to_string().chars().take(400).collect();
    FieldError { path, code: code.to_owned(), message }
}

/// `/incomes/2/amount` → `incomes[2].amount`.
fn path_of(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        if part.bytes().all(|byte| byte.is_ascii_digit()) && !part.is_empty() {
            let _ = write!(path, "[{part}]");
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&part.replace("~1", "/").replace("~0", "~"));
        }
    }
    path
}

/// A `$ref` that leads out of the document, and where it stands.
fn outside_reference(schema: &Value, pointer: &str, depth: usize) -> Option<(String, String)> {
    if depth > DEPTH_MAX * 4 {
        return None;
    }
    match schema {
        Value::Object(entries) => entries.iter().find_map(|(key, value)| {
            let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            let outside =
                |text: &&str| matches!(key.as_str(), "$ref" | "$dynamicRef") && !text.starts_with('#');
            match value.as_str().filter(outside) {
                Some(text) => Some((pointer, text.to_owned())),
                None => outside_reference(value, &pointer, depth + 1),
            }
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| outside_reference(item, &format!("{pointer}/{index}"), depth + 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn has_default(schema: &Value, depth: usize) -> bool {
    match schema {
        Value::Object(entries) if depth <= DEPTH_MAX => {
            entries.contains_key("default") || entries.values().any(|value| has_default(value, depth + 1))
        }
        Value::Array(items) if depth <= DEPTH_MAX => items.iter().any(|item| has_default(item, depth + 1)),
        _ => false,
    }
}

/// Follows `$ref` within the document, a few times at most.
fn followed<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let mut at = schema;
    for _ in 0..DEPTH_MAX {
        let target = at.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
        match target.and_then(|pointer| root.pointer(pointer)) {
            Some(target) => at = target,
            None => break,
        }
    }
    at
}

/// Puts defaults where fields are missing, without going into choices. Says whether anything was put.
fn fill(root: &Value, schema: &Value, value: &mut Value, depth: usize) -> bool {
    if depth > DEPTH_MAX {
        return false;
    }
    let schema = followed(root, schema);
    let mut filled = false;
    match value {
        Value::Object(entries) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
                let property = followed(root, property);
                if let (false, Some(default)) = (entries.contains_key(name), property.get("default")) {
                    entries.insert(name.clone(), default.clone());
                    filled = true;
                }
                if let Some(inner) = entries.get_mut(name) {
                    filled |= fill(root, property, inner, depth + 1);
                }
            }
        }
        Value::Array(items) => {
            if let Some(item_schema) = schema.get("items") {
                for item in items {
                    filled |= fill(root, item_schema, item, depth + 1);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    filled
}

/// What expressions may rely on. Whatever the short types cannot say is anything.
pub(super) fn seen_as(document: &Value) -> Type {
    type_of(document, document, 0)
}

fn type_of(root: &Value, schema: &Value, depth: usize) -> Type {
    if depth > DEPTH_MAX {
        return Type::Any;
    }
    let schema = followed(root, schema);
    if ["oneOf", "anyOf", "allOf", "not", "if", "$ref", "$dynamicRef"]
        .iter()
        .any(|key| schema.get(key).is_some())
    {
        return Type::Any;
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        let texts: Vec<String> = words.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect();
        return if texts.len() == words.len() { Type::Enum(texts) } else { Type::Any };
    }
    match schema.get("type") {
        Some(Value::String(name)) => named(root, schema, name, depth),
        // `[T, "null"]` is `T?`; other unions are anything.
        Some(Value::Array(names)) => match names.as_slice() {
            [Value::String(one), Value::String(null)] | [Value::String(null), Value::String(one)]
                if null == "null" && one != "null" =>
            {
                named(root, schema, one, depth).nullable()
            }
            _ => Type::Any,
        },
        _ => Type::Any,
    }
}

fn named(root: &Value, schema: &Value, name: &str, depth: usize) -> Type {
    match name {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "integer" => Type::Integer,
        "number" => Type::Number,
        "string" if schema.get("format").and_then(Value::as_str) == Some("date-time") => Type::Datetime,
        "string" => Type::String,
        "array" => Type::list(schema.get("items").map_or(Type::Any, |items| type_of(root, items, depth + 1))),
        "object" => object(root, schema, depth),
        _ => Type::Any,
    }
}

fn object(root: &Value, schema: &Value, depth: usize) -> Type {
    // An object that may hold more than it names is any object: `x.more` must not be refused.
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    let Some(properties) = schema.get("properties").and_then(Value::as_object).filter(|_| closed) else {
        return crate::lower::types::any_object();
    };
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let fields = properties.iter().map(|(name, property)| Field {
        name: name.as_str().into(),
        type_: type_of(root, property, depth + 1),
        required: required.contains(&name.as_str()),
    });
    Type::Object(Arc::new(ObjectType { fields: fields.collect() }))
}
