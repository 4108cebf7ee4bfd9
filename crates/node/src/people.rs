//! What waits for a person, as it is kept in the store and told to those who ask.

use crate::{node::Node, queries::QueryError, record::BRIEF_BYTES_MAX};
use consort_engine::{Incident, IncidentKind, Question, Run};
use consort_store::{Notice, NoticeKind, NoticeOfRun, Page, PageRequest};
use consort_types::{Json, Name, RunError, RunId, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::sync::Arc;

/// A question that waits for a person's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenQuestion {
    /// The workflow of the run.
    pub workflow: Name,
    /// The question.
    pub ask: String,
    /// What to look at before answering; left out when it is large.
    pub show: Option<Json>,
    /// The JSON Schema of the answer.
    pub form: Json,
    /// Who is asked.
    pub to: Option<Json>,
    /// When the time for an answer is over.
    pub until: Option<Timestamp>,
}

/// Something that does not go on without a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenIncident {
    /// The workflow of the run.
    pub workflow: Name,
    /// Why, as a word.
    pub kind: String,
    /// What went wrong.
    pub error: RunError,
}

/// A question or an incident with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed<T> {
    /// The run.
    pub run: RunId,
    /// Key of the step.
    pub step: String,
    /// Since when.
    pub since: Timestamp,
    /// The rest.
    pub of: T,
}

/// All of a run that waits for a person.
pub(crate) fn notices(run: &Run) -> Vec<Notice> {
    if !run.may_need_people() {
        return Vec::new();
    }
    let workflow = &run.workflow().name;
    let questions = run.questions().into_iter().map(|question| question_notice(workflow, question));
    let incidents = run.incidents().into_iter().map(|incident| incident_notice(workflow, incident));
    questions.chain(incidents).collect()
}

fn question_notice(workflow: &Name, question: Question) -> Notice {
    let Question { step, ask, show, form, to, since, until } = question;
    let show = show.filter(|show| show.len() <= BRIEF_BYTES_MAX);
    let document = OpenQuestion { workflow: workflow.clone(), ask, show, form, to, until };
    Notice { kind: NoticeKind::Question, since, step, document: Json::of(&document) }
}

fn incident_notice(workflow: &Name, incident: Incident) -> Notice {
    let Incident { kind, step, since, error } = incident;
    let document = OpenIncident { workflow: workflow.clone(), kind: word(kind).to_owned(), error };
    Notice { kind: NoticeKind::Incident, since, step, document: Json::of(&document) }
}

const fn word(kind: IncidentKind) -> &'static str {
    match kind {
        IncidentKind::UndoParked => "undo_parked",
        IncidentKind::PausedOnFailure => "paused_on_failure",
        IncidentKind::InDoubt => "in_doubt",
    }
}

impl Node {
    /// The questions of a namespace that wait for an answer, the longest wait first.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn questions(
        self: &Arc<Self>,
        namespace: Name,
        page: PageRequest,
    ) -> Result<Page<Placed<OpenQuestion>>, QueryError> {
        self.notices(namespace, NoticeKind::Question, page).await
    }

    /// What in a namespace does not go on without a person, the longest wait first.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn incidents(
        self: &Arc<Self>,
        namespace: Name,
        page: PageRequest,
    ) -> Result<Page<Placed<OpenIncident>>, QueryError> {
        self.notices(namespace, NoticeKind::Incident, page).await
    }

    async fn notices<T: DeserializeOwned + Send + 'static>(
        self: &Arc<Self>,
        namespace: Name,
        kind: NoticeKind,
        page: PageRequest,
    ) -> Result<Page<Placed<T>>, QueryError> {
        self.ask(move |node| {
            let page = node.reader.notices(namespace.as_str(), kind, &page)?;
            let items = page.items.into_iter().filter_map(placed).collect();
            Ok(Page { items, next_cursor: page.next_cursor })
        })
        .await
    }
}

fn placed<T: DeserializeOwned>(found: NoticeOfRun) -> Option<Placed<T>> {
    let NoticeOfRun { run, notice } = found;
    let of = notice.document.read().ok()?;
    Some(Placed { run, step: notice.step, since: notice.since, of })
}
