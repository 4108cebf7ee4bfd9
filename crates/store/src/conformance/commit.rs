//! Commits, histories and the index of runs.

use super::{
    Harness, append, at, commit, keyed, lending, name, opened, refused, run, start, summarize, summary,
};
use crate::{Error, HISTORY_PAGE_BYTES_MAX, OpenRun, PageRequest, Project, Store, Write};
use consort_types::RunId;
use std::collections::BTreeMap;

fn rows(store: &Store, number: u64) -> Vec<(u64, Vec<u8>)> {
    let page = store.reader.history(run(number), 0, 500).unwrap();
    assert_eq!(page.next_seq, None);
    page.rows.into_iter().map(|row| (row.seq, row.entries.to_vec())).collect()
}

fn open_runs(store: &Store) -> Vec<RunId> {
    store.reader.open_runs().unwrap().into_iter().map(|open| open.run).collect()
}

#[allow(missing_docs)]
pub fn what_is_committed_is_seen(harness: &impl Harness) {
    let mut store = opened(harness);
    commit(&mut store, [Write::OpenRun(keyed(1, "k")), append(1, 1, b"a"), append(1, 4, b"b")]);
    assert_eq!(store.reader.open_runs().unwrap(), [keyed(1, "k")]);
    assert_eq!(rows(&store, 1), [(1, b"a".to_vec()), (4, b"b".to_vec())]);
    assert_eq!(rows(&store, 2), []);
    commit(&mut store, []);
}

#[allow(missing_docs)]
pub fn a_refused_batch_leaves_nothing(harness: &impl Harness) {
    let mut store = opened(harness);
    let closed = Write::CloseRun { run: run(1), at: at(9) };
    commit(&mut store, [Write::OpenRun(start(1)), append(1, 1, b"first")]);
    let project = Project {
        namespace: name("lending"),
        sequence: 1,
        files: Vec::new(),
        sources: BTreeMap::new(),
        applied_at: at(1),
    };
    let error = refused(
        &mut store,
        [
            Write::OpenRun(keyed(2, "k")),
            append(2, 1, b"x"),
            summarize(summary(2)),
            Write::PutProject(Box::new(project)),
            closed.clone(),
            append(1, 1, b"second"),
        ],
    );
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
    assert_eq!(open_runs(&store), [run(1)]);
    assert_eq!(rows(&store, 1), [(1, b"first".to_vec())]);
    assert_eq!(rows(&store, 2), []);
    assert_eq!(store.reader.run_by_key("lending", "loan", "k").unwrap(), None);
    assert_eq!(store.reader.run(run(2)).unwrap(), None);
    assert_eq!(store.reader.run_counts("lending").unwrap(), []);
    assert_eq!(store.reader.namespaces().unwrap(), []);
    commit(&mut store, [Write::OpenRun(keyed(2, "k")), append(2, 1, b"x"), closed]);
    assert_eq!(open_runs(&store), [run(2)]);
}

#[allow(missing_docs)]
pub fn a_row_of_history_is_written_once(harness: &impl Harness) {
    let mut store = opened(harness);
    let twice = refused(&mut store, [append(1, 7, b"a"), append(1, 7, b"a")]);
    assert!(matches!(&twice, Error::Conflict { what } if what.contains(&run(1).to_string())), "{twice}");
    assert_eq!(rows(&store, 1), []);
    commit(&mut store, [append(1, 7, b"a"), append(2, 7, b"other run")]);
    assert!(matches!(refused(&mut store, [append(1, 7, b"b")]), Error::Conflict { .. }));
    assert_eq!(rows(&store, 1), [(7, b"a".to_vec())]);
    commit(&mut store, [Write::OpenRun(start(1))]);
    assert!(matches!(refused(&mut store, [Write::OpenRun(start(1))]), Error::Conflict { .. }));
}

#[allow(missing_docs)]
pub fn a_key_starts_one_run(harness: &impl Harness) {
    let mut store = opened(harness);
    commit(&mut store, [Write::OpenRun(keyed(1, "k"))]);
    for batch in [vec![Write::OpenRun(keyed(2, "k"))], vec![append(3, 1, b""), Write::OpenRun(keyed(3, "k"))]]
    {
        let error = refused(&mut store, batch);
        assert!(matches!(error, Error::KeyTaken { run: owner } if owner == run(1)), "{error}");
    }
    let within = refused(&mut store, [Write::OpenRun(keyed(4, "new")), Write::OpenRun(keyed(5, "new"))]);
    assert!(matches!(within, Error::KeyTaken { run: owner } if owner == run(4)), "{within}");
    commit(&mut store, [Write::CloseRun { run: run(1), at: at(2) }]);
    assert!(matches!(refused(&mut store, [Write::OpenRun(keyed(2, "k"))]), Error::KeyTaken { .. }));
    let found = store.reader.run_by_key("lending", "loan", "k").unwrap().unwrap();
    assert_eq!((found.run, found.input_digest), (run(1), start(1).input_digest));
}

#[allow(missing_docs)]
pub fn the_same_key_is_free_for_another_workflow(harness: &impl Harness) {
    let mut store = opened(harness);
    let elsewhere = OpenRun { namespace: name("other"), ..keyed(2, "k") };
    let other = OpenRun { workflow: name("other"), ..keyed(3, "k") };
    commit(&mut store, [keyed(1, "k"), elsewhere, other].map(Write::OpenRun));
    for (namespace, workflow, number) in
        [("lending", "loan", 1), ("other", "loan", 2), ("lending", "other", 3)]
    {
        let found = store.reader.run_by_key(namespace, workflow, "k").unwrap().unwrap();
        assert_eq!(found.run, run(number));
    }
    for (namespace, workflow, key) in
        [("lending", "loan", "K"), ("x", "loan", "k"), ("no name!", "loan", "k")]
    {
        assert_eq!(store.reader.run_by_key(namespace, workflow, key).unwrap(), None);
    }
}

#[allow(missing_docs)]
pub fn open_runs_are_those_not_closed(harness: &impl Harness) {
    let mut store = opened(harness);
    commit(&mut store, (1..=4).map(|n| Write::OpenRun(start(n))).collect::<Vec<_>>());
    let close = |number| Write::CloseRun { run: run(number), at: at(9) };
    commit(&mut store, [close(2), close(4), close(77)]);
    commit(&mut store, [close(2)]);
    assert_eq!(open_runs(&store), [run(1), run(3)]);
}

#[allow(missing_docs)]
pub fn a_closed_run_can_go_on(harness: &impl Harness) {
    let mut store = opened(harness);
    commit(&mut store, [Write::OpenRun(keyed(1, "k")), Write::CloseRun { run: run(1), at: at(2) }]);
    commit(
        &mut store,
        [Write::ReopenRun { run: run(1) }, Write::ReopenRun { run: run(9) }, append(1, 1, b"")],
    );
    assert_eq!(store.reader.open_runs().unwrap(), [keyed(1, "k")]);
    assert_eq!(store.reader.closed_before(at(100), 9).unwrap(), []);
}

#[allow(missing_docs)]
pub fn a_deleted_run_is_forgotten(harness: &impl Harness) {
    let mut store = opened(harness);
    let mut tagged = summary(1);
    tagged.tags.insert("team".to_owned(), "risk".to_owned());
    commit(
        &mut store,
        [Write::OpenRun(keyed(1, "k")), append(1, 1, b"a"), append(1, 2, b"b"), append(2, 1, b"c")],
    );
    commit(&mut store, [summarize(tagged), Write::CloseRun { run: run(1), at: at(2) }]);
    commit(&mut store, [Write::DeleteRun { run: run(1) }, Write::DeleteRun { run: run(99) }]);
    assert_eq!(rows(&store, 1), []);
    assert_eq!(rows(&store, 2).len(), 1);
    assert_eq!(store.reader.run(run(1)).unwrap(), None);
    assert_eq!(store.reader.run_counts("lending").unwrap(), []);
    assert_eq!(store.reader.runs(&lending(), &PageRequest::first(9)).unwrap().items, []);
    let mut by_tag = lending();
    by_tag.tag = Some("team".to_owned());
    assert_eq!(store.reader.runs(&by_tag, &PageRequest::first(9)).unwrap().items, []);
    assert_eq!(store.reader.closed_before(at(100), 9).unwrap(), []);
    commit(&mut store, [Write::OpenRun(keyed(3, "k"))]);
}

#[allow(missing_docs)]
pub fn an_open_run_is_not_deleted(harness: &impl Harness) {
    let mut store = opened(harness);
    commit(&mut store, [Write::OpenRun(start(1)), append(1, 1, b"a")]);
    assert!(matches!(refused(&mut store, [Write::DeleteRun { run: run(1) }]), Error::Conflict { .. }));
    assert_eq!(rows(&store, 1).len(), 1);
}

#[allow(missing_docs)]
pub fn closed_runs_are_found_by_age(harness: &impl Harness) {
    let mut store = opened(harness);
    for (number, closed_at) in [(1, 30), (2, 10), (3, 20), (4, 40)] {
        commit(
            &mut store,
            [Write::OpenRun(start(number)), Write::CloseRun { run: run(number), at: at(closed_at) }],
        );
    }
    commit(&mut store, [Write::OpenRun(start(5))]);
    assert_eq!(store.reader.closed_before(at(40), 9).unwrap(), [run(2), run(3), run(1)]);
    assert_eq!(store.reader.closed_before(at(40), 1).unwrap(), [run(2)]);
}

#[allow(missing_docs)]
pub fn history_comes_in_pages(harness: &impl Harness) {
    let mut store = opened(harness);
    commit(&mut store, (1..=7).map(|seq| append(1, seq * 10, b"x")).collect::<Vec<_>>());
    let mut from = 0;
    let mut pages = Vec::new();
    loop {
        let page = store.reader.history(run(1), from, 3).unwrap();
        pages.push(page.rows.iter().map(|row| row.seq).collect::<Vec<_>>());
        let Some(next) = page.next_seq else { break };
        commit(&mut store, [append(2, next, b"of another run")]);
        from = next;
    }
    assert_eq!(pages, [vec![10, 20, 30], vec![40, 50, 60], vec![70]]);
    assert_eq!(store.reader.history(run(1), 45, 1).unwrap().rows[0].seq, 50);
    assert_eq!(store.reader.history(run(1), 71, 9).unwrap().rows, []);
}

#[allow(missing_docs)]
pub fn a_page_of_history_is_bounded_in_bytes(harness: &impl Harness) {
    let mut store = opened(harness);
    let half = vec![7; HISTORY_PAGE_BYTES_MAX / 2];
    commit(&mut store, [append(1, 1, &half), append(1, 2, &half), append(1, 3, b"x"), append(1, 4, b"y")]);
    let first = store.reader.history(run(1), 0, 500).unwrap();
    assert_eq!((first.rows.len(), first.next_seq), (2, Some(3)));
    let large = vec![7; HISTORY_PAGE_BYTES_MAX + 1];
    commit(&mut store, [append(2, 1, &large), append(2, 2, b"x")]);
    let alone = store.reader.history(run(2), 0, 500).unwrap();
    assert_eq!((alone.rows.len(), alone.rows[0].entries.len(), alone.next_seq), (1, large.len(), Some(2)));
}

#[allow(missing_docs)]
pub fn values_may_be_large(harness: &impl Harness) {
    let mut store = opened(harness);
    let entries: Vec<u8> = (0..1_u32 << 20).map(|byte| (byte % 251) as u8).collect();
    let mut large = summary(1);
    large.document = consort_types::Json::of(&"ä".repeat(1 << 19));
    commit(&mut store, [append(1, 1, &entries), append(1, 2, b""), summarize(large.clone())]);
    assert_eq!(rows(&store, 1), [(1, entries), (2, Vec::new())]);
    assert_eq!(store.reader.run(run(1)).unwrap(), Some(large));
}

#[allow(missing_docs)]
pub fn a_store_keeps_what_it_had(harness: &impl Harness) {
    let mut store = opened(harness);
    commit(&mut store, [Write::OpenRun(keyed(1, "k")), append(1, 1, b"a"), summarize(summary(1))]);
    refused(&mut store, [append(2, 1, b"never committed"), append(1, 1, b"a")]);
    drop(store);
    let mut store = opened(harness);
    assert_eq!(store.reader.open_runs().unwrap(), [keyed(1, "k")]);
    assert_eq!(rows(&store, 1), [(1, b"a".to_vec())]);
    assert_eq!(rows(&store, 2), []);
    assert_eq!(store.reader.run(run(1)).unwrap(), Some(summary(1)));
    assert!(matches!(refused(&mut store, [Write::OpenRun(keyed(2, "k"))]), Error::KeyTaken { .. }));
    assert!(matches!(refused(&mut store, [append(1, 1, b"b")]), Error::Conflict { .. }));
    commit(&mut store, [append(1, 2, b"b")]);
}

#[allow(missing_docs)]
pub fn a_store_has_one_server(harness: &impl Harness) {
    let store = opened(harness);
    match harness.open().err().expect("the second opening is refused") {
        Error::Locked { pid, .. } => assert_eq!(pid, Some(std::process::id())),
        other => panic!("{other}"),
    }
    let Store { writer, reader, log_writer, log_reader } = store;
    drop((writer, reader, log_reader));
    assert!(matches!(harness.open().err(), Some(Error::Locked { .. })), "one handle still lives");
    drop(log_writer);
    opened(harness);
}

#[allow(missing_docs)]
pub fn an_empty_store_answers(harness: &impl Harness) {
    let store = opened(harness);
    let page = PageRequest::first(10);
    assert_eq!(open_runs(&store), []);
    assert_eq!(store.reader.runs(&lending(), &page).unwrap().items, []);
    assert_eq!(store.reader.run(run(1)).unwrap(), None);
    assert_eq!(store.reader.namespaces().unwrap(), []);
    assert_eq!(store.reader.project("lending").unwrap(), None);
    assert_eq!(store.reader.workflows("no name!", &page).unwrap().items, []);
    assert_eq!(store.reader.workflow("lending", "loan").unwrap(), None);
    assert_eq!(store.reader.workflow_revisions("lending", "loan", &page).unwrap().items, []);
    assert_eq!(store.reader.services("lending", &page).unwrap().items, []);
    assert_eq!(store.reader.service("lending", "parser").unwrap(), None);
    assert_eq!(store.reader.service_revision("lending", "parser", u64::MAX).unwrap(), None);
    assert_eq!(store.reader.service_revisions("lending", "parser", &page).unwrap().items, []);
}
