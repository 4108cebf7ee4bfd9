//! Short words for the tables of the tests.
#![allow(dead_code)]

use consort_expr::{Expr, Scope, Template};
use consort_types::Json;
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
