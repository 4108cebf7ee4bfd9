//! The SQLite store shows every behaviour of the contract, and those of its own: files and folders.

use consort_store::{Batch, Error, Store, Write};
use consort_store_sqlite::{Durability, Options, open};
use std::{fs, path::Path};

consort_store::conformance!({
    let folder = tempfile::tempdir().unwrap();
    move || open(folder.path(), Options::default())
});

fn opened(folder: &Path) -> Store {
    open(folder, Options::default()).unwrap()
}

fn refused(folder: &Path) -> Error {
    open(folder, Options::default()).err().expect("the folder is refused")
}

fn append(number: u64, seq: u64) -> Write {
    let run = format!("run_{number:032x}").parse().unwrap();
    Write::Append { run, seq, entries: vec![7; 100].into() }
}

fn commit(store: &mut Store, writes: Vec<Write>) {
    store.writer.commit(&Batch::from(writes)).unwrap();
}

#[test]
fn makes_the_folder_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("a/b");
    drop(opened(&inner));
    assert!(inner.join("consort.db").is_file());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    let error = refused(&file.join("data"));
    assert!(matches!(error, Error::NotWritable { .. }), "{error}");
    assert!(error.to_string().contains("file"), "{error}");
}

#[test]
fn a_lock_that_nobody_holds_is_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lock"), "4294967295\n").unwrap();
    drop(opened(folder.path()));
    fs::write(folder.path().join("lock"), "garbage").unwrap();
    opened(folder.path());
}

#[test]
fn damaged_files_are_named_and_left_alone() {
    type Damage = (&'static str, fn(&Path));
    let damage: [Damage; 4] = [
        ("consort.db", |path| fs::write(path, "SQLite format 3\0 and then nothing of sense").unwrap()),
        ("consort.db", |path| fs::write(path, vec![0xA5; 8192]).unwrap()),
        ("consort.db", |path| {
            let length = fs::metadata(path).unwrap().len();
            fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length / 2).unwrap();
        }),
        ("logs.db", |path| {
            let mut bytes = fs::read(path).unwrap();
            let end = bytes.len();
            bytes[4096..end].fill(0x5A);
            fs::write(path, bytes).unwrap();
        }),
    ];
    for (file, damage) in damage {
        let folder = tempfile::tempdir().unwrap();
        let mut store = opened(folder.path());
        commit(&mut store, (1..200).map(|seq| append(1, seq)).collect());
        drop(store);
        let path = folder.path().join(file);
        damage(&path);
        let before = fs::read(&path).unwrap();
        let error = refused(folder.path());
        assert!(matches!(&error, Error::Corrupt { detail } if detail.contains(file)), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_database_of_others_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let other = rusqlite::Connection::open(folder.path().join("consort.db")).unwrap();
    other.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(other);
    let error = refused(folder.path());
    assert!(matches!(&error, Error::Corrupt { detail } if detail.contains("not one of Consort")), "{error}");
}

#[test]
fn a_store_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(opened(folder.path()));
    let file = rusqlite::Connection::open(folder.path().join("consort.db")).unwrap();
    file.execute("UPDATE meta SET value = 99 WHERE name = 'format'", []).unwrap();
    drop(file);
    assert!(matches!(refused(folder.path()), Error::Newer { found: 99, known: 6 }));
}

#[test]
fn a_transaction_that_a_kill_cut_short_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let mut store = opened(folder.path());
    commit(&mut store, vec![append(1, 1)]);
    // What lies on the disk while a batch is half written is what a kill leaves.
    let cut = rusqlite::Connection::open(folder.path().join("consort.db")).unwrap();
    cut.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE").unwrap();
    for seq in 2..2_000 {
        cut.execute("INSERT INTO history VALUES (x'01', ?1, zeroblob(1000))", [seq]).unwrap();
    }
    for file in ["consort.db", "consort.db-wal", "logs.db", "logs.db-wal"] {
        fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }
    assert!(fs::metadata(copy.path().join("consort.db-wal")).unwrap().len() > 1 << 20);
    let after = opened(copy.path());
    let run = "run_00000000000000000000000000000001".parse().unwrap();
    assert_eq!(after.reader.history(run, 0, 500).unwrap().rows.len(), 1);
    let count = rusqlite::Connection::open(copy.path().join("consort.db")).unwrap();
    let rows: u32 = count.query_row("SELECT count(*) FROM history", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn the_log_of_commits_stays_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), Options { durability: Durability::Relaxed }).unwrap();
    let wal = folder.path().join("consort.db-wal");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    // The database grows only by checkpoints; the log alone holds what was committed since.
    for round in 0.. {
        let large = |seq| Write::Append {
            run: "run_00000000000000000000000000000003".parse().unwrap(),
            seq,
            entries: vec![1; 1 << 20].into(),
        };
        commit(&mut store, (0..4).map(|n| large(round * 4 + n)).collect());
        if fs::metadata(folder.path().join("consort.db")).unwrap().len() > 8 << 20 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "nothing was checkpointed in {round} rounds");
    }
    assert!(fs::metadata(wal).unwrap().len() < 256 << 20);
}
