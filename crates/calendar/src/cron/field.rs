//! The values that a field allows.

use jiff::civil::{Date, Weekday};

/// Numbers from 0 to 63.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Set(u64);

impl Set {
    pub fn add(&mut self, value: u8) {
        self.0 |= 1 << value;
    }

    pub fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| value < 64 && self.0 & (1 << value) != 0)
    }

    pub fn first(self) -> Option<i8> {
        self.at_or_after(0)
    }

    /// The least value that is not less.
    pub fn at_or_after(self, value: i8) -> Option<i8> {
        let from = u32::try_from(value).ok().filter(|from| *from < 64)?;
        let rest = self.0 & (u64::MAX << from);
        (rest != 0).then(|| rest.trailing_zeros() as i8)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it holds all of a range.
    pub fn is_all(self, least: u8, most: u8) -> bool {
        (least..=most).all(|value| self.has(value as i8))
    }
}

/// A day that is told from the shape of its month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByMonth {
    /// So many before the last.
    BeforeLast(i8),
    /// The working day nearest to it, within the month.
    NearestWorking(i8),
    /// The last working day.
    LastWorking,
}

/// Days of a month.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct DaysOfMonth {
    pub any: bool,
    pub days: Set,
    pub special: Vec<ByMonth>,
}

impl DaysOfMonth {
    pub fn has(&self, date: Date) -> bool {
        self.days.has(date.day()) || self.special.iter().any(|rule| rule.day_of(date) == Some(date.day()))
    }
}

impl ByMonth {
    /// The day in the month of a date; none when the month has no such day.
    fn day_of(self, date: Date) -> Option<i8> {
        let last = date.days_in_month();
        match self {
            Self::BeforeLast(before) => Some(last - before).filter(|day| *day >= 1),
            Self::NearestWorking(day) => {
                let wanted = Date::new(date.year(), date.month(), day).ok()?;
                Some(nearest_working(wanted, last))
            }
            Self::LastWorking => (1..=last).rev().find(|day| {
                Date::new(date.year(), date.month(), *day).is_ok_and(|date| is_working(date.weekday()))
            }),
        }
    }
}

/// Saturday goes back and Sunday on, except over the ends of the month.
fn nearest_working(date: Date, last: i8) -> i8 {
    let day = date.day();
    match date.weekday() {
        Weekday::Saturday if day == 1 => 3,
        Weekday::Saturday => day - 1,
        Weekday::Sunday if day == last => day - 2,
        Weekday::Sunday => day + 1,
        _ => day,
    }
}

fn is_working(weekday: Weekday) -> bool {
    !matches!(weekday, Weekday::Saturday | Weekday::Sunday)
}

/// A day of the week by its place in the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByPlace {
    /// The n-th of its kind, from 1.
    Nth(i8, i8),
    /// The last of its kind.
    Last(i8),
}

/// Days of the week, from Sunday (0).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct DaysOfWeek {
    pub any: bool,
    pub days: Set,
    pub special: Vec<ByPlace>,
}

impl DaysOfWeek {
    pub fn has(&self, date: Date) -> bool {
        let weekday = date.weekday().to_sunday_zero_offset();
        self.days.has(weekday) || self.special.iter().any(|rule| rule.fits(date, weekday))
    }
}

impl ByPlace {
    fn fits(self, date: Date, weekday: i8) -> bool {
        match self {
            Self::Nth(day, nth) => day == weekday && (date.day() - 1) / 7 + 1 == nth,
            Self::Last(day) => day == weekday && date.day() + 7 > date.days_in_month(),
        }
    }
}
