//! Results of earlier calls that take the place of new ones.
//!
//! Whether there is one is not for the engine to know: a step that may take one asks for it, and goes on with
//! the answer. What it asks with is a key that equal calls share.

use consort_types::{AttemptToken, Digest, Json, Name, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A question for an earlier result of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall {
    /// The attempt that would make the call.
    pub token: AttemptToken,
    /// Key of its step.
    pub step: String,
    /// The service that would be called; the result must be of its current revision.
    pub service: Name,
    /// Equal for equal calls of a namespace.
    pub key: Digest,
    /// Whether an earlier result may be taken.
    pub reading: Reading,
}

/// Whether an earlier result may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It may.
    Allowed,
    /// The run was started with `no_cache`: it calls, and its results are kept.
    Bypassed,
}

/// A result to be kept, in the commit that records it.
#[derive(Debug, Clone, PartialEq)]
pub struct Keep {
    /// The attempt that gave it.
    pub token: AttemptToken,
    /// Key of its step.
    pub step: String,
    /// Equal for equal calls of a namespace.
    pub key: Digest,
    /// The revision of the service that gave it.
    pub revision: u64,
    /// For how long it counts.
    pub keep: Duration,
    /// The result.
    pub output: Json,
}

/// A result that was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The run that made the call.
    pub run: RunId,
    /// The key of the step that made it.
    pub step: String,
    /// When its answer came.
    pub at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
    /// The answer.
    pub output: Json,
}

/// Why there is no earlier result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Miss {
    /// Nobody has made this call, or its result was dropped.
    NoEntry,
    /// There was one, and its time is over.
    Expired,
    /// There is one of another revision of the service.
    NewRevision,
    /// The run was started with `no_cache`.
    NoCache,
    /// There is one that no longer fits the schema of the output.
    Unfit,
    /// The cache cannot be read.
    Unreadable,
}

/// What became of a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Recalled {
    /// There is a result.
    Hit(Box<Hit>),
    /// There is none.
    Miss(Miss),
}

/// What a step says of the cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cached {
    /// It took the result of another step.
    Hit {
        /// The run that made the call.
        run: RunId,
        /// The key of the step that made it.
        step: String,
        /// When its answer came.
        at: Timestamp,
        /// Until when it counts.
        until: Timestamp,
    },
    /// It made the call itself.
    Miss {
        /// Why.
        why: Miss,
        /// What it asked with, and what its own result is kept under.
        key: Digest,
    },
}

/// The key of a call: equal for calls of one operation with inputs that mean the same, or, where the step has a
/// key of its own, with that.
pub(crate) fn key_of_call(operation: &str, own_key: Option<&Json>, input: &Json) -> Digest {
    let (what, value) = match own_key {
        Some(key) => ("key", key),
        None => ("input", input),
    };
    Digest::of(format!("{operation}\n{what}\n{}", canonical(value)).as_bytes())
}

/// The text of a value in which neither white space, nor the order of keys, nor the way in which a whole number
/// is written means anything.
fn canonical(value: &Json) -> String {
    /// Up to here every whole number is a double of its own.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    fn plain(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Number(number) if number.is_f64() => {
                let whole = number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() <= EXACT_MAX);
                if let Some(whole) = whole {
                    *value = serde_json::Value::from(whole as i64);
                }
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(plain),
            serde_json::Value::Object(fields) => fields.values_mut().for_each(plain),
            _ => {}
        }
    }
    let mut value = value.to_value();
    value.sort_all_objects();
    plain(&mut value);
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key(operation: &str, own: Option<serde_json::Value>, input: &str) -> Digest {
        let own = own.map(Json::from);
        key_of_call(operation, own.as_ref(), &Json::from_text(input.to_owned()).unwrap())
    }

    #[test]
    fn equal_calls_share_a_key_and_no_others() {
        let one = key("s.a", None, r#"{"x": 1, "y": {"p": [2], "q": null}}"#);
        for same in [r#"{"y":{"q":null,"p":[2.0]},"x":1}"#, r#"{ "x": 1.0, "y": { "p": [2], "q": null } }"#] {
            assert_eq!(key("s.a", None, same), one, "{same}");
        }
        for other in [r#"{"x": 2}"#, r#"{"x": 1, "y": {"p": ["2"], "q": null}}"#, r#"{"x":1,"y":{"p":[2]}}"#]
        {
            assert_ne!(key("s.a", None, other), one, "{other}");
        }
        assert_ne!(key("s.b", None, r#"{"x": 1, "y": {"p": [2], "q": null}}"#), one);
        let own = |own, input| key("s.a", Some(own), input);
        assert_eq!(own(json!("k"), "{}"), own(json!("k"), r#"{"x": 1}"#), "the key stands for the input");
        assert_ne!(own(json!("k"), "{}"), own(json!("l"), "{}"));
        assert_ne!(own(json!({}), "{}"), key("s.a", None, "{}"));
    }
}
