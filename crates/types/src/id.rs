//! Identifiers.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// A text that is not the id it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct IdError {
    text: String,
    expected: &'static str,
}

/// Id of a run, `run_` and 32 hex digits. Ordered by creation time (UUID version 7, RFC 9562).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(Uuid);

impl RunId {
    /// Makes an id of a UUID that the caller drew: this crate has no clock and no randomness.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID in it.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }

    /// The id of a run that a node of this one starts: the same for the same start, however often it is asked
    /// for, and in the order of creation like every other.
    #[must_use]
    pub fn of_child(self, node: u32, number: u32, at: crate::Timestamp) -> Self {
        let seed = format!("{self}/{node}/{number}");
        let hash = Sha256::digest(seed.as_bytes());
        let mut chance = [0; 10];
        chance.copy_from_slice(&hash[..10]);
        let millis = u64::try_from(at.as_millis()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &chance).into_uuid())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run_{}", self.0.simple())
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RunId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = || IdError { text: text.to_owned(), expected: "a run id (run_ and 32 hex digits)" };
        let hex = text.strip_prefix("run_").filter(|hex| hex.len() == 32).ok_or_else(error)?;
        Uuid::try_parse(hex).map(Self).map_err(|_| error())
    }
}

/// The key of an event, `evt_` and 32 hex digits. It follows from where the event comes from and its id there,
/// so that an event that is sent twice has one key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey([u8; 16]);

impl EventKey {
    /// The key of an event of a namespace.
    pub fn of(namespace: &crate::Name, source: &str, id: &str) -> Self {
        let mut hasher = Sha256::new();
        for part in [namespace.as_str(), source, id] {
            // Lengths keep the parts apart, whatever they hold.
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize()[..16]);
        Self(key)
    }

    /// Takes the bytes of a key.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes of the key.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "evt_{}", Uuid::from_bytes(self.0).simple())
    }
}

impl fmt::Debug for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for EventKey {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let error =
            || IdError { text: text.to_owned(), expected: "a key of an event (evt_ and 32 hex digits)" };
        let hex = text.strip_prefix("evt_").filter(|hex| hex.len() == 32).ok_or_else(error)?;
        let key = Uuid::try_parse(hex).map(|uuid| Self(*uuid.as_bytes())).map_err(|_| error())?;
        if key.to_string() == text { Ok(key) } else { Err(error()) }
    }
}

/// The content address of bytes: `sha256:` and 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The address of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Takes the 32 bytes of a finished SHA-256.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 64 hex digits, without `sha256:`.
    pub fn hex(&self) -> String {
        use fmt::Write;
        self.0.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The first 12 hex digits, for people.
    pub fn short(&self) -> String {
        self.hex()[..12].to_owned()
    }
}

/// Makes the address of bytes that come in pieces.
#[derive(Debug, Default)]
pub struct Digester(Sha256);

impl Digester {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The address of all that was taken.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = || IdError { text: text.to_owned(), expected: "a digest (sha256: and 64 hex digits)" };
        let hex = text.strip_prefix("sha256:").filter(|hex| hex.len() == 64 && hex.is_ascii());
        let hex = hex.ok_or_else(error)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| error())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| error())?;
        }
        // `from_str_radix` takes a sign and upper case; an address has one spelling only.
        let digest = Self(bytes);
        if digest.hex() == hex { Ok(digest) } else { Err(error()) }
    }
}

/// Names one attempt to the outside and fences off older ones: `att_RUN_NODE_NUMBER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptToken {
    /// The run.
    pub run: RunId,
    /// The node of the run, as the engine numbers them.
    pub node: u32,
    /// Grows with each dispatch of the node; only the newest is accepted.
    pub number: u32,
}

impl fmt::Display for AttemptToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "att_{}_{}_{}", self.run.0.simple(), self.node, self.number)
    }
}

impl FromStr for AttemptToken {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let parse = || {
            let mut parts = text.strip_prefix("att_")?.split('_');
            let run = RunId(Uuid::try_parse(parts.next()?).ok()?);
            let token = Self { run, node: parts.next()?.parse().ok()?, number: parts.next()?.parse().ok()? };
            (token.to_string() == text).then_some(token)
        };
        parse().ok_or_else(|| IdError { text: text.to_owned(), expected: "an attempt token" })
    }
}

macro_rules! serde_as_text {
    ($($id:ty),*) => {$(
        impl Serialize for $id {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
serde_as_text!(RunId, EventKey, Digest, AttemptToken);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_what_they_print() {
        let run = RunId::from_uuid(Uuid::from_u128(7));
        assert_eq!(run.to_string().parse(), Ok(run));
        let token = AttemptToken { run, node: 3, number: 12 };
        assert_eq!(token.to_string().parse(), Ok(token));
        let digest = Digest::of(b"x");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let shop = crate::Name::new("shop", crate::NameKind::Kebab).unwrap();
        let key = EventKey::of(&shop, "/a", "bc");
        assert_eq!(key.to_string().parse(), Ok(key));
        assert_ne!(key, EventKey::of(&shop, "/ab", "c"));
    }

    #[test]
    fn the_id_of_a_child_follows_from_its_start() {
        let (run, at) = (RunId::from_uuid(Uuid::from_u128(7)), crate::Timestamp::from_millis(1_000));
        let child = run.of_child(3, 1, at);
        assert_eq!(child, run.of_child(3, 1, at));
        assert_eq!(child.as_uuid().get_version_num(), 7);
        let others = [run.of_child(3, 2, at), run.of_child(4, 1, at), child.of_child(3, 1, at)];
        assert!(!others.contains(&child));
        assert!(child < run.of_child(1, 1, crate::Timestamp::from_millis(1_001)));
    }

    #[test]
    fn ids_have_one_spelling() {
        let digest = Digest::of(b"x").to_string();
        for bad in ["", "sha256:", "run_1", &digest.to_uppercase(), &digest[..70], "sha256:é"] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
            assert!(bad.parse::<AttemptToken>().is_err(), "{bad}");
        }
        let run = RunId::from_uuid(Uuid::from_u128(7));
        assert!(format!("att_{}_03_1", run.as_uuid().simple()).parse::<AttemptToken>().is_err());
    }
}
