//! Names of things in a project file.

use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// The longest a name may be, in characters: a DNS label, so that a name can become a host or a container.
const NAME_LEN_MAX: usize = 63;

/// What steps may not be called, because expressions use the word for something else (CEL's own reserved
/// words come on top).
pub const RESERVED_STEP_NAMES: &[&str] =
    &["input", "output", "item", "index", "carry", "error", "event", "run", "previous"];

/// CEL's reserved words, from the language definition ("Syntax", `RESERVED`), and its literals.
const CEL_RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "null",
    "package",
    "namespace",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// Which alphabet a name has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// Services, workflows, pools, triggers, namespaces: `[a-z][a-z0-9-]*`.
    Kebab,
    /// Inputs, secrets, operations' fields: `[a-z][a-z0-9_]*`.
    Snake,
    /// Steps: as `Snake`, without the reserved words.
    Step,
}

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("a name must not be empty")]
    Empty,
    /// Longer than 63 characters.
    #[error("a name has at most {NAME_LEN_MAX} characters, this one has {0}")]
    TooLong(usize),
    /// A character of another alphabet.
    #[error("{name:?} is not a name here: it must match {pattern}")]
    Alphabet {
        /// The text.
        name: String,
        /// The pattern that it should match.
        pattern: &'static str,
    },
    /// A word that expressions need.
    #[error("{0:?} means something else in expressions and cannot name a step")]
    Reserved(String),
}

/// A checked name. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(Arc<str>);

impl Name {
    /// Checks a text against the alphabet of its kind.
    ///
    /// # Errors
    /// When the text is empty, too long, of another alphabet, or reserved.
    pub fn new(text: &str, kind: NameKind) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.chars().count() > NAME_LEN_MAX {
            return Err(NameError::TooLong(text.chars().count()));
        }
        let (extra, pattern) = match kind {
            NameKind::Kebab => (b'-', "[a-z][a-z0-9-]*"),
            NameKind::Snake | NameKind::Step => (b'_', "[a-z][a-z0-9_]*"),
        };
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == extra;
        if !text.as_bytes()[0].is_ascii_lowercase() || !text.bytes().all(fits) {
            return Err(NameError::Alphabet { name: text.to_owned(), pattern });
        }
        if kind == NameKind::Step && (RESERVED_STEP_NAMES.contains(&text) || CEL_RESERVED.contains(&text)) {
            return Err(NameError::Reserved(text.to_owned()));
        }
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_alphabet() {
        assert!(Name::new("loan-application", NameKind::Kebab).is_ok());
        assert!(Name::new("ocr_key", NameKind::Snake).is_ok());
        for bad in ["", "A", "1a", "a b", "é", "a_b", "-a"] {
            assert!(Name::new(bad, NameKind::Kebab).is_err(), "{bad}");
        }
        assert!(Name::new("a-b", NameKind::Step).is_err());
        assert!(Name::new(&"a".repeat(64), NameKind::Step).is_err());
    }

    #[test]
    fn steps_leave_the_words_of_expressions_alone() {
        for word in ["input", "item", "previous", "loop", "in"] {
            assert_eq!(Name::new(word, NameKind::Step), Err(NameError::Reserved(word.into())));
            assert!(Name::new(word, NameKind::Snake).is_ok());
        }
    }
}
