//! Runs: started, looked at, acted on.

mod support;

use axum::body::Body;
use serde_json::{Value, json};
use support::{Server, request};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_started_and_waited_for() {
    let server = Server::with_demo().await;
    let path = "/api/v1/workflows/greet/runs";
    let start = json!({ "input": { "who": "ann" }, "tags": { "team": "red" } });

    let answer = server.post(path, &start).await;
    let run = answer.ok(201);
    let id = run["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), format!("/api/v1/runs/{id}"));
    assert_eq!(run["trigger"], json!({ "kind": "api" }));
    assert_eq!(run["namespace"], "demo");

    let run = server.post(&format!("{path}?wait=30s"), &start).await.ok(200);
    assert_eq!(run["state"], "succeeded");
    assert_eq!(run["output"], json!({ "text": "hello ann", "size": "small" }));
    assert_eq!(run["input"], json!({ "who": "ann", "times": 1 }), "defaults are filled in");
    assert_eq!(run["tags"], json!({ "team": "red" }));
    for field in ["error", "waiting_on"] {
        assert!(run.as_object().unwrap().contains_key(field), "{field} is written, null or not");
    }

    let run =
        server.post("/api/v1/workflows/ask/runs?wait=50ms", &json!({ "input": { "who": "ann" } })).await;
    let run = run.ok(202);
    assert_eq!(run["state"], "waiting");
    assert_eq!(run["waiting_on"]["kind"], "approval");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_per_key() {
    let server = Server::with_demo().await;
    let path = "/api/v1/workflows/greet/runs";
    let start = |who: &str| json!({ "input": { "who": who }, "key": "k1" });
    let first = server.post(path, &start("ann")).await.ok(201);
    assert_eq!(server.post(path, &start("ann")).await.ok(200)["id"], first["id"]);
    server.post(path, &start("bob")).await.refused(409, "E_KEY_TAKEN");
    let by_header = |key: &str, body: Value| {
        let request = request("POST", path).header("content-type", "application/json");
        server.ask(request.header("idempotency-key", key).body(Body::from(body.to_string())).unwrap())
    };
    assert_eq!(by_header("k1", json!({ "input": { "who": "ann" } })).await.ok(200)["id"], first["id"]);
    by_header("k2", start("ann")).await.refused(400, "E_HEADER");
    by_header(&"k".repeat(300), json!({ "input": { "who": "ann" } })).await.refused(400, "E_HEADER");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_does_not_fit_is_refused_by_name() {
    let server = Server::with_demo().await;
    let path = "/api/v1/workflows/greet/runs";
    let problem =
        server.post(path, &json!({ "input": { "times": "x", "extra": 1 } })).await.refused(422, "E_INPUT");
    let named: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["path"].as_str().unwrap()).collect();
    assert!(named.contains(&"who") && named.contains(&"times"), "{problem}");
    for field in ["who", "times", "extra"] {
        assert!(problem["detail"].as_str().unwrap().contains(field), "{problem}");
    }
    let deep = format!(r#"{{"input": {}1{}}}"#, "[".repeat(100), "]".repeat(100));
    for (body, status, code) in [
        (r#"{"input": {"who": "a"}, "inptu": 1}"#, 422, "E_BODY"),
        (r#"{"input": {"who": "a"}, "tags": []}"#, 422, "E_BODY"),
        (r#"{"input": {"who": "a"}, "tags": {"": "x"}}"#, 422, "E_BODY"),
        (r#"{"input": {"who": "a"}"#, 400, "E_JSON"),
        (r#"{"input": {"who": "a", "times": 1e999}}"#, 400, "E_JSON"),
        (&deep, 422, "E_BODY"),
        ("[]", 422, "E_BODY"),
        ("", 422, "E_INPUT"),
    ] {
        server.post_text(path, body).await.refused(status, code);
    }
    let problem = server.post_text(path, r#"{"inptu": 1}"#).await.refused(422, "E_BODY");
    assert_eq!(problem["errors"][0]["path"], "inptu");
    assert_eq!(problem["errors"][0]["code"], "unknown");
    for (query, code) in [("wait=61s", "E_QUERY"), ("wait=x", "E_QUERY"), ("weit=1s", "E_QUERY")] {
        let body = json!({ "input": { "who": "a" } });
        server.post(&format!("{path}?{query}"), &body).await.refused(400, code);
    }
    server.post("/api/v1/workflows/none/runs", &json!({})).await.refused(404, "E_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_listed_and_filtered() {
    let server = Server::with_demo().await;
    for who in ["ann", "bob", "cid"] {
        server.finished("greet", json!({ "who": who })).await;
    }
    let waiting = server.run("ask", json!({ "who": "dan" })).await;
    let list = |query: &str| format!("/api/v1/runs?{query}");
    let count = |value: &Value| value["items"].as_array().unwrap().len();
    // The lists follow a little later.
    server.until(&list(""), |page| count(page) == 4).await;
    server.until(&list("state=succeeded"), |page| count(page) == 3).await;
    let page = server.until(&list("waiting_on=approval"), |page| count(page) == 1).await;
    assert_eq!(page["items"][0]["id"], waiting);
    assert_eq!(count(&server.get(&list("workflow=greet")).await.ok(200)), 3);
    assert_eq!(count(&server.get(&list("q=bob")).await.ok(200)), 1);
    assert_eq!(count(&server.get(&list("namespace=demo&since=2999-01-01T00:00:00Z")).await.ok(200)), 0);

    let first = server.get(&list("limit=3")).await.ok(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = server.get(&list(&format!("limit=3&cursor={cursor}"))).await.ok(200);
    assert_eq!((count(&first), count(&second)), (3, 1));
    assert_eq!(second["next_cursor"], Value::Null);

    for (query, code) in [
        ("limit=0", "E_QUERY"),
        ("limit=501", "E_QUERY"),
        ("limit=x", "E_QUERY"),
        ("state=done", "E_QUERY"),
        ("since=yesterday", "E_QUERY"),
        ("workflow=Bad%20Name", "E_QUERY"),
        ("stat=failed", "E_QUERY"),
        ("cursor=x", "E_CURSOR"),
    ] {
        server.get(&list(query)).await.refused(400, code);
    }
    server.get(&list("namespace=none")).await.refused(404, "E_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_shows_its_steps_and_its_history() {
    let server = Server::with_demo().await;
    let id = server.finished("greet", json!({ "who": "ann" })).await["id"].as_str().unwrap().to_owned();
    let steps = server.get(&format!("/api/v1/runs/{id}/steps")).await.ok(200);
    let keys: Vec<_> =
        steps["items"].as_array().unwrap().iter().map(|s| s["key"].as_str().unwrap()).collect();
    assert!(keys.contains(&"hello") && keys.contains(&"size") && keys.contains(&"size.else"), "{keys:?}");
    let fields = "key kind call state started_at finished_at attempts input output error cached progress waiting_on parent index";
    for field in fields.split(' ') {
        assert!(steps["items"][0].as_object().unwrap().contains_key(field), "{field}");
    }
    let page = server.get(&format!("/api/v1/runs/{id}/steps?limit=1")).await.ok(200);
    assert_eq!(page["next_cursor"], "o1");
    let history = server.get(&format!("/api/v1/runs/{id}/history?limit=2")).await.ok(200);
    assert_eq!(history["items"][0]["seq"], 1);
    assert_eq!(history["items"][1]["seq"], 2);
    let cursor = history["next_cursor"].as_str().unwrap();
    let rest = server.get(&format!("/api/v1/runs/{id}/history?cursor={cursor}")).await.ok(200);
    assert_eq!(rest["items"][0]["seq"], 3);
    assert_eq!(server.get(&format!("/api/v1/runs/{id}/logs")).await.ok(200)["items"], json!([]));
    for path in ["", "/steps", "/history", "/logs"] {
        for id in ["run_00000000000000000000000000000007", "x"] {
            server.get(&format!("/api/v1/runs/{id}{path}")).await.refused(404, "E_NOT_FOUND");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_answered_once() {
    let server = Server::with_demo().await;
    let id = server.run("ask", json!({ "who": "ann" })).await;
    let run = server.until(&format!("/api/v1/runs/{id}"), |run| run["state"] == "waiting").await;
    assert_eq!(run["waiting_on"]["kind"], "approval");
    assert!(run["waiting_on"]["detail"].as_str().unwrap().contains("Let ann in?"), "{run}");
    let complete = format!("/api/v1/runs/{id}/steps/answer/complete");
    server.post(&complete, &json!({ "output": { "approved": "yes" } })).await.refused(422, "E_OUTPUT");
    server.post(&complete, &json!({})).await.refused(422, "E_BODY");
    server.post(&complete, &json!({ "output": { "approved": true } })).await.ok(200);
    let run = server.until(&format!("/api/v1/runs/{id}"), |run| run["state"] == "succeeded").await;
    assert_eq!(run["output"], true);
    let late = server.post(&complete, &json!({ "output": { "approved": false } })).await;
    assert_eq!(late.status, 409, "{late:?}");
    let other = format!("/api/v1/runs/{id}/steps/fields%5B3%5D/skip");
    let answer = server.post(&other, &json!({})).await;
    assert!([404, 409].contains(&answer.status.as_u16()), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_run_takes_commands_and_an_ended_one_does_not() {
    let server = Server::with_demo().await;
    let id = server.run("hear", json!({})).await;
    let at = |verb: &str| format!("/api/v1/runs/{id}/{verb}");
    assert_eq!(server.post(&at("pause"), &json!({})).await.ok(200)["state"], "paused");
    let resumed = server.post_text(&at("resume"), "").await.ok(200);
    assert_eq!(resumed["state"], "waiting", "an empty body is as good as {{}}");
    server.post(&at("pause"), &json!({ "why": 1 })).await.refused(422, "E_BODY");
    server.post(&at("steps/none/retry"), &json!({})).await.refused(404, "E_NOT_FOUND");
    server.post(&at("signals/word"), &json!({ "said": ["x"] })).await.ok(200);
    let run = server.until(&format!("/api/v1/runs/{id}"), |run| run["state"] == "succeeded").await;
    assert_eq!(run["output"], json!({ "said": ["x"] }));
    for verb in ["cancel", "pause", "resume", "retry"] {
        let answer = server.post(&at(verb), &json!({})).await;
        assert_eq!(answer.status, 409, "{verb}: {answer:?}");
    }
    let id = server.run("hear", json!({})).await;
    server.post(&format!("/api/v1/runs/{id}/cancel"), &json!({})).await.ok(200);
    server.until(&format!("/api/v1/runs/{id}"), |run| run["state"] == "cancelled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rerun_is_a_new_run() {
    let server = Server::with_demo().await;
    let old = server.finished("greet", json!({ "who": "ann" })).await;
    let path = format!("/api/v1/runs/{}/rerun", old["id"].as_str().unwrap());
    let new = server.post(&path, &json!({})).await.ok(201);
    assert_ne!(new["id"], old["id"]);
    assert_eq!(new["input"], old["input"]);
    assert_eq!(new["trigger"], json!({ "kind": "rerun", "run": old["id"] }));
    let other = server.post(&path, &json!({ "input": { "who": "bob" } })).await.ok(201);
    assert_eq!(other["input"]["who"], "bob");
    let refused = server.post(&path, &json!({ "from": "nothing" })).await.refused(404, "E_NOT_FOUND");
    assert!(refused["detail"].as_str().unwrap().contains("newest revision"), "{refused}");
    server.post(&path, &json!({ "clean": true })).await.ok(201);
    server.post(&path, &json!({ "input": {} })).await.refused(422, "E_INPUT");
}
