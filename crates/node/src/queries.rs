//! What can be asked: always about what is committed.

use crate::{
    catalog::{CurrentWorkflow, Deployed},
    node::Node,
    permits::PoolState,
    record::RunRecord,
    runs::{Kept, LoadError},
    services::ServiceView,
};
use consort_admission::PoolKey;
use consort_engine::{StepView, history::HistoryEntry};
use consort_store::{
    Error, LogFilter, LogPage, Page, PageRequest, RunFilter, ServiceRevision, WorkflowRevision,
};
use consort_types::{Amount, Name, RunId};
use std::sync::{Arc, PoisonError};

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] Error),
    /// A run cannot be rebuilt.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The server is about to end.
    #[error("the server is about to end")]
    Ending,
}

/// Steps of a run, from a place on.
#[derive(Debug)]
pub struct StepsPage {
    /// The steps.
    pub steps: Vec<StepView>,
    /// Where the next page begins; none on the last.
    pub next: Option<usize>,
}

impl Node {
    /// All namespaces that were ever applied.
    pub fn namespaces(&self) -> Vec<Name> {
        self.catalog.namespaces()
    }

    /// The current definitions of a namespace.
    pub fn deployed(&self, namespace: &str) -> Option<Arc<Deployed>> {
        self.catalog.deployed(namespace)
    }

    /// The newest revision of a workflow.
    pub fn workflow(&self, namespace: &str, name: &str) -> Option<CurrentWorkflow> {
        self.catalog.workflow(namespace, name)
    }

    /// Pools as they stand, by name.
    pub fn pools(&self, namespace: &Name) -> Vec<PoolState> {
        self.permits.pools(namespace, self.clock.now())
    }

    /// Gives more to a budget until its next reset; how the pool stands then. None: there is no such budget.
    pub fn add_to_budget(
        &self,
        namespace: &Name,
        pool: &str,
        key: Option<&str>,
        run: Option<RunId>,
        more: Amount,
    ) -> Option<PoolState> {
        let is_it = |state: &PoolState| {
            let of = &state.pool;
            of.name.as_str() == pool && of.run == run && state.budget.is_some()
        };
        let known = self.pools(namespace).into_iter().find(is_it)?;
        let pool = PoolKey { key: key.map(str::to_owned), ..known.pool };
        if !self.dispatcher.add_to_budget(&pool, more) {
            return None;
        }
        self.pools(namespace).into_iter().find(|state| state.pool == pool)
    }

    /// Runs, newest first.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn runs(
        self: &Arc<Self>,
        filter: RunFilter,
        page: PageRequest,
    ) -> Result<Page<RunRecord>, QueryError> {
        self.ask(move |node| {
            let page = node.reader.runs(&filter, &page)?;
            let mut items: Vec<RunRecord> =
                page.items.iter().filter_map(|summary| summary.document.read().ok()).collect();
            items.iter_mut().for_each(|record| node.gates.tell(record));
            Ok(Page { items, next_cursor: page.next_cursor })
        })
        .await
    }

    /// One run.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn run(self: &Arc<Self>, id: RunId) -> Result<Option<RunRecord>, QueryError> {
        self.ask(move |node| {
            let Some(kept) = node.runs.get(id, &node.catalog)? else { return Ok(None) };
            let view = kept.run.view(&|token| node.admissions.of(token));
            let mut record = RunRecord::new(&kept.run, view);
            record.input = node.shown(record.input);
            record.output = record.output.map(|output| node.shown(output));
            node.gates.tell(&mut record);
            Ok(Some(record))
        })
        .await
    }

    /// Steps of a run, in the order of the file, from a place on.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn steps(
        self: &Arc<Self>,
        id: RunId,
        skip: usize,
        limit: usize,
    ) -> Result<Option<StepsPage>, QueryError> {
        self.of_run(id, move |node, kept| {
            let mut steps = kept.run.steps(skip, limit + 1, &|token| node.admissions.of(token));
            let next = (steps.len() > limit).then_some(skip + limit);
            steps.truncate(limit);
            StepsPage { steps: steps.into_iter().map(|step| node.shown_step(step)).collect(), next }
        })
        .await
    }

    /// One step of a run.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn step(self: &Arc<Self>, id: RunId, key: String) -> Result<Option<StepView>, QueryError> {
        let found = self.of_run(id, move |node, kept| {
            kept.run.step(&key, &|token| node.admissions.of(token)).map(|step| node.shown_step(step))
        });
        Ok(found.await?.flatten())
    }

    /// Entries of a run's history, from a place on, with their numbers.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn history(
        self: &Arc<Self>,
        id: RunId,
        skip: usize,
        limit: usize,
    ) -> Result<Option<Vec<(usize, HistoryEntry)>>, QueryError> {
        self.ask(move |node| {
            let Some(kept) = node.runs.get(id, &node.catalog)? else { return Ok(None) };
            let records = node.runs.records(id, 0)?;
            let entries = records.iter().flat_map(|record| kept.run.history_of(record));
            Ok(Some(entries.enumerate().skip(skip).take(limit).collect()))
        })
        .await
    }

    /// Lines of a run's log, after a number.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn run_logs(
        self: &Arc<Self>,
        filter: LogFilter,
        after: u64,
        limit: usize,
    ) -> Result<LogPage, QueryError> {
        self.ask(move |node| Ok(node.log_reader.lines(&filter, after, limit)?)).await
    }

    /// Revisions of a workflow, newest first.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn workflow_revisions(
        self: &Arc<Self>,
        namespace: Name,
        name: Name,
        page: PageRequest,
    ) -> Result<Page<WorkflowRevision>, QueryError> {
        self.ask(move |node| Ok(node.reader.workflow_revisions(namespace.as_str(), name.as_str(), &page)?))
            .await
    }

    /// A revision of a workflow; runs keep theirs.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn workflow_at(
        self: &Arc<Self>,
        namespace: Name,
        name: Name,
        number: u64,
    ) -> Result<Option<Arc<consort_spec::definition::Workflow>>, QueryError> {
        self.ask(move |node| Ok(node.catalog.workflow_revision(&namespace, &name, number)?)).await
    }

    /// Revisions of a service, newest first.
    ///
    /// # Errors
    /// When the store refuses.
    pub async fn service_revisions(
        self: &Arc<Self>,
        namespace: Name,
        name: Name,
        page: PageRequest,
    ) -> Result<Page<ServiceRevision>, QueryError> {
        self.ask(move |node| Ok(node.reader.service_revisions(namespace.as_str(), name.as_str(), &page)?))
            .await
    }

    /// How the services of a namespace stand, by name.
    pub fn services(&self, namespace: &str) -> Vec<ServiceView> {
        let views = self.views.read().unwrap_or_else(PoisonError::into_inner);
        views.values().filter(|view| view.key.namespace.as_str() == namespace).cloned().collect()
    }

    fn shown_step(&self, mut step: StepView) -> StepView {
        step.input = step.input.map(|input| self.shown(input));
        step.output = step.output.map(|output| self.shown(output));
        step
    }

    /// A run, whole, as it is committed now.
    pub(crate) async fn kept(self: &Arc<Self>, id: RunId) -> Result<Option<Arc<Kept>>, QueryError> {
        self.ask(move |node| Ok(node.runs.get(id, &node.catalog)?)).await
    }

    async fn of_run<T: Send + 'static>(
        self: &Arc<Self>,
        id: RunId,
        look: impl FnOnce(&Self, &Kept) -> T + Send + 'static,
    ) -> Result<Option<T>, QueryError> {
        self.ask(move |node| Ok(node.runs.get(id, &node.catalog)?.map(|kept| look(node, &kept)))).await
    }

    /// Reads the store where blocking is allowed.
    pub(crate) async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        question: impl FnOnce(&Self) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, QueryError> {
        let node = self.clone();
        tokio::task::spawn_blocking(move || question(&node)).await.map_err(|_| QueryError::Ending)?
    }
}
