//! Every row of the protocol over HTTP, against a server.

mod common;

use common::{Reply, Server, call, failure, invocation, invoker, no_log, reply};
use consort_invoke::{Outcome, Reached, Target};
use consort_types::{
    BodyPlace, EmptyBody, ErrorKind, Json, Places, Placing, QueryField, QueryStyle, Timestamp,
};
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn the_callee_learns_what_the_contract_says() {
    let server = Server::start(vec![reply("200 OK", "", "{}")]).await;
    let mut call_of = invocation("POST", "/parse", json!({"page": "ü"}));
    call_of.undoes = Some("tables[größe]".into());
    call_of.headers = vec![("X-Key".into(), "s3cret".into()), ("Consort-Token".into(), "forged".into())];
    assert_eq!(call(&server.target(), &call_of).await, Outcome::Succeeded(Json::of(&json!({}))));
    let request = server.request();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, r#"{"page":"ü"}"#);
    assert!(head.starts_with("POST /parse HTTP/1.1\r\n"), "{head}");
    let deadline = format!("consort-deadline: {}", call_of.deadline);
    for header in [
        "content-type: application/json",
        "accept: application/json",
        "consort-run: run_00000000000000000000000000000007",
        "consort-step: fields[3]",
        "consort-attempt: 2",
        "idempotency-key: key-1",
        "consort-token: att_7_3_2",
        "consort-callback: http://127.0.0.1:7878/api/v1/attempts/att_7_3_2",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "consort-undoes: tables%5Bgr%C3%B6%C3%9Fe%5D",
        "x-key: s3cret",
        &deadline,
    ] {
        assert!(head.lines().any(|line| line == header), "{header} is not in\n{head}");
    }
    assert!(!head.contains("forged"));
}

#[tokio::test]
async fn the_input_goes_where_method_and_path_say() {
    let server = Server::start(vec![reply("200 OK", "", "1")]).await;
    for (method, path, input, line, body) in [
        ("GET", "/find", json!({"q": "a b&c", "n": 3, "none": null}), "GET /find?q=a%20b%26c&n=3", ""),
        ("GET", "/find", json!({}), "GET /find", ""),
        ("GET", "/find?v=1", json!({"tags": ["x", "y"]}), "GET /find?v=1&tags=x&tags=y", ""),
        ("GET", "/find", json!({"o": {"a": 1}}), "GET /find?o=%7B%22a%22%3A1%7D", ""),
        ("DELETE", "/users/{id}", json!({"id": "a/b", "why": "x"}), "DELETE /users/a%2Fb?why=x", ""),
        (
            "PUT",
            "/users/{id}/{n}",
            json!({"id": "ü", "n": 7, "name": "N"}),
            "PUT /users/%C3%BC/7",
            r#"{"name":"N"}"#,
        ),
        ("POST", "/list", json!([1, 2]), "POST /list", "[1,2]"),
    ] {
        assert!(matches!(
            call(&server.target(), &invocation(method, path, input)).await,
            Outcome::Succeeded(_)
        ));
        let request = server.request();
        assert!(request.starts_with(&format!("{line} HTTP/1.1\r\n")), "{request}");
        assert!(request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
    }
}

#[tokio::test]
async fn a_document_says_where_the_fields_go() {
    let server = Server::start(vec![reply("200 OK", "", "1")]).await;
    let query = |name: &str, style| QueryField { name: name.to_owned(), style };
    let rest = |also: &[&str], when_empty| BodyPlace::Rest {
        also: also.iter().map(|name| (*name).to_owned()).collect(),
        when_empty,
        media_type: "application/merge+json".to_owned(),
    };
    let field = BodyPlace::Field { name: "body".to_owned(), media_type: "application/json".to_owned() };
    let tags = vec![query("tag", QueryStyle::Repeated), query("sort", QueryStyle::Comma)];
    for (method, path, places, input, line, body) in [
        (
            "PUT",
            "/u/{id}",
            Places { query: tags.clone(), body: rest(&["id"], EmptyBody::Object) },
            json!({"id": "a b", "tag": ["x", "y"], "sort": [1, 2], "name": "N", "none": null}),
            "PUT /u/a%20b?tag=x&tag=y&sort=1,2",
            r#"{"name":"N","none":null,"id":"a b"}"#,
        ),
        (
            "POST",
            "/u/{id}",
            Places { query: Vec::new(), body: rest(&[], EmptyBody::Object) },
            json!({"id": 1}),
            "POST /u/1",
            "{}",
        ),
        (
            "POST",
            "/u/{id}",
            Places { query: tags.clone(), body: rest(&["id"], EmptyBody::Absent) },
            json!({"id": 1, "tag": null}),
            "POST /u/1",
            "",
        ),
        (
            "DELETE",
            "/u",
            Places { query: Vec::new(), body: field.clone() },
            json!({"body": [1]}),
            "DELETE /u",
            "[1]",
        ),
        ("POST", "/u", Places { query: Vec::new(), body: field }, json!({}), "POST /u", ""),
        ("POST", "/u", Places { query: Vec::new(), body: BodyPlace::None }, json!({}), "POST /u", ""),
    ] {
        let mut invocation = invocation(method, path, input);
        invocation.placing = Placing::Declared(Arc::new(places));
        assert!(matches!(call(&server.target(), &invocation).await, Outcome::Succeeded(_)));
        let request = server.request();
        assert!(request.starts_with(&format!("{line} HTTP/1.1\r\n")), "{request}");
        // The order of the fields means nothing.
        let sent = request.split_once("\r\n\r\n").map_or("", |(_, sent)| sent);
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        assert!(sent.is_empty() == body.is_empty() && json(sent) == json(body), "{request}");
        assert_eq!(request.contains("content-type: application/"), !body.is_empty(), "{request}");
        assert_eq!(request.contains("application/merge+json"), method == "PUT" || body == "{}", "{request}");
    }
}

#[tokio::test]
async fn an_input_that_does_not_fit_the_path_is_never_sent() {
    let server = Server::start(vec![reply("200 OK", "", "1")]).await;
    for (path, input) in [
        ("/users/{id}", json!({})),
        ("/users/{id}", json!({"id": null})),
        ("/users/{id}", json!({"id": ""})),
        ("/users/{id}", json!({"id": ".."})),
        ("/users/{id}", json!({"id": [1]})),
        ("/users/{id}", json!("text")),
    ] {
        let failure = failure(call(&server.target(), &invocation("PUT", path, input)).await);
        assert_eq!((failure.error.kind, failure.reached), (ErrorKind::InvalidInput, Reached::No));
        assert!(!failure.error.retryable);
    }
    assert!(server.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn successes_give_their_output() {
    for (answer, outcome) in [
        (reply("200 OK", "", r#"{"a": 1}"#), Outcome::Succeeded(Json::of(&json!({"a": 1})))),
        (reply("201 Created", "", "[]"), Outcome::Succeeded(Json::of(&json!([])))),
        (reply("200 OK", "", ""), Outcome::Succeeded(Json::null())),
        (Reply::Bytes(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()), Outcome::Succeeded(Json::null())),
        (reply("202 Accepted", "", "later"), Outcome::Accepted),
        (
            Reply::Bytes(
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[1\r\n3\r\n,2]\r\n0\r\n\r\n"
                    .to_vec(),
            ),
            Outcome::Succeeded(Json::of(&json!([1, 2]))),
        ),
    ] {
        let server = Server::start(vec![answer]).await;
        assert_eq!(call(&server.target(), &invocation("POST", "/x", json!({}))).await, outcome);
    }
}

#[tokio::test]
async fn failures_say_what_they_are_and_whether_to_try_again() {
    let problem = r#"{"error":"no_text","message":"the page is a scan"}"#;
    for (status, headers, body, kind, code, retryable, wait) in [
        ("400 Bad Request", "", problem, ErrorKind::Operation, "no_text", false, None),
        ("404 Not Found", "retry-after: 5\r\n", "", ErrorKind::Operation, "E_HTTP_STATUS", false, None),
        ("408 Request Timeout", "", "", ErrorKind::Operation, "E_HTTP_STATUS", true, None),
        ("425 Too Early", "", "", ErrorKind::Operation, "E_HTTP_STATUS", true, None),
        (
            "429 Too Many Requests",
            "retry-after: 7\r\n",
            "",
            ErrorKind::Operation,
            "E_HTTP_STATUS",
            true,
            Some(7),
        ),
        (
            "503 Unavailable",
            "retry-after: 99999\r\n",
            "",
            ErrorKind::Operation,
            "E_HTTP_STATUS",
            true,
            Some(900),
        ),
        ("500 Oops", "", problem, ErrorKind::Operation, "no_text", true, None),
        ("302 Found", "location: /elsewhere\r\n", "", ErrorKind::Operation, "E_REDIRECT", false, None),
        ("200 OK", "", "<html>", ErrorKind::InvalidOutput, "E_OUTPUT_NOT_JSON", false, None),
        ("200 OK", "", "{} {}", ErrorKind::InvalidOutput, "E_OUTPUT_NOT_JSON", false, None),
    ] {
        let server = Server::start(vec![reply(status, headers, body)]).await;
        let failure = failure(call(&server.target(), &invocation("POST", "/x", json!({}))).await);
        let error = &failure.error;
        assert_eq!((error.kind, error.code.as_str(), error.retryable), (kind, code, retryable), "{status}");
        assert_eq!(failure.retry_after, wait.map(Duration::from_secs), "{status}");
        assert_eq!(error.http_status, status[..3].parse().ok(), "{status}");
        assert_eq!(failure.reached, Reached::Maybe);
        assert_eq!(error.details.is_some(), body == problem);
    }
}

#[tokio::test]
async fn too_much_is_cut_off_while_it_is_read() {
    let endless = b"HTTP/1.1 200 OK\r\ncontent-length: 67108865\r\n\r\n\"".to_vec();
    let mut chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4000001\r\n".to_vec();
    chunked.resize(chunked.len() + 0x400_0001, b' ');
    for answer in [endless, chunked] {
        let server = Server::start(vec![Reply::Bytes(answer)]).await;
        let failure = failure(call(&server.target(), &invocation("POST", "/x", json!({}))).await);
        assert_eq!(
            (failure.error.kind, failure.error.code.as_str()),
            (ErrorKind::Limit, "E_OUTPUT_TOO_LARGE")
        );
        assert!(!failure.error.retryable);
    }
}

#[tokio::test]
async fn nobody_there_is_told_from_a_broken_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let refused = failure(call(&Target::Http { base }, &invocation("POST", "/x", json!({}))).await);
    assert_eq!((refused.error.kind, refused.error.code.as_str()), (ErrorKind::Unavailable, "E_CONNECT"));
    assert_eq!((refused.error.retryable, refused.reached), (true, Reached::No));

    for cut in ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{"] {
        let server = Server::start(vec![Reply::Last(cut.as_bytes().to_vec())]).await;
        let broken = failure(call(&server.target(), &invocation("POST", "/x", json!({}))).await);
        assert_eq!(broken.error.code, "E_CONNECTION_BROKEN", "{}", broken.error.message);
        assert_eq!((broken.error.retryable, broken.reached), (true, Reached::Maybe));
        assert_eq!(server.requests.lock().unwrap().len(), 1, "what may have arrived is not sent twice");
    }
}

#[tokio::test]
async fn addresses_that_cannot_be_called_are_explained() {
    for (base, text) in [
        ("https://example.test", "https is not supported yet"),
        ("ftp://127.0.0.1", "must begin with http://"),
        ("127.0.0.1:80", "cannot call"),
        ("http://a b", "cannot call"),
    ] {
        let target = Target::Http { base: base.into() };
        let failure = failure(call(&target, &invocation("POST", "/x", json!({}))).await);
        assert_eq!((failure.error.code.as_str(), failure.reached), ("E_SERVICE_ADDRESS", Reached::No));
        assert!(failure.error.message.contains(text), "{}", failure.error.message);
        assert!(!failure.error.retryable);
    }
}

#[tokio::test]
async fn a_call_ends_with_its_timeout_its_deadline_and_its_cancellation() {
    let server = Server::start(vec![Reply::Hang]).await;
    let mut slow = invocation("POST", "/x", json!({}));
    slow.timeout = Duration::from_millis(50);
    let late = failure(call(&server.target(), &slow).await);
    assert_eq!((late.error.code.as_str(), late.error.retryable), ("E_TIMEOUT", true));
    assert_eq!(late.error.message, "no answer within 50ms");

    // What the caller counted from a moment before the call was handed over is still its timeout.
    slow.timeout = Duration::from_secs(60);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    slow.deadline = Timestamp::from_millis(i64::try_from(now).unwrap() + 50);
    let late = failure(call(&server.target(), &slow).await);
    assert_eq!((late.error.code.as_str(), late.error.retryable), ("E_TIMEOUT", true));

    slow.deadline = Timestamp::from_millis(1);
    let over = failure(call(&server.target(), &slow).await);
    assert_eq!((over.error.code.as_str(), over.error.kind), ("E_DEADLINE", ErrorKind::Timeout));
    assert_eq!((over.error.retryable, over.reached), (false, Reached::No));

    let cancel = CancellationToken::new();
    let endless = invocation("POST", "/x", json!({}));
    let (invoker, target) = (invoker(), server.target());
    let call = invoker.invoke(&target, &endless, &cancel, no_log());
    let stop = async {
        while server.requests.lock().unwrap().len() < 3 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(call, stop);
    assert_eq!(failure(outcome).error.kind, ErrorKind::Cancelled);
}

#[tokio::test]
async fn connections_are_kept_until_they_close() {
    let server = Server::start(vec![reply("200 OK", "", "1")]).await;
    let (invoker, cancel, call_of) =
        (invoker(), CancellationToken::new(), invocation("POST", "/x", json!({})));
    for _ in 0..20 {
        let outcome = invoker.invoke(&server.target(), &call_of, &cancel, no_log()).await;
        assert!(matches!(outcome, Outcome::Succeeded(_)));
    }
    assert_eq!(*server.connections.lock().unwrap(), 1);

    // Each answer keeps the connection by its words, and then it is closed all the same.
    let liar =
        Server::start(vec![Reply::Last(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1".to_vec())]).await;
    for _ in 0..50 {
        let outcome = invoker.invoke(&liar.target(), &call_of, &cancel, no_log()).await;
        match outcome {
            Outcome::Succeeded(_) => {}
            // In flight already when the close came: only the caller may decide to send it twice.
            Outcome::Failed(failure) => assert_eq!(failure.error.code, "E_CONNECTION_BROKEN"),
            Outcome::Accepted => panic!("not accepted"),
        }
    }
}
