//! Results that are kept.

use super::{Harness, at, commit, name, opened, run};
use crate::{CacheBounds, CachedResult, Write};
use consort_types::{Digest, Json};

fn result(key: &str, revision: u64, expires_at: u64) -> CachedResult {
    CachedResult {
        namespace: name("lending"),
        key: Digest::of(key.as_bytes()),
        revision,
        run: run(revision),
        step: "fields[3]".to_owned(),
        at: at(1),
        expires_at: at(expires_at),
        output: Json::of(&serde_json::json!({ "of": key, "revision": revision })),
    }
}

fn keep(result: CachedResult, results: u64, bytes: u64) -> Write {
    Write::KeepResult(Box::new(result), CacheBounds { results, bytes })
}

#[allow(missing_docs)]
pub fn a_result_is_kept_for_each_revision(harness: &impl Harness) {
    let mut store = opened(harness);
    let [first, second] = [1, 2].map(|revision| result("a", revision, 100));
    commit(&mut store, [first.clone(), second.clone()].map(|result| keep(result, 10, 1_000)));
    let get = |store: &crate::Store, of: &str, key: &str, revision| {
        store.reader.cached(of, Digest::of(key.as_bytes()), revision).unwrap()
    };
    assert_eq!(get(&store, "lending", "a", 1), Some(first.clone()));
    assert_eq!(get(&store, "lending", "a", 2), Some(second));
    for (of, key, revision) in [("lending", "a", 3), ("lending", "b", 1), ("billing", "a", 1)] {
        assert_eq!(get(&store, of, key, revision), None);
    }
    let known = |of: &str, key: &str| store.reader.is_cached(of, Digest::of(key.as_bytes())).unwrap();
    assert_eq!([known("lending", "a"), known("lending", "b"), known("billing", "a")], [true, false, false]);
    let newer = CachedResult { run: run(9), at: at(2), ..first };
    commit(&mut store, [keep(newer.clone(), 10, 1_000)]);
    assert_eq!(get(&store, "lending", "a", 1), Some(newer));
}

#[allow(missing_docs)]
pub fn a_result_is_dropped_by_the_run_that_gave_it(harness: &impl Harness) {
    let mut store = opened(harness);
    let kept = result("a", 1, 100);
    let drop_of = |run| Write::DropResult { namespace: name("lending"), key: kept.key, run };
    commit(&mut store, [keep(kept.clone(), 10, 1_000), drop_of(run(7))]);
    assert_eq!(store.reader.cached("lending", kept.key, 1).unwrap(), Some(kept.clone()));
    commit(&mut store, [drop_of(run(1))]);
    assert_eq!(store.reader.cached("lending", kept.key, 1).unwrap(), None);
    // What was dropped takes no room.
    let others = ["b", "c"].map(|key| keep(result(key, 1, 100), 2, 1_000));
    commit(&mut store, others);
    assert!(store.reader.is_cached("lending", Digest::of(b"b")).unwrap());
}

#[allow(missing_docs)]
pub fn results_are_bounded_and_the_first_to_expire_goes_first(harness: &impl Harness) {
    let mut store = opened(harness);
    let is_kept = |store: &crate::Store| {
        let keys = ["a", "b", "c", "d"];
        let kept =
            keys.iter().filter(|key| store.reader.is_cached("lending", Digest::of(key.as_bytes())).unwrap());
        kept.copied().collect::<String>()
    };
    for (key, expires_at) in [("a", 300), ("b", 100), ("c", 200)] {
        commit(&mut store, [keep(result(key, 1, expires_at), 2, 1_000)]);
    }
    assert_eq!(is_kept(&store), "ac", "by number");
    let size = result("a", 1, 0).output.len() as u64;
    commit(&mut store, [keep(result("d", 1, 400), 10, size * 2)]);
    assert_eq!(is_kept(&store), "ad", "by bytes");
    let late = CachedResult { at: at(350), ..result("b", 1, 500) };
    commit(&mut store, [keep(late, 10, 1_000)]);
    assert_eq!(is_kept(&store), "bd", "what has expired");
}
