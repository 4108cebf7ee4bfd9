//! Short words for the tables of the tests.
#![allow(dead_code)]

use consort_expr::{Expr, Scope, Template, Type};
use consort_types::Json;
use serde_json::Value;
use std::collections::BTreeMap;

/// A scope from a JSON object.
pub fn scope(object: &str) -> BTreeMap<String, Json> {
    Json::from_text(object.to_owned()).unwrap().read().unwrap()
}

/// The value as JSON text, or the code of the error.
pub fn value(source: &str, scope: &dyn Scope) -> String {
    let expr = Expr::parse(source).unwrap_or_else(|error| panic!("{source}: {error} {:?}", error.hint));
    match expr.evaluate(scope) {
        Ok(json) => json.text().to_owned(),
        Err(error) => error.code.to_owned(),
    }
}

/// The same for a text with holes.
pub fn filled(text: &str, scope: &dyn Scope) -> String {
    let template = Template::parse_text(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    match template.evaluate(scope) {
        Ok(json) => json.text().to_owned(),
        Err(error) => error.code.to_owned(),
    }
}

/// Every row: a source and its value or error code.
pub fn table(scope: &dyn Scope, rows: &[(&str, &str)]) {
    let wrong: Vec<String> = rows
        .iter()
        .map(|(source, expected)| (source, expected, value(source, scope)))
        .filter(|(_, expected, found)| *expected != found)
        .map(|(source, expected, found)| format!("{source}\n  expected {expected}\n  found    {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a value is one of a type.
pub fn is_of(value: &Value, type_: &Type) -> bool {
    match type_ {
        Type::Any => true,
        Type::Null => value.is_null(),
        Type::Boolean => value.is_boolean(),
        Type::Integer => value.as_f64().is_some_and(|n| n.fract() == 0.0),
        Type::Number => value.is_number(),
        Type::String | Type::Datetime | Type::Duration => value.is_string(),
        Type::Enum(texts) => value.as_str().is_some_and(|text| texts.iter().any(|known| known == text)),
        Type::File => value.is_object(),
        Type::List(item) => {
            value.as_array().is_some_and(|items| items.iter().all(|value| is_of(value, item)))
        }
        Type::Map(item) => value.as_object().is_some_and(|map| map.values().all(|value| is_of(value, item))),
        Type::Nullable(inner) => value.is_null() || is_of(value, inner),
        Type::Object(object) => value.as_object().is_some_and(|map| {
            map.keys().all(|key| object.field(key).is_some())
                && object.fields.iter().all(|field| match map.get(&field.name) {
                    None => !field.required,
                    Some(value) => is_of(value, &field.type_),
                })
        }),
    }
}
