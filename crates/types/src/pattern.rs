//! Types of events with wildcards.

use std::fmt;

/// A type of events; `*` stands for any text, dots too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TypePattern(String);

impl TypePattern {
    /// A pattern. Every text is one.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names one type only.
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// Whether a type fits.
    pub fn matches(&self, event_type: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = event_type.strip_prefix(first) else { return false };
        let parts: Vec<&str> = parts.collect();
        let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
        for part in middle {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

impl fmt::Display for TypePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, fits, not) in [
            ("order.paid", vec!["order.paid"], vec!["order.paid.x", "order", ""]),
            ("order.*", vec!["order.paid", "order.", "order.a.b"], vec!["order", "my.order.paid"]),
            ("*", vec!["", "anything"], vec![]),
            ("*.paid", vec!["order.paid", ".paid"], vec!["paid", "order.paid.x"]),
            ("a*b*c", vec!["abc", "a1b2c", "abbc"], vec!["ab", "acb", "abcd"]),
            ("a*a", vec!["aa", "aba"], vec!["a"]),
        ] {
            for text in fits {
                assert!(TypePattern::new(pattern).matches(text), "{pattern} {text}");
            }
            for text in not {
                assert!(!TypePattern::new(pattern).matches(text), "{pattern} {text}");
            }
        }
    }
}
