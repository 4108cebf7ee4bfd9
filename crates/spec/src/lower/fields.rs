//! Reading a map of the file key by key: what is unknown, missing or of the wrong kind is reported once.

use crate::{
    codes,
    diagnostics::{Report, Span},
    keys::Keys,
    yaml::{Entry, Key, Node, Plain},
};
use consort_expr::nearest;
use consort_types::{Name, NameKind, parse_duration};
use std::{ops::RangeInclusive, time::Duration};

/// A map whose keys are known.
pub(crate) struct Fields<'a> {
    pub report: &'a Report,
    /// Where a key that is missing is reported.
    pub owner: Span,
    entries: &'a [Entry],
    /// Keys that were reported as unknown: what they may stand for is not reported as missing too.
    unknown: Vec<&'a str>,
    what: String,
}

impl<'a> Fields<'a> {
    /// Opens a map. None: it is no map, and that is reported. A key without a value counts as absent.
    pub(crate) fn open(report: &'a Report, owner: Span, node: &'a Node, keys: &Keys) -> Option<Self> {
        let what = keys.what.to_owned();
        if node.is_null() {
            return Some(Self { report, owner, entries: &[], unknown: Vec::new(), what });
        }
        let Some(entries) = node.entries() else {
            let message = format!("{what} is a map, and this is {}", node.describe());
            report.error(node.span, codes::E_VALUE, message, Some(keys.hint()));
            return None;
        };
        let mut unknown = Vec::new();
        for entry in entries.iter().filter(|entry| !keys.contains(&entry.key.text)) {
            unknown.push(entry.key.text.as_str());
            let message = format!("unknown key `{}` in {what}", entry.key.text);
            let hint = (!report.is_full()).then(|| keys.hint_for(&entry.key.text));
            report.error(entry.key.span, codes::E_UNKNOWN_KEY, message, hint);
        }
        Some(Self { report, owner, entries, unknown, what })
    }

    /// Whether a key that was reported as unknown looks like one of these.
    pub(crate) fn misspells(&self, keys: &[&str]) -> bool {
        self.unknown.iter().any(|unknown| nearest(unknown, keys.iter().copied()).is_some())
    }

    /// Opens a map of which another part of the check reports what is unknown in it.
    pub(crate) fn quiet(report: &'a Report, owner: Span, node: &'a Node, keys: &Keys) -> Self {
        let entries = node.entries().unwrap_or(&[]);
        Self { report, owner, entries, unknown: Vec::new(), what: keys.what.to_owned() }
    }

    /// A value and its key, when there is one.
    pub(crate) fn entry(&self, key: &str) -> Option<(&'a Key, &'a Node)> {
        let entry = self.entries.iter().find(|entry| entry.key.text == key)?;
        Some((&entry.key, &entry.value))
    }

    /// A value, when there is one.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entry(key).map(|(_, node)| node).filter(|node| !node.is_null())
    }

    /// Whether the key stands there, with a value or without.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// The place of a key; of the owner when it is not there.
    pub(crate) fn place(&self, key: &str) -> Span {
        self.entry(key).map_or(self.owner, |(key, _)| key.span)
    }

    /// A value that must be there.
    pub(crate) fn require(&self, key: &str) -> Option<&'a Node> {
        let found = self.get(key);
        if found.is_none() && !self.misspells(&[key]) {
            let message = match self.has(key) {
                true => format!("`{key}` has no value"),
                false => format!("{} needs `{key}`", self.what),
            };
            let hint = format!("add `{key}: …`");
            self.report.error(self.place(key), codes::E_MISSING_KEY, message, Some(hint));
        }
        found
    }

    /// A text.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        text(self.report, self.get(key)?, &format!("`{key}`"))
    }

    /// A list of texts.
    pub(crate) fn texts(&self, key: &str) -> Option<Vec<String>> {
        let node = self.get(key)?;
        let Some(items) = node.items() else {
            let message = format!("`{key}` is a list of texts, and this is {}", node.describe());
            self.report.error(node.span, codes::E_VALUE, message, None);
            return None;
        };
        Some(
            items.iter().filter_map(|item| text(self.report, item, &format!("an item of `{key}`"))).collect(),
        )
    }

    /// A duration with its unit.
    pub(crate) fn duration(&self, key: &str) -> Option<Duration> {
        duration(self.report, self.get(key)?)
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self, key: &str) -> Option<bool> {
        let node = self.get(key)?;
        match node.scalar().map(|scalar| scalar.value) {
            Some(Plain::Boolean(value)) => Some(value),
            _ => {
                let message = format!("`{key}` is true or false, and this is {}", node.describe());
                self.report.error(node.span, codes::E_VALUE, message, None);
                None
            }
        }
    }

    /// A whole number in a range.
    pub(crate) fn integer(&self, key: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let node = self.get(key)?;
        match node.scalar().map(|scalar| scalar.value) {
            Some(Plain::Integer(value)) if range.contains(&value) => Some(value),
            _ => {
                let message = format!("`{key}` is a whole number from {} to {}", range.start(), range.end());
                self.report.error(node.span, codes::E_QUANTITY, message, None);
                None
            }
        }
    }

    /// A whole number from `least` on, as large as 32 bits hold.
    pub(crate) fn count(&self, key: &str, least: u32) -> Option<u32> {
        self.integer(key, i64::from(least)..=i64::from(u32::MAX)).map(|value| value as u32)
    }

    /// A number in a range.
    pub(crate) fn number(&self, key: &str, range: RangeInclusive<f64>) -> Option<f64> {
        let node = self.get(key)?;
        match number(node).filter(|value| range.contains(value)) {
            Some(value) => Some(value),
            None => {
                let message = format!("`{key}` is a number from {} to {}", range.start(), range.end());
                self.report.error(node.span, codes::E_QUANTITY, message, None);
                None
            }
        }
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let node = self.get(key)?;
        let text = node.scalar().map_or("", |scalar| scalar.text.as_str());
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let message = format!("`{key}` is one of {}", all.join(", "));
            let hint = nearest(text, all.iter().copied()).map(|word| format!("did you mean `{word}`?"));
            self.report.error(node.span, codes::E_VALUE, message, hint);
        }
        found
    }

    /// A name.
    pub(crate) fn name(&self, key: &str, kind: NameKind) -> Option<Name> {
        let node = self.get(key)?;
        let text = text(self.report, node, &format!("`{key}`"))?;
        name(self.report, node.span, &text, kind)
    }
}

/// The entries of a map whose keys are names that the user gives.
pub(crate) fn named<'a>(
    report: &Report,
    node: &'a Node,
    what: &str,
    kind: NameKind,
) -> Vec<(Name, &'a Key, &'a Node)> {
    if node.is_null() {
        return Vec::new();
    }
    let Some(entries) = node.entries() else {
        let message = format!("{what} is a map from names, and this is {}", node.describe());
        report.error(node.span, codes::E_VALUE, message, None);
        return Vec::new();
    };
    let named = |entry: &'a Entry| {
        let name = name(report, entry.key.span, &entry.key.text, kind)?;
        Some((name, &entry.key, &entry.value))
    };
    entries.iter().filter_map(named).collect()
}

/// Reads a name.
pub(crate) fn name(report: &Report, span: Span, text: &str, kind: NameKind) -> Option<Name> {
    match Name::new(text, kind) {
        Ok(name) => Some(name),
        Err(error) => {
            let other = match kind {
                NameKind::Kebab => text.to_lowercase().replace(['_', ' '], "-"),
                NameKind::Snake | NameKind::Step => text.to_lowercase().replace(['-', ' '], "_"),
            };
            let hint = Name::new(&other, kind).ok().map(|name| format!("`{name}` would do"));
            report.error(span, codes::E_NAME, error.to_string(), hint);
            None
        }
    }
}

/// Reads a text. Numbers and booleans are taken as they were written: `1.10` stays `1.10`.
pub(crate) fn text(report: &Report, node: &Node, what: &str) -> Option<String> {
    match node.scalar() {
        Some(scalar) if scalar.value != Plain::Null => Some(scalar.text.clone()),
        _ => {
            let message = format!("{what} is a text, and this is {}", node.describe());
            report.error(node.span, codes::E_VALUE, message, None);
            None
        }
    }
}

/// Reads a number.
pub(crate) fn number(node: &Node) -> Option<f64> {
    match node.scalar()?.value {
        Plain::Integer(value) => Some(value as f64),
        Plain::Number(value) => Some(value),
        Plain::Null | Plain::Boolean(_) | Plain::Text => None,
    }
}

/// Reads a duration.
pub(crate) fn duration(report: &Report, node: &Node) -> Option<Duration> {
    let Some(scalar) = node.scalar() else {
        let message =
            format!("a duration (500ms, 2s, 5m, 1h, 30d) is wanted, and this is {}", node.describe());
        report.error(node.span, codes::E_QUANTITY, message, None);
        return None;
    };
    parse_duration(&scalar.text)
        .map_err(|error| {
            let bare = matches!(scalar.value, Plain::Integer(_) | Plain::Number(_));
            let hint = bare.then(|| format!("write `{}s` for seconds", scalar.text));
            report.error(node.span, codes::E_QUANTITY, error.to_string(), hint);
        })
        .ok()
}
