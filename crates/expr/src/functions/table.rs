//! Every function on one page.
//!
//! | function | gives |
//! |---|---|
//! | `size(x)` | characters of a text, items of a list, keys of an object |
//! | `contains(t, part)`, `startsWith`, `endsWith` | boolean |
//! | `matches(t, re)` | whether the regular expression is found in the text (linear time, no back-references) |
//! | `int(x)`, `double(x)`, `string(x)`, `bool(x)` | conversions; `int` cuts the fraction off, `int(timestamp)` is in seconds |
//! | `type(x)` | compared with a bare `int double string bool list map null_type timestamp duration` |
//! | `timestamp(t)` | a time from RFC 3339 or from whole seconds since 1970 |
//! | `duration(t)` | a duration from `1h30m`, `1.5s`, `500ms`, `2d`, `-5m` |
//! | `t.getFullYear(zone?)`, `getMonth` (0–11), `getDate` (1–31), `getDayOfMonth` (0–30), `getDayOfWeek` (0 is Sunday), `getDayOfYear` (0–365), `getHours`, `getMinutes`, `getSeconds`, `getMilliseconds` | a part of a time, in UTC or a zone (`Europe/Paris`, `+02:00`); the last four of a duration give the whole of it in that unit (milliseconds: of its last second) |
//! | `format(t, '%Y-%m', zone?)` | a time as text (strftime) |
//! | `default(x, y)` | `x`, or `y` when `x` is null or a field on the way to it is missing |
//! | `has(a.b)` | whether the field is there and not null |
//! | `sum(list)` | 0 for no items; numbers or durations |
//! | `min(list)`, `max(list)`, `min(a, b, …)` | the least, the greatest; null for no items |
//! | `xs.sort_by(x, key)` | the list in rising order of the key; items of equal key keep their order |
//! | `xs.min_by(x, key)`, `xs.max_by(x, key)` | the item with the least, the greatest key (the first of equals); null for no items |
//! | `distinct(list)` | without repetitions, each where it first stood |
//! | `flatten(list)` | lists inside the list are poured out, one level; other items stay |
//! | `chunk(list, n)` | lists of at most `n` items |
//! | `join(list, separator?)` | one text; null items are empty |
//! | `split(t, separator)` | a list of texts; an empty separator splits into characters |
//! | `lower(t)`, `upper(t)`, `trim(t)` | text |
//! | `json(x)` | `x` as compact JSON text |
//! | `parse_json(t)` | the value of a JSON text |
//! | `hash(x)` | SHA-256 (64 hex digits) of a value, whatever the order of its keys; of a text, that of its bytes |
//! | `xs.all(x, p)`, `xs.exists(x, p)`, `xs.exists_one(x, p)`, `xs.map(x, y)`, `xs.map(x, p, y)`, `xs.filter(x, p)` | as in CEL; over an object they walk its keys |
//! | `a.?b`, `a[?i]`, `o.orValue(x)`, `o.or(o2)`, `o.hasValue()`, `o.value()`, `o.optMap(x, y)`, `optional.of(x)`, `optional.ofNonZeroValue(x)`, `optional.none()` | as in CEL; an optional that is put out is its value, or null |

/// A function, by what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Matches,
    Int,
    Double,
    String,
    Bool,
    Type,
    Dyn,
    Timestamp,
    Duration,
    Part(Part),
    Format,
    Sum,
    Min,
    Max,
    Distinct,
    Flatten,
    Chunk,
    Join,
    Split,
    Lower,
    Upper,
    Trim,
    Json,
    ParseJson,
    Hash,
    OptionalOf,
    OptionalOfNonZero,
    OrValue,
    Or,
    HasValue,
    Value,
}

/// A part of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Year,
    Month,
    Date,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// A name, its function, and how many arguments it takes, the receiver counted.
pub(crate) struct Row {
    pub name: &'static str,
    pub function: Function,
    pub args_min: usize,
    pub args_max: usize,
}

const fn row(name: &'static str, function: Function, args_min: usize, args_max: usize) -> Row {
    Row { name, function, args_min, args_max }
}

/// More arguments than this fit into no expression.
const ANY_NUMBER: usize = usize::MAX;

const ROWS: &[Row] = &[
    row("size", Function::Size, 1, 1),
    row("contains", Function::Contains, 2, 2),
    row("startsWith", Function::StartsWith, 2, 2),
    row("endsWith", Function::EndsWith, 2, 2),
    row("matches", Function::Matches, 2, 2),
    row("int", Function::Int, 1, 1),
    row("double", Function::Double, 1, 1),
    row("string", Function::String, 1, 1),
    row("bool", Function::Bool, 1, 1),
    row("type", Function::Type, 1, 1),
    row("dyn", Function::Dyn, 1, 1),
    row("timestamp", Function::Timestamp, 1, 1),
    row("duration", Function::Duration, 1, 1),
    row("getFullYear", Function::Part(Part::Year), 1, 2),
    row("getMonth", Function::Part(Part::Month), 1, 2),
    row("getDate", Function::Part(Part::Date), 1, 2),
    row("getDayOfMonth", Function::Part(Part::DayOfMonth), 1, 2),
    row("getDayOfWeek", Function::Part(Part::DayOfWeek), 1, 2),
    row("getDayOfYear", Function::Part(Part::DayOfYear), 1, 2),
    row("getHours", Function::Part(Part::Hours), 1, 2),
    row("getMinutes", Function::Part(Part::Minutes), 1, 2),
    row("getSeconds", Function::Part(Part::Seconds), 1, 2),
    row("getMilliseconds", Function::Part(Part::Milliseconds), 1, 2),
    row("format", Function::Format, 2, 3),
    row("sum", Function::Sum, 1, 1),
    row("min", Function::Min, 1, ANY_NUMBER),
    row("max", Function::Max, 1, ANY_NUMBER),
    row("distinct", Function::Distinct, 1, 1),
    row("flatten", Function::Flatten, 1, 1),
    row("chunk", Function::Chunk, 2, 2),
    row("join", Function::Join, 1, 2),
    row("split", Function::Split, 2, 2),
    row("lower", Function::Lower, 1, 1),
    row("upper", Function::Upper, 1, 1),
    row("trim", Function::Trim, 1, 1),
    row("json", Function::Json, 1, 1),
    row("parse_json", Function::ParseJson, 1, 1),
    row("hash", Function::Hash, 1, 1),
    row("orValue", Function::OrValue, 2, 2),
    row("or", Function::Or, 2, 2),
    row("hasValue", Function::HasValue, 1, 1),
    row("value", Function::Value, 1, 1),
];

/// The functions of the name `optional`.
const OPTIONAL_ROWS: &[Row] =
    &[row("of", Function::OptionalOf, 1, 1), row("ofNonZeroValue", Function::OptionalOfNonZero, 1, 1)];

pub(crate) fn named(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

pub(crate) fn of_optional(name: &str) -> Option<&'static Row> {
    OPTIONAL_ROWS.iter().find(|row| row.name == name)
}

impl Function {
    /// Whether all its arguments are texts.
    pub fn is_of_text(self) -> bool {
        matches!(
            self,
            Self::Contains
                | Self::StartsWith
                | Self::EndsWith
                | Self::Matches
                | Self::Lower
                | Self::Upper
                | Self::Trim
                | Self::Split
        )
    }

    /// The name as it is written.
    pub fn name(self) -> &'static str {
        let mut rows = ROWS.iter().chain(OPTIONAL_ROWS);
        rows.find(|row| row.function == self).map_or("", |row| row.name)
    }
}

/// What is written like a function but is read by the parser.
const FORMS: &[&str] = &[
    "has",
    "default",
    "all",
    "exists",
    "exists_one",
    "map",
    "filter",
    "sort_by",
    "min_by",
    "max_by",
    "optMap",
];

/// Every name that can be called, macros included.
pub fn names() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.name).chain(FORMS.iter().copied())
}
