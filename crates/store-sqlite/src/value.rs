//! Values as they stand in columns.

use crate::fault::{Fault, corrupt};
use consort_store::{Error, PageRequest};
use consort_types::{Digest, Json, Name, NameKind, RunId, Timestamp};
use rusqlite::{Row, types::FromSql};
use serde::de::DeserializeOwned;
use std::str::FromStr;

/// A run as its 16 bytes: half the text, and in the order of creation.
pub(crate) fn run_key(run: RunId) -> [u8; 16] {
    *run.as_uuid().as_bytes()
}

/// SQLite's integers are signed.
///
/// # Errors
/// Over 2^63, which no counter of ours reaches.
pub(crate) fn integer(number: u64) -> Result<i64, Fault> {
    i64::try_from(number)
        .map_err(|_| Error::Io { detail: format!("{number} is too large a number to store") }.into())
}

/// Reads columns as our types; what does not fit them is damage, and named by its column.
pub(crate) trait Columns {
    fn plain<T: FromSql>(&self, column: &str) -> Result<T, Fault>;

    fn run(&self, column: &str) -> Result<RunId, Fault> {
        let bytes: Vec<u8> = self.plain(column)?;
        bytes.try_into().map(RunId::from_uuid).map_err(|error| corrupt(column, error))
    }

    fn number(&self, column: &str) -> Result<u64, Fault> {
        u64::try_from(self.plain::<i64>(column)?).map_err(|error| corrupt(column, error))
    }

    fn optional_number(&self, column: &str) -> Result<Option<u64>, Fault> {
        let number: Option<i64> = self.plain(column)?;
        number.map(|number| u64::try_from(number).map_err(|error| corrupt(column, error))).transpose()
    }

    fn time(&self, column: &str) -> Result<Timestamp, Fault> {
        self.plain(column).map(Timestamp::from_millis)
    }

    fn optional_time(&self, column: &str) -> Result<Option<Timestamp>, Fault> {
        Ok(self.plain::<Option<i64>>(column)?.map(Timestamp::from_millis))
    }

    fn name(&self, column: &str) -> Result<Name, Fault> {
        let text: String = self.plain(column)?;
        Name::new(&text, NameKind::Kebab).map_err(|error| corrupt(column, error))
    }

    fn digest(&self, column: &str) -> Result<Digest, Fault> {
        self.word(column)
    }

    /// A word of ours: a state, a digest.
    fn word<T: FromStr<Err: std::fmt::Display>>(&self, column: &str) -> Result<T, Fault> {
        let text: String = self.plain(column)?;
        text.parse().map_err(|error| corrupt(column, error))
    }

    fn json(&self, column: &str) -> Result<Json, Fault> {
        Json::from_text(self.plain(column)?).map_err(|error| corrupt(column, error))
    }

    fn optional_json(&self, column: &str) -> Result<Option<Json>, Fault> {
        let text: Option<String> = self.plain(column)?;
        text.map(|text| Json::from_text(text).map_err(|error| corrupt(column, error))).transpose()
    }

    /// JSON of a type of ours.
    fn record<T: DeserializeOwned>(&self, column: &str) -> Result<T, Fault> {
        let text: String = self.plain(column)?;
        serde_json::from_str(&text).map_err(|error| corrupt(column, error))
    }
}

impl Columns for Row<'_> {
    fn plain<T: FromSql>(&self, column: &str) -> Result<T, Fault> {
        Ok(self.get(column)?)
    }
}

/// The rows of a query, each read as a record.
pub(crate) fn collect<T>(
    mut rows: rusqlite::Rows<'_>,
    read: impl Fn(&Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(read(row)?);
    }
    Ok(items)
}

/// The only row of a query, if there is one.
pub(crate) fn first<T>(
    mut rows: rusqlite::Rows<'_>,
    read: impl Fn(&Row<'_>) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    rows.next()?.map(read).transpose()
}

/// How many rows to read for a page: one too many tells that more follow.
pub(crate) fn one_more(page: &PageRequest) -> i64 {
    i64::try_from(page.limit()).expect("at most 500") + 1
}
