//! Secrets stay out of logs.

use std::{borrow::Cow, fmt::Write};

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
    /// Hides these values, also in Base64, percent-encoded and as JSON writes them; each line of a value of
    /// several lines (a key file) by itself, as logs come in lines.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let lines = secrets.into_iter().flat_map(str::lines).map(str::trim);
        let mut values: Vec<String> =
            lines.filter(|line| line.len() >= SECRET_BYTES_MIN).flat_map(spellings).collect();
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

/// A secret in each way in which a line may hold it.
fn spellings(secret: &str) -> Vec<String> {
    let mut all = vec![secret.to_owned(), percent(secret, "%20", false), percent(secret, "+", false)];
    all.push(percent(secret, "%20", true));
    all.push(secret.replace('\\', r"\\").replace('"', r#"\""#));
    for alphabet in [STANDARD, URL_SAFE] {
        // Inside of a longer text (`user:secret`) a secret begins at any of the three places of a group.
        all.extend((0..3).filter_map(|before| base64(secret.as_bytes(), before, alphabet)));
    }
    all
}

fn percent(text: &str, space: &str, lower: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => out.push_str(space),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            _ if lower => _ = write!(out, "%{byte:02x}"),
            _ => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The characters of Base64 that hold nothing but the secret, when so many bytes stand before it in its group.
/// None: too few to tell a secret from anything else.
fn base64(secret: &[u8], before: usize, alphabet: &[u8; 64]) -> Option<String> {
    let bit = |at: usize| {
        let byte = secret[at / 8];
        usize::from(byte >> (7 - at % 8) & 1)
    };
    // The first character that begins inside of the secret, and as many as are whole.
    let first = (before * 8).div_ceil(6) * 6 - before * 8;
    let whole = (secret.len() * 8).saturating_sub(first) / 6;
    let chars = (0..whole).map(|index| {
        let value = (0..6).fold(0, |value, offset| value << 1 | bit(first + index * 6 + offset));
        alphabet[value] as char
    });
    (whole >= SECRET_BYTES_MIN).then(|| chars.collect())
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
        assert!(!format!("{masker:?}").contains("hunter"));
    }

    #[test]
    fn secrets_are_hidden_in_other_spellings() {
        let masker = Masker::new(["p@ss/w\"rd +1", "ünïcode-key"]);
        for line in [
            "url=http://u:p%40ss%2Fw%22rd%20%2B1@h",
            "form p%40ss%2Fw%22rd+%2B1",
            "lower p%40ss%2fw%22rd%20%2b1",
            r#"{"password":"p@ss/w\"rd +1"}"#,
            "plain p@ss/w\"rd +1",
            // `p@ss/w"rd +1`, `a:p@ss/w"rd +1`, `ab:p@ss/w"rd +1`, and the other one, as `base64` writes them.
            "Basic cEBzcy93InJkICsx",
            "Basic YTpwQHNzL3cicmQgKzE=",
            "Basic YWI6cEBzcy93InJkICsx",
            "Basic w7xuw69jb2RlLWtleQ==",
        ] {
            let masked = masker.mask(line);
            assert!(masked.contains("***"), "{line} → {masked}");
            let left = masked.rsplit("***").next().unwrap_or("");
            assert!(left.len() <= 4, "{line} → {masked}");
        }
        assert_eq!(masker.mask("cEBz is short and stays"), "cEBz is short and stays");
    }
}
