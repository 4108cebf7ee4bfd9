//! What waits for a person.

use super::{Harness, at, name, opened, run, start};
use crate::{Batch, Error, Notice, NoticeKind, PageRequest, Reader, Write};
use consort_types::Json;

fn notice(kind: NoticeKind, second: u64, step: &str) -> Notice {
    Notice { kind, since: at(second), step: step.to_owned(), document: Json::of(step) }
}

fn set(number: u64, notices: Vec<Notice>) -> Write {
    Write::SetNotices { run: run(number), namespace: name("lending"), notices }
}

fn steps(reader: &dyn Reader, namespace: &str, kind: NoticeKind) -> Vec<String> {
    let page = reader.notices(namespace, kind, &PageRequest::first(500)).unwrap();
    page.items.into_iter().map(|found| found.notice.step).collect()
}

/// The notices of a run replace those that it had; the longest wait stands first.
pub fn notices_are_listed_by_kind_longest_wait_first(harness: &impl Harness) {
    let mut store = opened(harness);
    let reader = store.reader.clone();
    let question = |second, step| notice(NoticeKind::Question, second, step);
    let writes = vec![
        set(1, vec![question(9, "late"), notice(NoticeKind::Incident, 5, "parked")]),
        set(2, vec![question(3, "early")]),
    ];
    store.writer.commit(&Batch::from(writes)).unwrap();
    assert_eq!(steps(&*reader, "lending", NoticeKind::Question), ["early", "late"]);
    assert_eq!(steps(&*reader, "lending", NoticeKind::Incident), ["parked"]);
    assert!(steps(&*reader, "other", NoticeKind::Question).is_empty());
    store.writer.commit(&Batch::from(vec![set(1, vec![question(9, "late")])])).unwrap();
    assert!(steps(&*reader, "lending", NoticeKind::Incident).is_empty());
    store.writer.commit(&Batch::from(vec![set(1, Vec::new())])).unwrap();
    assert_eq!(steps(&*reader, "lending", NoticeKind::Question), ["early"]);
}

/// Pages leave none out, also of one moment; a cursor of another list is refused.
pub fn notices_come_in_pages(harness: &impl Harness) {
    let mut store = opened(harness);
    let question = |step: &str| notice(NoticeKind::Question, 1, step);
    let writes = vec![set(2, vec![question("a"), question("b")]), set(1, vec![question("c")])];
    store.writer.commit(&Batch::from(writes)).unwrap();
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = PageRequest::at(1, cursor);
        let page = store.reader.notices("lending", NoticeKind::Question, &page).unwrap();
        found.extend(page.items.into_iter().map(|found| (found.run, found.notice.step)));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, [(run(1), "c".to_owned()), (run(2), "a".to_owned()), (run(2), "b".to_owned())]);
    let bad = PageRequest::at(1, Some("nlending".to_owned()));
    let refused = store.reader.notices("lending", NoticeKind::Question, &bad);
    assert!(matches!(refused, Err(Error::BadCursor)));
}

/// A run that is deleted takes its notices with it.
pub fn notices_go_with_their_run(harness: &impl Harness) {
    let mut store = opened(harness);
    let close = Write::CloseRun { run: run(1), at: at(2) };
    let writes = vec![Write::OpenRun(start(1)), set(1, vec![notice(NoticeKind::Incident, 1, "a")]), close];
    store.writer.commit(&Batch::from(writes)).unwrap();
    assert_eq!(steps(&*store.reader, "lending", NoticeKind::Incident), ["a"]);
    store.writer.commit(&Batch::from(vec![Write::DeleteRun { run: run(1) }])).unwrap();
    assert!(steps(&*store.reader, "lending", NoticeKind::Incident).is_empty());
}
