//! How the shared words of `consort-types` look in OpenAPI.
//!
//! The types of that crate know nothing of OpenAPI, so each has a twin here that exists only for its
//! schema. A test holds the twins to the words.

use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The state of a run.
#[derive(ToSchema)]
#[schema(as = RunState, rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum RunState {
    Queued,
    Running,
    Waiting,
    Paused,
    Cancelling,
    Undoing,
    Succeeded,
    Failed,
    Cancelled,
    TimedOut,
}

/// How far a run's undo went.
#[derive(ToSchema)]
#[schema(as = UndoState, rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum UndoState {
    None,
    Running,
    Complete,
    Incomplete,
}

/// The state of a step.
#[derive(ToSchema)]
#[schema(as = StepState, rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum StepState {
    Pending,
    Ready,
    Running,
    Waiting,
    Succeeded,
    Failed,
    Skipped,
    Cancelled,
    Undone,
}

/// The state of one attempt.
#[derive(ToSchema)]
#[schema(as = AttemptState, rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum AttemptState {
    Running,
    Succeeded,
    Failed,
    TimedOut,
    Lost,
    Cancelled,
}

/// The kind of a failure.
#[derive(ToSchema)]
#[schema(as = ErrorKind, rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ErrorKind {
    Operation,
    Failed,
    Timeout,
    Unavailable,
    InvalidInput,
    InvalidOutput,
    Expression,
    Limit,
    Lost,
    Cancelled,
}

/// What a run or a step waits for.
#[derive(ToSchema)]
#[schema(as = WaitKind, rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum WaitKind {
    Pool,
    Limit,
    Replica,
    Timer,
    Event,
    Signal,
    Approval,
    Retry,
    Step,
    Run,
    Cache,
    Paused,
    Queue,
}

/// Why a run, a step or an attempt failed.
#[derive(ToSchema)]
#[schema(as = RunError)]
pub struct RunError {
    /// A stable code: the callee's own word, or one of Consort's (`E…`).
    pub code: String,
    /// The kind of failure.
    #[schema(inline)]
    pub kind: ErrorKind,
    /// A sentence a person understands.
    pub message: String,
    /// Key of the step that failed, where one did.
    pub step: Option<String>,
    /// Number of the attempt that failed, from 1.
    pub attempt: Option<u32>,
    /// Whether another try may succeed.
    pub retryable: bool,
    /// The status that the callee answered with; absent when there was none.
    pub http_status: Option<u16>,
    /// What the callee added.
    #[schema(value_type = Option<Value>)]
    pub details: Option<serde_json::Value>,
}

/// Why a run or a step stands still. Never empty while it does.
#[derive(ToSchema)]
#[schema(as = WaitingOn)]
pub struct WaitingOn {
    /// What for.
    #[schema(inline)]
    pub kind: WaitKind,
    /// Its name: of the pool, service, step, signal…
    pub name: String,
    /// Since when.
    #[schema(format = DateTime)]
    pub since: String,
    /// When it ends by itself; absent when it does not.
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// How many are served first.
    pub ahead: Option<u64>,
    /// A sentence a person understands.
    pub detail: String,
}

/// One field that does not fit.
#[derive(ToSchema)]
#[schema(as = FieldError)]
pub struct FieldError {
    /// Where, from the root of the value: `incomes[2].amount`; empty for the whole.
    pub path: String,
    /// A stable code: `missing`, `unknown`, `type`, `null`, `enum`, `range`, `format`, `schema`.
    pub code: String,
    /// What was expected and what was found.
    pub message: String,
}

/// A value of type `file`: where the bytes are and what they are.
#[derive(ToSchema)]
#[schema(as = FileValue)]
pub struct FileValue {
    /// Content address, `sha256:` and 64 hex digits.
    pub artifact: String,
    /// File name without folders.
    pub name: String,
    /// Media type.
    #[schema(rename = "type")]
    pub media_type: String,
    /// Size in bytes.
    pub size: u64,
    /// Where a service fetches the bytes.
    pub url: String,
}

/// Tags of a run.
pub type Tags = BTreeMap<String, String>;

#[cfg(test)]
mod tests {
    use super::*;
    use consort_types as words;
    use serde_json::{Value, json};
    use utoipa::PartialSchema;

    fn schema<T: PartialSchema>() -> Value {
        serde_json::to_value(T::schema()).unwrap()
    }

    fn words_of<T: ToString + Copy>(all: &[T]) -> Value {
        all.iter().map(|word| word.to_string()).collect()
    }

    #[test]
    fn the_states_are_those_of_the_shared_words() {
        assert_eq!(schema::<RunState>()["enum"], words_of(words::RunState::ALL));
        assert_eq!(schema::<UndoState>()["enum"], words_of(words::UndoState::ALL));
        assert_eq!(schema::<StepState>()["enum"], words_of(words::StepState::ALL));
        assert_eq!(schema::<AttemptState>()["enum"], words_of(words::AttemptState::ALL));
    }

    #[test]
    fn every_word_of_an_enumeration_is_read() {
        for kind in schema::<ErrorKind>()["enum"].as_array().unwrap() {
            serde_json::from_value::<words::ErrorKind>(kind.clone()).unwrap();
        }
        for kind in schema::<WaitKind>()["enum"].as_array().unwrap() {
            serde_json::from_value::<words::WaitKind>(kind.clone()).unwrap();
        }
    }

    /// The keys that a full value writes are those that the schema names.
    fn assert_keys<T: PartialSchema>(written: &Value) {
        let schema = schema::<T>();
        let mut named: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
        let mut keys: Vec<_> = written.as_object().unwrap().keys().collect();
        named.sort();
        keys.sort();
        assert_eq!(named, keys);
    }

    #[test]
    fn the_twins_have_the_fields_of_the_shared_words() {
        let error = json!({"code": "E", "kind": "lost", "message": "m", "step": "s", "attempt": 1,
            "retryable": true, "http_status": 503, "details": {}});
        let error: words::RunError = serde_json::from_str(&error.to_string()).unwrap();
        assert_keys::<RunError>(&serde_json::to_value(&error).unwrap());

        let waiting = json!({"kind": "pool", "name": "gpu", "since": "2026-11-24T09:30:00Z",
            "until": "2026-11-24T09:31:00Z", "ahead": 3, "detail": "d"});
        let waiting: words::WaitingOn = serde_json::from_value(waiting).unwrap();
        assert_keys::<WaitingOn>(&serde_json::to_value(&waiting).unwrap());

        let file = words::FileValue {
            artifact: words::Digest::of(b"x"),
            name: "x.pdf".into(),
            media_type: "application/pdf".into(),
            size: 1,
            url: "http://127.0.0.1/x".into(),
        };
        assert_keys::<FileValue>(&serde_json::to_value(&file).unwrap());

        let field = words::FieldError { path: "a".into(), code: "missing".into(), message: "m".into() };
        assert_keys::<FieldError>(&serde_json::to_value(&field).unwrap());
    }
}
