//! Lists of runs: one index that leads through the newest candidates, and a condition on each of them.
//!
//! Rows are taken one by one until the page is full, so that nothing is sorted and a page costs what it
//! looks at, however many runs there are.

use crate::{
    fault::Fault,
    summary,
    value::{Columns, run_key},
};
use consort_store::{Page, PageRequest, RunFilter, RunPager, RunSummary, wait_word};
use consort_types::{RunId, RunState, Timestamp};
use rusqlite::{Connection, types::Value};

pub(crate) fn page(
    connection: &Connection,
    filter: &RunFilter,
    page: &PageRequest,
) -> Result<Page<RunSummary>, Fault> {
    let query = Query::of(filter, page.place()?);
    let mut select = connection.prepare_cached(&query.sql)?;
    let mut rows = select.query(rusqlite::params_from_iter(&query.values))?;
    let mut pager = RunPager::new(page.limit());
    while let Some(row) = rows.next()? {
        if pager.is_full() {
            return Ok(pager.page());
        }
        if row.plain("matches")? {
            pager.take(summary::read(connection, row)?);
        } else {
            pager.pass(row.time("created_at")?, row.run("run")?);
        }
    }
    Ok(pager.last_page())
}

/// A statement and its values, which are numbered in the order that they are bound.
#[derive(Debug, Default)]
struct Query {
    sql: String,
    values: Vec<Value>,
}

/// The columns of a run. The order asked for is that of the index, so its columns come from what is walked.
const COLUMNS: &str = "s.id, s.namespace, s.workflow, s.revision, s.state, s.started_at, s.finished_at,
    s.waiting_kind, s.waiting_name, s.undo, s.tags, s.triggered_by, s.error_code, s.error_message, s.search";

impl Query {
    fn of(filter: &RunFilter, place: Option<(Timestamp, RunId)>) -> Self {
        let mut query = Self::default();
        let matches = query.matches(filter);
        let reach = query.reach(filter, place);
        let walks = query.walks(filter).into_iter();
        let parts = walks.map(|walk| {
            format!("SELECT w.created_at, w.run, {COLUMNS}, ({matches}) AS matches FROM {walk} AND {reach}")
        });
        // Several parts are merged, not sorted: each comes out of its index in the order asked for.
        let parts = parts.collect::<Vec<_>>().join(" UNION ALL ");
        query.sql = format!("{parts} ORDER BY 1 DESC, 2 DESC");
        query
    }

    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    /// What only looking at a run can tell.
    fn matches(&mut self, filter: &RunFilter) -> String {
        let mut conditions = vec!["1".to_owned()];
        if let Some(workflow) = &filter.workflow {
            conditions.push(format!("s.workflow = {}", self.bind(workflow.to_string())));
        }
        if !filter.states.is_empty() {
            let states: Vec<_> = filter.states.iter().map(|state| self.state(*state)).collect();
            conditions.push(format!("s.state IN ({})", states.join(", ")));
        }
        if let Some(tag) = &filter.tag {
            conditions.push(format!(
                "EXISTS (SELECT 1 FROM summary_tags x WHERE x.namespace = s.namespace AND x.tag = {}
                 AND x.created_at = s.created_at AND x.run = s.run)",
                self.bind(tag.clone())
            ));
        }
        if let Some(text) = &filter.text {
            let text = self.bind(text.to_ascii_lowercase());
            conditions.push(format!("instr(lower(s.search), {text})"));
        }
        conditions.join(" AND ")
    }

    /// The part of an index that is walked: after the cursor and within the times.
    fn reach(&mut self, filter: &RunFilter, place: Option<(Timestamp, RunId)>) -> String {
        let mut conditions = vec!["1".to_owned()];
        if let Some((at, run)) = place {
            let (at, run) = (self.bind(at.as_millis()), self.bind(run_key(run).to_vec()));
            conditions.push(format!("(w.created_at, w.run) < ({at}, {run})"));
        }
        if let Some(since) = filter.since {
            conditions.push(format!("w.created_at >= {}", self.bind(since.as_millis())));
        }
        if let Some(until) = filter.until {
            conditions.push(format!("w.created_at < {}", self.bind(until.as_millis())));
        }
        conditions.join(" AND ")
    }

    /// Walks through the index that leaves the fewest candidates: one, or one for each state. `w` is what is
    /// walked, `s` the run.
    fn walks(&mut self, filter: &RunFilter) -> Vec<String> {
        let namespace = self.bind(filter.namespace.to_string());
        let mut condition = format!("w.namespace = {namespace}");
        if let Some(kind) = filter.waiting_on {
            let kind = self.bind(wait_word(kind).to_owned());
            return vec![walk("by_waiting", &format!("{condition} AND w.waiting_kind = {kind}"))];
        }
        if let Some(tag) = &filter.tag {
            let tag = self.bind(tag.clone());
            let from = "summary_tags w CROSS JOIN summaries s ON s.run = w.run";
            return vec![format!("{from} WHERE {condition} AND w.tag = {tag}")];
        }
        if let Some(workflow) = &filter.workflow {
            condition += &format!(" AND w.workflow = {}", self.bind(workflow.to_string()));
        }
        let index = match (&filter.workflow, filter.states.is_empty()) {
            (None, true) => return vec![walk("all", &condition)],
            (Some(_), true) => return vec![walk("by_workflow", &condition)],
            (None, false) => "by_state",
            (Some(_), false) => "by_workflow_and_state",
        };
        // Each state once: a state named twice would list its runs twice.
        let states = RunState::ALL.iter().filter(|state| filter.states.contains(state));
        states
            .map(|state| walk(index, &format!("{condition} AND w.state = {}", self.state(*state))))
            .collect()
    }

    fn state(&mut self, state: RunState) -> String {
        self.bind(state.as_str().to_owned())
    }
}

/// A walk through an index of `summaries`.
fn walk(index: &str, condition: &str) -> String {
    let from = "summaries w INDEXED BY summaries_";
    format!("{from}{index} CROSS JOIN summaries s ON s.id = w.id WHERE {condition}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{STORE_MIGRATIONS, file::DatabaseFile};
    use consort_types::{Name, NameKind, WaitKind};

    /// A list that sorts reads all its candidates first, and takes seconds where there are a million.
    #[test]
    fn no_list_sorts() {
        let folder = tempfile::tempdir().unwrap();
        let file = DatabaseFile::prepare(folder.path().join("consort.db"), STORE_MIGRATIONS).unwrap();
        let connection = file.reader().unwrap();
        let name = |text| Name::new(text, NameKind::Kebab).unwrap();
        let all = RunFilter::all(name("lending"));
        let place = (Timestamp::from_millis(7), "run_00000000000000000000000000000001".parse().unwrap());
        let filters = [
            all.clone(),
            RunFilter { workflow: Some(name("loan")), ..all.clone() },
            RunFilter { states: RunState::ALL.to_vec(), ..all.clone() },
            RunFilter { states: RunState::ALL.to_vec(), workflow: Some(name("loan")), ..all.clone() },
            RunFilter { tag: Some("a".to_owned()), since: Some(place.0), ..all.clone() },
            RunFilter { waiting_on: Some(WaitKind::Pool), until: Some(place.0), ..all.clone() },
            RunFilter { text: Some("a".to_owned()), ..all },
        ];
        for filter in filters {
            let query = Query::of(&filter, Some(place));
            let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", query.sql)).unwrap();
            let rows = explain.query(rusqlite::params_from_iter(&query.values)).unwrap();
            let plan = crate::value::collect(rows, |row| row.plain::<String>("detail")).unwrap();
            let plan = plan.join("\n");
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN "), "{filter:?}\n{plan}");
        }
    }
}
