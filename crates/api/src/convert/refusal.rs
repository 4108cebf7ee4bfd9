//! What the rooms behind refuse, as refusals of the API.

use crate::{codes, page, problem::Refusal};
use consort_node::{
    ApplyError, CallError, CommandError, LoadError, PostEventsError, Problem, QueryError, Rejected,
    RerunError, RerunRunError, ServiceError, StartError, StartRunError,
};
use consort_types::FieldError;

/// When a client may try again what failed because the server, its disk or a limit had no room, in seconds:
/// nobody knows when it will.
const RETRY_AFTER_S: u64 = 5;

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Store(error) => error.into(),
            QueryError::Load(LoadError::Store(error)) => error.into(),
            QueryError::Load(error @ (LoadError::Unreadable(..) | LoadError::UnreadableOutput(..))) => {
                tracing::error!(%error, "a run cannot be read");
                Self::new(codes::E_INTERNAL, error.to_string())
            }
            QueryError::Ending => ending(),
        }
    }
}

impl From<consort_store::Error> for Refusal {
    fn from(error: consort_store::Error) -> Self {
        use consort_store::Error as E;
        match error {
            E::BadCursor => page::bad_cursor(),
            E::Full => Self::new(codes::E_DISK_FULL, error.to_string()).retry_after(RETRY_AFTER_S),
            E::Io { .. } => {
                tracing::error!(%error, "the store could not be used");
                Self::new(codes::E_UNAVAILABLE, error.to_string()).retry_after(RETRY_AFTER_S)
            }
            E::Conflict { .. }
            | E::KeyTaken { .. }
            | E::Corrupt { .. }
            | E::Newer { .. }
            | E::Locked { .. }
            | E::NotWritable { .. } => {
                tracing::error!(%error, "the store refused");
                Self::new(codes::E_INTERNAL, error.to_string())
            }
        }
    }
}

fn ending() -> Refusal {
    Refusal::new(codes::E_UNAVAILABLE, "the server is about to end; try again").retry_after(RETRY_AFTER_S)
}

impl From<StartRunError> for Refusal {
    fn from(error: StartRunError) -> Self {
        let text = error.to_string();
        match error {
            StartRunError::NoSuchWorkflow(_) => Self::new(codes::E_NOT_FOUND, text),
            StartRunError::InvalidInput(errors) => {
                Self::new(codes::E_INPUT, with_fields(&text, &errors)).with_errors(errors)
            }
            // An expression of the workflow's tags or of its limit that this input does not go through.
            StartRunError::Tag { .. } | StartRunError::LimitKey(_) => Self::new(codes::E_INPUT, text),
            StartRunError::DiskFull => Self::new(codes::E_DISK_FULL, text).retry_after(RETRY_AFTER_S),
            StartRunError::Refused(StartError::KeyTaken(_)) => Self::new(codes::E_KEY_TAKEN, text),
            StartRunError::Refused(StartError::Full(..)) => {
                Self::new(codes::E_LIMIT_FULL, text).retry_after(RETRY_AFTER_S)
            }
            StartRunError::Refused(StartError::Store(error)) => error.into(),
            StartRunError::Refused(StartError::Previous(error)) => QueryError::Load(error).into(),
            StartRunError::Ending => ending(),
        }
    }
}

impl From<RerunRunError> for Refusal {
    fn from(error: RerunRunError) -> Self {
        let text = error.to_string();
        match error {
            RerunRunError::NoSuchRun(_) => Self::new(codes::E_NOT_FOUND, text),
            RerunRunError::From(RerunError::NoSuchStep { .. }) => Self::new(codes::E_NOT_FOUND, text),
            RerunRunError::From(RerunError::NotHere(_)) => Self::new(codes::E_BODY, text),
            RerunRunError::StillUndoing(_) => Self::new(codes::E_NOT_NOW, text).retry_after(RETRY_AFTER_S),
            RerunRunError::Parked { .. } => Self::new(codes::E_UNDO_PARKED, text),
            RerunRunError::Command(error) => error.into(),
            RerunRunError::Start(error) => error.into(),
            RerunRunError::Query(error) => error.into(),
        }
    }
}

impl From<PostEventsError> for Refusal {
    fn from(error: PostEventsError) -> Self {
        let text = error.to_string();
        match error {
            PostEventsError::Forged { .. } => Self::new(codes::E_EVENT, text),
            PostEventsError::TooMany => Self::new(codes::E_TOO_MANY, text).retry_after(1),
            PostEventsError::DiskFull => Self::new(codes::E_DISK_FULL, text).retry_after(RETRY_AFTER_S),
            PostEventsError::Store(error) => error.into(),
            PostEventsError::Ending => ending(),
        }
    }
}

impl From<CommandError> for Refusal {
    fn from(error: CommandError) -> Self {
        let text = error.to_string();
        match error {
            CommandError::NoSuchRun(_) => Self::new(codes::E_NOT_FOUND, text),
            CommandError::Rejected(rejected) => rejected.into(),
            CommandError::Store(_) => Self::new(codes::E_UNAVAILABLE, text).retry_after(RETRY_AFTER_S),
        }
    }
}

impl From<Rejected> for Refusal {
    fn from(rejected: Rejected) -> Self {
        let text = rejected.to_string();
        match rejected {
            Rejected::Stale => Self::new(codes::E_STALE, text),
            Rejected::Ended(_) => Self::new(codes::E_RUN_ENDED, text),
            Rejected::NotNow(_) => Self::new(codes::E_NOT_NOW, text),
            Rejected::NoSuchStep(_) => Self::new(codes::E_NOT_FOUND, text),
            Rejected::InvalidOutput(errors) => {
                Self::new(codes::E_OUTPUT, with_fields(&text, &errors)).with_errors(errors)
            }
            Rejected::Limit(_) => Self::new(codes::E_TOO_MANY, text),
        }
    }
}

impl From<ApplyError> for Refusal {
    fn from(error: ApplyError) -> Self {
        let text = error.to_string();
        match error {
            ApplyError::Problems(problems) => {
                let errors: Vec<FieldError> = problems.iter().map(at_place).collect();
                Self::new(codes::E_PROJECT, with_fields(&text, &errors)).with_errors(errors)
            }
            ApplyError::NoSource(_) => Self::new(codes::E_SOURCE, text),
            ApplyError::Store(error) => error.into(),
            ApplyError::Ending => ending(),
        }
    }
}

/// A problem of a project by its place.
fn at_place(problem: &Problem) -> FieldError {
    let path = format!("{}:{}:{}", problem.file, problem.line, problem.column);
    let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    FieldError { path, code: problem.code.to_owned(), message: format!("{}{hint}", problem.message) }
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        let text = error.to_string();
        match error {
            CallError::NoSuchService(_) | CallError::NoSuchOperation(..) | CallError::LeftOut(..) => {
                Self::new(codes::E_NOT_FOUND, text)
            }
            CallError::InvalidInput(errors) => {
                Self::new(codes::E_INPUT, with_fields(&text, &errors)).with_errors(errors)
            }
            CallError::InvalidOutput(errors) => {
                Self::new(codes::E_CALL_OUTPUT, with_fields(&text, &errors)).with_errors(errors)
            }
            CallError::TooMany(_) => Self::new(codes::E_TOO_MANY, text).retry_after(1),
            CallError::TooLate => Self::new(codes::E_CALL_TIMEOUT, text),
        }
    }
}

impl From<ServiceError> for Refusal {
    fn from(error: ServiceError) -> Self {
        let text = error.to_string();
        match error {
            ServiceError::NoSuchService(_) => Self::new(codes::E_NOT_FOUND, text),
            ServiceError::NotPossible(_) => Self::new(codes::E_NOT_NOW, text),
        }
    }
}

impl From<consort_artifacts::Error> for Refusal {
    fn from(error: consort_artifacts::Error) -> Self {
        use consort_artifacts::Error as E;
        let code = match &error {
            E::Full => codes::E_DISK_FULL,
            E::TooLarge { .. } => codes::E_TOO_LARGE,
            E::BrokenOff(_) => codes::E_BODY_BROKEN,
            E::NotFound { .. } => codes::E_NOT_FOUND,
            E::OutOfRange { .. } => codes::E_RANGE,
            E::NotWritable { .. } | E::Io { .. } => {
                tracing::error!(%error, "the folder of artifacts could not be used");
                codes::E_UNAVAILABLE
            }
        };
        Self::new(code, error.to_string())
    }
}

/// A sentence that also names the first fields, for readers who see no more than it.
fn with_fields(text: &str, errors: &[FieldError]) -> String {
    const NAMED_MAX: usize = 3;
    let named = errors.iter().take(NAMED_MAX).map(|error| match error.path.as_str() {
        "" => error.message.clone(),
        path => format!("{path}: {}", error.message),
    });
    let named = named.collect::<Vec<_>>().join("; ");
    match errors.len().checked_sub(NAMED_MAX) {
        None | Some(0) => format!("{text}: {named}"),
        Some(more) => format!("{text}: {named}; and {more} more"),
    }
}
