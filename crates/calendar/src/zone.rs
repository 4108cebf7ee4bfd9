//! Time zones.

use jiff::tz::TimeZone;
use std::fmt;

/// The zone in which a schedule is read.
#[derive(Debug, Clone)]
pub struct Zone(pub(crate) TimeZone);

/// A name that no zone bears.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time zone (for example Europe/Paris, America/New_York, UTC)")]
pub struct ZoneError(String);

impl Zone {
    /// UTC, where every day has 24 hours.
    pub const fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// A zone of the IANA database, which comes with the program where the system has none.
    ///
    /// # Errors
    /// When no zone bears the name.
    pub fn named(name: &str) -> Result<Self, ZoneError> {
        if name == "UTC" {
            return Ok(Self::utc());
        }
        TimeZone::get(name).map(Self).map_err(|_| ZoneError(name.to_owned()))
    }

    /// Every name there is, for "did you mean".
    pub fn names() -> Vec<String> {
        jiff::tz::db().available().map(|name| name.to_string()).collect()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}
