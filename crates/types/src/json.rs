//! A JSON value kept as its text.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;
use std::{fmt, sync::Arc};

/// One valid JSON value, kept as the text it came in: shared, immutable, never parsed unless somebody
/// reads it.
///
/// Payloads travel from a socket to the store and on to the next call; most are never looked into, so
/// parsing them would be the largest cost of a step. Cloning copies a pointer.
#[derive(Clone)]
pub struct Json(Arc<RawValue>);

impl Json {
    /// The value `null`.
    pub fn null() -> Self {
        Self::from_text("null".to_owned()).expect("null is JSON")
    }

    /// Takes text that must be exactly one JSON value.
    ///
    /// # Errors
    /// When the text is not JSON; the message tells where.
    pub fn from_text(text: String) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text).map(|raw| Self(raw.into()))
    }

    /// Takes bytes that must be exactly one JSON value in UTF-8.
    ///
    /// # Errors
    /// When the bytes are not JSON; the message tells where.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice::<Box<RawValue>>(bytes).map(|raw| Self(raw.into()))
    }

    /// Writes a value down as JSON.
    ///
    /// # Panics
    /// Never for our own types: they have string keys and no failing serializers.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        let raw = serde_json::value::to_raw_value(value).expect("our own types serialize");
        Self(raw.into())
    }

    /// Reads the value as a Rust type.
    ///
    /// # Errors
    /// When the JSON has another shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.text())
    }

    /// The value as a tree. Costs a parse; meant for checks and screens, not for the hot path.
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(self.text()).expect("a Json holds JSON")
    }

    /// The JSON text.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// The length of the text in bytes.
    pub fn len(&self) -> usize {
        self.text().len()
    }

    /// Never true: JSON has no empty text. Here because `len` is.
    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        self.text() == "null"
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Self::of(&value)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Two values are equal when they mean the same, whatever their white space and order of keys.
impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text() || self.to_value() == other.to_value()
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_text_as_it_came() {
        let json = Json::from_slice(b"{\"b\": 1, \"a\": [1.0]}").unwrap();
        assert_eq!(json.text(), "{\"b\": 1, \"a\": [1.0]}");
        assert_eq!(serde_json::to_string(&json).unwrap(), json.text());
    }

    #[test]
    fn equality_is_by_meaning() {
        let spaced = Json::from_text("{ \"a\" : 1 }".into()).unwrap();
        assert_eq!(spaced, Json::of(&serde_json::json!({"a": 1})));
        assert_ne!(spaced, Json::null());
    }

    #[test]
    fn refuses_what_is_not_one_value() {
        for bad in ["", "{", "1 2", "NaN", "{'a':1}", "\u{0}"] {
            assert!(Json::from_text(bad.into()).is_err(), "{bad:?}");
        }
        assert!(Json::from_slice(b"\"\xff\"").is_err());
    }
}
