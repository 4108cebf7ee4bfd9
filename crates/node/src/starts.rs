//! Starts, and commands for runs.

use crate::{
    catalog::CurrentWorkflow,
    node::Node,
    sequencer::{CommandError, Message, StartError, StartRequest, Started},
};
use consort_engine::{Command, Copies, Reading, Start};
use consort_spec::definition::Workflow;
use consort_types::{Digest, FieldError, Json, Name, RunId};
use std::{collections::BTreeMap, time::Duration};
use tokio::sync::oneshot;
use uuid::{ContextV7, Timestamp as UuidTime, Uuid};

/// The longest key of a limit that is kept and shown as it is, in bytes.
const LIMIT_KEY_BYTES_MAX: usize = 256;

/// What a caller brings to start a run.
#[derive(Debug, Clone)]
pub struct StartRequestBody {
    /// The input.
    pub input: Json,
    /// One run per key.
    pub key: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Whether its cached steps may take earlier results.
    pub reading: Reading,
    /// What starts it: `api`, `rerun:ID`, …
    pub trigger: String,
    /// What it takes over from the run that it does again.
    pub copies: Option<Box<Copies>>,
}

/// Why a run was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartRunError {
    /// No such workflow.
    #[error("there is no workflow `{0}`")]
    NoSuchWorkflow(String),
    /// The input does not fit.
    #[error("the input does not fit the workflow's schema")]
    InvalidInput(Vec<FieldError>),
    /// Nothing can be committed.
    #[error("the disk of the server is full: nothing new is started until there is room")]
    DiskFull,
    /// A tag of the workflow cannot be computed from the input.
    #[error("the tag `{tag}` of the workflow cannot be computed: {message}")]
    Tag {
        /// Which.
        tag: String,
        /// Why.
        message: String,
    },
    /// The key of the workflow's `concurrency` cannot be computed from the input.
    #[error("`concurrency.key` of the workflow cannot be computed: {0}")]
    LimitKey(String),
    /// The sequencer refused.
    #[error(transparent)]
    Refused(#[from] StartError),
    /// The server is about to end.
    #[error("the server is about to end")]
    Ending,
}

impl Node {
    /// Starts a run. When this returns, the run is committed.
    ///
    /// # Errors
    /// When there is no such workflow, the input does not fit, the key has another run, or the disk is full.
    pub async fn start_run(
        &self,
        namespace: &Name,
        workflow: &str,
        body: StartRequestBody,
    ) -> Result<Started, StartRunError> {
        let (current, input) = self.check_start(namespace, workflow, &body.input)?;
        let tags = tags(&current.workflow, &input, body.tags)?;
        let limit_key = limit_key(&current.workflow, &input)?;
        let start = Start {
            id: self.new_run_id(),
            namespace: namespace.clone(),
            workflow: current.workflow,
            revision: current.revision,
            tags,
            key: body.key,
            trigger: body.trigger,
            copies: body.copies,
            reading: body.reading,
            pools: BTreeMap::new(),
            limit_key,
            previous: None,
            queued: None,
            parent: None,
            input,
        };
        // White space and order of keys make no other input.
        let input_digest = Digest::of(canonical(&body.input).as_bytes());
        let (reply, answer) = oneshot::channel();
        self.inbox.send(Message::Start(Box::new(StartRequest { start, input_digest, reply })));
        Ok(answer.await.map_err(|_| StartRunError::Ending)??)
    }

    /// Whether a start would be taken: the definition that it would run, and its input with defaults.
    pub(crate) fn check_start(
        &self,
        namespace: &Name,
        workflow: &str,
        input: &Json,
    ) -> Result<(CurrentWorkflow, Json), StartRunError> {
        let current = self.catalog.workflow(namespace.as_str(), workflow);
        let current = current.ok_or_else(|| StartRunError::NoSuchWorkflow(workflow.to_owned()))?;
        let input = current.workflow.input.check(input).map_err(StartRunError::InvalidInput)?;
        if self.health.is_full() {
            return Err(StartRunError::DiskFull);
        }
        Ok((current, input))
    }

    fn new_run_id(&self) -> RunId {
        let millis = u64::try_from(self.clock.now().as_millis()).unwrap_or(0);
        let time = UuidTime::from_unix(ContextV7::new(), millis / 1_000, (millis % 1_000) as u32 * 1_000_000);
        RunId::from_uuid(Uuid::new_v7(time))
    }

    /// Gives a command to a run. When this returns, it is committed.
    ///
    /// # Errors
    /// When there is no such run, or it does not take the command.
    pub async fn command(&self, run: RunId, command: Command) -> Result<(), CommandError> {
        let (reply, answer) = oneshot::channel();
        self.inbox.send(Message::Command { run, command, reply: Some(reply) });
        answer.await.unwrap_or_else(|_| Err(CommandError::Store("the server is about to end".to_owned())))
    }

    /// Waits until a run has ended, at most so long. False when the time is over first.
    pub async fn wait(&self, run: RunId, at_most: Duration) -> bool {
        let (reply, ended) = oneshot::channel();
        self.inbox.send(Message::Wait { run, reply });
        // Dropped without a word: the run was not live any more.
        tokio::time::timeout(at_most, ended).await.is_ok()
    }
}

/// The caller's tags, and those that the workflow computes from the input on top.
pub(crate) fn tags(
    workflow: &Workflow,
    input: &Json,
    mut tags: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, StartRunError> {
    for (tag, template) in &workflow.tags {
        let scope = [("input", input.clone())];
        let value = template
            .evaluate(&scope)
            .map_err(|error| StartRunError::Tag { tag: tag.clone(), message: error.message })?;
        tags.insert(tag.clone(), value.read::<String>().unwrap_or_else(|_| value.to_string()));
    }
    Ok(tags)
}

/// What the key of the workflow's limit is for this input, as JSON; a long one by its digest.
pub(crate) fn limit_key(workflow: &Workflow, input: &Json) -> Result<Option<String>, StartRunError> {
    let template = workflow.concurrency.as_ref().and_then(|concurrency| concurrency.key.as_ref());
    let Some(template) = template else { return Ok(None) };
    let key = template
        .evaluate(&[("input", input.clone())])
        .map_err(|error| StartRunError::LimitKey(error.message))?;
    let key = canonical(&key);
    Ok(Some(if key.len() > LIMIT_KEY_BYTES_MAX { Digest::of(key.as_bytes()).to_string() } else { key }))
}

/// The text of a value in which neither white space nor the order of keys means anything.
fn canonical(value: &Json) -> String {
    let mut canonical = value.to_value();
    canonical.sort_all_objects();
    canonical.to_string()
}
