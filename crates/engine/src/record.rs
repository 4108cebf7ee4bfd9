//! How the facts of a history are stored: as JSON, so that it can be read without this program.

use crate::Entry;
use consort_types::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of the stored form of a [`Record`].
const RECORD_VERSION: u8 = 1;

/// All entries of one transition: they became true together, at one time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// Version of this form.
    v: u8,
    /// When.
    #[serde(rename = "t", with = "millis")]
    pub at: Timestamp,
    /// What.
    #[serde(rename = "e")]
    pub entries: Vec<Entry>,
}

/// A stored record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Written by a newer program.
    #[error("the history was written in format {found}, this program knows up to {RECORD_VERSION}")]
    Newer {
        /// The format found.
        found: u8,
    },
    /// Not a record.
    #[error("the history cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
}

impl Record {
    /// Entries that became true at a time.
    pub fn new(at: Timestamp, entries: Vec<Entry>) -> Self {
        Self { v: RECORD_VERSION, at, entries }
    }

    /// The stored form.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("entries serialize")
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When it is none, or of a newer format.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        #[derive(Deserialize)]
        struct Version {
            v: u8,
        }
        match serde_json::from_slice::<Self>(bytes) {
            Ok(record) if record.v == RECORD_VERSION => Ok(record),
            Ok(record) => Err(RecordError::Newer { found: record.v }),
            Err(error) => match serde_json::from_slice::<Version>(bytes) {
                Ok(Version { v }) if v > RECORD_VERSION => Err(RecordError::Newer { found: v }),
                _ => Err(error.into()),
            },
        }
    }
}

mod millis {
    use consort_types::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        time.as_millis().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp::from_millis)
    }
}
