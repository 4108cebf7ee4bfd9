//! What holds for every route: problems, policy, the OpenAPI document, the page.

mod support;

use axum::body::Body;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::{HOST, Server, request};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_refuses_answers_with_a_problem() {
    let server = Server::with_demo().await;
    for (method, path, content_type, body, status, code) in [
        ("GET", "/api/v1/none", "", "", 404, "E_NO_ROUTE"),
        ("POST", "/none", "", "", 404, "E_NO_ROUTE"),
        ("GET", "/assets/none.js", "", "", 404, "E_NO_ROUTE"),
        ("DELETE", "/api/v1/runs", "", "", 405, "E_METHOD"),
        ("GET", "/api/v1/apply", "", "", 405, "E_METHOD"),
        ("POST", "/api/v1/apply", "text/plain", "{}", 415, "E_MEDIA_TYPE"),
        ("POST", "/api/v1/apply", "application/json", "{", 400, "E_JSON"),
        ("POST", "/api/v1/apply", "application/json", "{\"filez\": []}", 422, "E_BODY"),
        ("POST", "/api/v1/apply?dryrun=true", "application/json", "{\"files\": []}", 400, "E_QUERY"),
        ("POST", "/api/v1/apply", "application/json", "{\"files\": []}", 422, "E_PROJECT"),
        ("GET", "/api/v1/runs/run_%ff", "", "", 404, "E_NO_ROUTE"),
        ("GET", "/api/v1/feed?events=x", "", "", 400, "E_QUERY"),
        ("GET", "/api/v1/artifacts/x", "", "", 404, "E_NOT_FOUND"),
        ("GET", "/api/v1/services/none", "", "", 404, "E_NOT_FOUND"),
        ("GET", "/api/v1/workflows/none", "", "", 404, "E_NOT_FOUND"),
        ("GET", "/api/v1/workflows/greet/graph?revision=7", "", "", 404, "E_NOT_FOUND"),
    ] {
        let mut builder = request(method, path);
        if !content_type.is_empty() {
            builder = builder.header("content-type", content_type);
        }
        let answer = server.ask(builder.body(Body::from(body)).unwrap()).await;
        let problem = answer.refused(status, code);
        assert_eq!(problem["instance"], path.split('?').next().unwrap(), "{problem}");
        if status == 405 {
            assert!(!answer.header("allow").is_empty(), "{path} says what it takes");
        }
    }
    let large = format!("{{\"files\": [], \"sources\": {{}}, \"x\": \"{}\"}}", "x".repeat(8 << 20));
    server.post_text("/api/v1/apply", &large).await.refused(413, "E_TOO_LARGE");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_peoples_pages_stay_outside() {
    let server = Server::with_demo().await;
    let ask = |host: &'static str, origin: Option<&'static str>, path: &'static str| {
        let mut builder = axum::http::Request::builder().uri(path).header("host", host);
        if let Some(origin) = origin {
            builder = builder.header("origin", origin);
        }
        server.ask(builder.body(Body::empty()).unwrap())
    };
    for path in ["/", "/healthz", "/openapi.json", "/api/v1/runs", "/api/v1/feed", "/api/v1/none"] {
        ask("evil.example:7878", None, path).await.refused(403, "E_HOST");
        ask("localhost:80", None, path).await.refused(403, "E_HOST");
        ask(HOST, Some("http://evil.example"), path).await.refused(403, "E_ORIGIN");
        ask(HOST, Some("null"), path).await.refused(403, "E_ORIGIN");
    }
    let own = ask("localhost:7878", Some("http://localhost:7878"), "/api/v1/runs").await;
    own.ok(200);
    assert!(own.headers.get("access-control-allow-origin").is_none());
    assert_eq!(own.header("x-content-type-options"), "nosniff");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_holds_every_route_and_every_schema() {
    let server = Server::start().await;
    let document = server.get("/openapi.json").await.ok(200);
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    let mut ids = BTreeSet::new();
    let mut count = 0;
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            count += 1;
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}");
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
            // What the document names is a route: it is found, and takes the method.
            let filled = path.replace(['{', '}'], "x");
            if !path.ends_with("/feed") {
                let answer =
                    server.ask(request(&method.to_uppercase(), &filled).body(Body::empty()).unwrap()).await;
                assert_ne!(answer.status, 405, "{method} {path}");
                assert!(!String::from_utf8_lossy(&answer.bytes).contains("E_NO_ROUTE"), "{method} {path}");
            }
        }
    }
    assert!(count >= 37, "{count} routes");
    let mut refs = BTreeSet::new();
    references(&document, &mut refs);
    assert!(refs.contains("#/components/schemas/Run") && refs.contains("#/components/schemas/Problem"));
    for reference in refs {
        let pointer = reference.strip_prefix('#').expect("only references inside");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn references(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            into.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| references(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, into)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_comes_out_of_the_program() {
    let server = Server::start().await;
    let html = |path: &'static str| {
        server.ask(request("GET", path).header("accept", "text/html,*/*").body(Body::empty()).unwrap())
    };
    for path in ["/", "/runs/run_1", "/workflows/greet"] {
        let page = html(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(page.header("content-security-policy").starts_with("default-src 'self'"));
        assert_eq!(page.header("cache-control"), "no-cache");
    }
    let page = server.get("/").await;
    let again = request("GET", "/").header("if-none-match", page.header("etag"));
    assert_eq!(server.ask(again.body(Body::empty()).unwrap()).await.status, 304);
    server.get("/runs/run_1").await.refused(404, "E_NO_ROUTE");
    html("/runs/none.js").await.refused(404, "E_NO_ROUTE");
    html("/api/v1/none").await.refused(404, "E_NO_ROUTE");
    html("/../Cargo.toml").await.refused(404, "E_NO_ROUTE");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_says_how_it_is() {
    let server = Server::start().await;
    let expected = json!({ "state": "ok", "version": "1.2.3" });
    assert_eq!(server.get("/healthz").await.ok(200), expected);
    assert_eq!(server.get("/readyz").await.ok(200), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_namespace_is_the_only_one_or_named() {
    let server = Server::start().await;
    assert_eq!(server.get("/api/v1/runs").await.ok(200)["items"], json!([]), "nothing is there yet");
    server.get("/api/v1/workflows/greet").await.refused(404, "E_NOT_FOUND");
    server.apply(support::PROJECT).await.ok(200);
    server.get("/api/v1/workflows/greet").await.ok(200);
    server.apply(support::WITH_SERVICE).await.ok(200);
    let problem = server.get("/api/v1/workflows/greet").await.refused(409, "E_NAMESPACE_AMBIGUOUS");
    assert!(problem["detail"].as_str().unwrap().contains("demo, shop"), "{problem}");
    server.get("/api/v1/workflows/greet?namespace=demo").await.ok(200);
    server.get("/api/v1/workflows/greet?namespace=shop").await.refused(404, "E_NOT_FOUND");
    let names = server.get("/api/v1/namespaces").await.ok(200);
    assert_eq!(names["items"], json!([{ "name": "demo" }, { "name": "shop" }]));
}
