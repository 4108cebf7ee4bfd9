//! What is done to a data folder from outside of a server.

use consort_store::{Batch, Store, Write};
use consort_store_sqlite::{Health, Options, inspect, open, snapshot};
use std::{fs, path::Path};

fn opened(folder: &Path) -> Store {
    open(folder, Options::default()).unwrap()
}

fn write(store: &mut Store, rows: std::ops::Range<u64>) {
    let run = "run_00000000000000000000000000000001".parse().unwrap();
    let rows = rows.map(|seq| Write::Append { run, seq, entries: vec![7; 100].into() });
    store.writer.commit(&Batch::from(rows.collect::<Vec<_>>())).unwrap();
}

fn rows(store: &Store) -> usize {
    let run = "run_00000000000000000000000000000001".parse().unwrap();
    let (mut rows, mut from) = (0, 0);
    loop {
        let page = store.reader.history(run, from, 1_000).unwrap();
        rows += page.rows.len();
        match page.rows.last() {
            Some(last) => from = last.seq + 1,
            None => return rows,
        }
    }
}

#[test]
fn a_copy_holds_what_was_committed_before_it_and_the_writer_goes_on() {
    let (data, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut store = opened(data.path());
    write(&mut store, 0..100);
    assert_eq!(snapshot(data.path(), copy.path()).unwrap(), ["consort.db", "logs.db"]);
    write(&mut store, 100..150);
    assert_eq!(rows(&store), 150);
    assert_eq!(rows(&opened(copy.path())), 100);
}

#[test]
fn a_copy_never_overwrites_and_needs_a_store() {
    let (data, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let error = snapshot(data.path(), copy.path()).unwrap_err();
    assert!(error.to_string().contains("holds no store"), "{error}");
    drop(opened(data.path()));
    fs::write(copy.path().join("consort.db"), "mine").unwrap();
    assert!(snapshot(data.path(), copy.path()).is_err());
    assert_eq!(fs::read(copy.path().join("consort.db")).unwrap(), b"mine");
}

#[test]
fn a_store_in_order_is_found_in_order_and_its_server_is_named() {
    let data = tempfile::tempdir().unwrap();
    let mut store = opened(data.path());
    write(&mut store, 0..10);
    let found = inspect(data.path());
    assert_eq!(found.in_use_by, Some(Some(std::process::id())));
    assert_eq!(found.open_runs, Some(0));
    assert!(found.files.iter().all(|file| matches!(file.health, Health::Whole { .. })), "{found:?}");
    drop(store);
    assert_eq!(inspect(data.path()).in_use_by, None);
}

#[test]
fn damage_in_the_middle_leaves_both_ends_readable() {
    let data = tempfile::tempdir().unwrap();
    let mut store = opened(data.path());
    write(&mut store, 0..4_000);
    drop(store);
    let path = data.path().join("consort.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 4_096].fill(0xff);
    fs::write(&path, &bytes).unwrap();

    let found = inspect(data.path());
    let file = &found.files[0];
    assert!(matches!(&file.health, Health::Damaged { complaints } if !complaints.is_empty()), "{file:?}");
    let history = file.tables.iter().find(|table| table.name == "history").unwrap();
    assert!(!history.is_whole);
    assert!((3_500..4_000).contains(&history.readable_rows), "{history:?}");
    assert!(file.tables.iter().filter(|table| table.name != "history").all(|table| table.is_whole));
    assert!(matches!(found.files[1].health, Health::Whole { .. }), "the other file is not touched");
    assert_eq!(fs::read(&path).unwrap(), bytes, "looking changes nothing");
}

#[test]
fn what_is_no_store_is_told_apart() {
    let data = tempfile::tempdir().unwrap();
    assert!(inspect(data.path()).files.iter().all(|file| file.health == Health::Missing));
    fs::write(data.path().join("consort.db"), "no database, but long enough to have a header at all")
        .unwrap();
    assert!(matches!(inspect(data.path()).files[0].health, Health::Damaged { .. }));
}
