//! Events: taken in the three modes of the CloudEvents HTTP binding, listed, and shown.

use crate::{
    codes,
    context::Api,
    convert,
    extract::{Path, Query, gather},
    json, page,
    problem::Refusal,
};
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
};
use consort_node::{Event, EventFilter, PageRequest};
use consort_types::{EventKey, FieldError, TypePattern};
use consort_wire::{Event as WireEvent, EventsAccepted, EventsQuery, NamespaceQuery, Page};
use serde_json::{Map, Value};

/// The most events of one request: a batch is one commit, and one answer.
const EVENTS_PER_REQUEST_MAX: usize = 1_000;

/// What the attributes of an event in binary mode begin with.
const ATTRIBUTE_PREFIX: &str = "ce-";

/// Send events; answered once they are stored
///
/// CloudEvents 1.0 over HTTP: structured (`application/cloudevents+json`), batch
/// (`application/cloudevents-batch+json`), or binary (attributes in `ce-` headers, the body is the data).
#[utoipa::path(post, path = "/events", tag = "events", request_body = Value, params(NamespaceQuery), responses((status = 202, body = EventsAccepted)))]
pub async fn post_events(
    State(api): State<std::sync::Arc<crate::context::Context>>,
    Query(query): Query<NamespaceQuery>,
    request: Request,
) -> Result<(StatusCode, Json<EventsAccepted>), Refusal> {
    let namespace = api.namespace(query.namespace.as_deref())?;
    let (parts, body) = request.into_parts();
    let body = gather(&parts.headers, body).await?;
    let events = read(&parts.headers, body)?;
    let posted = api.node.post_events(namespace, events).await?;
    let new = posted.iter().filter(|event| event.new).count() as u32;
    let accepted = EventsAccepted {
        accepted: new,
        duplicates: posted.len() as u32 - new,
        keys: posted.into_iter().map(|event| event.key).collect(),
    };
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}

/// Events, newest first
#[utoipa::path(get, path = "/events", tag = "events", params(EventsQuery), responses((status = 200, body = Page<WireEvent>)))]
pub async fn list_events(
    State(api): Api,
    Query(query): Query<EventsQuery>,
) -> Result<Json<Page<WireEvent>>, Refusal> {
    let request = PageRequest::at(page::limit(query.limit)?, query.cursor);
    let Some(namespace) = api.namespace_if_any(query.namespace.as_deref())? else {
        return Ok(Json(Page::default()));
    };
    let filter = EventFilter {
        types: query.event_type.as_deref().map(TypePattern::new),
        id: query.id,
        source: query.source,
        subject: query.subject,
        since: query.since,
        until: query.until,
        ..EventFilter::of(namespace)
    };
    let found = api.node.events(filter, request).await?;
    let items = found.items.iter().map(convert::event).collect();
    Ok(Json(Page { items, next_cursor: found.next_cursor }))
}

/// One event, by its key or by its id
#[utoipa::path(get, path = "/events/{id}", tag = "events", params(("id" = String, Path, description = "The key of the event (`evt_…`), or its id; the newest when several sources have it"), NamespaceQuery), responses((status = 200, body = WireEvent)))]
pub async fn get_event(
    State(api): Api,
    Path(id): Path<String>,
    Query(query): Query<NamespaceQuery>,
) -> Result<Json<WireEvent>, Refusal> {
    let unknown = || Refusal::new(codes::E_NOT_FOUND, format!("there is no event {id:?}"));
    let found = match id.parse::<EventKey>() {
        Ok(key) => {
            let found = api.node.event(key).await?;
            found.filter(|event| query.namespace.as_deref().is_none_or(|it| event.namespace.as_str() == it))
        }
        Err(_) => {
            let namespace = api.namespace_if_any(query.namespace.as_deref())?.ok_or_else(unknown)?;
            let filter = EventFilter { id: Some(id.clone()), ..EventFilter::of(namespace) };
            api.node.events(filter, PageRequest::first(1)).await?.items.into_iter().next()
        }
    };
    found.as_ref().map(convert::event).map(Json).ok_or_else(unknown)
}

/// The events of a request, in whichever mode it is.
fn read(headers: &HeaderMap, body: Vec<u8>) -> Result<Vec<Event>, Refusal> {
    let declared =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_binary = headers.contains_key("ce-specversion");
    match media.as_str() {
        "application/cloudevents+json" => one(parse(&body)?),
        "application/cloudevents-batch+json" => batch(parse(&body)?),
        other if other.starts_with("application/cloudevents") => Err(Refusal::new(
            codes::E_MEDIA_TYPE,
            "events are taken as JSON: application/cloudevents+json or application/cloudevents-batch+json",
        )),
        _ if is_binary => one(Value::Object(binary(headers, &media, declared, body)?)),
        "application/json" => match parse(&body)? {
            list @ Value::Array(_) => batch(list),
            value => one(value),
        },
        _ => Err(Refusal::new(
            codes::E_MEDIA_TYPE,
            "this is no event: send application/cloudevents+json, or `ce-` headers with the data as the body",
        )),
    }
}

fn parse(body: &[u8]) -> Result<Value, Refusal> {
    let not_json =
        |error: &serde_json::Error| Refusal::new(codes::E_JSON, format!("the body is not JSON: {error}"));
    json::check(body).map_err(|error| not_json(&error))?;
    serde_json::from_slice(body).map_err(|error| not_json(&error))
}

fn one(value: Value) -> Result<Vec<Event>, Refusal> {
    event(value, "").map(|event| vec![event]).map_err(misfit)
}

fn batch(value: Value) -> Result<Vec<Event>, Refusal> {
    let Value::Array(items) = value else {
        return Err(Refusal::new(codes::E_EVENT, "a batch is a list of events"));
    };
    if items.len() > EVENTS_PER_REQUEST_MAX {
        let detail =
            format!("a batch has at most {EVENTS_PER_REQUEST_MAX} events, this one has {}", items.len());
        return Err(Refusal::new(codes::E_EVENT, detail));
    }
    let mut events = Vec::with_capacity(items.len());
    let mut problems = Vec::new();
    for (place, item) in items.into_iter().enumerate() {
        match event(item, &format!("[{place}].")) {
            Ok(event) => events.push(event),
            Err(some) => problems.extend(some),
        }
    }
    if problems.is_empty() { Ok(events) } else { Err(misfit(problems)) }
}

fn event(value: Value, place: &str) -> Result<Event, Vec<FieldError>> {
    let Value::Object(attributes) = value else {
        let path = place.trim_end_matches('.').to_owned();
        let message = "an event is an object".to_owned();
        return Err(vec![FieldError { path, code: "type".to_owned(), message }]);
    };
    Event::read(attributes).map_err(|problems| {
        let at_place =
            |problem: FieldError| FieldError { path: format!("{place}{}", problem.path), ..problem };
        problems.into_iter().map(at_place).collect()
    })
}

fn misfit(mut problems: Vec<FieldError>) -> Refusal {
    /// More would not help to find the mistake.
    const PROBLEMS_MAX: usize = 100;
    problems.truncate(PROBLEMS_MAX);
    let first = problems.first().map_or_else(String::new, |problem| {
        let path = if problem.path.is_empty() { "the body" } else { problem.path.as_str() };
        format!(": {path}: {}", problem.message)
    });
    Refusal::new(codes::E_EVENT, format!("this is no event of CloudEvents 1.0{first}")).with_errors(problems)
}

/// The attributes of an event in binary mode, with its data.
fn binary(
    headers: &HeaderMap,
    media: &str,
    declared: &str,
    body: Vec<u8>,
) -> Result<Map<String, Value>, Refusal> {
    let mut attributes = Map::new();
    for (name, value) in headers {
        let Some(attribute) = name.as_str().strip_prefix(ATTRIBUTE_PREFIX) else { continue };
        let text = value.to_str().ok().and_then(percent_decoded).ok_or_else(|| {
            Refusal::new(codes::E_HEADER, format!("the header {name} is not percent-encoded UTF-8"))
        })?;
        if matches!(attribute, "data" | "data_base64" | "datacontenttype")
            || attributes.insert(attribute.to_owned(), Value::from(text)).is_some()
        {
            return Err(Refusal::new(codes::E_HEADER, format!("the header {name} has no place here")));
        }
    }
    if !declared.is_empty() {
        attributes.insert("datacontenttype".to_owned(), Value::from(declared));
    }
    if body.is_empty() {
        return Ok(attributes);
    }
    let is_json = media.is_empty() || media == "application/json" || media.ends_with("+json");
    let (field, data) = if is_json {
        ("data", parse(&body)?)
    } else {
        match String::from_utf8(body) {
            Ok(text) if media.starts_with("text/") || media.ends_with("xml") => ("data", Value::from(text)),
            Ok(text) => ("data_base64", Value::from(base64(text.as_bytes()))),
            Err(error) => ("data_base64", Value::from(base64(error.as_bytes()))),
        }
    };
    attributes.insert(field.to_owned(), data);
    Ok(attributes)
}

/// Header values of the binding: percent-encoded UTF-8, perhaps in double quotes.
fn percent_decoded(text: &str) -> Option<String> {
    let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (hex, after) = rest.split_at_checked(2)?;
        let hex = std::str::from_utf8(hex).ok().filter(|hex| hex.bytes().all(|it| it.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(hex, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = ALPHABET[(group >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn headers(all: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap())
        };
        all.iter().map(pair).collect()
    }

    const BINARY: [(&str, &str); 4] =
        [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t")];

    fn read_binary(more: &[(&str, &str)], body: &[u8]) -> Result<Value, Refusal> {
        let all: Vec<_> = BINARY.iter().chain(more).copied().collect();
        read(&headers(&all), body.to_vec()).map(|events| events[0].document.to_value())
    }

    #[test]
    fn binary_mode_takes_attributes_from_headers_and_data_from_the_body() {
        let json = read_binary(
            &[
                ("content-type", "application/json; charset=utf-8"),
                ("ce-subject", "Gr%C3%BC%C3%9Fe"),
                ("ce-count", "3"),
            ],
            br#"{"a": 1}"#,
        )
        .unwrap();
        assert_eq!(
            (&json["data"], &json["subject"], &json["count"]),
            (&json!({"a": 1}), &json!("Grüße"), &json!("3"))
        );
        assert_eq!(json["datacontenttype"], "application/json; charset=utf-8");
        assert_eq!(read_binary(&[("content-type", "text/plain")], b"hello").unwrap()["data"], "hello");
        let bytes = read_binary(&[("content-type", "application/octet-stream")], &[0, 1, 2, 255]).unwrap();
        assert_eq!(bytes["data_base64"], "AAEC/w==");
        assert!(read_binary(&[], b"").unwrap().get("data").is_none());
        assert!(read_binary(&[("ce-subject", "%zz")], b"").is_err());
        assert!(read_binary(&[("content-type", "application/json")], b"{").is_err());
    }

    #[test]
    fn structured_and_batch_mode_are_told_by_the_media_type() {
        let event = |id: &str| json!({"specversion": "1.0", "id": id, "source": "/s", "type": "t"});
        let read = |media: &str, body: Value| {
            let found = read(&headers(&[("content-type", media)]), body.to_string().into_bytes());
            found.map(|events| events.len())
        };
        assert_eq!(read("application/cloudevents+json; charset=utf-8", event("1")).unwrap(), 1);
        assert_eq!(read("application/cloudevents-batch+json", json!([event("1"), event("2")])).unwrap(), 2);
        assert_eq!(read("application/cloudevents-batch+json", json!([])).unwrap(), 0);
        assert_eq!(read("application/json", event("1")).unwrap(), 1);
        for (media, body) in [
            ("application/cloudevents+json", json!([event("1")])),
            ("application/cloudevents-batch+json", event("1")),
            ("application/cloudevents+avro", event("1")),
            ("text/plain", event("1")),
            ("application/cloudevents-batch+json", json!([event("1"), {"id": 1}])),
        ] {
            assert!(read(media, body).is_err(), "{media}");
        }
    }
}
