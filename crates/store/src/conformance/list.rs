//! Lists of runs.

use super::{Harness, at, commit, lending, name, opened, refused, run, summarize, summary};
use crate::{
    Error, PAGE_BYTES_MAX, PageRequest, RunCount, RunFilter, RunSummary, Store, SummaryError, Waiting, Write,
};
use consort_types::{Json, RunId, RunState, UndoState, WaitKind};

fn ids(runs: &[RunSummary]) -> Vec<RunId> {
    runs.iter().map(|summary| summary.run).collect()
}

fn listed(store: &Store, filter: &RunFilter) -> Vec<RunId> {
    let page = store.reader.runs(filter, &PageRequest::first(500)).unwrap();
    assert_eq!(page.next_cursor, None);
    ids(&page.items)
}

fn runs(numbers: &[u64]) -> Vec<RunId> {
    numbers.iter().copied().map(run).collect()
}

fn with(number: u64, change: impl FnOnce(&mut RunSummary)) -> Write {
    let mut run = summary(number);
    change(&mut run);
    summarize(run)
}

#[allow(missing_docs)]
pub fn runs_are_listed_newest_first(harness: &impl Harness) {
    let mut store = opened(harness);
    // The id does not decide, the time does.
    let late = with(1, |run| run.created_at = at(50));
    commit(&mut store, [summarize(summary(3)), late, summarize(summary(2))]);
    assert_eq!(listed(&store, &lending()), runs(&[1, 3, 2]));
    assert_eq!(listed(&store, &RunFilter::all(name("other"))), []);
}

#[allow(missing_docs)]
pub fn a_summary_replaces_the_one_before(harness: &impl Harness) {
    let mut store = opened(harness);
    let mut run = summary(1);
    run.tags.insert("old".to_owned(), "1".to_owned());
    run.waiting = Some(Waiting { kind: WaitKind::Pool, name: "gpu".to_owned() });
    commit(&mut store, [summarize(run.clone())]);
    assert_eq!(store.reader.run(run.run).unwrap(), Some(run.clone()));
    run.state = RunState::Failed;
    run.finished_at = Some(at(9));
    run.waiting = None;
    run.error = Some(SummaryError { code: "boom".to_owned(), message: "it broke".to_owned() });
    run.undo = UndoState::Complete;
    run.trigger = Some(Json::of(&serde_json::json!({"kind": "api"})));
    run.tags = [("new".to_owned(), String::new())].into();
    run.document = Json::of(&[1, 2]);
    commit(&mut store, [summarize(run.clone())]);
    assert_eq!(store.reader.runs(&lending(), &PageRequest::first(5)).unwrap().items, [run.clone()]);
    for (tag, there) in [("old", 0), ("new", 1)] {
        assert_eq!(listed(&store, &RunFilter { tag: Some(tag.to_owned()), ..lending() }).len(), there);
    }
}

#[allow(missing_docs)]
pub fn a_run_keeps_its_place_in_lists(harness: &impl Harness) {
    let mut store = opened(harness);
    commit(&mut store, [summarize(summary(1))]);
    let moves: [fn(&mut RunSummary); 3] = [
        |run| run.created_at = at(7),
        |run| run.namespace = name("other"),
        |run| run.workflow = name("other"),
    ];
    for change in moves {
        assert!(matches!(refused(&mut store, [with(1, change)]), Error::Conflict { .. }));
    }
    assert_eq!(store.reader.run(run(1)).unwrap(), Some(summary(1)));
}

/// Six runs that differ in all that a filter can ask for.
fn mixed(store: &mut Store) {
    let waiting = |kind, name: &str| Some(Waiting { kind, name: name.to_owned() });
    let tags = |key: &str, value: &str| [(key.to_owned(), value.to_owned())].into();
    let writes = [
        with(1, |run| run.state = RunState::Succeeded),
        with(2, |run| {
            run.state = RunState::Failed;
            run.tags = tags("team", "risk");
            run.search = "The Ledger was 100% DOWN".to_owned();
        }),
        with(3, |run| {
            run.state = RunState::Waiting;
            run.waiting = waiting(WaitKind::Approval, "decision");
            run.tags = tags("team", "sales");
        }),
        with(4, |run| {
            run.workflow = name("report");
            run.state = RunState::Waiting;
            run.waiting = waiting(WaitKind::Pool, "gpu");
        }),
        with(5, |run| {
            run.workflow = name("report");
            run.tags = tags("team=risk", "x");
        }),
        with(6, |run| run.namespace = name("other")),
    ];
    commit(store, writes);
}

#[allow(missing_docs)]
pub fn each_filter_leaves_what_it_names(harness: &impl Harness) {
    let mut store = opened(harness);
    mixed(&mut store);
    let workflow = |name_: &str| RunFilter { workflow: Some(name(name_)), ..lending() };
    let states = |states: &[RunState]| RunFilter { states: states.to_vec(), ..lending() };
    let tag = |tag: &str| RunFilter { tag: Some(tag.to_owned()), ..lending() };
    let text = |text: &str| RunFilter { text: Some(text.to_owned()), ..lending() };
    let waiting = |kind| RunFilter { waiting_on: Some(kind), ..lending() };
    let cases = [
        (lending(), vec![5, 4, 3, 2, 1]),
        (workflow("report"), vec![5, 4]),
        (workflow("unknown"), vec![]),
        (states(&[RunState::Waiting]), vec![4, 3]),
        (states(&[RunState::Failed, RunState::Succeeded, RunState::Running]), vec![5, 2, 1]),
        (RunFilter { states: vec![RunState::Waiting], ..workflow("report") }, vec![4]),
        (RunFilter { states: vec![RunState::Waiting, RunState::Running], ..workflow("report") }, vec![5, 4]),
        (tag("team"), vec![3, 2]),
        (tag("team=risk"), vec![5, 2]),
        (tag("team=risk=x"), vec![5]),
        (tag("team=ris"), vec![]),
        (RunFilter { states: vec![RunState::Failed], ..tag("team") }, vec![2]),
        (RunFilter { since: Some(at(3)), ..lending() }, vec![5, 4, 3]),
        (RunFilter { until: Some(at(3)), ..lending() }, vec![2, 1]),
        (RunFilter { since: Some(at(2)), until: Some(at(4)), ..tag("team") }, vec![3, 2]),
        (waiting(WaitKind::Approval), vec![3]),
        (waiting(WaitKind::Timer), vec![]),
        (RunFilter { workflow: Some(name("loan")), ..waiting(WaitKind::Pool) }, vec![]),
        (RunFilter { tag: Some("team".to_owned()), ..waiting(WaitKind::Approval) }, vec![3]),
        (text("ledger"), vec![2]),
        (text("100% down"), vec![2]),
        (text("100_"), vec![]),
        (RunFilter { workflow: Some(name("report")), ..text("run_") }, vec![5, 4]),
        (RunFilter::all(name("other")), vec![6]),
    ];
    for (filter, expected) in cases {
        assert_eq!(listed(&store, &filter), runs(&expected), "{filter:?}");
    }
}

#[allow(missing_docs)]
pub fn pages_hold_while_runs_are_added(harness: &impl Harness) {
    let mut store = opened(harness);
    commit(&mut store, (1..=10).map(|n| summarize(summary(n))).collect::<Vec<_>>());
    let mut seen = Vec::new();
    let mut cursor = None;
    for round in 0.. {
        let page = store.reader.runs(&lending(), &PageRequest::at(4, cursor)).unwrap();
        seen.extend(ids(&page.items));
        commit(&mut store, [summarize(summary(100 + round)), with(5, |run| run.state = RunState::Failed)]);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, runs(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]));
}

#[allow(missing_docs)]
pub fn pages_of_filtered_runs_leave_none_out(harness: &impl Harness) {
    let mut store = opened(harness);
    let state = |number: u64| RunState::ALL[number as usize % RunState::ALL.len()];
    commit(&mut store, (1..=60).map(|n| with(n, |run| run.state = state(n))).collect::<Vec<_>>());
    let filters = [
        RunFilter { states: vec![state(1), state(2), state(7)], ..lending() },
        RunFilter { text: Some("1".to_owned()), states: vec![state(1)], ..lending() },
    ];
    for filter in filters {
        let whole = listed(&store, &filter);
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = store.reader.runs(&filter, &PageRequest::at(1, cursor)).unwrap();
            seen.extend(ids(&page.items));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert!(whole.len() > 2);
        assert_eq!(seen, whole);
    }
}

#[allow(missing_docs)]
pub fn runs_of_the_same_moment_are_listed_once(harness: &impl Harness) {
    let mut store = opened(harness);
    commit(&mut store, (1..=9).map(|n| with(n, |run| run.created_at = at(0))).collect::<Vec<_>>());
    let first = store.reader.runs(&lending(), &PageRequest::first(5)).unwrap();
    let second = store.reader.runs(&lending(), &PageRequest::at(5, first.next_cursor)).unwrap();
    assert_eq!(ids(&first.items), runs(&[9, 8, 7, 6, 5]));
    assert_eq!(ids(&second.items), runs(&[4, 3, 2, 1]));
    assert_eq!(second.next_cursor, None);
}

#[allow(missing_docs)]
pub fn a_page_of_runs_is_bounded_in_bytes(harness: &impl Harness) {
    let mut store = opened(harness);
    let large = Json::of(&"x".repeat(PAGE_BYTES_MAX / 2));
    commit(&mut store, (1..=3).map(|n| with(n, |run| run.document = large.clone())).collect::<Vec<_>>());
    let page = store.reader.runs(&lending(), &PageRequest::first(500)).unwrap();
    assert_eq!(ids(&page.items), runs(&[3, 2]));
    let rest = store.reader.runs(&lending(), &PageRequest::at(500, page.next_cursor)).unwrap();
    assert_eq!((ids(&rest.items), rest.next_cursor), (runs(&[1]), None));
}

#[allow(missing_docs)]
pub fn a_list_refuses_a_cursor_that_is_not_its_own(harness: &impl Harness) {
    let mut store = opened(harness);
    commit(&mut store, [summarize(summary(1)), summarize(summary(2))]);
    let good = store.reader.runs(&lending(), &PageRequest::first(1)).unwrap().next_cursor.unwrap();
    for bad in ["", "x", "v1", "nloan", &good[1..], &good[..good.len() - 1], &format!("{good}0")] {
        let page = PageRequest::at(1, Some(bad.to_owned()));
        assert!(matches!(store.reader.runs(&lending(), &page), Err(Error::BadCursor)), "{bad:?}");
    }
    let page = PageRequest::at(1, Some(good));
    assert!(matches!(store.reader.workflows("lending", &page), Err(Error::BadCursor)));
    assert!(matches!(store.reader.service_revisions("lending", "parser", &page), Err(Error::BadCursor)));
}

#[allow(missing_docs)]
pub fn runs_are_counted_by_state(harness: &impl Harness) {
    let mut store = opened(harness);
    mixed(&mut store);
    commit(&mut store, [with(3, |run| run.state = RunState::Failed)]);
    let count = |workflow, state, runs| RunCount { workflow: name(workflow), state, runs };
    assert_eq!(
        store.reader.run_counts("lending").unwrap(),
        [
            count("loan", RunState::Succeeded, 1),
            count("loan", RunState::Failed, 2),
            count("report", RunState::Running, 1),
            count("report", RunState::Waiting, 1),
        ]
    );
}
