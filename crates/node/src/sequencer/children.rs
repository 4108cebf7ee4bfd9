//! Runs that steps of other runs start. The start of a child goes into the commit of the entry that asks for
//! it; whoever asks again after a restart finds the run that there is.

use super::{CommandError, Live, Sequencer, StartError};
use crate::{committer::After, committer::Unit, record::RunRecord, starts};
use consort_engine::{
    ChildStart, ChildWord, Command, Effect, FromChild, FromParent, Parent, ParentWord, Reading, Run, Start,
    gates::Turn,
};
use consort_store::{OpenRun, Write};
use consort_types::{Digest, ErrorKind, Json, Name, RunError, RunId};
use std::collections::BTreeMap;

/// Children whose start goes into the commit of their parent's entry; a wider fan-out takes more commits, so
/// that none of them grows without bound.
pub(super) const CHILDREN_PER_COMMIT_MAX: usize = 100;

impl Sequencer {
    /// Starts a child, or lets one that was started before say how it stands.
    pub(super) fn start_child(&mut self, namespace: &Name, start: ChildStart) {
        let known = if self.runs.contains_key(&start.id) { Ok(true) } else { self.reader.is_known(start.id) };
        match known {
            Ok(true) => {
                let Parent { run: parent, node, .. } = start.parent;
                let report = FromParent { parent, node, word: ParentWord::Report };
                self.command(start.id, Command::FromParent(report), None);
            }
            Ok(false) => {
                let (mut writes, mut after) = (Vec::new(), Vec::new());
                self.begin_child(namespace, start, &mut writes, &mut after);
                self.hand_on(Unit::of(writes, after));
            }
            // Asked again after the next restart.
            Err(error) => tracing::error!(child = %start.id, %error, "a child run cannot be looked up"),
        }
    }

    /// Starts a child that nobody knows yet.
    pub(super) fn begin_child(
        &mut self,
        namespace: &Name,
        start: ChildStart,
        writes: &mut Vec<Write>,
        after: &mut Vec<After>,
    ) {
        let ChildStart { id, workflow, input, parent, pools } = start;
        let whose = parent.clone();
        let start = match self.resolve_child(namespace, id, &workflow, &input, parent) {
            Ok(start) => Start { pools, ..start },
            Err(error) => {
                let word = ChildWord::Refused(Box::new(error));
                return after.push(word_to_parent(namespace, id, &whose, word));
            }
        };
        let mut start = start;
        match self.arrive(&start) {
            (_, Turn::Free) => {}
            (_, Turn::Queued { number, cancel }) => {
                start.queued = Some(number);
                self.replaced.extend(cancel);
            }
            (gate, Turn::Full(rule)) => {
                let message = StartError::Full(Box::new(gate), rule).to_string();
                let error = RunError::new("E_LIMIT_FULL", ErrorKind::Limit, message).retryable();
                let word = ChildWord::Refused(Box::new(error));
                return after.push(word_to_parent(namespace, id, &whose, word));
            }
        }
        let now = self.clock.now();
        writes.push(Write::OpenRun(OpenRun {
            run: id,
            namespace: namespace.clone(),
            workflow,
            key: None,
            input_digest: Digest::of(start.input.text().as_bytes()),
            created_at: now,
        }));
        let (run, transition) = Run::start(start, now);
        self.permits.begin_run(&run, now);
        self.runs.insert(id, Live::begun(run));
        let grandchildren = self.take_in(id, transition, writes, after);
        let ask = |start| After::Effect(namespace.clone(), id, Effect::StartChild(start));
        after.extend(grandchildren.into_iter().map(ask));
        if whose.detached {
            after.push(word_to_parent(namespace, id, &whose, ChildWord::Began));
        }
    }

    /// The newest revision of the child's workflow, its input checked.
    fn resolve_child(
        &self,
        namespace: &Name,
        id: RunId,
        workflow: &Name,
        input: &Json,
        parent: Parent,
    ) -> Result<Start, RunError> {
        let current = self.catalog.workflow(namespace.as_str(), workflow.as_str()).ok_or_else(|| {
            let message = format!("there is no workflow `{workflow}` any more");
            RunError::new("E_NO_WORKFLOW", ErrorKind::Failed, message)
        })?;
        let input = current.workflow.input.check(input).map_err(|fields| {
            let message = format!("the input of `{workflow}` does not fit its schema");
            RunError::new("E_INVALID_INPUT", ErrorKind::InvalidInput, message).with_details(Json::of(&fields))
        })?;
        let tags = starts::tags(&current.workflow, &input, BTreeMap::new())
            .map_err(|error| RunError::new("E_INVALID_INPUT", ErrorKind::InvalidInput, error.to_string()))?;
        let limit_key = starts::limit_key(&current.workflow, &input)
            .map_err(|error| RunError::new("E_INVALID_INPUT", ErrorKind::InvalidInput, error.to_string()))?;
        let previous = self
            .previous(namespace, &current.workflow, limit_key.as_deref())
            .map_err(|error| RunError::new("E_INTERNAL", ErrorKind::Failed, error.to_string()).retryable())?;
        Ok(Start {
            id,
            namespace: namespace.clone(),
            workflow: current.workflow,
            revision: current.revision,
            input,
            tags,
            key: None,
            trigger: format!("run:{}", parent.run),
            reading: self.runs.get(&parent.run).map_or(Reading::Allowed, |live| live.run.reading()),
            parent: Some(parent),
            copies: None,
            pools: BTreeMap::new(),
            limit_key,
            previous,
            queued: None,
        })
    }

    /// A word between runs that could not be given: who waits for the answer hears of it.
    pub(super) fn word_was_lost(&mut self, run: RunId, command: &Command, error: &CommandError) {
        match (command, error) {
            (Command::FromParent(from), CommandError::NoSuchRun(_)) => {
                let word = FromChild { child: run, node: from.node, word: ChildWord::Gone };
                self.inbox.command(from.parent, Command::FromChild(Box::new(word)));
            }
            (Command::FromChild(_), CommandError::NoSuchRun(_)) | (_, CommandError::Rejected(_)) => {}
            _ => tracing::error!(%run, %error, "a run cannot be told what another one says"),
        }
    }

    /// Lets those that wait for a child see how it stands.
    pub(super) fn show_child(&mut self, record: &RunRecord) {
        let Some(parent) = self.runs.get(&record.id).and_then(|live| live.run.parent()).cloned() else {
            return;
        };
        let stands = (record.state, record.waiting_on.clone());
        if !parent.detached && self.admissions.child_stands((parent.run, parent.node), stands) {
            self.dirty.insert(parent.run);
            self.show(parent.run, &[parent.node]);
        }
    }
}

fn word_to_parent(namespace: &Name, child: RunId, parent: &Parent, word: ChildWord) -> After {
    let from = FromChild { child, node: parent.node, word };
    let command = Box::new(Command::FromChild(Box::new(from)));
    After::Effect(namespace.clone(), child, Effect::Tell(parent.run, command))
}
