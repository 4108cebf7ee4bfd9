//! Operations from OpenAPI documents.

use consort_spec::{
    Checked, Folders, Texts, check,
    definition::{Method, Operation, Project, Service},
};
use consort_types::{BodyPlace, EmptyBody, Json, Placing, QueryField, QueryStyle};
use serde_json::{Value, json};
use std::{fmt::Write, sync::Arc};

const PETS_30: &str = r##"openapi: 3.0.3
info: { title: Pets, version: "1" }
servers: [{ url: https://pets.example/v1 }]
paths:
  /pets:
    get:
      operationId: listPets
      summary: All pets
      parameters:
        - { name: tag, in: query, schema: { type: array, items: { type: string } } }
        - { name: limit, in: query, schema: { type: integer, default: 20, maximum: 100 } }
        - { name: sort, in: query, explode: false, schema: { type: array, items: { type: string } } }
        - { name: where, in: query, style: deepObject, schema: { type: object } }
        - { name: X-Request-Id, in: header, schema: { type: string } }
      responses:
        "200":
          content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/Pet" } } } }
    post:
      operationId: addPet
      requestBody: { $ref: "#/components/requestBodies/Pet" }
      responses:
        "201": { content: { application/json: { schema: { $ref: "#/components/schemas/Pet" } } } }
        "204": { description: there already }
        default: { content: { application/json: { schema: { type: object } } } }
  /pets/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: integer, format: int64 } }
    get:
      responses: { "200": { content: { application/json: { schema: { $ref: "#/components/schemas/Pet" } } } } }
    put:
      operationId: replace-pet
      deprecated: true
      requestBody: { $ref: "#/components/requestBodies/Pet" }
      responses: { "204": { description: done } }
    delete:
      operationId: removePet
      parameters: [{ name: reason, in: query, required: true, schema: { type: string, nullable: true } }]
      responses: { "204": { description: done } }
  /pets/{id}/photo:
    post:
      operationId: uploadPhoto
      requestBody: { required: true, content: { multipart/form-data: { schema: { type: object } } } }
      responses: { "200": { description: ok } }
  /labels:
    put:
      operationId: setLabels
      requestBody: { content: { application/json: { schema: { type: array, items: { type: string } } } } }
      responses: { "200": { description: ok } }
  /secure:
    get:
      operationId: secure
      parameters: [{ name: X-Tenant, in: header, required: true, schema: { type: string } }]
      responses: { "200": { description: ok } }
components:
  requestBodies:
    Pet:
      required: true
      content: { application/json: { schema: { $ref: "#/components/schemas/Pet" } } }
  schemas:
    Named:
      type: object
      required: [name]
      properties: { name: { type: string, minLength: 1 } }
    Pet:
      allOf:
        - $ref: "#/components/schemas/Named"
        - type: object
          required: [id, born]
          properties:
            id: { type: integer, readOnly: true }
            kind: { type: string, enum: [cat, dog], default: cat }
            born: { type: string, format: date-time }
            nick: { type: string, nullable: true }
            weight: { type: number, minimum: 0, exclusiveMinimum: true }
            parent: { allOf: [{ $ref: "#/components/schemas/Pet" }], nullable: true }
"##;

fn checked(document: &str, ending: &str, more: &str, steps: &str) -> Checked {
    let steps: String = steps.lines().map(|line| format!("      {line}\n")).collect();
    let file = format!(
        "name: shop\nservices:\n  pets: {{ url: \"http://pets\", openapi: api/pets.{ending}{more} }}\nworkflows:\n  w:\n    input: {{ id: integer, who: string, list: [string] }}\n    steps:\n{steps}"
    );
    let texts = [("consort.yaml".to_owned(), file), (format!("api/pets.{ending}"), document.to_owned())];
    check(&Texts::new(texts, Folders::Assumed))
}

fn project(document: &str, ending: &str) -> Arc<Project> {
    let checked = checked(document, ending, "", "a: { value: 1 }");
    checked.project.unwrap_or_else(|| panic!("{:#?}", checked.problems))
}

fn service(document: &str) -> Arc<Service> {
    project(document, "yaml").services["pets"].clone()
}

/// `code line:column message`, of the document or of the file.
fn problems(checked: &Checked) -> Vec<String> {
    let told = checked.problems.iter().map(|problem| {
        format!("{} {}:{}:{} {}", problem.code, problem.file, problem.line, problem.column, problem.message)
    });
    told.collect()
}

fn places(operation: &Operation) -> (Vec<(String, QueryStyle)>, BodyPlace) {
    let Placing::Declared(places) = &operation.placing else { panic!("{:?}", operation.placing) };
    let query = places.query.iter().map(|QueryField { name, style }| (name.clone(), *style)).collect();
    (query, places.body.clone())
}

fn takes(operation: &Operation, input: &Value) -> Result<Value, Vec<String>> {
    let checked = operation.input.check(&Json::of(input));
    checked
        .map(|json| json.to_value())
        .map_err(|errors| errors.into_iter().map(|error| format!("{} {}", error.path, error.code)).collect())
}

#[test]
fn operations_have_names_methods_paths_and_places() {
    let service = service(PETS_30);
    let names: Vec<&str> = service.operations.keys().map(|name| name.as_str()).collect();
    let expected = ["add_pet", "get_pets_id", "list_pets", "remove_pet", "replace-pet", "set_labels"];
    assert_eq!(names, expected);
    let left_out: Vec<&str> = service.left_out.keys().map(|name| name.as_str()).collect();
    assert_eq!(left_out, ["secure", "upload_photo"]);
    let list = &service.operations["list_pets"];
    assert_eq!((list.method, list.path.as_str()), (Method::Get, "/pets"));
    assert_eq!(list.description.as_deref(), Some("All pets"));
    let (query, body) = places(list);
    let styles = [QueryStyle::Repeated, QueryStyle::Repeated, QueryStyle::Comma, QueryStyle::Deep];
    let names = ["tag", "limit", "sort", "where"];
    assert_eq!(query, names.map(str::to_owned).into_iter().zip(styles).collect::<Vec<_>>());
    assert_eq!(body, BodyPlace::None);
    let rest = |also: &[&str], when_empty| BodyPlace::Rest {
        also: also.iter().map(|name| (*name).to_owned()).collect(),
        when_empty,
        media_type: "application/json".to_owned(),
    };
    assert_eq!(places(&service.operations["add_pet"]).1, rest(&[], EmptyBody::Object));
    // The field of the path is read-only in the body: it goes into the path alone.
    assert_eq!(places(&service.operations["replace-pet"]).1, rest(&[], EmptyBody::Object));
    assert!(service.operations["replace-pet"].deprecated);
    let (_, body) = places(&service.operations["set_labels"]);
    assert!(matches!(body, BodyPlace::Field { name, .. } if name == "body"));
}

#[test]
fn inputs_are_checked_and_defaults_filled_in() {
    let service = service(PETS_30);
    let add = &service.operations["add_pet"];
    assert_eq!(
        takes(add, &json!({ "name": "Tom", "born": "2026-01-02T03:04:05Z" })),
        Ok(json!({ "name": "Tom", "born": "2026-01-02T03:04:05Z", "kind": "cat" }))
    );
    let wrong = json!({ "name": "", "kind": "cow", "weight": 0, "nick": null, "colour": "red" });
    let errors = takes(add, &wrong).unwrap_err();
    for error in ["born missing", "name range", "kind enum", "weight range"] {
        assert!(errors.iter().any(|told| told == error), "{error} in {errors:?}");
    }
    assert!(errors.iter().any(|told| told.contains("unknown")), "{errors:?}");
    let needed = self::service(&PETS_30.replace("required: [id, born]", "required: [id, born, kind]"));
    let steps = "a: { call: pets.add_pet, with: { name: x, born: \"2026-01-02T03:04:05Z\" } }";
    let given = PETS_30.replace("required: [id, born]", "required: [id, born, kind]");
    assert_eq!(problems(&checked(&given, "yaml", "", steps)), Vec::<String>::new(), "a default is given");
    let born = json!({ "name": "Tom", "born": "2026-01-02T03:04:05Z" });
    assert!(takes(&needed.operations["add_pet"], &born).is_ok());
    let list = &service.operations["list_pets"];
    assert_eq!(takes(list, &json!({})), Ok(json!({ "limit": 20 })));
    assert_eq!(takes(list, &json!({ "limit": 101 })), Err(vec!["limit range".to_owned()]));
    let replace = &service.operations["replace-pet"];
    assert_eq!(
        takes(replace, &json!({ "name": "a", "born": "2026-01-02T03:04:05Z" })),
        Err(vec!["id missing".to_owned()])
    );
    let remove = &service.operations["remove_pet"];
    assert!(takes(remove, &json!({ "id": 1, "reason": null })).is_ok());
    assert!(takes(&service.operations["set_labels"], &json!({ "body": ["a"] })).is_ok());
    assert!(takes(&service.operations["set_labels"], &json!({})).is_ok());
    let pet = json!({ "name": "a", "id": 1, "born": "2026-01-02T03:04:05Z", "parent": null, "more": true });
    assert!(add.output.check(&Json::of(&pet)).is_ok(), "answers may hold more");
    assert!(add.output.check(&Json::null()).is_ok(), "204 is one of the answers");
    assert!(add.output.check(&Json::of(&json!({ "name": "a" }))).is_err());
    let bad_parent = json!({ "name": "a", "id": 1, "born": "2026-01-02T03:04:05Z", "parent": { "id": "x" } });
    assert!(add.output.check(&Json::of(&bad_parent)).is_err(), "schemas that hold themselves are checked");
}

#[test]
fn types_of_the_document_flow_into_expressions() {
    let right = checked(
        PETS_30,
        "yaml",
        "",
        "one: { call: pets.get_pets_id, with: { id: \"${input.id}\" } }
all: { call: pets.list_pets, with: { tag: \"${input.list}\" } }
n: { value: \"${one.id + 1}\" }
names: { value: \"${all.map(pet, pet.name)}\" }
",
    );
    assert_eq!(problems(&right), Vec::<String>::new());
    let wrong = checked(
        PETS_30,
        "yaml",
        "",
        "one: { call: pets.get_pets_id, with: { id: \"${input.who}\" } }
two: { call: pets.get_pets_id, with: { identity: 1 } }
n: { value: \"${one.naem}\" }
up: { call: pets.list_pets, with: { tag: [\"${one.nick}\"] } }
gone: { call: pets.uploadPhoto }
photo: { call: pets.upload_photo }
old: { call: pets.replace-pet, with: { id: 1, name: x, born: \"2026-01-02T03:04:05Z\" } }
",
    );
    let told = problems(&wrong);
    for (code, words) in [
        ("E_TYPE", "integer"),
        ("E_EXTRA_INPUT", "identity"),
        ("E_UNKNOWN_FIELD", "naem"),
        ("E_PERHAPS_NULL", ""),
        ("E_UNKNOWN_OPERATION", "uploadPhoto"),
        ("E_OPENAPI", "multipart/form-data"),
        ("W_DEPRECATED", "replace-pet"),
    ] {
        assert!(told.iter().any(|it| it.starts_with(code) && it.contains(words)), "{code} in {told:#?}");
    }
}

#[test]
fn a_key_of_operations_overrides_and_headers_can_be_set() {
    let more = ", headers: { X-Tenant: me }, operations: { list_pets: { timeout: 5s, retry: { attempts: 3 }, description: mine }, get_pets_id: { output: { name: string } }, ping: { method: GET } }";
    let checked = checked(PETS_30, "yaml", more, "a: { call: pets.secure }");
    let project = checked.project.unwrap_or_else(|| panic!("{:#?}", checked.problems));
    let service = &project.services["pets"];
    let list = &service.operations["list_pets"];
    assert_eq!((list.timeout.as_secs(), list.path.as_str()), (5, "/pets"));
    assert_eq!(list.description.as_deref(), Some("mine"));
    assert_eq!(places(list).0.len(), 4);
    assert!(list.retry.is_some());
    let one = &service.operations["get_pets_id"];
    assert!(one.output.check(&Json::of(&json!({ "name": "a" }))).is_ok() && one.path == "/pets/{id}");
    assert_eq!(service.operations["ping"].path, "/ping");
    assert!(service.operations.contains_key("secure"));
    let by_id =
        self::checked(PETS_30, "yaml", ", operations: { listPets: { timeout: 5s } }", "a: { value: 1 }");
    assert!(
        problems(&by_id).iter().any(|it| it.contains("is named `list_pets` here")),
        "{:?}",
        by_id.problems
    );
}

#[test]
fn version_3_1_is_json_schema() {
    let document = json!({
        "openapi": "3.1.0",
        "paths": { "/jobs/{job-id}": { "post": {
            "operationId": "jobs.start",
            "requestBody": { "content": { "application/vnd.jobs+json; charset=utf-8": { "schema": {
                "type": "object",
                "properties": {
                    "mode": { "const": "fast" },
                    "speed": { "type": ["integer", "null"], "exclusiveMinimum": 0 },
                    "job-id": { "type": "string", "maxLength": 3 },
                },
                "required": ["mode"],
            } } } },
            "responses": {
                "2XX": { "content": { "application/json": { "schema": { "oneOf": [
                    { "$ref": "#/components/schemas/Done" },
                    { "type": "object", "required": ["id", "error"], "properties": { "id": { "type": "integer" }, "error": { "type": "string" } } },
                ] } } } },
                "202": { "content": { "application/json": { "schema": { "type": "string" } } } },
            },
        } } },
        "components": { "schemas": {
            "Done": { "$ref": "#/components/schemas/Real", "description": "with a sibling" },
            "Real": { "type": "object", "required": ["id"], "properties": {
                "id": { "type": "integer" },
                "next": { "anyOf": [{ "$ref": "#/components/schemas/Done" }, { "type": "null" }] },
                "emoji": { "const": "\u{1f600}" },
            } },
        } },
    });
    // As Python writes it.
    let text = document.to_string().replace('\u{1f600}', "\\ud83d\\ude00");
    let project = project(&text, "json");
    let start = &project.services["pets"].operations["jobs_start"];
    let (_, body) = places(start);
    let BodyPlace::Rest { also, when_empty, media_type } = body else { panic!("{body:?}") };
    assert_eq!((also, when_empty), (vec!["job-id".to_owned()], EmptyBody::Absent));
    assert_eq!(media_type, "application/vnd.jobs+json; charset=utf-8");
    assert!(takes(start, &json!({ "job-id": "abc" })).is_ok(), "no body at all");
    assert!(takes(start, &json!({ "job-id": "abc", "mode": "fast", "speed": null })).is_ok());
    assert!(takes(start, &json!({ "job-id": "abc", "speed": 2 })).is_err(), "half a body");
    assert!(takes(start, &json!({ "job-id": "abcd" })).is_err(), "one value, which fits both places");
    assert!(takes(start, &json!({ "job-id": "abc", "mode": "slow" })).is_err());
    let steps = "a: { call: pets.jobs_start, with: { job-id: x, mode: fast } }\nb: { value: \"${a.id + 1}\" }\nc: { value: \"${a.eror}\" }";
    let told = problems(&checked(&text, "json", "", steps));
    assert!(told.len() == 1 && told[0].contains("eror"), "{told:#?}");
}

#[test]
fn mistakes_of_a_document_are_told_at_their_places() {
    for (document, expected) in [
        ("swagger: \"2.0\"\npaths: {}\n", "E_OPENAPI api/pets.yaml:1:10 this is Swagger 2.0"),
        ("info: {}\n", "E_OPENAPI api/pets.yaml:1:1 this is no OpenAPI document"),
        (
            "openapi: 4.0.0\n",
            "E_OPENAPI api/pets.yaml:1:10 OpenAPI 3.0 and 3.1 are read, and this is `4.0.0`",
        ),
        ("openapi: 3.1.0\npaths: []\n", "E_OPENAPI api/pets.yaml:2:8 `paths` is a map"),
        ("openapi: 3.1.0\npaths:\n  pets: {}\n", "E_OPENAPI api/pets.yaml:3:3 `pets` is not a path"),
        ("openapi: 3.1.0\npaths:\n  /a: { get: 1 }\n", "E_OPENAPI api/pets.yaml:3:14 an operation is a map"),
        (
            "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      parameters:\n        - $ref: '#/components/parameters/Gone'\n",
            "E_OPENAPI api/pets.yaml:6:17 `#/components/parameters/Gone` names nothing",
        ),
        (
            "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      parameters: [{ in: query }]\n",
            "E_OPENAPI api/pets.yaml:5:20 a parameter needs `name`",
        ),
        (
            "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      parameters: [{ name: a, in: query, schema: { type: strng } }]\n",
            "E_OPENAPI api/pets.yaml:5:58 `strng` is no type",
        ),
        (
            "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      parameters: [{ name: a, in: query, schema: { $ref: 'other.yaml#/A' } }]\n",
            "E_OPENAPI api/pets.yaml:5:58 `other.yaml#/A` leads out of the document",
        ),
        (
            "openapi: 3.1.0\npaths:\n  /a: { $ref: '#/paths/~1a' }\n",
            "E_OPENAPI api/pets.yaml:3:7 this refers to itself",
        ),
        (
            "openapi: 3.1.0\npaths:\n  /a: { get: { operationId: x } }\n  /b: { get: { operationId: x } }\n",
            "W_OPENAPI api/pets.yaml:4:29 a second operation named `x`",
        ),
        (
            "openapi: 3.1.0\npaths:\n  /a: { get: { parameters: [{ name: a, in: query, schema: { pattern: '(?=x)' } }] } }\n",
            "W_OPENAPI api/pets.yaml:3:70 the pattern `(?=x)`",
        ),
        ("openapi: 3.1.0\n  bad: [\n", "E_YAML api/pets.yaml:"),
    ] {
        // A broken document leaves calls of it alone: one mistake, one message.
        let told = problems(&checked(document, "yaml", "", "a: { call: pets.anything }"));
        let told: Vec<_> = told.into_iter().filter(|it| !it.starts_with("E_UNKNOWN_OPERATION")).collect();
        assert!(told.len() == 1 && told[0].starts_with(expected), "{expected}\n{told:#?}");
    }
    let json =
        problems(&checked("{\n  \"openapi\": \"3.1.0\",\n}", "json", "", "a: { call: pets.anything }"));
    assert_eq!(json, ["E_OPENAPI api/pets.json:3:1 this is not JSON: a key in quotes is wanted"]);
    let gone = check(&Texts::new(
        [(
            "consort.yaml".to_owned(),
            "name: a\nservices: { b: { url: \"http://b\", openapi: gone.yaml } }\n".to_owned(),
        )],
        Folders::Known(std::collections::BTreeSet::new()),
    ));
    assert_eq!(gone.problems.len(), 1, "{:?}", gone.problems);
}

#[test]
fn a_revision_is_what_calls_are_made_of() {
    let digest = |document: &str| service(document).digest;
    let before = digest(PETS_30);
    assert_eq!(before, digest(&PETS_30.replace("All pets", "Every pet")), "words for people");
    assert_eq!(before, digest(&PETS_30.replace("title: Pets", "title: Beasts")));
    for (from, to) in [
        ("maximum: 100", "maximum: 99"),
        ("minLength: 1", "minLength: 2"),
        ("/labels:", "/tags:"),
        ("explode: false", "explode: true"),
    ] {
        assert_ne!(before, digest(&PETS_30.replace(from, to)), "{from}");
    }
    let files = checked(PETS_30, "yaml", "", "a: { value: 1 }").files;
    assert!(files.iter().any(|file| file.path == "api/pets.yaml"), "what apply sends");
}

/// Everything refers to everything, as in documents that frameworks write.
fn large(operations: usize) -> String {
    let mut text = String::from("{\"openapi\": \"3.0.3\", \"paths\": {");
    for n in 0..operations {
        let comma = if n > 0 { "," } else { "" };
        let _ = write!(
            text,
            "{comma}\"/things{n}/{{id}}\": {{\"post\": {{\"operationId\": \"postThing{n}\", \"requestBody\": {{\"content\": {{\"application/json\": {{\"schema\": {{\"$ref\": \"#/components/schemas/T{n}\"}}}}}}}}, \"responses\": {{\"200\": {{\"description\": \"ok\", \"content\": {{\"application/json\": {{\"schema\": {{\"$ref\": \"#/components/schemas/T{n}\"}}}}}}}}}}}}}}"
        );
    }
    text.push_str("}, \"components\": {\"schemas\": {");
    for n in 0..operations {
        let comma = if n > 0 { "," } else { "" };
        let _ = write!(
            text,
            "{comma}\"T{n}\": {{\"type\": \"object\", \"properties\": {{\"name\": {{\"type\": \"string\"}}"
        );
        for step in 1..8 {
            let other = (n * 7 + step * 13) % operations;
            let _ = write!(text, ", \"f{step}\": {{\"$ref\": \"#/components/schemas/T{other}\"}}");
        }
        text.push_str("}}");
    }
    text.push_str("}}}");
    text
}

#[test]
fn a_document_of_300_operations_in_which_all_is_connected_is_quick_and_small() {
    let text = large(300);
    let begun = std::time::Instant::now();
    let project = project(&text, "json");
    // Generous: a debug build on a busy machine. What goes wrong here takes minutes.
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    let service = &project.services["pets"];
    assert_eq!(service.operations.len(), 300);
    let shown: usize = service.operations.values().map(|it| it.output.document().to_string().len()).sum();
    assert!(shown < 8 * 1024 * 1024, "{shown}");
    let one = &service.operations["post_thing7"];
    assert!(one.output.check(&Json::of(&json!({ "f1": { "f2": { "name": "a" } } }))).is_ok());
    assert!(one.output.check(&Json::of(&json!({ "f1": { "f2": { "name": 1 } } }))).is_err());
}
