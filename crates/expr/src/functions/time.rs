//! Times and durations: CEL's `timestamp` and `duration`, and `format`.

use super::apply::{needs, text_of};
use super::table::Part;
use crate::ast::Operator;
use crate::cost::Budget;
use crate::value::{Value, duration_text};
use crate::{EvalError, code};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

/// Bytes of a format: each directive of it writes at most some dozens.
const FORMAT_LEN_MAX: usize = 256;

/// A format is read and written anew at each call, and its zone looked up.
const STEPS_PER_FORMAT: u64 = 20;

fn unreadable(what: &str, text: &str) -> EvalError {
    let shown: String = text.chars().take(40).collect();
    EvalError::new(code::FORMAT, format!("{shown:?} is not {what}"))
}

fn out_of_range() -> EvalError {
    EvalError::new(code::NUMBER, "the time is outside of the years that a calendar has (-9999 to 9999)")
}

fn parse_time(text: &str) -> Result<Timestamp, EvalError> {
    text.parse().map_err(|_| unreadable("a time (RFC 3339, for example 2026-11-24T09:30:00Z)", text))
}

pub(super) fn timestamp(value: Value) -> Result<Value, EvalError> {
    match value {
        Value::Time(_) => Ok(value),
        Value::Text(text) => parse_time(&text).map(Value::Time),
        Value::Int(seconds) => Timestamp::from_second(seconds).map(Value::Time).map_err(|_| out_of_range()),
        other => Err(needs("a text or whole seconds", &other)),
    }
}

pub(super) fn duration(value: Value) -> Result<Value, EvalError> {
    match value {
        Value::Duration(_) => Ok(value),
        Value::Text(text) => parse_duration(&text).map(Value::Duration),
        other => Err(needs("a text (`'1h30m'`)", &other)),
    }
}

/// Unit and its nanoseconds. A day is 24 hours.
const UNITS: &[(&str, i128)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Longer texts are no durations.
const DURATION_TEXT_LEN_MAX: usize = 100;

pub(crate) fn parse_duration(text: &str) -> Result<SignedDuration, EvalError> {
    parse_nanos(text)
        .and_then(SignedDuration::try_from_nanos_i128)
        .ok_or_else(|| unreadable("a duration (for example 1h30m, 1.5s, 500ms, 2d)", text))
}

fn parse_nanos(text: &str) -> Option<i128> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() || rest.len() > DURATION_TEXT_LEN_MAX {
        return None;
    }
    let mut total = 0_i128;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, after) = rest.split_at(digits);
        let unit_len = after.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(after.len());
        let (unit, left) = after.split_at(unit_len);
        let (_, unit_nanos) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(scaled(number, *unit_nanos)?)?;
        rest = left;
    }
    Some(if negative { -total } else { total })
}

/// A decimal times a unit, exactly; what is smaller than a nanosecond is cut off.
fn scaled(number: &str, unit_nanos: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() > 18
        || (whole.is_empty() && fraction.is_empty())
        || fraction.contains('.')
    {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let scale = 10_i128.pow(fraction.len() as u32);
    whole.checked_mul(unit_nanos)?.checked_add(part.checked_mul(unit_nanos)? / scale)
}

/// A text that is declared as a time or a duration.
pub(crate) fn read(value: Value) -> Result<Value, EvalError> {
    match &value {
        Value::Text(text) => match parse_nanos(text).and_then(SignedDuration::try_from_nanos_i128) {
            Some(duration) => Ok(Value::Duration(duration)),
            None => parse_time(text).map(Value::Time),
        },
        _ => Ok(value),
    }
}

/// Beside a time or a duration a text is read as one: JSON has neither.
pub(crate) fn read_beside(left: Value, right: Value) -> Result<(Value, Value), EvalError> {
    let timely = |value: &Value| matches!(value, Value::Time(_) | Value::Duration(_));
    match (&left, &right) {
        (Value::Text(_), other) if timely(other) => Ok((read(left)?, right)),
        (other, Value::Text(_)) if timely(other) => Ok((left, read(right)?)),
        _ => Ok((left, right)),
    }
}

/// Arithmetic with times and durations; `None` when it is none.
pub(crate) fn arithmetic(
    operator: Operator,
    left: &Value,
    right: &Value,
) -> Option<Result<Value, EvalError>> {
    let result = match (operator, left, right) {
        (Operator::Add, Value::Time(time), Value::Duration(by))
        | (Operator::Add, Value::Duration(by), Value::Time(time)) => {
            time.checked_add(*by).ok().map(Value::Time)
        }
        (Operator::Subtract, Value::Time(time), Value::Duration(by)) => {
            time.checked_sub(*by).ok().map(Value::Time)
        }
        (Operator::Subtract, Value::Time(a), Value::Time(b)) => Some(Value::Duration(a.duration_since(*b))),
        (Operator::Add, Value::Duration(a), Value::Duration(b)) => a.checked_add(*b).map(Value::Duration),
        (Operator::Subtract, Value::Duration(a), Value::Duration(b)) => {
            a.checked_sub(*b).map(Value::Duration)
        }
        _ => return None,
    };
    Some(result.ok_or_else(out_of_range))
}

fn zone(name: Option<&Value>) -> Result<TimeZone, EvalError> {
    let Some(name) = name else { return Ok(TimeZone::UTC) };
    let name = text_of(name)?;
    if name == "UTC" || name == "Z" {
        return Ok(TimeZone::UTC);
    }
    let offset = name.starts_with(['+', '-']) || name.starts_with(|c: char| c.is_ascii_digit());
    let zone = if offset { fixed(name) } else { TimeZone::get(name).ok() };
    zone.ok_or_else(|| unreadable("a time zone (for example Europe/Paris or +02:00)", name))
}

/// `+02:00`, `-05:30`, `02:00`.
fn fixed(name: &str) -> Option<TimeZone> {
    let (sign, rest) = match name.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, name.strip_prefix('+').unwrap_or(name)),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if !(0..24).contains(&hours) || !(0..60).contains(&minutes) {
        return None;
    }
    let seconds = sign * (hours * 3600 + minutes * 60);
    Some(TimeZone::fixed(jiff::tz::Offset::from_seconds(seconds).ok()?))
}

fn zoned(value: Value, name: Option<&Value>) -> Result<Zoned, EvalError> {
    match timestamp(value)? {
        Value::Time(time) => Ok(time.to_zoned(zone(name)?)),
        other => Err(needs("a time", &other)),
    }
}

pub(super) fn part(part: Part, value: Value, name: Option<&Value>) -> Result<Value, EvalError> {
    let value = if let Value::Text(_) = value { read(value)? } else { value };
    if let Value::Duration(duration) = value {
        return of_duration(part, duration);
    }
    if !matches!(value, Value::Time(_)) {
        return Err(needs("a time or a duration", &value));
    }
    let time = zoned(value, name)?;
    let number = match part {
        Part::Year => i64::from(time.year()),
        Part::Month => i64::from(time.month()) - 1,
        Part::Date => i64::from(time.day()),
        Part::DayOfMonth => i64::from(time.day()) - 1,
        Part::DayOfWeek => i64::from(time.weekday().to_sunday_zero_offset()),
        Part::DayOfYear => i64::from(time.day_of_year()) - 1,
        Part::Hours => i64::from(time.hour()),
        Part::Minutes => i64::from(time.minute()),
        Part::Seconds => i64::from(time.second()),
        Part::Milliseconds => i64::from(time.millisecond()),
    };
    Ok(Value::Int(number))
}

fn of_duration(part: Part, duration: SignedDuration) -> Result<Value, EvalError> {
    let number = match part {
        Part::Hours => duration.as_hours(),
        Part::Minutes => duration.as_mins(),
        Part::Seconds => duration.as_secs(),
        Part::Milliseconds => i64::from(duration.subsec_millis()),
        _ => return Err(needs("a time", &Value::Duration(duration))),
    };
    Ok(Value::Int(number))
}

pub(super) fn format(
    value: Value,
    pattern: &Value,
    name: Option<&Value>,
    budget: &mut Budget,
) -> Result<Value, EvalError> {
    let pattern = text_of(pattern)?;
    budget.steps(STEPS_PER_FORMAT)?;
    if pattern.len() > FORMAT_LEN_MAX {
        return Err(unreadable("a format (too long)", pattern));
    }
    let time = zoned(value, name)?;
    let text = strtime::format(pattern, &time).map_err(|error| {
        EvalError::new(code::FORMAT, format!("the format {pattern:?} cannot be used: {error}"))
    })?;
    budget.make(text.len())?;
    Ok(Value::Text(text.into()))
}

/// A time or a duration where a text is meant: what is declared as text may be either.
pub(super) fn as_written(value: Value) -> Value {
    as_text(&value).map_or(value, |text| Value::Text(text.into()))
}

/// A time or a duration as JSON writes it.
pub(super) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Time(time) => Some(time.to_string()),
        Value::Duration(duration) => Some(duration_text(*duration)),
        _ => None,
    }
}
