//! What a pool gives: how much at once, how much in a time, how much in all.

use consort_types::{Amount, Timestamp};
use std::time::Duration;

/// What a pool gives. Nothing set: it gives all that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Permits at once.
    pub size: Option<Amount>,
    /// Permits in a time.
    pub rate: Option<Rate>,
    /// Permits in all.
    pub budget: Option<Budget>,
}

/// At most `count` in any time of the length `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: Amount,
    /// In which time.
    pub per: Duration,
}

/// At most `amount` until the next reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// How much.
    pub amount: Amount,
    /// What becomes of those that come after.
    pub when_empty: WhenEmpty,
    /// When it is full again; none: never by itself.
    pub reset: Option<Reset>,
}

/// What becomes of a request when a budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenEmpty {
    /// It waits for the reset, or for more.
    #[default]
    Wait,
    /// It is refused, and a person is asked.
    Pause,
    /// It is refused.
    Fail,
}

/// When a budget is full again, by the calendar of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// At each full hour.
    Hourly,
    /// At midnight.
    Daily,
    /// At midnight before Monday.
    Weekly,
    /// At midnight before the first of the month.
    Monthly,
}

/// From one reset to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// When it began.
    pub start: Timestamp,
    /// When it ends; none: never.
    pub end: Option<Timestamp>,
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

impl Budget {
    /// The period that a time lies in.
    pub fn period(&self, now: Timestamp) -> Period {
        let millis = now.as_millis();
        let (day, in_ms) = (millis.div_euclid(DAY_MS), Timestamp::from_millis);
        let days =
            |start: i64, end: i64| Period { start: in_ms(start * DAY_MS), end: Some(in_ms(end * DAY_MS)) };
        match self.reset {
            None => Period { start: in_ms(0), end: None },
            Some(Reset::Hourly) => {
                let start = millis.div_euclid(HOUR_MS) * HOUR_MS;
                Period { start: in_ms(start), end: Some(in_ms(start + HOUR_MS)) }
            }
            Some(Reset::Daily) => days(day, day + 1),
            Some(Reset::Weekly) => {
                // The epoch was a Thursday.
                let monday = day - (day + 3).rem_euclid(7);
                days(monday, monday + 7)
            }
            Some(Reset::Monthly) => {
                let (year, month) = month_of(day);
                let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
                days(first_day_of(year, month), first_day_of(next_year, next))
            }
        }
    }
}

/// Year and month of a day since the epoch (Howard Hinnant, "chrono-compatible low-level date algorithms", 2014).
fn month_of(day: i64) -> (i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month)
}

/// The first of a month in days since the epoch; from the same source.
fn first_day_of(year: i64, month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(reset: Option<Reset>, now: &str) -> (String, String) {
        let budget = Budget { amount: Amount::units(1), when_empty: WhenEmpty::Wait, reset };
        let period = budget.period(now.parse().unwrap());
        (period.start.to_string(), period.end.map_or_else(|| "never".to_owned(), |end| end.to_string()))
    }

    #[test]
    fn periods_follow_the_calendar_of_utc() {
        for (reset, now, start, end) in [
            (Reset::Hourly, "2026-11-29T08:24:31Z", "2026-11-29T08:00:00.000Z", "2026-11-29T09:00:00.000Z"),
            (Reset::Daily, "2026-11-29T00:00:00Z", "2026-11-29T00:00:00.000Z", "2026-11-30T00:00:00.000Z"),
            (Reset::Weekly, "2026-11-29T23:59:59Z", "2026-11-23T00:00:00.000Z", "2026-11-30T00:00:00.000Z"),
            (Reset::Weekly, "2026-11-30T00:00:00Z", "2026-11-30T00:00:00.000Z", "2026-12-07T00:00:00.000Z"),
            (Reset::Monthly, "2026-12-31T23:00:00Z", "2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"),
            (Reset::Monthly, "2028-02-29T12:00:00Z", "2028-02-01T00:00:00.000Z", "2028-03-01T00:00:00.000Z"),
            (Reset::Monthly, "1969-12-31T23:59:59Z", "1969-12-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(period(Some(reset), now), (start.to_owned(), end.to_owned()), "{now}");
        }
        assert_eq!(period(None, "2026-11-29T08:24:31Z").1, "never");
    }
}
