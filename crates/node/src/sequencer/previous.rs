//! What runs see as `previous`. The last output of a workflow is written in the commit in which its run
//! succeeds, so that a lookup costs one row, however many runs there were.

use super::Sequencer;
use crate::runs::{LastOutputs, LoadError, keep_output};
use consort_engine::Run;
use consort_spec::definition::Workflow;
use consort_store::{LastOutput, Write};
use consort_types::{Json, Name, RunId};
use std::collections::HashMap;

/// Outputs on their way to the store, by namespace, workflow and key of the limit: of runs that have ended and
/// not left.
#[derive(Default)]
pub(super) struct Outputs(HashMap<(Name, Name, Option<String>), (RunId, Json)>);

impl Outputs {
    fn get(&self, of: &LastOutputs<'_>, limit_key: Option<&str>) -> Option<Json> {
        if self.0.is_empty() {
            return None;
        }
        let key = (of.namespace.clone(), of.workflow.clone(), limit_key.map(str::to_owned));
        self.0.get(&key).map(|(_, output)| output.clone())
    }

    /// The end of a run is stored, and what it gave with it.
    pub fn stored(&mut self, run: RunId) {
        self.0.retain(|_, (of, _)| *of != run);
    }
}

impl Sequencer {
    /// What a run of a workflow that begins now sees as `previous`. Only a workflow that names it pays for the
    /// lookup.
    pub(super) fn previous(
        &self,
        namespace: &Name,
        workflow: &Workflow,
        limit_key: Option<&str>,
    ) -> Result<Option<Json>, LoadError> {
        if !workflow.names_previous {
            return Ok(None);
        }
        let of = LastOutputs { namespace, workflow: &workflow.name };
        // Of the runs with the same key first, else of all.
        for key in limit_key.map(Some).into_iter().chain([None]) {
            let found = match self.outputs.get(&of, key) {
                Some(output) => Some(output),
                None => self.reader.last_output(&of, key)?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        self.reader.newest_output(&of, &self.catalog)
    }

    /// The same for a run that stood in line and is let in.
    pub(super) fn previous_of(&self, run: &Run) -> Option<Json> {
        let found = self.previous(run.namespace(), run.workflow(), run.limit_key());
        found.unwrap_or_else(|error| {
            tracing::error!(run = %run.id(), %error, "`previous` stays as it was when the run was started");
            None
        })
    }

    /// A run has ended: what it gave is what the next one sees, if it has succeeded and somebody asks.
    pub(super) fn remember_output(&mut self, id: RunId, writes: &mut Vec<Write>) {
        let run = &self.runs[&id].run;
        let (namespace, workflow) = (run.namespace(), run.workflow());
        let Some(output) = run.output() else { return };
        // A newer revision may ask for what a run of an older one gave.
        let newest = || self.catalog.workflow(namespace.as_str(), workflow.name.as_str());
        if !workflow.names_previous && !newest().is_some_and(|newest| newest.workflow.names_previous) {
            return;
        }
        let own_key = run.limit_key().map(str::to_owned);
        for limit_key in own_key.map(Some).into_iter().chain([None]) {
            let key = (namespace.clone(), workflow.name.clone(), limit_key.clone());
            self.outputs.0.insert(key, (id, output.clone()));
            writes.push(Write::SetLastOutput(Box::new(LastOutput {
                namespace: namespace.clone(),
                workflow: workflow.name.clone(),
                limit_key,
                document: keep_output(output),
            })));
        }
    }
}
