//! What went wrong, where, and what to do: the one shape of every error message.

use crate::exit::Exit;
use consort_client::Error;
use consort_wire::Problem;
use std::fmt::Write as _;

/// Why a command did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How the program ends.
    pub exit: Exit,
    /// What and where, lowercase, in one sentence. Empty: all is said already.
    pub message: String,
    /// More lines below it, one thing each.
    pub details: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with an exit code and a message.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), details: Vec::new(), hint: None }
    }

    /// The user asked for something that cannot be.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The reader of our output went away (`| head`); nobody is there to be told.
    pub fn said(exit: Exit) -> Self {
        Self::new(exit, "")
    }

    /// The same failure with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure with more lines.
    #[must_use]
    pub fn details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }

    /// The text for standard error; empty when all is said.
    pub fn text(&self) -> String {
        if self.message.is_empty() {
            return String::new();
        }
        let mut text = format!("error: {}\n", self.message);
        for detail in &self.details {
            let _ = writeln!(text, "  {detail}");
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "hint: {hint}");
        }
        text
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match &error {
            Error::Address { .. } | Error::File { .. } => Self::usage(message),
            Error::NoServer { .. } => Self::new(Exit::NoServer, message).hint(
                "start one with `consort dev` or `consort server`, or name another with --server or CONSORT_SERVER",
            ),
            Error::Unreadable { .. } => Self::new(Exit::NoServer, message)
                .hint("is this a Consort server, and of this version? name another with --server"),
            Error::NotFound(problem) => Self::of_problem(Exit::NotFound, problem),
            Error::NotAllowed(problem) => Self::of_problem(Exit::NotAllowed, problem),
            Error::Limit { problem, retry_after } => {
                let failure = Self::of_problem(Exit::Limit, problem);
                match retry_after {
                    Some(after) => failure.hint(format!("try again in {} s", after.as_secs())),
                    None => failure,
                }
            }
            Error::Refused(problem) => Self::of_problem(Exit::Usage, problem),
            Error::Failed(problem) if problem.status == 503 => Self::of_problem(Exit::NoServer, problem),
            Error::Failed(problem) => Self::of_problem(Exit::Failed, problem),
        }
    }
}

impl Failure {
    fn of_problem(exit: Exit, problem: &Problem) -> Self {
        let code = if problem.code.is_empty() { String::new() } else { format!(" ({})", problem.code) };
        let field = |error: &consort_types::FieldError| match error.path.as_str() {
            "" => error.message.clone(),
            path => format!("{path}: {}", error.message),
        };
        Self::new(exit, format!("{problem}{code}")).details(problem.errors.iter().map(field).collect())
    }
}

impl From<std::io::Error> for Failure {
    /// Only writing to standard output comes here without words of its own.
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::said(Exit::Done),
            _ => Self::new(Exit::Failed, format!("standard output cannot be written: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use consort_types::FieldError;
    use std::time::Duration;

    fn problem(status: u16) -> Box<Problem> {
        Box::new(Problem {
            problem_type: "about:blank".into(),
            title: "title".into(),
            status,
            detail: "why".into(),
            instance: None,
            code: "EX".into(),
            errors: vec![],
        })
    }

    #[test]
    fn each_situation_has_its_exit_code() {
        let no_server = Error::NoServer { server: "http://x".into(), reason: "refused".into() };
        let unreadable = Error::Unreadable { url: "http://x".into(), reason: "no JSON".into() };
        let address = Error::Address { address: "x".into(), reason: "no URL".into() };
        let limit = Error::Limit { problem: problem(429), retry_after: Some(Duration::from_secs(7)) };
        for (error, code) in [
            (no_server, 3),
            (unreadable, 3),
            (address, 2),
            (Error::NotFound(problem(404)), 4),
            (Error::NotAllowed(problem(403)), 5),
            (limit, 6),
            (Error::Refused(problem(422)), 2),
            (Error::Refused(problem(409)), 2),
            (Error::Failed(problem(500)), 1),
            (Error::Failed(problem(503)), 3),
        ] {
            let words = format!("{error:?}");
            assert_eq!(Failure::from(error).exit as u8, code, "{words}");
        }
    }

    #[test]
    fn a_message_says_what_where_and_what_to_do() {
        let mut refused = problem(422);
        refused.errors = vec![
            FieldError { path: "declared".into(), code: "missing".into(), message: "is missing".into() },
            FieldError { path: String::new(), code: "type".into(), message: "must be an object".into() },
        ];
        let failure = Failure::from(Error::Refused(refused)).hint("look at `consort workflows show loan`");
        assert_eq!(
            failure.text(),
            "error: why (EX)\n  declared: is missing\n  must be an object\nhint: look at `consort workflows show loan`\n"
        );
        assert_eq!(Failure::said(Exit::Failed).text(), "");
    }
}
