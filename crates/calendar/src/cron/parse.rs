//! From text to fields.

use super::{
    Cron, CronError,
    field::{ByMonth, ByPlace, DaysOfMonth, DaysOfWeek, Set},
};

/// Longer lines are no schedule of a person.
const TEXT_LEN_MAX: usize = 1_000;

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Words for a whole line.
const WORDS: &[(&str, &str)] = &[
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// What a field is called, what it takes.
#[derive(Debug, Clone, Copy)]
struct Kind {
    what: &'static str,
    least: u8,
    most: u8,
    names: &'static [&'static str],
    /// The number of the first name.
    named_from: u8,
}

const SECOND: Kind = Kind { what: "second", least: 0, most: 59, names: &[], named_from: 0 };
const MINUTE: Kind = Kind { what: "minute", ..SECOND };
const HOUR: Kind = Kind { what: "hour", most: 23, ..SECOND };
const DAY: Kind = Kind { what: "day of month", least: 1, most: 31, ..SECOND };
const MONTH: Kind = Kind { what: "month", least: 1, most: 12, names: MONTHS, named_from: 1 };
const WEEKDAY: Kind = Kind { what: "day of week", least: 0, most: 7, names: WEEKDAYS, named_from: 0 };

/// A piece of the text and where it stands.
#[derive(Debug, Clone, Copy)]
struct Piece<'t> {
    text: &'t str,
    offset: usize,
}

impl<'t> Piece<'t> {
    fn error(self, message: String) -> CronError {
        CronError { offset: self.offset, length: self.text.len().max(1), message, hint: None }
    }

    fn split(self, separator: char) -> impl Iterator<Item = Piece<'t>> {
        let mut offset = self.offset;
        self.text.split(separator).map(move |text| {
            let piece = Piece { text, offset };
            offset += text.len() + separator.len_utf8();
            piece
        })
    }

    fn split_once(self, separator: char) -> Option<(Self, Self)> {
        let (left, right) = self.text.split_once(separator)?;
        let behind = self.offset + left.len() + separator.len_utf8();
        Some((Piece { text: left, offset: self.offset }, Piece { text: right, offset: behind }))
    }
}

impl Cron {
    /// Reads a line.
    ///
    /// # Errors
    /// When it has another number of fields, or a field holds what it does not take.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let whole = Piece { text, offset: 0 };
        if text.len() > TEXT_LEN_MAX {
            return Err(whole.error(format!("a schedule is at most {TEXT_LEN_MAX} bytes long")));
        }
        if text.trim().starts_with('@') {
            return word(whole, text);
        }
        let fields: Vec<Piece<'_>> = whole.split(' ').filter(|piece| !piece.text.is_empty()).collect();
        let (seconds, rest) = match fields.as_slice() {
            [second, rest @ ..] if rest.len() == 5 => (values(*second, SECOND)?, rest),
            rest if rest.len() == 5 => (only(0), rest),
            other => {
                let message = format!(
                    "a schedule has five fields, or six with the seconds first; this has {}",
                    other.len()
                );
                let hint =
                    "write `minute hour day-of-month month day-of-week`: `30 9 * * MON-FRI`".to_owned();
                return Err(CronError { hint: Some(hint), ..whole.error(message) });
            }
        };
        Ok(Self {
            text: text.to_owned(),
            seconds,
            minutes: values(rest[0], MINUTE)?,
            hours: values(rest[1], HOUR)?,
            days: days_of_month(rest[2])?,
            months: values(rest[3], MONTH)?,
            weekdays: days_of_week(rest[4])?,
        })
    }
}

fn word(whole: Piece<'_>, text: &str) -> Result<Cron, CronError> {
    match WORDS.iter().find(|(word, _)| *word == text.trim()) {
        Some((_, line)) => Ok(Cron { text: text.to_owned(), ..Cron::parse(line)? }),
        None => {
            let hint = "@yearly, @monthly, @weekly, @daily, @hourly".to_owned();
            let message = format!("`{}` is not a schedule", text.trim());
            Err(CronError { hint: Some(hint), ..whole.error(message) })
        }
    }
}

fn only(value: u8) -> Set {
    let mut set = Set::default();
    set.add(value);
    set
}

fn values(field: Piece<'_>, kind: Kind) -> Result<Set, CronError> {
    let mut set = Set::default();
    field.split(',').try_for_each(|part| add(&mut set, part, kind))?;
    Ok(set)
}

/// Adds `*`, `5`, `1-5`, `*/15`, `0-30/10`, `5/15`.
fn add(set: &mut Set, part: Piece<'_>, kind: Kind) -> Result<(), CronError> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    let width = match step {
        None => 1,
        Some(step) => match step.text.parse::<u8>() {
            Ok(width) if width >= 1 => width,
            _ => return Err(step.error(format!("`{}` is no step for the {}", step.text, kind.what))),
        },
    };
    let (first, last) = match (range.text, range.split_once('-')) {
        ("*", _) => (kind.least, if kind.most == 7 { 6 } else { kind.most }),
        (_, Some((first, last))) => (value(first, kind)?, value(last, kind)?),
        (_, None) => {
            let first = value(range, kind)?;
            (first, if step.is_some() { kind.most } else { first })
        }
    };
    if first > last {
        let message = format!("`{}` goes backwards", range.text);
        let hint = "write the lower end first, or two ranges with a comma".to_owned();
        return Err(CronError { hint: Some(hint), ..range.error(message) });
    }
    for value in (first..=last).step_by(usize::from(width)) {
        // Sunday is 0 and 7.
        set.add(if kind.most == 7 { value % 7 } else { value });
    }
    Ok(())
}

fn value(piece: Piece<'_>, kind: Kind) -> Result<u8, CronError> {
    let upper = piece.text.to_ascii_uppercase();
    if let Some(place) = kind.names.iter().position(|name| *name == upper) {
        return Ok(kind.named_from + place as u8);
    }
    let digits = !piece.text.is_empty() && piece.text.bytes().all(|byte| byte.is_ascii_digit());
    match piece.text.parse::<u8>() {
        Ok(value) if digits && (kind.least..=kind.most).contains(&value) => Ok(value),
        _ => {
            let message =
                format!("`{}` is no {} (from {} to {})", piece.text, kind.what, kind.least, kind.most);
            Err(piece.error(message))
        }
    }
}

fn is_any(field: Piece<'_>) -> bool {
    matches!(field.text, "*" | "?")
}

fn days_of_month(field: Piece<'_>) -> Result<DaysOfMonth, CronError> {
    let mut days = DaysOfMonth { any: is_any(field), ..DaysOfMonth::default() };
    if days.any {
        return Ok(days);
    }
    for part in field.split(',') {
        match part.text.to_ascii_uppercase().as_str() {
            "L" => days.special.push(ByMonth::BeforeLast(0)),
            "LW" | "WL" => days.special.push(ByMonth::LastWorking),
            upper => match (upper.strip_prefix("L-"), upper.strip_suffix('W')) {
                (Some(before), _) => {
                    let before = before.parse::<i8>().ok().filter(|before| (0..=30).contains(before));
                    let before =
                        before.ok_or_else(|| part.error(format!("`{}` is no day of month", part.text)))?;
                    days.special.push(ByMonth::BeforeLast(before));
                }
                (None, Some(day)) => {
                    let day = value(Piece { text: &part.text[..day.len()], ..part }, DAY)?;
                    days.special.push(ByMonth::NearestWorking(day as i8));
                }
                (None, None) => add(&mut days.days, part, DAY)?,
            },
        }
    }
    Ok(days)
}

fn days_of_week(field: Piece<'_>) -> Result<DaysOfWeek, CronError> {
    let mut days = DaysOfWeek { any: is_any(field), ..DaysOfWeek::default() };
    if days.any {
        return Ok(days);
    }
    for part in field.split(',') {
        if let Some((day, nth)) = part.split_once('#') {
            let place = nth.text.parse::<i8>().ok().filter(|place| (1..=5).contains(place));
            let place =
                place.ok_or_else(|| nth.error(format!("`{}` is no place in a month (1 to 5)", nth.text)))?;
            days.special.push(ByPlace::Nth((value(day, WEEKDAY)? % 7) as i8, place));
        } else if let Some(day) = part.text.strip_suffix(['L', 'l']).filter(|day| !day.is_empty()) {
            let day = value(Piece { text: day, ..part }, WEEKDAY)? % 7;
            days.special.push(ByPlace::Last(day as i8));
        } else {
            add(&mut days.days, part, WEEKDAY)?;
        }
    }
    Ok(days)
}
