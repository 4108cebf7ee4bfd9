//! A callee's answer as an outcome. Pure.

use crate::{Failure, Outcome, Reached, codes::Code};
use consort_types::{Json, RunError};
use hyper::{HeaderMap, StatusCode, header::RETRY_AFTER};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// The longest that a callee's `Retry-After` is kept to.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(15 * 60);

/// The longest code that a callee may bring along, in bytes; what is longer is no code.
const CODE_BYTES_MAX: usize = 100;

/// How much of a callee's text stands in a message, in characters.
const MESSAGE_CHARS_MAX: usize = 500;

/// The output in the body of a success.
pub(crate) fn output(status: StatusCode, body: &[u8]) -> Outcome {
    if status == StatusCode::NO_CONTENT || body.is_empty() {
        return Outcome::Succeeded(Json::null());
    }
    match Json::from_slice(body) {
        Ok(output) => Outcome::Succeeded(output),
        Err(error) => {
            let message = format!("the answer is no JSON ({error}): {}", excerpt(body));
            let mut error = Code::OutputNotJson.error(message);
            error.http_status = Some(status.as_u16());
            Outcome::failed(error, Reached::Maybe)
        }
    }
}

/// The failure that a status other than a success means.
pub(crate) fn failure(status: StatusCode, headers: &HeaderMap, body: &[u8], now: SystemTime) -> Outcome {
    let mut error = if status.is_redirection() {
        let to = headers.get("location").and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
        Code::Redirect.error(format!("the service answered {status} to {to}; redirects are not followed"))
    } else {
        let error = callees_error(body, Code::HttpStatus, || format!("the service answered {status}"));
        if is_retryable(status) { error.retryable() } else { error }
    };
    error.http_status = Some(status.as_u16());
    let retry_after = if error.retryable { retry_after(headers, now) } else { None };
    Outcome::Failed(Box::new(Failure { error, retry_after, reached: Reached::Maybe }))
}

fn is_retryable(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
}

/// Seconds or an HTTP date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// The callee's own code and message: of a problem (RFC 9457), of `{error, message}`, or its plain text.
pub(crate) fn callees_error(body: &[u8], code: Code, otherwise: impl FnOnce() -> String) -> RunError {
    let details = Json::from_slice(body).ok();
    let value = details.as_ref().map_or(Value::Null, Json::to_value);
    let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let inner = |name: &str| value.get("error").and_then(|error| error.get(name)).and_then(Value::as_str);
    let its_code = text("code").or_else(|| inner("code")).or_else(|| text("error"));
    let its_code = its_code.filter(|code| code.len() <= CODE_BYTES_MAX && !code.contains(char::is_control));
    let message = text("message").or_else(|| inner("message"));
    let message = message.or_else(|| text("detail")).or_else(|| text("title")).or_else(|| text("error"));
    let message = match message {
        Some(message) => message.chars().take(MESSAGE_CHARS_MAX).collect(),
        None if body.is_empty() => otherwise(),
        None => format!("{}: {}", otherwise(), excerpt(body)),
    };
    let mut error = code.error(message);
    if let Some(code) = its_code {
        code.clone_into(&mut error.code);
    }
    error.details = details;
    error
}

/// The beginning of a text on one line.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * MESSAGE_CHARS_MAX)]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(MESSAGE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_both_ways_and_bounded() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // 1994-11-06 08:49:37
        for (text, seconds) in [
            ("0", Some(0)),
            ("7", Some(7)),
            ("86400", Some(900)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_callees_words_become_the_error() {
        for (body, code, message) in [
            (r#"{"error":"no_text","message":"scanned"}"#, "no_text", "scanned"),
            (r#"{"type":"about:blank","title":"Bad","detail":"page 3"}"#, "E_HTTP_STATUS", "page 3"),
            (r#"{"code":"corrupt","title":"Corrupt file"}"#, "corrupt", "Corrupt file"),
            (r#"{"error":{"code":"x","message":"deep"}}"#, "x", "deep"),
            (r#"{"error":"just this"}"#, "just this", "just this"),
            ("<h1>Oops</h1>\n now", "E_HTTP_STATUS", "answered: <h1>Oops</h1> now"),
            ("[1]", "E_HTTP_STATUS", "answered: [1]"),
            ("", "E_HTTP_STATUS", "answered"),
            (r#"{"code":7,"message":""}"#, "E_HTTP_STATUS", r#"answered: {"code":7,"message":""}"#),
        ] {
            let error = callees_error(body.as_bytes(), Code::HttpStatus, || "answered".into());
            assert_eq!((error.code.as_str(), error.message.as_str()), (code, message), "{body}");
        }
    }
}
