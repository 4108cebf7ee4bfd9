//! Durations as users write them.

use std::time::Duration;

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// No unit, or a unit that is none.
    #[error("{0:?} is not a duration: it needs a number and a unit (500ms, 2s, 5m, 1h, 30d)")]
    Malformed(String),
    /// More than a Timestamp can hold.
    #[error("{0:?} is too long for a duration")]
    TooLong(String),
}

/// Unit and its milliseconds, longest first. A day is 24 hours.
const UNITS: &[(&str, u64)] = &[("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The longest duration: a thousand years, in milliseconds.
const DURATION_MS_MAX: u64 = 365_250 * 86_400_000;

/// Reads `500ms`, `2s`, `5m`, `1h`, `30d`, a fraction (`1.5s`), or several with falling units (`1h30m`).
///
/// # Errors
/// Without a unit, with units out of order, or over a thousand years.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let malformed = || DurationError::Malformed(text.to_owned());
    let mut rest = text;
    let mut last_unit_ms = u64::MAX;
    let mut total_ms = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(malformed)?;
        let letters = rest[digits..].find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len() - digits);
        let (number, unit) = (&rest[..digits], &rest[digits..digits + letters]);
        let unit_ms = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(malformed)?.1;
        if unit_ms >= last_unit_ms || number.starts_with('.') || number.ends_with('.') {
            return Err(malformed());
        }
        total_ms += number.parse::<f64>().map_err(|_| malformed())? * unit_ms as f64;
        last_unit_ms = unit_ms;
        rest = &rest[digits + letters..];
    }
    if last_unit_ms == u64::MAX {
        return Err(malformed());
    }
    if total_ms > DURATION_MS_MAX as f64 {
        return Err(DurationError::TooLong(text.to_owned()));
    }
    Ok(Duration::from_millis(total_ms.round() as u64))
}

/// Writes a duration as [`parse_duration`] reads it, with at most two units: `1h30m`, `2s`, `150ms`.
pub fn format_duration(duration: Duration) -> String {
    let total_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let Some(first) = UNITS.iter().position(|(_, ms)| total_ms >= *ms) else { return "0ms".to_owned() };
    let (unit, unit_ms) = UNITS[first];
    let mut text = format!("{}{unit}", total_ms / unit_ms);
    if let Some((unit, next_ms)) = UNITS.get(first + 1) {
        let rest = total_ms % unit_ms / next_ms;
        if rest > 0 {
            text.push_str(&format!("{rest}{unit}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_reference_shows() {
        for (text, ms) in [
            ("500ms", 500),
            ("2s", 2_000),
            ("1.5s", 1_500),
            ("5m", 300_000),
            ("42m30s", 2_550_000),
            ("1h", 3_600_000),
            ("30d", 2_592_000_000),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn refuses_what_could_be_read_two_ways() {
        for bad in ["", "5", "5 s", "s", "-1s", "1m1h", "1s1s", "1.s", ".5s", "1..5s", "1y", "1S", "1e3s"] {
            assert!(matches!(parse_duration(bad), Err(DurationError::Malformed(_))), "{bad}");
        }
        assert!(matches!(parse_duration("99999999999d"), Err(DurationError::TooLong(_))));
    }

    #[test]
    fn writes_at_most_two_units() {
        for (ms, text) in
            [(0, "0ms"), (150, "150ms"), (2_000, "2s"), (1_500, "1s500ms"), (5_400_000, "1h30m")]
        {
            assert_eq!(format_duration(Duration::from_millis(ms)), text);
        }
    }
}
