//! Reading what users type as values: `-i KEY=VALUE`, by the type that the schema names.

use crate::failure::Failure;
use consort_client::Client;
use consort_types::{FileValue, Json};
use serde_json::{Map, Value};
use std::{
    io::Read,
    path::{Path, PathBuf},
};

/// The most that `--input` and `-i KEY=@FILE` read: the request limit of the API.
const TEXT_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// How deep `$ref`s and lists of a schema are followed.
const DEPTH_MAX: usize = 16;

/// A value that may still need bytes to be uploaded.
#[derive(Debug, Clone, PartialEq)]
pub enum Pending {
    /// It is there.
    Value(Value),
    /// The file becomes an artifact, and the value what the server says of it.
    File(PathBuf),
    /// Several.
    List(Vec<Pending>),
}

/// What the user typed: a whole input to begin with, and fields that are put into it.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct InputArgs {
    /// A field of the input, read by its type; @FILE takes a file (uploaded where the type is `file`)
    #[arg(short = 'i', value_name = "KEY=VALUE")]
    pub fields: Vec<String>,
    /// The whole input as JSON: the text itself, @FILE, or - for standard input
    #[arg(long = "input", value_name = "JSON|@FILE|-")]
    pub whole: Option<String>,
}

impl InputArgs {
    /// Reads everything by the schema, without a server.
    ///
    /// # Errors
    /// What cannot be read as its type, by field.
    pub fn read(&self, schema: &Value) -> Result<Vec<(String, Pending)>, Failure> {
        let mut input = match &self.whole {
            Some(text) => object(&whole(text)?)?,
            None => Vec::new(),
        };
        let mut given: Vec<(&str, Vec<&str>)> = Vec::new();
        for field in &self.fields {
            let Some((key, value)) = field.split_once('=').filter(|(key, _)| !key.is_empty()) else {
                return Err(Failure::usage(format!("-i {field:?} is not KEY=VALUE")));
            };
            match given.iter_mut().find(|(known, _)| *known == key) {
                Some((_, values)) => values.push(value),
                None => given.push((key, vec![value])),
            }
        }
        for (key, texts) in given {
            let of_field = |message| Failure::usage(format!("-i {key}: {message}"));
            let schema = field_schema(schema, key).map_err(of_field)?;
            let value = read_field(&texts, &schema).map_err(of_field)?;
            input.retain(|(known, _)| known != key);
            input.push((key.to_owned(), value));
        }
        Ok(input)
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.whole.is_none()
    }
}

fn object(json: &Value) -> Result<Vec<(String, Pending)>, Failure> {
    match json {
        Value::Object(map) => {
            Ok(map.iter().map(|(key, value)| (key.clone(), Pending::Value(value.clone()))).collect())
        }
        _ => Err(Failure::usage("--input must be a JSON object").hint("for example --input '{\"key\": 1}'")),
    }
}

/// Reads a JSON text: itself, `@FILE`, or `-` for standard input.
///
/// # Errors
/// When it cannot be read or is no JSON.
pub fn whole(text: &str) -> Result<Value, Failure> {
    let (place, text) = match text {
        "-" => ("standard input".to_owned(), bounded(std::io::stdin().lock(), "standard input")?),
        _ => match text.strip_prefix('@') {
            Some(path) => (path.to_owned(), text_of(Path::new(path)).map_err(Failure::usage)?),
            None => ("the text".to_owned(), text.to_owned()),
        },
    };
    serde_json::from_str(&text).map_err(|error| Failure::usage(format!("{place} is not JSON: {error}")))
}

fn text_of(path: &Path) -> Result<String, String> {
    let place = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|error| format!("{place}: {error}"))?;
    bounded(file, &place).map_err(|failure| failure.message)
}

fn bounded(from: impl Read, place: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let read = from.take(TEXT_BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(|error| Failure::usage(format!("{place}: {error}")))?;
    if text.len() as u64 > TEXT_BYTES_MAX {
        let message = format!("{place} holds more than {} MiB", TEXT_BYTES_MAX >> 20);
        return Err(Failure::usage(message).hint("give large data as an artifact, by a field of type `file`"));
    }
    Ok(text)
}

fn field_schema(schema: &Value, key: &str) -> Result<Value, String> {
    let schema = resolved(schema, schema);
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Ok(Value::Bool(true));
    };
    match properties.get(key) {
        Some(field) => Ok(with_defs(resolved(&schema, field), &schema)),
        None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
            let names: Vec<_> = properties.keys().map(String::as_str).collect();
            Err(match names.as_slice() {
                [] => "the input has no fields".to_owned(),
                names => format!("the input has no such field; it has {}", names.join(", ")),
            })
        }
        None => Ok(Value::Bool(true)),
    }
}

/// Follows a `$ref` inside of the schema.
fn resolved(root: &Value, schema: &Value) -> Value {
    let mut schema = schema;
    for _ in 0..DEPTH_MAX {
        let Some(pointer) = schema.get("$ref").and_then(Value::as_str) else { break };
        let Some(target) = pointer.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) else { break };
        schema = target;
    }
    schema.clone()
}

/// Keeps the definitions at hand for what is inside of a field.
fn with_defs(mut field: Value, root: &Value) -> Value {
    if let (Some(field), Some(defs)) = (field.as_object_mut(), root.get("$defs")) {
        field.entry("$defs").or_insert_with(|| defs.clone());
    }
    field
}

/// Reads the texts of one field: one, or several for a list.
fn read_field(texts: &[&str], schema: &Value) -> Result<Pending, String> {
    let items = schema.get("items").filter(|_| kinds(schema, 0).contains(&Kind::List));
    match (texts, items) {
        ([text], Some(items)) if text.starts_with('@') && is_file(&resolved(schema, items), 0) => {
            Ok(Pending::List(vec![read_one(text, &resolved(schema, items))?]))
        }
        ([text], _) => read_one(text, schema),
        (texts, Some(items)) => {
            let items = resolved(schema, items);
            texts.iter().map(|text| read_one(text, &items)).collect::<Result<_, _>>().map(Pending::List)
        }
        (_, None) => Err("it is given more than once, and takes no list".to_owned()),
    }
}

fn read_one(text: &str, schema: &Value) -> Result<Pending, String> {
    let path = text.strip_prefix('@').filter(|path| !path.starts_with('@'));
    match path {
        Some(path) if is_file(schema, 0) => Ok(Pending::File(path.into())),
        Some(path) => read_text(&text_of(Path::new(path))?, schema).map(Pending::Value),
        // `@@x` is the text `@x`.
        None => read_text(text.strip_prefix('@').unwrap_or(text), schema).map(Pending::Value),
    }
}

/// What a schema takes, as far as reading a text needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Integer,
    Boolean,
    Null,
    List,
    Object,
    File,
}

/// Reads a text as the first of the schema's types that it is; strings take it as it stands.
fn read_text(text: &str, schema: &Value) -> Result<Value, String> {
    let kinds = kinds(schema, 0);
    let json = serde_json::from_str::<Value>(text.trim()).ok();
    if kinds.is_empty() {
        return Ok(json.unwrap_or_else(|| Value::String(text.to_owned())));
    }
    let fits = |value: &Value| kinds.iter().any(|kind| is_of(value, *kind));
    match json {
        // With `string` among the types only what no other type takes is a string: `null` for `string?`.
        Some(value) if !value.is_string() && fits(&value) => Ok(value),
        _ if kinds.contains(&Kind::Text) => Ok(Value::String(text.to_owned())),
        _ => Err(wanted(text, &kinds)),
    }
}

fn is_of(value: &Value, kind: Kind) -> bool {
    match kind {
        Kind::Text => value.is_string(),
        Kind::Number => value.is_number(),
        // 5.0 is a valid integer.
        Kind::Integer => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0),
        Kind::Boolean => value.is_boolean(),
        Kind::Null => value.is_null(),
        Kind::List => value.is_array(),
        Kind::Object | Kind::File => value.is_object(),
    }
}

fn wanted(text: &str, kinds: &[Kind]) -> String {
    let words: Vec<_> = kinds
        .iter()
        .map(|kind| match kind {
            Kind::Text => "text",
            Kind::Number => "a number",
            Kind::Integer => "a whole number",
            Kind::Boolean => "true or false",
            Kind::Null => "null",
            Kind::List => "a JSON list",
            Kind::Object => "a JSON object",
            Kind::File => "a file, as @PATH",
        })
        .collect();
    format!("{text:?} is not {}", words.join(" or "))
}

fn kinds(schema: &Value, depth: usize) -> Vec<Kind> {
    if depth > DEPTH_MAX {
        return Vec::new();
    }
    if is_file(schema, depth) {
        return vec![Kind::File];
    }
    let word = |word: &Value| match word.as_str() {
        Some("string") => Some(Kind::Text),
        Some("number") => Some(Kind::Number),
        Some("integer") => Some(Kind::Integer),
        Some("boolean") => Some(Kind::Boolean),
        Some("null") => Some(Kind::Null),
        Some("array") => Some(Kind::List),
        Some("object") => Some(Kind::Object),
        _ => None,
    };
    match schema.get("type") {
        Some(Value::Array(words)) => return words.iter().filter_map(word).collect(),
        Some(one) => return word(one).into_iter().collect(),
        None => {}
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.iter().map(kind_of).collect();
    }
    if let Some(value) = schema.get("const") {
        return vec![kind_of(value)];
    }
    let branches = ["anyOf", "oneOf"].iter().find_map(|word| schema.get(word)?.as_array());
    let mut all = Vec::new();
    for branch in branches.into_iter().flatten() {
        let kinds = kinds(&resolved(schema, branch), depth + 1);
        // A branch that takes anything makes the whole take anything.
        if kinds.is_empty() {
            return kinds;
        }
        all.extend(kinds);
    }
    all
}

fn kind_of(value: &Value) -> Kind {
    match value {
        Value::Null => Kind::Null,
        Value::Bool(_) => Kind::Boolean,
        Value::Number(_) => Kind::Number,
        Value::String(_) => Kind::Text,
        Value::Array(_) => Kind::List,
        Value::Object(_) => Kind::Object,
    }
}

/// Whether the schema is that of a `file`: by its word, or by the fields that no other object has together.
fn is_file(schema: &Value, depth: usize) -> bool {
    let has = |field: &str| schema.pointer(&format!("/properties/{field}")).is_some();
    if schema.get("format").is_some_and(|format| format == "file")
        || (has("artifact") && has("url") && has("size"))
    {
        return true;
    }
    let branches = ["anyOf", "oneOf"].iter().filter_map(|word| schema.get(word)?.as_array()).flatten();
    depth < DEPTH_MAX && branches.into_iter().any(|branch| is_file(&resolved(schema, branch), depth + 1))
}

/// Uploads what has to be, and puts the input together.
///
/// # Errors
/// When a file cannot be read or the server does not take it.
pub async fn upload(client: &Client, input: Vec<(String, Pending)>) -> Result<Json, Failure> {
    let mut map = Map::new();
    for (key, value) in input {
        map.insert(key, uploaded(client, value).await?);
    }
    Ok(Json::of(&map))
}

async fn uploaded(client: &Client, value: Pending) -> Result<Value, Failure> {
    match value {
        Pending::Value(value) => Ok(value),
        Pending::File(path) => file(client, &path).await,
        Pending::List(items) => {
            let mut values = Vec::with_capacity(items.len());
            for item in items {
                values.push(match item {
                    Pending::Value(value) => value,
                    Pending::File(path) => file(client, &path).await?,
                    Pending::List(_) => unreachable!("a list of texts holds no lists of files"),
                });
            }
            Ok(Value::Array(values))
        }
    }
}

async fn file(client: &Client, path: &Path) -> Result<Value, Failure> {
    let file = FileValue::from(client.upload_file(path).await?);
    Ok(serde_json::to_value(file).expect("our own types serialize"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn file_schema() -> Value {
        json!({"type": "object", "properties": {"artifact": {"type": "string"}, "name": {}, "type": {}, "size": {}, "url": {}}})
    }

    #[test]
    fn a_text_is_read_by_its_type() {
        let string = json!({"type": "string"});
        let maybe = json!({"type": ["string", "null"]});
        let any_of = json!({"anyOf": [{"type": "number"}, {"type": "null"}]});
        let choice = json!({"enum": ["small", "large"]});
        for (schema, text, expected) in [
            (&string, "12", json!("12")),
            (&string, "true", json!("true")),
            (&string, " a b ", json!(" a b ")),
            (&string, "", json!("")),
            (&string, "@@ann", json!("@ann")),
            (&string, "\"quoted\"", json!("\"quoted\"")),
            (&maybe, "null", Value::Null),
            (&maybe, "12", json!("12")),
            (&json!({"type": "number"}), "1.5", json!(1.5)),
            (&json!({"type": "integer"}), "-7", json!(-7)),
            (&json!({"type": "integer"}), "5.0", json!(5.0)),
            (&json!({"type": "boolean"}), "true", json!(true)),
            (&any_of, "3", json!(3)),
            (&any_of, "null", Value::Null),
            (&choice, "small", json!("small")),
            (&json!({"type": "array", "items": {"type": "number"}}), "[1, 2]", json!([1, 2])),
            (&json!({"type": "object"}), "{\"a\": 1}", json!({"a": 1})),
            (&json!(true), "7", json!(7)),
            (&json!({}), "seven", json!("seven")),
        ] {
            assert_eq!(read_field(&[text], schema), Ok(Pending::Value(expected)), "{text:?} by {schema}");
        }
    }

    #[test]
    fn what_is_not_of_the_type_is_refused_with_what_is_wanted() {
        for (schema, text, words) in [
            (json!({"type": "number"}), "ten", "\"ten\" is not a number"),
            (json!({"type": "number"}), "", "\"\" is not a number"),
            (json!({"type": "number"}), "\"1\"", "is not a number"),
            (json!({"type": "integer"}), "1.5", "is not a whole number"),
            (json!({"type": "boolean"}), "yes", "is not true or false"),
            (json!({"type": ["integer", "null"]}), "x", "is not a whole number or null"),
            (json!({"type": "array"}), "1,2", "is not a JSON list"),
            (file_schema(), "stub.pdf", "is not a file, as @PATH"),
        ] {
            let error = read_field(&[text], &schema).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        assert!(read_field(&["1", "2"], &json!({"type": "number"})).unwrap_err().contains("more than once"));
    }

    #[test]
    fn files_are_uploaded_only_where_the_type_is_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n.txt");
        std::fs::write(&path, "42\n").unwrap();
        let at = format!("@{}", path.display());
        let files = json!({"type": "array", "items": file_schema()});
        let maybe = json!({"anyOf": [file_schema(), {"type": "null"}]});
        for (schema, expected) in [
            (file_schema(), Pending::File(path.clone())),
            (maybe, Pending::File(path.clone())),
            (files, Pending::List(vec![Pending::File(path)])),
            (json!({"type": "number"}), Pending::Value(json!(42))),
            (json!({"type": "string"}), Pending::Value(json!("42\n"))),
        ] {
            assert_eq!(read_field(&[&at], &schema), Ok(expected), "{schema}");
        }
        assert!(read_field(&["@no/such"], &json!({"type": "string"})).unwrap_err().starts_with("no/such: "));
    }

    #[test]
    fn fields_are_put_over_the_whole_input() {
        let schema = json!({
            "type": "object", "additionalProperties": false,
            "properties": {"who": {"type": "string"}, "n": {"$ref": "#/$defs/n"}, "many": {"type": "array", "items": {"$ref": "#/$defs/n"}}},
            "$defs": {"n": {"type": "number"}}
        });
        let args = |fields: &[&str], whole: Option<&str>| InputArgs {
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            whole: whole.map(Into::into),
        };
        let value = |value: Value| Pending::Value(value);
        assert_eq!(
            args(&["n=2", "many=1", "many=2"], Some("{\"who\": \"ann\", \"n\": 1}")).read(&schema).unwrap(),
            [
                ("who".to_owned(), value(json!("ann"))),
                ("n".to_owned(), value(json!(2))),
                ("many".to_owned(), Pending::List(vec![value(json!(1)), value(json!(2))])),
            ]
        );
        for (bad, words) in [
            (args(&["n"], None), "is not KEY=VALUE"),
            (args(&["=1"], None), "is not KEY=VALUE"),
            (args(&["whom=x"], None), "-i whom: the input has no such field; it has who, n, many"),
            (args(&["n=x"], None), "-i n: \"x\" is not a number"),
            (args(&[], Some("[1]")), "must be a JSON object"),
            (args(&[], Some("{")), "is not JSON"),
            (args(&[], Some("@no/such.json")), "no/such.json: "),
        ] {
            let failure = bad.read(&schema).unwrap_err();
            assert!(failure.message.contains(words), "{failure:?}");
            assert_eq!(failure.exit as u8, 2);
        }
    }
}
