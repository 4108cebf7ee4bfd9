//! Workflows, services, artifacts, apply, and the live streams.

mod support;

use axum::body::Body;
use serde_json::{Value, json};
use support::{Server, request};

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_tells_what_changes() {
    let server = Server::start().await;
    let body = json!({ "files": [{ "path": "consort.yaml", "text": support::PROJECT }] });
    let dry = server.post("/api/v1/apply?dry_run=true", &body).await.ok(200);
    assert_eq!(
        dry["changes"][0],
        json!({ "kind": "workflow", "name": "ask", "action": "create", "revision": "1" })
    );
    assert_eq!(server.get("/api/v1/namespaces").await.ok(200)["items"], json!([]), "nothing was applied");
    assert_eq!(server.post("/api/v1/apply", &body).await.ok(200)["changes"], dry["changes"]);
    let again = server.post("/api/v1/apply", &body).await.ok(200);
    assert!(
        again["changes"].as_array().unwrap().iter().all(|change| change["action"] == "unchanged"),
        "{again}"
    );

    let problem = server.apply("name: demo\nworkflos: {}\n").await.refused(422, "E_PROJECT");
    assert_eq!(problem["errors"][0]["path"], "consort.yaml:2:1");
    let with_source = "name: demo\nservices:\n  a: { source: ./a, command: ./run, scale: { min: 1, max: 4 }, operations: { x: {} } }\n";
    server.apply(with_source).await.refused(422, "E_SOURCE");
    let digest = format!("sha256:{}", "0".repeat(64));
    let body =
        json!({ "files": [{ "path": "consort.yaml", "text": with_source }], "sources": { "a": digest } });
    server.post("/api/v1/apply", &body).await.refused(422, "E_SOURCE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_known_by_its_content() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("run"), "#!/bin/sh\n").unwrap();
    let mut tar = Vec::new();
    consort_runtime_process::pack(folder.path(), &mut tar).unwrap();
    let upload =
        |bytes: Vec<u8>| server.ask(request("POST", "/api/v1/artifacts").body(Body::from(bytes)).unwrap());
    let digest = upload(tar).await.ok(201)["artifact"].clone();
    let text = "name: demo\nservices:\n  a: { source: ./a, command: ./run, scale: { min: 1, max: 4 }, operations: { x: {} } }\n";
    let body = |digest: &Value| json!({ "files": [{ "path": "consort.yaml", "text": text }], "sources": { "a": digest } });
    server.post("/api/v1/apply", &body(&digest)).await.ok(200);
    let again = server.post("/api/v1/apply", &body(&digest)).await.ok(200);
    assert_eq!(again["changes"][0]["action"], "unchanged");
    let other = upload(b"this is no tar".to_vec()).await.ok(201)["artifact"].clone();
    server.post("/api/v1/apply", &body(&other)).await.refused(422, "E_SOURCE");
    let service = server.until("/api/v1/services/a", |service| service["replicas"]["ready"] == 1).await;
    assert_eq!(service["kind"], "process");
    let replicas = server.get("/api/v1/services/a/replicas").await.ok(200);
    assert_eq!(replicas["items"][0]["revision"], "1");
    let revisions = server.get("/api/v1/services/a/revisions").await.ok(200);
    assert_eq!(
        (&revisions["items"][0]["current"], &revisions["items"][0]["replicas"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(server.get("/api/v1/services/a/logs").await.ok(200)["items"], json!([]));
    server.post("/api/v1/services/a/scale", &json!({ "replicas": 2 })).await.ok(200);
    server.until("/api/v1/services/a", |service| service["replicas"]["desired"] == 2).await;
    server.post("/api/v1/services/a/restart", &json!({})).await.ok(200);
    let none = server.post("/api/v1/services/a/rollback", &json!({ "to": "9" })).await;
    none.refused(409, "E_NOT_NOW");
    server.post("/api/v1/services/a/rollback", &json!({ "to": "x" })).await.refused(404, "E_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_called_and_checked() {
    let server = Server::start().await;
    server.apply(support::WITH_SERVICE).await.ok(200);
    server.until("/api/v1/services", |page| page["items"] != json!([])).await;
    let path = "/api/v1/services/echo/operations/say";
    let problem = server.post(path, &json!({ "texts": "x" })).await.refused(422, "E_INPUT");
    assert!(problem["detail"].as_str().unwrap().contains("text"), "{problem}");
    // Nobody listens at its address.
    server.post(path, &json!({ "text": "x" })).await.refused(503, "E_UNAVAILABLE");
    server.post("/api/v1/services/echo/operations/none", &json!({})).await.refused(404, "E_NOT_FOUND");
    server.post("/api/v1/services/none/operations/say", &json!({})).await.refused(404, "E_NOT_FOUND");
    server.post("/api/v1/services/echo/scale", &json!({ "replicas": 2 })).await.refused(409, "E_NOT_NOW");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_drawn() {
    let server = Server::with_demo().await;
    let workflow = server.get("/api/v1/workflows/greet").await.ok(200);
    assert_eq!((&workflow["name"], &workflow["revision"]), (&json!("greet"), &json!("1")));
    assert_eq!(server.get("/api/v1/workflows").await.ok(200)["items"].as_array().unwrap().len(), 3);
    let graph = server.get("/api/v1/workflows/greet/graph").await.ok(200);
    let node =
        |id: &str| graph["nodes"].as_array().unwrap().iter().find(|node| node["id"] == id).cloned().unwrap();
    assert_eq!(node("size[0]")["label"], "default(input.times, 1) > 5");
    assert_eq!(node("size[0]")["parent"], "size");
    assert_eq!(node("size.else")["kind"], "value");
    assert_eq!(server.get("/api/v1/workflows/greet/graph?revision=1").await.ok(200), graph);
    let revisions = server.get("/api/v1/workflows/greet/revisions").await.ok(200);
    assert_eq!(revisions["items"][0]["current"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_come_back_as_they_went_in() {
    let server = Server::start().await;
    let upload =
        request("POST", "/api/v1/artifacts?name=a%2Fpay%20stub.html").header("content-type", "text/html");
    let file = server.ask(upload.body(Body::from("<script>0123456789")).unwrap()).await.ok(201);
    assert_eq!(
        (&file["name"], &file["type"], &file["size"]),
        (&json!("pay stub.html"), &json!("text/html"), &json!(18))
    );
    let url = file["url"].as_str().unwrap();
    let path = url.strip_prefix("http://127.0.0.1:7878").expect(url).to_owned();
    let all = server.get(&path).await;
    assert_eq!((all.status.as_u16(), all.bytes.as_slice()), (200, b"<script>0123456789".as_slice()));
    assert_eq!(all.header("content-type"), "text/html");
    assert_eq!(all.header("content-disposition"), "attachment; filename*=UTF-8''pay%20stub.html");
    assert!(all.header("content-security-policy").contains("sandbox"));
    assert_eq!(all.header("x-content-type-options"), "nosniff");
    for (range, status, bytes, content_range) in [
        ("bytes=8-9", 206, "01", "bytes 8-9/18"),
        ("bytes=-3", 206, "789", "bytes 15-17/18"),
        ("bytes=16-99", 206, "89", "bytes 16-17/18"),
        ("bytes=0-1,3-4", 200, "<script>0123456789", ""),
    ] {
        let part =
            server.ask(request("GET", &path).header("range", range).body(Body::empty()).unwrap()).await;
        assert_eq!(
            (part.status.as_u16(), String::from_utf8_lossy(&part.bytes).as_ref()),
            (status, bytes),
            "{range}"
        );
        assert_eq!(part.header("content-range"), content_range, "{range}");
    }
    let behind =
        server.ask(request("GET", &path).header("range", "bytes=18-").body(Body::empty()).unwrap()).await;
    behind.refused(416, "E_RANGE");
    assert_eq!(behind.header("content-range"), "bytes */18");
    let known = request("GET", &path).header("if-none-match", all.header("etag"));
    assert_eq!(server.ask(known.body(Body::empty()).unwrap()).await.status, 304);
    let head = server.ask(request("HEAD", &path).body(Body::empty()).unwrap()).await;
    assert_eq!((head.header("content-length"), head.bytes.len()), ("18", 0));
    server.get(&format!("/api/v1/artifacts/sha256:{}", "0".repeat(64))).await.refused(404, "E_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_goes_on_where_it_broke_off() {
    let server = Server::with_demo().await;
    let mut feed = server.live("/api/v1/feed", None).await;
    let id = server.run("hear", json!({})).await;
    let seen = feed.until(|event| event.name == "run" && event.data["id"] == id).await;
    drop(feed);
    server.post(&format!("/api/v1/runs/{id}/signals/word"), &json!("x")).await.ok(200);
    let mut feed = server.live("/api/v1/feed", seen.id.as_deref()).await;
    let done = |event: &support::Event| event.name == "run" && event.data["state"] == "succeeded";
    let end = feed.until(done).await;
    assert_eq!((&end.data["id"], &end.data["output"]), (&json!(id), &json!("x")));

    // An id of an earlier server, and one that nobody gave out.
    for lost in ["0-1", "x"] {
        let mut feed = server.live("/api/v1/feed", Some(lost)).await;
        assert_eq!(feed.next().await.unwrap().name, "reset", "{lost}");
    }
    let mut one =
        server.live(&format!("/api/v1/feed?run={id}&events=run"), Some(seen.id.as_deref().unwrap())).await;
    let event = one.until(done).await;
    assert_eq!(event.data["id"], id);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_run_ends_with_it() {
    let server = Server::with_demo().await;
    let id = server.run("hear", json!({})).await;
    let mut log = server.live(&format!("/api/v1/runs/{id}/logs?follow=true"), None).await;
    server.post(&format!("/api/v1/runs/{id}/signals/word"), &json!("x")).await.ok(200);
    assert_eq!(log.next().await.unwrap().name, "end");
    assert!(log.next().await.is_none(), "the stream is closed");
    let mut late = server.live(&format!("/api/v1/runs/{id}/logs?follow=true"), None).await;
    assert_eq!(late.next().await.unwrap().name, "end");
}
