//! Answers, straight from the tables.

use super::{Handle, table::Table};
use crate::{
    BudgetState, CachedResult, Error, EventFilter, EventOrder, HISTORY_PAGE_BYTES_MAX, HistoryPage,
    HistoryRow, KeyedRun, NoticeKind, NoticeOfRun, NoticePlace, OpenRun, Page, PageRequest, Project, Reader,
    RunCount, RunFilter, RunPager, RunSummary, Service, ServiceRevision, StoredEvent, WorkflowRevision,
};
use consort_types::{Digest, EventKey, Json, Name, NameKind, RunId, RunState, Timestamp};
use std::collections::BTreeMap;

/// A text as the name in a key. A text that is no name is in no table.
fn name(text: &str) -> Option<Name> {
    Name::new(text, NameKind::Kebab).ok()
}

fn names(namespace: &str, of: &str) -> Option<(Name, Name)> {
    Some((name(namespace)?, name(of)?))
}

impl Reader for Handle {
    fn cached(&self, namespace: &str, key: Digest, revision: u64) -> Result<Option<CachedResult>, Error> {
        let Some(namespace) = name(namespace) else { return Ok(None) };
        Ok(self.shared.read().results.get(&(namespace, key, revision)).cloned())
    }

    fn is_cached(&self, namespace: &str, key: Digest) -> Result<bool, Error> {
        let Some(namespace) = name(namespace) else { return Ok(false) };
        let of = (namespace.clone(), key, 0)..=(namespace, key, u64::MAX);
        Ok(self.shared.read().results.range(of).next().is_some())
    }

    fn open_runs(&self) -> Result<Vec<OpenRun>, Error> {
        let tables = self.shared.read();
        let open = tables.runs.values().filter(|run| run.closed_at.is_none());
        Ok(open.map(|run| run.start.clone()).collect())
    }

    fn budgets(&self) -> Result<Vec<BudgetState>, Error> {
        Ok(self.shared.read().budgets.values().cloned().collect())
    }

    fn history(&self, run: RunId, from_seq: u64, limit: usize) -> Result<HistoryPage, Error> {
        let tables = self.shared.read();
        let mut page = HistoryPage::default();
        let mut bytes = 0;
        for ((_, seq), entries) in tables.history.range((run, from_seq)..=(run, u64::MAX)) {
            let too_large = bytes + entries.len() > HISTORY_PAGE_BYTES_MAX && !page.rows.is_empty();
            if page.rows.len() >= limit.max(1) || too_large {
                page.next_seq = Some(*seq);
                break;
            }
            bytes += entries.len();
            page.rows.push(HistoryRow { seq: *seq, entries: entries.clone() });
        }
        Ok(page)
    }

    fn run_by_key(&self, namespace: &str, workflow: &str, key: &str) -> Result<Option<KeyedRun>, Error> {
        let tables = self.shared.read();
        let Some((namespace, workflow)) = names(namespace, workflow) else { return Ok(None) };
        let run = tables.keys.get(&(namespace, workflow, key.to_owned()));
        let indexed = run.and_then(|run| tables.runs.get(run));
        Ok(indexed.map(|known| KeyedRun { run: known.start.run, input_digest: known.start.input_digest }))
    }

    fn closed_before(&self, before: Timestamp, limit: usize) -> Result<Vec<RunId>, Error> {
        let tables = self.shared.read();
        let closed = tables.runs.values().filter_map(|run| Some((run.closed_at?, run.start.run)));
        let mut due: Vec<_> = closed.filter(|(at, _)| *at < before).collect();
        due.sort_unstable();
        Ok(due.into_iter().take(limit).map(|(_, run)| run).collect())
    }

    fn run(&self, run: RunId) -> Result<Option<RunSummary>, Error> {
        let tables = self.shared.read();
        Ok(tables.created.get(&run).and_then(|at| tables.summaries.get(&(*at, run))).cloned())
    }

    fn runs(&self, filter: &RunFilter, page: &PageRequest) -> Result<Page<RunSummary>, Error> {
        let place: Option<(Timestamp, RunId)> = page.place()?;
        let tables = self.shared.read();
        let mut pager = RunPager::new(page.limit());
        let after = tables.summaries.iter().rev().filter(|(key, _)| place.is_none_or(|place| **key < place));
        // Other namespaces and times are passed for nothing: any store has them in another part of its index.
        let in_reach = |run: &RunSummary| {
            run.namespace == filter.namespace
                && filter.until.is_none_or(|until| run.created_at < until)
                && filter.since.is_none_or(|since| run.created_at >= since)
        };
        for (_, run) in after.filter(|(_, run)| in_reach(run)) {
            if pager.is_full() {
                return Ok(pager.page());
            }
            if filter.matches(run) {
                pager.take(run.clone());
            } else {
                pager.pass(run.created_at, run.run);
            }
        }
        Ok(pager.last_page())
    }

    fn notices(
        &self,
        namespace: &str,
        kind: NoticeKind,
        page: &PageRequest,
    ) -> Result<Page<NoticeOfRun>, Error> {
        let place: Option<NoticePlace> = page.place()?;
        let tables = self.shared.read();
        let of_kind =
            tables.notices.iter().filter(|((_, of, _), (name, _))| *of == kind && name.as_str() == namespace);
        let found = of_kind.map(|((run, ..), (_, notice))| NoticeOfRun { run: *run, notice: notice.clone() });
        let mut found: Vec<_> =
            found.filter(|found| place.as_ref().is_none_or(|place| found.place() > *place)).collect();
        found.sort_by_key(NoticeOfRun::place);
        Ok(Page::cut(found, page.limit(), NoticeOfRun::place))
    }

    fn run_counts(&self, namespace: &str) -> Result<Vec<RunCount>, Error> {
        let tables = self.shared.read();
        let mut counts: BTreeMap<(Name, RunState), u64> = BTreeMap::new();
        for run in tables.summaries.values().filter(|run| run.namespace.as_str() == namespace) {
            *counts.entry((run.workflow.clone(), run.state)).or_default() += 1;
        }
        let counts = counts.into_iter();
        Ok(counts.map(|((workflow, state), runs)| RunCount { workflow, state, runs }).collect())
    }

    fn last_output(
        &self,
        namespace: &str,
        workflow: &str,
        limit_key: Option<&str>,
    ) -> Result<Option<Json>, Error> {
        let tables = self.shared.read();
        let Some((namespace, workflow)) = names(namespace, workflow) else { return Ok(None) };
        Ok(tables.last_outputs.get(&(namespace, workflow, limit_key.map(str::to_owned))).cloned())
    }

    fn event(&self, key: EventKey) -> Result<Option<StoredEvent>, Error> {
        Ok(self.find_event(key))
    }

    fn events(
        &self,
        filter: &EventFilter,
        order: EventOrder,
        page: &PageRequest,
    ) -> Result<Page<StoredEvent>, Error> {
        self.page_of_events(filter, order, page)
    }

    fn newest_event(&self) -> Result<u64, Error> {
        Ok(self.newest_event())
    }

    fn namespaces(&self) -> Result<Vec<Name>, Error> {
        let mut names: Vec<_> = self.shared.read().projects.keys().map(|(name, _)| name.clone()).collect();
        names.dedup();
        Ok(names)
    }

    fn project(&self, namespace: &str) -> Result<Option<Project>, Error> {
        let tables = self.shared.read();
        let Some(namespace) = name(namespace) else { return Ok(None) };
        let newest = tables.projects.range((namespace.clone(), 0)..=(namespace, u64::MAX)).next_back();
        Ok(newest.map(|(_, project)| project.clone()))
    }

    fn project_at(&self, namespace: &str, sequence: u64) -> Result<Option<Project>, Error> {
        let tables = self.shared.read();
        Ok(name(namespace).and_then(|namespace| tables.projects.get(&(namespace, sequence))).cloned())
    }

    fn workflows(&self, namespace: &str, page: &PageRequest) -> Result<Page<WorkflowRevision>, Error> {
        let tables = self.shared.read();
        let current = |(namespace, name): &(Name, Name), number: &u64| {
            tables.workflow_revisions[&(namespace.clone(), name.clone(), *number)].clone()
        };
        page_by_name(&tables.workflows, namespace, page, current, |workflow| workflow.name.clone())
    }

    fn workflow(&self, namespace: &str, name: &str) -> Result<Option<WorkflowRevision>, Error> {
        let number = names(namespace, name).and_then(|key| self.shared.read().workflows.get(&key).copied());
        number.map_or(Ok(None), |number| self.workflow_revision(namespace, name, number))
    }

    fn workflow_revision(
        &self,
        namespace: &str,
        name: &str,
        number: u64,
    ) -> Result<Option<WorkflowRevision>, Error> {
        let tables = self.shared.read();
        let Some((namespace, name)) = names(namespace, name) else { return Ok(None) };
        Ok(tables.workflow_revisions.get(&(namespace, name, number)).cloned())
    }

    fn workflow_revisions(
        &self,
        namespace: &str,
        name: &str,
        page: &PageRequest,
    ) -> Result<Page<WorkflowRevision>, Error> {
        newest_first(&self.shared.read().workflow_revisions, namespace, name, page)
    }

    fn services(&self, namespace: &str, page: &PageRequest) -> Result<Page<Service>, Error> {
        let tables = self.shared.read();
        let item = |_: &(Name, Name), service: &Service| service.clone();
        page_by_name(&tables.services, namespace, page, item, |service| service.name.clone())
    }

    fn service(&self, namespace: &str, name: &str) -> Result<Option<Service>, Error> {
        Ok(names(namespace, name).and_then(|key| self.shared.read().services.get(&key).cloned()))
    }

    fn service_revision(
        &self,
        namespace: &str,
        name: &str,
        number: u64,
    ) -> Result<Option<ServiceRevision>, Error> {
        let tables = self.shared.read();
        let Some((namespace, name)) = names(namespace, name) else { return Ok(None) };
        Ok(tables.service_revisions.get(&(namespace, name, number)).cloned())
    }

    fn service_revisions(
        &self,
        namespace: &str,
        name: &str,
        page: &PageRequest,
    ) -> Result<Page<ServiceRevision>, Error> {
        newest_first(&self.shared.read().service_revisions, namespace, name, page)
    }
}

fn page_by_name<V, T>(
    table: &Table<(Name, Name), V>,
    namespace: &str,
    page: &PageRequest,
    item: impl Fn(&(Name, Name), &V) -> T,
    place: impl Fn(&T) -> Name,
) -> Result<Page<T>, Error> {
    let after: Option<Name> = page.place()?;
    let listed = table.iter().filter(|((of, name), _)| {
        of.as_str() == namespace && after.as_ref().is_none_or(|after| name > after)
    });
    let items = listed.take(page.limit() + 1).map(|(key, value)| item(key, value)).collect();
    Ok(Page::cut(items, page.limit(), place))
}

fn newest_first<V: Clone>(
    table: &Table<(Name, Name, u64), V>,
    namespace: &str,
    of: &str,
    page: &PageRequest,
) -> Result<Page<V>, Error> {
    let before: u64 = page.place()?.unwrap_or(u64::MAX);
    let Some((namespace, of)) = names(namespace, of) else { return Ok(Page::default()) };
    let range = (namespace.clone(), of.clone(), 0)..(namespace, of, before);
    let rows = table.range(range).rev().take(page.limit() + 1);
    let items: Vec<_> = rows.map(|((_, _, number), row)| (*number, row.clone())).collect();
    let Page { items, next_cursor } = Page::cut(items, page.limit(), |(number, _)| *number);
    Ok(Page { items: items.into_iter().map(|(_, row)| row).collect(), next_cursor })
}
