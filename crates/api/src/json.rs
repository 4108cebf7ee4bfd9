//! What JSON may come in at all: not nested without end, and every number one that can be read.
//!
//! Payloads stay text from here on and are read as trees in many places behind; what passes this door can be
//! read everywhere.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// How deep values may be nested: as the limits of the contract say, and the object around an input.
const NESTING_MAX: usize = 65;

/// Whether bytes are one JSON value that everything behind can read.
///
/// # Errors
/// When they are no JSON, or nested too deep; the message tells where.
pub fn check(bytes: &[u8]) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Nested(NESTING_MAX).deserialize(&mut deserializer)?;
    deserializer.end()
}

/// A value that may be nested so deep.
#[derive(Clone, Copy)]
struct Nested(usize);

impl Nested {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let deeper = self.0.checked_sub(1).map(Self);
        deeper.ok_or_else(|| E::custom(format_args!("nested deeper than {} levels", NESTING_MAX - 1)))
    }
}

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while fields.next_key::<IgnoredAny>()?.is_some() {
            fields.next_value_seed(inner)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn what_passes_can_be_read_as_a_tree() {
        for text in ["null", "1", r#"{"a": [1, 2.5, "x", true, -3]}"#, &nested(NESTING_MAX)] {
            check(text.as_bytes()).unwrap();
            serde_json::from_str::<serde_json::Value>(text).unwrap();
        }
    }

    #[test]
    fn what_could_not_be_read_later_is_refused_here() {
        for text in ["", "{", "1 2", "1e999", r#""\ud800""#, &nested(NESTING_MAX + 1), &nested(1_000_000)] {
            assert!(check(text.as_bytes()).is_err(), "{}", &text[..text.len().min(40)]);
        }
        assert!(check(b"\"\xff\"").is_err());
    }
}
