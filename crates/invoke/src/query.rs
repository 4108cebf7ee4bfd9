//! Fields of an input as the query of a request. Pure.

use crate::request::{percent_encode, scalar};
use consort_types::{QueryField, QueryStyle};
use serde_json::{Map, Value};

/// `a=1&b=x&b=y`: null is left out, a list repeats its name, an object is JSON.
pub(crate) fn of_all(fields: &Map<String, Value>) -> String {
    let mut query = Query::default();
    for (name, value) in fields {
        match value {
            Value::Array(items) => items.iter().for_each(|item| query.add(name, item)),
            other => query.add(name, other),
        }
    }
    query.text
}

/// Takes the fields that a document puts into the query out of the input, in the styles that it gives them.
pub(crate) fn of_declared(declared: &[QueryField], fields: &Map<String, Value>) -> String {
    let mut query = Query::default();
    for QueryField { name, style } in declared {
        match fields.get(name) {
            None | Some(Value::Null) => {}
            Some(value) => query.styled(name, *style, value),
        }
    }
    query.text
}

#[derive(Default)]
struct Query {
    text: String,
}

impl Query {
    /// `name=value`; null is left out, and what is no scalar is JSON.
    fn add(&mut self, name: &str, value: &Value) {
        if !value.is_null() {
            self.put(name, &text(value));
        }
    }

    fn put(&mut self, name: &str, value: &str) {
        if !self.text.is_empty() {
            self.text.push('&');
        }
        percent_encode(name, &mut self.text);
        self.text.push('=');
        percent_encode(value, &mut self.text);
    }

    fn styled(&mut self, name: &str, style: QueryStyle, value: &Value) {
        match (style, value) {
            (QueryStyle::Json, value) => self.put(name, &value.to_string()),
            (QueryStyle::Repeated, Value::Array(items)) => items.iter().for_each(|item| self.add(name, item)),
            (QueryStyle::Repeated, Value::Object(entries)) => {
                entries.iter().for_each(|(key, value)| self.add(key, value));
            }
            (QueryStyle::Deep, Value::Object(entries)) => {
                for (key, value) in entries {
                    let name = format!("{name}[{key}]");
                    match value {
                        Value::Array(items) => items.iter().for_each(|item| self.add(&name, item)),
                        other => self.add(&name, other),
                    }
                }
            }
            (QueryStyle::Deep, Value::Array(items)) => items.iter().for_each(|item| self.add(name, item)),
            (style, Value::Array(items)) => self.joined(name, style, items.iter().map(text)),
            (style, Value::Object(entries)) => {
                let words = entries.iter().flat_map(|(key, value)| [key.clone(), text(value)]);
                self.joined(name, style, words);
            }
            (_, scalar) => self.add(name, scalar),
        }
    }

    /// The separator stays as it is, so that a comma inside of an item can be told from one between items.
    fn joined(&mut self, name: &str, style: QueryStyle, words: impl Iterator<Item = String>) {
        let separator = match style {
            QueryStyle::Space => "%20",
            QueryStyle::Pipe => "%7C",
            QueryStyle::Comma | QueryStyle::Repeated | QueryStyle::Deep | QueryStyle::Json => ",",
        };
        let words = words.map(|word| {
            let mut encoded = String::new();
            percent_encode(&word, &mut encoded);
            encoded
        });
        let value = words.collect::<Vec<_>>().join(separator);
        self.put(name, "");
        self.text.push_str(&value);
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        value => scalar(value).unwrap_or_else(|| value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(style: QueryStyle, value: Value) -> String {
        let fields = Map::from_iter([("a".to_owned(), value), ("other".to_owned(), json!(1))]);
        of_declared(&[QueryField { name: "a".to_owned(), style }], &fields)
    }

    #[test]
    fn each_style_of_openapi_is_written_as_it_says() {
        let object = json!({"x": 1, "y z": "b,c"});
        for (style, value, query) in [
            (QueryStyle::Repeated, json!(["x", "y&", null]), "a=x&a=y%26"),
            (QueryStyle::Repeated, object.clone(), "x=1&y%20z=b%2Cc"),
            (QueryStyle::Repeated, json!([]), ""),
            (QueryStyle::Repeated, json!(true), "a=true"),
            (QueryStyle::Comma, json!(["x", "y,z", 3]), "a=x,y%2Cz,3"),
            (QueryStyle::Comma, object.clone(), "a=x,1,y%20z,b%2Cc"),
            (QueryStyle::Space, json!([1, 2]), "a=1%202"),
            (QueryStyle::Pipe, json!([1, 2]), "a=1%7C2"),
            (QueryStyle::Deep, object, "a%5Bx%5D=1&a%5By%20z%5D=b%2Cc"),
            (QueryStyle::Deep, json!({"x": [1, 2], "n": null}), "a%5Bx%5D=1&a%5Bx%5D=2"),
            (QueryStyle::Json, json!([1]), "a=%5B1%5D"),
            (QueryStyle::Json, json!("t"), "a=%22t%22"),
            (QueryStyle::Comma, json!(null), ""),
        ] {
            assert_eq!(written(style, value), query, "{style:?}");
        }
    }
}
