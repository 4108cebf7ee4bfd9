//! The input of an operation: fields of the path, the query and the body in one object.

use super::{
    bodies::Body,
    definitions::Definitions,
    parameters::{Parameter, Place},
};
use consort_types::{BodyPlace, EmptyBody, Places, Placing, QueryField};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The field that holds a body which is no object.
const BODY_FIELD: &str = "body";

/// How deep `allOf` is looked into for the fields of a body.
const DEPTH_MAX: usize = 32;

/// Names of fields that a path takes.
pub(super) fn fields_of_path(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name)
}

/// The schema of the input, and where its fields go.
pub(super) fn input(
    definitions: &Definitions,
    path: &str,
    parameters: &[Parameter],
    body: &Body,
) -> (Value, Placing) {
    let mut input = Fields::default();
    for name in fields_of_path(path) {
        let declared = parameters.iter().find(|it| it.place == Place::Path && it.name == name);
        input.add(name, declared.map_or_else(|| json!({ "type": "string" }), |it| it.schema.clone()));
        input.require(name);
    }
    let mut query = Vec::new();
    for parameter in parameters.iter().filter(|parameter| parameter.place == Place::Query) {
        input.add(&parameter.name, parameter.schema.clone());
        if parameter.required {
            input.require(&parameter.name);
        }
        query.push(QueryField { name: parameter.name.clone(), style: parameter.style });
    }
    let body = match body {
        Body::None | Body::Other(_) => BodyPlace::None,
        Body::Json { schema, media_type, required } => {
            body_place(definitions, &mut input, schema, media_type, *required)
        }
    };
    // A default is filled in before the call: nobody has to give it.
    let Fields { properties, required, .. } = &mut input;
    required.retain(|name| {
        let property = properties.get(name).map(|property| definitions.followed(property));
        property.is_none_or(|property| property.get("default").is_none())
    });
    (input.schema(), Placing::Declared(Arc::new(Places { query, body })))
}

fn body_place(
    definitions: &Definitions,
    input: &mut Fields,
    schema: &Value,
    media_type: &str,
    required: bool,
) -> BodyPlace {
    let media_type = media_type.to_owned();
    let Some(object) = object(definitions, schema, 0).filter(|object| object.is_object) else {
        input.add(BODY_FIELD, schema.clone());
        if required {
            input.require(BODY_FIELD);
        }
        return BodyPlace::Field { name: BODY_FIELD.to_owned(), media_type };
    };
    let mut also = Vec::new();
    let own: Vec<String> = object.properties.keys().cloned().collect();
    for (name, property) in object.properties {
        let read_only = definitions.followed(&property).get("readOnly") == Some(&Value::Bool(true));
        if input.properties.contains_key(&name) {
            if read_only {
                continue;
            }
            also.push(name.clone());
        }
        input.add(&name, property);
    }
    if required {
        object.required.iter().for_each(|name| input.require(name));
    } else if !object.required.is_empty() {
        // No body, or a whole one.
        let fields = own.into_iter().filter(|name| !also.contains(name));
        input.together.extend(fields.map(|name| (name, object.required.clone())));
    }
    input.others = object.others;
    let when_empty = if required { EmptyBody::Object } else { EmptyBody::Absent };
    BodyPlace::Rest { also, when_empty, media_type }
}

/// Fields while they are gathered.
#[derive(Default)]
struct Fields {
    properties: Map<String, Value>,
    required: Vec<String>,
    /// Fields that need others beside them.
    together: Vec<(String, Vec<String>)>,
    /// What fields that are not named may be; none: there are no others.
    others: Option<Value>,
}

impl Fields {
    /// A field that stands in two places has one value, which fits both.
    fn add(&mut self, name: &str, schema: Value) {
        let schema = match self.properties.remove(name) {
            Some(before) if before != schema => json!({ "allOf": [before, schema] }),
            _ => schema,
        };
        self.properties.insert(name.to_owned(), schema);
    }

    fn require(&mut self, name: &str) {
        if !self.required.iter().any(|known| known == name) {
            self.required.push(name.to_owned());
        }
    }

    fn schema(self) -> Value {
        let mut schema = json!({
            "type": "object",
            "properties": self.properties,
            "required": self.required,
            "additionalProperties": self.others.unwrap_or(Value::Bool(false)),
        });
        if !self.together.is_empty() {
            let together = self.together.into_iter().map(|(name, others)| (name, Value::from(others)));
            schema["dependentRequired"] = Value::Object(together.collect());
        }
        schema
    }
}

/// An object schema as one list of fields.
#[derive(Default)]
struct Object {
    /// It says by itself that it is an object.
    is_object: bool,
    properties: Map<String, Value>,
    required: Vec<String>,
    others: Option<Value>,
}

/// A schema as one list of fields, if it is one: `$ref` and `allOf` are followed, a choice is none.
fn object(definitions: &Definitions, schema: &Value, depth: usize) -> Option<Object> {
    let entries = definitions.followed(schema).as_object().filter(|_| depth < DEPTH_MAX)?;
    if ["anyOf", "oneOf", "not", "if", "enum", "const"].iter().any(|key| entries.contains_key(*key)) {
        return None;
    }
    let mut all = Object::default();
    match entries.get("type") {
        None => {}
        Some(Value::String(word)) if word == "object" => all.is_object = true,
        Some(_) => return None,
    }
    let properties = entries.get("properties").and_then(Value::as_object);
    all.is_object |= properties.is_some();
    all.properties = properties.cloned().unwrap_or_default();
    let required = entries.get("required").and_then(Value::as_array).into_iter().flatten();
    all.required = required.filter_map(|name| name.as_str().map(str::to_owned)).collect();
    all.others = match entries.get("additionalProperties") {
        Some(Value::Bool(false)) => None,
        Some(others) => Some(others.clone()),
        None if properties.is_none() && all.is_object => Some(Value::Bool(true)),
        None => None,
    };
    let beside = entries.get("$ref").map(|reference| json!({ "$ref": reference }));
    let parts = entries.get("allOf").and_then(Value::as_array).into_iter().flatten();
    for part in beside.iter().chain(parts) {
        let part = object(definitions, part, depth + 1)?;
        all.is_object |= part.is_object;
        for (name, property) in part.properties {
            let property = match all.properties.remove(&name) {
                Some(before) if before != property => json!({ "allOf": [before, property] }),
                _ => property,
            };
            all.properties.insert(name, property);
        }
        all.required.extend(part.required);
        all.others = all.others.or(part.others);
    }
    Some(all)
}
