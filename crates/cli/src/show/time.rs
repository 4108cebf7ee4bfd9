//! Times and durations for people.

use consort_types::Timestamp;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time now: the command line is the edge, where clocks are read.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A duration as short as it can be said: `40ms`, `1.2s`, `42s`, `3m05s`, `2h10m`, `3d4h`.
pub fn short(duration: Duration) -> String {
    let (ms, seconds) = (duration.as_millis(), duration.as_secs());
    match seconds {
        0 => format!("{ms}ms"),
        1..10 => format!("{}.{}s", seconds, duration.subsec_millis() / 100),
        10..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h{:02}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// How long ago, in one unit: `3s ago`.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(then).as_secs();
    match seconds {
        0 => "now".to_owned(),
        1..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..172_800 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

/// From a beginning to an end, or to now; empty before the beginning.
pub fn span(started: Option<Timestamp>, finished: Option<Timestamp>, now: Timestamp) -> String {
    started.map_or_else(String::new, |started| short(finished.unwrap_or(now).since(started)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        for (ms, text) in [
            (0, "0ms"),
            (999, "999ms"),
            (1_250, "1.2s"),
            (9_999, "9.9s"),
            (42_000, "42s"),
            (185_000, "3m05s"),
            (7_800_000, "2h10m"),
            (273_600_000, "3d4h"),
        ] {
            assert_eq!(short(Duration::from_millis(ms)), text);
        }
    }

    #[test]
    fn ages_have_one_unit() {
        let now = Timestamp::from_millis(1_000_000_000);
        for (seconds, text) in
            [(0, "now"), (59, "59s ago"), (61, "1m ago"), (7_200, "2h ago"), (400_000, "4d ago")]
        {
            assert_eq!(ago(Timestamp::from_millis(1_000_000_000 - seconds * 1_000), now), text);
        }
        assert_eq!(ago(now.plus(Duration::from_secs(5)), now), "now", "a clock that runs ahead is no news");
    }
}
