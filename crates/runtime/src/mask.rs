//! Secrets stay out of logs.

use std::borrow::Cow;

/// Shorter secrets are not masked: to hide every `1` or `on` would make a log unreadable and hide nothing.
const SECRET_BYTES_MIN: usize = 4;

/// What stands in place of a secret.
const MASK: &str = "***";

/// Replaces secret values in lines of text.
#[derive(Clone, Default)]
pub struct Masker {
    /// Longest first, so that a secret that contains another is hidden whole.
    values: Vec<String>,
}

impl Masker {
    /// Hides these values; each line of a value of several lines (a key file) by itself, as logs come in lines.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let lines = secrets.into_iter().flat_map(str::lines).map(str::trim);
        let mut values: Vec<_> = lines.filter(|l| l.len() >= SECRET_BYTES_MIN).map(str::to_owned).collect();
        values.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        values.dedup();
        Self { values }
    }

    /// The line with each secret replaced.
    pub fn mask<'a>(&self, line: &'a str) -> Cow<'a, str> {
        let mut masked = Cow::Borrowed(line);
        for value in &self.values {
            if masked.contains(value.as_str()) {
                masked = Cow::Owned(masked.replace(value.as_str(), MASK));
            }
        }
        masked
    }
}

/// Never shows the values.
impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masker({} values)", self.values.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let masker = Masker::new(["hunter22", "hunter22-long", "-----\nBase64Body\n-----", "ab", ""]);
        for (line, masked) in [
            ("key=hunter22;", "key=***;"),
            ("hunter22-long hunter22", "*** ***"),
            ("Base64Body", "***"),
            ("ab stays", "ab stays"),
            ("nothing here", "nothing here"),
        ] {
            assert_eq!(masker.mask(line), masked);
        }
        assert_eq!(format!("{masker:?}"), "Masker(4 values)");
    }
}
