//! The next slot.

use super::Cron;
use crate::Zone;
use consort_types::Timestamp;
use jiff::{
    civil::{Date, DateTime},
    tz::AmbiguousOffset,
};

/// How far ahead is searched: in 40 years every month has begun on every day of the week, leap years included.
const YEARS_AHEAD: i16 = 40;

impl Cron {
    /// The first slot after a time, to the second. None: it never fires again, as on 30 February.
    pub fn next_after(&self, after: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let after = jiff::Timestamp::from_millisecond(after.as_millis()).ok()?;
        let local = zone.0.to_datetime(after);
        let mut from =
            local.checked_add(jiff::Span::new().seconds(1)).ok()?.with().subsec_nanosecond(0).build().ok()?;
        let by_clock = loop {
            let slot = self.slot_from(from)?;
            if let Some(time) = self.moment(slot, zone, after) {
                break time;
            }
            from = slot.checked_add(jiff::Span::new().seconds(1)).ok()?;
        };
        let time = self.in_repeated_hour(after, by_clock, zone).unwrap_or(by_clock);
        Some(Timestamp::from_millis(time.as_millisecond()))
    }

    /// Whether there is any slot at all.
    pub fn ever_fires(&self) -> bool {
        self.slot_from(DateTime::constant(2000, 1, 1, 0, 0, 0, 0)).is_some()
    }

    /// When the clock of a zone shows a slot, if that lies behind a time.
    fn moment(&self, slot: DateTime, zone: &Zone, after: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let ambiguous = zone.0.to_ambiguous_timestamp(slot);
        let is_repeated = matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. });
        let first = ambiguous.compatible().ok().filter(|first| *first > after);
        match first {
            None if is_repeated && self.fires_every_hour() => {
                zone.0.to_ambiguous_timestamp(slot).later().ok().filter(|second| *second > after)
            }
            first => first,
        }
    }

    /// What fires every hour also fires in the hour that the clock shows twice, the second time.
    fn in_repeated_hour(
        &self,
        after: jiff::Timestamp,
        before: jiff::Timestamp,
        zone: &Zone,
    ) -> Option<jiff::Timestamp> {
        if !self.fires_every_hour() {
            return None;
        }
        let back = zone.0.following(after).next().map(|transition| transition.timestamp())?;
        if back >= before {
            return None;
        }
        let slot = self.slot_from(zone.0.to_datetime(back))?;
        let second = zone.0.to_ambiguous_timestamp(slot).later().ok()?;
        (second >= back && second < before).then_some(second)
    }

    fn fires_every_hour(&self) -> bool {
        self.hours.is_all(0, 23)
    }

    /// The first slot that is not before a time of the clock.
    fn slot_from(&self, from: DateTime) -> Option<DateTime> {
        if self.minutes.is_empty() || self.hours.is_empty() || self.seconds.is_empty() {
            return None;
        }
        let (date, time) = (from.date(), from.time());
        if self.fires_on(date)
            && let Some((hour, minute, second)) = self.time_from(time.hour(), time.minute(), time.second())
        {
            return Some(date.at(hour, minute, second, 0));
        }
        let date = self.date_after(date)?;
        Some(date.at(self.hours.first()?, self.minutes.first()?, self.seconds.first()?, 0))
    }

    /// The first time of a day that is not before another.
    fn time_from(&self, hour: i8, minute: i8, second: i8) -> Option<(i8, i8, i8)> {
        let (first_minute, first_second) = (self.minutes.first()?, self.seconds.first()?);
        if self.hours.has(hour) {
            if self.minutes.has(minute)
                && let Some(second) = self.seconds.at_or_after(second)
            {
                return Some((hour, minute, second));
            }
            if let Some(minute) = self.minutes.at_or_after(minute + 1) {
                return Some((hour, minute, first_second));
            }
        }
        self.hours.at_or_after(hour + 1).map(|hour| (hour, first_minute, first_second))
    }

    fn date_after(&self, date: Date) -> Option<Date> {
        let end = date.year().checked_add(YEARS_AHEAD)?;
        let mut date = date.tomorrow().ok()?;
        while date.year() <= end {
            if !self.months.has(date.month()) {
                // Month by month where nothing fires.
                date = date.last_of_month().tomorrow().ok()?;
            } else if self.fires_on(date) {
                return Some(date);
            } else {
                date = date.tomorrow().ok()?;
            }
        }
        None
    }

    fn fires_on(&self, date: Date) -> bool {
        if !self.months.has(date.month()) {
            return false;
        }
        match (self.days.any, self.weekdays.any) {
            (true, true) => true,
            (true, false) => self.weekdays.has(date),
            (false, true) => self.days.has(date),
            (false, false) => self.days.has(date) || self.weekdays.has(date),
        }
    }
}
