//! From SQLite's words to the contract's.

use consort_store::Error;
use rusqlite::ErrorCode;

/// An [`Error`] on its way out; here because both it and rusqlite's belong to other crates.
#[derive(Debug)]
pub(crate) struct Fault(Error);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        fault.0
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as Sql;
        let detail = error.to_string();
        Self(match &error {
            Sql::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DiskFull => Error::Full,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Error::Corrupt { detail },
                _ => Error::Io { detail },
            },
            Sql::QueryReturnedNoRows
            | Sql::FromSqlConversionFailure(..)
            | Sql::IntegralValueOutOfRange(..)
            | Sql::InvalidColumnType(..)
            | Sql::Utf8Error(..) => Error::Corrupt { detail },
            _ => Error::Io { detail },
        })
    }
}

/// A value in the store that is not what was written there.
pub(crate) fn corrupt(what: &str, detail: impl std::fmt::Display) -> Fault {
    Fault(Error::Corrupt { detail: format!("{what}: {detail}") })
}

/// Something that two owners wrote.
pub(crate) fn conflict(what: String) -> Fault {
    Fault(Error::Conflict { what })
}

/// Whether a row was refused because its key is there.
pub(crate) fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}
