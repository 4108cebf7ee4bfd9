//! Checks the text of a value against a type while it is parsed: no tree is built.

use super::FIELD_ERRORS_MAX;
use consort_expr::{Field, Type};
use consort_types::{Digest, FieldError, Json, Timestamp, parse_duration};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{borrow::Cow, cell::RefCell, fmt, fmt::Write};

/// Names every field that does not fit.
pub(super) fn check(type_: &Type, value: &Json) -> Result<(), Vec<FieldError>> {
    if matches!(type_, Type::Any) {
        return Ok(());
    }
    let state = State::default();
    let mut deserializer = serde_json::Deserializer::from_str(value.text());
    if let Err(error) = (Walk { type_, state: &state }).deserialize(&mut deserializer) {
        // The text is JSON; only nesting or a number that no machine holds stops the walk.
        state.wrong("schema", format!("cannot be read: {error}"));
    }
    let errors = state.errors.into_inner();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Where the walk is and what it found.
#[derive(Default)]
struct State {
    path: RefCell<String>,
    errors: RefCell<Vec<FieldError>>,
}

impl State {
    fn wrong(&self, code: &str, message: String) {
        let mut errors = self.errors.borrow_mut();
        if errors.len() < FIELD_ERRORS_MAX {
            errors.push(FieldError { path: self.path.borrow().clone(), code: code.to_owned(), message });
        }
    }

    /// Goes to a field, does something there, and comes back.
    fn at<T>(&self, enter: impl FnOnce(&mut String), act: impl FnOnce() -> T) -> T {
        let length = self.path.borrow().len();
        enter(&mut self.path.borrow_mut());
        let result = act();
        self.path.borrow_mut().truncate(length);
        result
    }

    fn at_field<T>(&self, name: &str, act: impl FnOnce() -> T) -> T {
        let enter = |path: &mut String| {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(name);
        };
        self.at(enter, act)
    }
}

struct Walk<'a> {
    type_: &'a Type,
    state: &'a State,
}

impl<'a> Walk<'a> {
    /// The type without `?`.
    fn bare(&self) -> &'a Type {
        match self.type_ {
            Type::Nullable(inner) => inner,
            other => other,
        }
    }

    fn mismatch(&self, found: &str) {
        self.state.wrong("type", format!("expected {}, found {found}", self.type_));
    }

    fn number(&self, whole: bool) {
        match self.bare() {
            Type::Any | Type::Number => {}
            Type::Integer if whole => {}
            _ => self.mismatch(if whole { "an integer" } else { "a number" }),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.type_)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if !matches!(self.type_, Type::Any | Type::Null | Type::Nullable(_)) {
            self.state.wrong("null", format!("expected {}, found null", self.type_));
        }
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        if !matches!(self.bare(), Type::Any | Type::Boolean) {
            self.mismatch("a boolean");
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.number(true);
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        if i64::try_from(value).is_err() && matches!(self.bare(), Type::Integer) {
            self.state.wrong("range", format!("{value} is more than 64 bits hold"));
        } else {
            self.number(true);
        }
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let whole = value.fract() == 0.0;
        // Whole, and beyond what 64 bits hold exactly.
        if whole && value.abs() >= 9_223_372_036_854_775_808.0 && matches!(self.bare(), Type::Integer) {
            self.state.wrong("range", format!("{value} is more than 64 bits hold"));
        } else {
            self.number(whole);
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match self.bare() {
            Type::Any | Type::String => {}
            Type::Enum(words) => {
                if !words.iter().any(|word| *word == *text) {
                    let all: Vec<String> = words.iter().map(ToString::to_string).collect();
                    self.state.wrong("enum", format!("expected one of {}, found {text:?}", all.join(", ")));
                }
            }
            Type::Datetime => {
                if let Err(error) = text.parse::<Timestamp>() {
                    self.state.wrong("format", error.to_string());
                }
            }
            Type::Duration => {
                if let Err(error) = parse_duration(text) {
                    self.state.wrong("format", error.to_string());
                }
            }
            _ => self.mismatch("a string"),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let item = match self.bare() {
            Type::List(item) => &**item,
            other => {
                if !matches!(other, Type::Any) {
                    self.mismatch("a list");
                }
                while items.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(());
            }
        };
        let state = self.state;
        for index in 0_usize.. {
            let enter = |path: &mut String| {
                let _ = write!(path, "[{index}]");
            };
            if state.at(enter, || items.next_element_seed(Walk { type_: item, state }))?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        match self.bare() {
            Type::Object(object) => self.fields(&object.fields, entries),
            Type::File => self.file(entries),
            Type::Map(value) => self.any_fields(value, entries),
            other => {
                if !matches!(other, Type::Any) {
                    self.mismatch("an object");
                }
                while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(())
            }
        }
    }
}

impl Walk<'_> {
    fn any_fields<'de, A: MapAccess<'de>>(&self, type_: &Type, mut entries: A) -> Result<(), A::Error> {
        let state = self.state;
        while let Some(key) = entries.next_key::<Cow<'de, str>>()? {
            state.at_field(&key, || entries.next_value_seed(Walk { type_, state }))?;
        }
        Ok(())
    }

    fn fields<'de, A: MapAccess<'de>>(&self, fields: &[Field], mut entries: A) -> Result<(), A::Error> {
        let state = self.state;
        let mut seen = vec![false; fields.len()];
        while let Some(key) = entries.next_key::<Cow<'de, str>>()? {
            match fields.iter().position(|field| *field.name == *key) {
                Some(index) => {
                    seen[index] = true;
                    let type_ = &fields[index].type_;
                    state.at_field(&key, || entries.next_value_seed(Walk { type_, state }))?;
                }
                None => {
                    entries.next_value::<IgnoredAny>()?;
                    let known = fields.iter().map(|field| &*field.name);
                    let message = match consort_expr::nearest(&key, known) {
                        Some(name) => format!("there is no such field; did you mean `{name}`?"),
                        None => "there is no such field".to_owned(),
                    };
                    state.at_field(&key, || state.wrong("unknown", message));
                }
            }
        }
        for (field, _) in fields.iter().zip(seen).filter(|(field, seen)| field.required && !seen) {
            let message = format!("is missing ({})", field.type_);
            state.at_field(&field.name, || state.wrong("missing", message));
        }
        Ok(())
    }

    fn file<'de, A: MapAccess<'de>>(&self, mut entries: A) -> Result<(), A::Error> {
        let state = self.state;
        let mut missing = vec!["artifact", "name", "type", "size", "url"];
        while let Some(key) = entries.next_key::<Cow<'de, str>>()? {
            if !missing.contains(&&*key) {
                entries.next_value::<IgnoredAny>()?;
                state.at_field(&key, || state.wrong("unknown", "a file has no such field".to_owned()));
                continue;
            }
            missing.retain(|name| *name != &*key);
            if key == "artifact" {
                let text: serde_json::Value = entries.next_value()?;
                if text.as_str().is_none_or(|text| text.parse::<Digest>().is_err()) {
                    let message = "expected an artifact (sha256: and 64 hex digits)".to_owned();
                    state.at_field(&key, || state.wrong("format", message));
                }
            } else {
                let type_ = if key == "size" { &Type::Integer } else { &Type::String };
                state.at_field(&key, || entries.next_value_seed(Walk { type_, state }))?;
            }
        }
        for name in missing {
            state.at_field(name, || state.wrong("missing", "is missing in the file".to_owned()));
        }
        Ok(())
    }
}
