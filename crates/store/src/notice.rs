//! What waits for a person: questions, and incidents.

use crate::Cursor;
use consort_types::{Json, RunId, Timestamp};

/// What a person is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    /// To answer.
    Question,
    /// To mend something that does not go on by itself.
    Incident,
}

impl NoticeKind {
    /// The word that it is stored as.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Incident => "incident",
        }
    }
}

/// One thing of a run that waits for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// What for.
    pub kind: NoticeKind,
    /// Since when.
    pub since: Timestamp,
    /// Key of the step; empty when it is the run as a whole. One notice of a kind for each.
    pub step: String,
    /// All that is told of it.
    pub document: Json,
}

/// A notice with the run that it is of.
#[derive(Debug, Clone, PartialEq)]
pub struct NoticeOfRun {
    /// The run.
    pub run: RunId,
    /// The notice.
    pub notice: Notice,
}

/// Place in lists of notices: those that wait longest stand first.
pub type NoticePlace = (Timestamp, RunId, String);

impl NoticeOfRun {
    /// Its place in lists.
    pub fn place(&self) -> NoticePlace {
        (self.notice.since, self.run, self.notice.step.clone())
    }
}

/// In lists of notices.
impl Cursor for NoticePlace {
    fn encode(&self) -> String {
        let (since, run, step) = self;
        format!("w{:016x}{}{step}", since.as_millis(), run.as_uuid().simple())
    }

    fn decode(text: &str) -> Option<Self> {
        let (since, rest) = text.strip_prefix('w')?.split_at_checked(16)?;
        let (run, step) = rest.split_at_checked(32)?;
        let since = u64::from_str_radix(since, 16).ok()?.cast_signed();
        let place = (Timestamp::from_millis(since), format!("run_{run}").parse().ok()?, step.to_owned());
        (Self::encode(&place) == text).then_some(place)
    }
}
