//! One event, as CloudEvents 1.0 has it.

use consort_types::{FieldError, Json, Timestamp};
use serde_json::{Map, Value};

/// The most bytes of one attribute: they stand in indexes and lists.
pub const ATTRIBUTE_BYTES_MAX: usize = 1_024;

/// The most extension attributes of one event.
pub const EXTENSIONS_MAX: usize = 64;

/// The only version that is spoken.
const SPEC_VERSION: &str = "1.0";

/// An event whose attributes are what they should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Unique within its source.
    pub id: String,
    /// Where it comes from.
    pub source: String,
    /// What happened.
    pub event_type: String,
    /// To what.
    pub subject: Option<String>,
    /// When, by its source.
    pub time: Option<Timestamp>,
    /// The whole in the JSON format, which is what expressions see as `event`.
    pub document: Json,
}

/// What makes an event of our own.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Unique within its source.
    pub id: String,
    /// Where it comes from.
    pub source: String,
    /// What happened.
    pub event_type: String,
    /// To what.
    pub subject: Option<String>,
    /// When.
    pub time: Timestamp,
    /// More about it.
    pub data: Json,
}

impl Event {
    /// Reads an event in the JSON format. Attributes that are null count as absent.
    ///
    /// # Errors
    /// All that is wrong with it, by attribute.
    pub fn read(mut attributes: Map<String, Value>) -> Result<Self, Vec<FieldError>> {
        let mut problems = Vec::new();
        attributes.retain(|name, value| name == "data" || !value.is_null());
        let mut check = |name: &str, needed: Needed, rule: fn(&str) -> Result<(), &'static str>| {
            text_of(&attributes, name, needed, rule).map_err(|problem| problems.push(problem)).ok().flatten()
        };
        let version = |text: &str| if text == SPEC_VERSION { Ok(()) } else { Err("must be \"1.0\"") };
        check("specversion", Needed::Yes, version);
        let id = check("id", Needed::Yes, any);
        let source = check("source", Needed::Yes, reference);
        let event_type = check("type", Needed::Yes, any);
        let subject = check("subject", Needed::No, any);
        check("datacontenttype", Needed::No, media_type);
        check("dataschema", Needed::No, reference);
        let time = check("time", Needed::No, time).and_then(|text| text.parse().ok());
        payload(&attributes, &mut problems);
        extensions(&attributes, &mut problems);
        match (id, source, event_type) {
            (Some(id), Some(source), Some(event_type)) if problems.is_empty() => {
                let document = Json::from(Value::Object(attributes));
                Ok(Self { id, source, event_type, subject, time, document })
            }
            _ => Err(problems),
        }
    }

    /// An event of our own, whose attributes need no check.
    pub fn of(draft: Draft) -> Self {
        let Draft { id, source, event_type, subject, time, data } = draft;
        let mut attributes = Map::new();
        let mut put = |name: &str, value: &str| attributes.insert(name.to_owned(), Value::from(value));
        put("specversion", SPEC_VERSION);
        put("id", &id);
        put("source", &source);
        put("type", &event_type);
        if let Some(subject) = &subject {
            put("subject", subject);
        }
        put("time", &time.to_string());
        put("datacontenttype", "application/json");
        attributes.insert("data".to_owned(), data.to_value());
        let document = Json::from(Value::Object(attributes));
        Self { id, source, event_type, subject, time: Some(time), document }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    Yes,
    No,
}

/// The text of an attribute, when it is there and as it should be.
fn text_of(
    attributes: &Map<String, Value>,
    name: &str,
    needed: Needed,
    rule: fn(&str) -> Result<(), &'static str>,
) -> Result<Option<String>, FieldError> {
    let problem = |code: &str, message: String| {
        Err(FieldError { path: name.to_owned(), code: code.to_owned(), message })
    };
    match attributes.get(name) {
        None if needed == Needed::No => Ok(None),
        None => problem("missing", format!("an event needs `{name}`")),
        Some(Value::String(text)) if text.is_empty() => problem("value", format!("`{name}` is empty")),
        Some(Value::String(text)) if text.len() > ATTRIBUTE_BYTES_MAX => {
            problem("value", format!("`{name}` is longer than {ATTRIBUTE_BYTES_MAX} bytes"))
        }
        Some(Value::String(text)) if text.chars().any(char::is_control) => {
            problem("value", format!("`{name}` holds a control character"))
        }
        Some(Value::String(text)) => match rule(text) {
            Ok(()) => Ok(Some(text.clone())),
            Err(what) => problem("value", format!("`{name}` {what}")),
        },
        Some(_) => problem("type", format!("`{name}` must be a text")),
    }
}

fn any(_: &str) -> Result<(), &'static str> {
    Ok(())
}

fn reference(text: &str) -> Result<(), &'static str> {
    let odd =
        |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`');
    if text.contains(odd) { Err("must be a URI or a part of one, without white space") } else { Ok(()) }
}

fn time(text: &str) -> Result<(), &'static str> {
    text.parse::<Timestamp>().map(|_| ()).map_err(|_| "must be a time as in RFC 3339")
}

fn media_type(text: &str) -> Result<(), &'static str> {
    match text.split(';').next().unwrap_or_default().trim().split_once('/') {
        Some((kind, sub)) if !kind.is_empty() && !sub.is_empty() => Ok(()),
        _ => Err("must be a media type such as application/json"),
    }
}

fn payload(attributes: &Map<String, Value>, problems: &mut Vec<FieldError>) {
    let mut problem = |code: &str, message: &str| {
        let path = "data_base64".to_owned();
        problems.push(FieldError { path, code: code.to_owned(), message: message.to_owned() });
    };
    match (attributes.get("data_base64"), attributes.contains_key("data")) {
        (None, _) => {}
        (Some(_), true) => problem("value", "an event has `data` or `data_base64`, not both"),
        (Some(Value::String(text)), false) if is_base64(text) => {}
        (Some(_), false) => problem("value", "`data_base64` must be a text in base64"),
    }
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

fn extensions(attributes: &Map<String, Value>, problems: &mut Vec<FieldError>) {
    const KNOWN: &[&str] = &[
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "dataschema",
        "data",
        "data_base64",
    ];
    let extensions = attributes.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str()));
    for (place, (name, value)) in extensions.enumerate() {
        let message = if place >= EXTENSIONS_MAX {
            format!("an event has at most {EXTENSIONS_MAX} attributes of its own")
        } else if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
            format!("the name of the attribute `{name}` may hold lower-case letters and digits only")
        } else if name.len() > ATTRIBUTE_BYTES_MAX
            || value.as_str().is_some_and(|it| it.len() > ATTRIBUTE_BYTES_MAX)
        {
            format!("an attribute has at most {ATTRIBUTE_BYTES_MAX} bytes")
        } else if matches!(value, Value::Array(_) | Value::Object(_)) {
            format!("the attribute `{name}` must be a text, a number or a boolean; put the rest into `data`")
        } else {
            continue;
        };
        problems.push(FieldError { path: name.clone(), code: "value".to_owned(), message });
        if place >= EXTENSIONS_MAX {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<Event, Vec<String>> {
        let Value::Object(attributes) = value else { panic!() };
        Event::read(attributes).map_err(|all| all.into_iter().map(|problem| problem.path).collect())
    }

    fn with(name: &str, value: Value) -> Value {
        let mut event = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"});
        event[name] = value;
        event
    }

    #[test]
    fn an_event_is_read_whole() {
        let event = read(json!({
            "specversion": "1.0", "id": "A-1", "source": "https://x/y", "type": "com.x.made", "subject": "z",
            "time": "2026-01-02T03:04:05Z", "datacontenttype": "application/json", "dataschema": null,
            "traceparent": "00-1", "count": 3, "data": {"a": 1}
        }))
        .unwrap();
        assert_eq!((event.id.as_str(), event.subject.as_deref()), ("A-1", Some("z")));
        assert_eq!(event.time.unwrap().to_string(), "2026-01-02T03:04:05.000Z");
        let document = event.document.to_value();
        assert_eq!((&document["data"]["a"], &document["count"]), (&json!(1), &json!(3)));
        assert!(document.get("dataschema").is_none());
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(read(json!({})).unwrap_err(), ["specversion", "id", "source", "type"]);
        for (name, value) in [
            ("specversion", json!("0.3")),
            ("specversion", json!(1.0)),
            ("id", json!("")),
            ("id", json!(7)),
            ("id", json!("a\nb")),
            ("id", json!("x".repeat(2_000))),
            ("source", json!("not a uri")),
            ("type", json!(null)),
            ("subject", json!("")),
            ("time", json!("yesterday")),
            ("datacontenttype", json!("json")),
            ("data_base64", json!("%%%")),
            ("Upper", json!("x")),
            ("with_line", json!("x")),
            ("nested", json!({"a": 1})),
        ] {
            assert_eq!(read(with(name, value.clone())).unwrap_err(), [name], "{name} {value}");
        }
        let both = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": 1, "data_base64": "AA=="});
        assert_eq!(read(both).unwrap_err(), ["data_base64"]);
        assert!(read(with("data_base64", json!("AAECAw=="))).is_ok());
        assert!(read(with("data", json!(null))).is_ok());
    }

    #[test]
    fn our_own_events_are_valid() {
        let draft = Draft {
            id: "run_1-2".into(),
            source: "/runs/run_1".into(),
            event_type: "order.paid".into(),
            subject: None,
            time: Timestamp::from_millis(5),
            data: Json::of(&json!({"n": 1})),
        };
        let event = Event::of(draft);
        assert_eq!(read(event.document.to_value()).unwrap(), event);
    }
}
