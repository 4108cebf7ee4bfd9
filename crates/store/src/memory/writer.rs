//! Commits: each write in turn, all taken back when one is refused.

use super::{Handle, IndexedRun, Tables};
use crate::{
    Batch, BudgetState, CacheBounds, CachedResult, DROPPED_PER_RESULT_MAX, Error, LastOutput, Notice,
    NoticeKind, OpenRun, RunSummary, ServiceRevision, WorkflowRevision, Write, Writer,
};
use bytes::Bytes;
use consort_types::{Digest, Name, RunId, Timestamp};

impl Writer for Handle {
    fn commit(&mut self, batch: &Batch) -> Result<(), Error> {
        let mut tables = self.shared.write();
        tables.take_back();
        let done = batch.writes().iter().try_for_each(|write| tables.apply(write));
        match done {
            Ok(()) => tables.keep(),
            Err(_) => tables.take_back(),
        }
        done
    }
}

/// Does the same to every table.
macro_rules! every_table {
    ($tables:ident.$verb:ident()) => {{
        let Tables {
            history,
            runs,
            keys,
            summaries,
            created,
            notices,
            last_outputs,
            events,
            event_keys,
            projects,
            workflows,
            workflow_revisions,
            results,
            services,
            service_revisions,
            budgets,
        } = $tables;
        history.$verb();
        runs.$verb();
        keys.$verb();
        summaries.$verb();
        created.$verb();
        notices.$verb();
        last_outputs.$verb();
        events.$verb();
        event_keys.$verb();
        projects.$verb();
        workflows.$verb();
        workflow_revisions.$verb();
        results.$verb();
        services.$verb();
        service_revisions.$verb();
        budgets.$verb();
    }};
}

fn conflict(what: String) -> Error {
    Error::Conflict { what }
}

impl Tables {
    fn keep(&mut self) {
        every_table!(self.keep());
    }

    fn take_back(&mut self) {
        every_table!(self.take_back());
    }

    fn apply(&mut self, write: &Write) -> Result<(), Error> {
        match write {
            Write::Append { run, seq, entries } => return self.append(*run, *seq, entries),
            Write::OpenRun(start) => return self.open_run(start),
            Write::CloseRun { run, at } => self.set_closed(*run, Some(*at)),
            Write::ReopenRun { run } => self.set_closed(*run, None),
            Write::Summarize(summary) => return self.summarize(summary),
            Write::SetNotices { run, namespace, notices } => self.set_notices(*run, namespace, notices),
            Write::SetLastOutput(last) => {
                let LastOutput { namespace, workflow, limit_key, document } = (**last).clone();
                self.last_outputs.put((namespace, workflow, limit_key), document);
            }
            Write::DeleteRun { run } => return self.delete_run(*run),
            Write::PutEvent(event) => return self.put_event(event),
            Write::DropEvents { through, before } => self.drop_events(*through, *before),
            Write::KeepResult(result, bounds) => self.keep_result(result, *bounds),
            Write::DropResult { namespace, key, run } => self.drop_result(namespace, *key, *run),
            Write::ChangeBudget(change) => {
                let known = self.budgets.get(&change.budget).cloned();
                let known = known.unwrap_or_else(|| BudgetState::new(change.budget.clone(), change.period));
                self.budgets.put(change.budget.clone(), known.after(change));
            }
            Write::ForgetBudgets { run } => {
                let own: Vec<_> = self.budgets.keys().filter(|key| key.run == Some(*run)).cloned().collect();
                for key in own {
                    self.budgets.delete(&key);
                }
            }
            Write::PutProject(project) => {
                let key = (project.namespace.clone(), project.sequence);
                if self.projects.contains_key(&key) {
                    return Err(conflict(format!("project {} of {}", key.1, key.0)));
                }
                self.projects.put(key, (**project).clone());
            }
            Write::PutWorkflow(revision) => return self.put_workflow(revision),
            Write::RemoveWorkflow { namespace, name } => {
                self.workflows.delete(&(namespace.clone(), name.clone()));
            }
            Write::PutService(revision) => return self.put_service(revision),
            Write::SetService(service) => {
                self.services.put((service.namespace.clone(), service.name.clone()), (**service).clone());
            }
            Write::RemoveService { namespace, name } => {
                self.services.delete(&(namespace.clone(), name.clone()));
            }
        }
        Ok(())
    }

    fn append(&mut self, run: RunId, seq: u64, entries: &Bytes) -> Result<(), Error> {
        if self.history.contains_key(&(run, seq)) {
            return Err(conflict(format!("row {seq} of the history of {run}")));
        }
        self.history.put((run, seq), entries.clone());
        Ok(())
    }

    fn open_run(&mut self, start: &OpenRun) -> Result<(), Error> {
        if self.runs.contains_key(&start.run) {
            return Err(conflict(start.run.to_string()));
        }
        if let Some(key) = &start.key {
            let key = (start.namespace.clone(), start.workflow.clone(), key.clone());
            if let Some(run) = self.keys.get(&key) {
                return Err(Error::KeyTaken { run: *run });
            }
            self.keys.put(key, start.run);
        }
        self.runs.put(start.run, IndexedRun { start: start.clone(), closed_at: None });
        Ok(())
    }

    /// Closes an open run or opens a closed one; anything else stays as it is.
    fn set_closed(&mut self, run: RunId, closed_at: Option<Timestamp>) {
        let Some(indexed) =
            self.runs.get(&run).filter(|known| known.closed_at.is_some() != closed_at.is_some())
        else {
            return;
        };
        let start = indexed.start.clone();
        self.runs.put(run, IndexedRun { start, closed_at });
    }

    fn summarize(&mut self, summary: &RunSummary) -> Result<(), Error> {
        if let Some(at) = self.created.get(&summary.run) {
            let known = &self.summaries[&(*at, summary.run)];
            let place = |run: &RunSummary| (run.created_at, run.namespace.clone(), run.workflow.clone());
            if place(known) != place(summary) {
                return Err(conflict(format!("the place of {} in lists", summary.run)));
            }
        }
        self.created.put(summary.run, summary.created_at);
        self.summaries.put((summary.created_at, summary.run), summary.clone());
        Ok(())
    }

    fn set_notices(&mut self, run: RunId, namespace: &Name, notices: &[Notice]) {
        let from = (run, NoticeKind::Question, String::new());
        let old = self.notices.range(from..).take_while(|((of, ..), _)| *of == run);
        let old: Vec<_> = old.map(|(key, _)| key.clone()).collect();
        for key in old {
            self.notices.delete(&key);
        }
        for notice in notices {
            let key = (run, notice.kind, notice.step.clone());
            self.notices.put(key, (namespace.clone(), notice.clone()));
        }
    }

    fn delete_run(&mut self, run: RunId) -> Result<(), Error> {
        let known = self.runs.get(&run).cloned();
        if let Some(IndexedRun { start, closed_at }) = known.clone() {
            if closed_at.is_none() {
                return Err(conflict(format!("{run}, which is open,")));
            }
            if let Some(key) = start.key {
                self.keys.delete(&(start.namespace, start.workflow, key));
            }
            self.runs.delete(&run);
        }
        let seqs: Vec<_> = self.history.range((run, 0)..=(run, u64::MAX)).map(|(key, _)| *key).collect();
        for seq in seqs {
            self.history.delete(&seq);
        }
        if let Some(IndexedRun { start, .. }) = &known {
            self.set_notices(run, &start.namespace, &[]);
        }
        if let Some(at) = self.created.get(&run).copied() {
            self.created.delete(&run);
            self.summaries.delete(&(at, run));
        }
        Ok(())
    }

    fn keep_result(&mut self, result: &CachedResult, bounds: CacheBounds) {
        self.results.put((result.namespace.clone(), result.key, result.revision), result.clone());
        let mut by_end: Vec<_> =
            self.results.iter().map(|(key, kept)| (kept.expires_at, key.clone())).collect();
        by_end.sort_unstable();
        let expired = by_end.iter().filter(|(end, _)| *end <= result.at);
        for (_, key) in expired.take(DROPPED_PER_RESULT_MAX as usize) {
            self.results.delete(key);
        }
        for (_, key) in by_end.iter().take(DROPPED_PER_RESULT_MAX as usize) {
            let bytes: u64 = self.results.values().map(|kept| kept.output.len() as u64).sum();
            if self.results.len() as u64 > bounds.results || bytes > bounds.bytes {
                self.results.delete(key);
            }
        }
    }

    fn drop_result(&mut self, namespace: &Name, key: Digest, run: RunId) {
        let of = (namespace.clone(), key, 0)..=(namespace.clone(), key, u64::MAX);
        let its = self.results.range(of).filter(|(_, kept)| kept.run == run);
        let its: Vec<_> = its.map(|(key, _)| key.clone()).collect();
        for key in its {
            self.results.delete(&key);
        }
    }

    fn put_workflow(&mut self, revision: &WorkflowRevision) -> Result<(), Error> {
        let WorkflowRevision { namespace, name, number, digest, .. } = revision;
        let key = (namespace.clone(), name.clone(), *number);
        match self.workflow_revisions.get(&key) {
            Some(known) if known.digest != *digest => {
                return Err(conflict(format!("revision {number} of workflow {name}")));
            }
            Some(_) => {}
            None => self.workflow_revisions.put(key, revision.clone()),
        }
        self.workflows.put((namespace.clone(), name.clone()), *number);
        Ok(())
    }

    fn put_service(&mut self, revision: &ServiceRevision) -> Result<(), Error> {
        let ServiceRevision { namespace, name, number, digest, .. } = revision;
        let key = (namespace.clone(), name.clone(), *number);
        match self.service_revisions.get(&key) {
            Some(known) if known.digest != *digest => {
                return Err(conflict(format!("revision {number} of service {name}")));
            }
            Some(_) => {}
            None => self.service_revisions.put(key, revision.clone()),
        }
        Ok(())
    }
}
