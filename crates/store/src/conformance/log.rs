//! Lines of attempts.

use super::{Harness, at, opened, run};
use crate::{LOG_LINES_PER_RUN_MAX, LogFilter, LogLine, LogStream};

fn line(number: u64, step: &str, text: impl Into<String>) -> LogLine {
    LogLine {
        run: run(number),
        step: step.to_owned(),
        attempt: 2,
        at: at(number),
        stream: LogStream::Stderr,
        line: text.into(),
    }
}

fn of(number: u64, step: Option<&str>) -> LogFilter {
    LogFilter { run: run(number), step: step.map(str::to_owned) }
}

#[allow(missing_docs)]
pub fn lines_are_read_by_run_and_step(harness: &impl Harness) {
    let mut store = opened(harness);
    let system = LogLine { stream: LogStream::System, ..line(1, "pages", "") };
    let out = LogLine { stream: LogStream::Stdout, ..line(1, "fields[3]", "ä \u{0} \u{1b}[1m") };
    store.log_writer.append(&[system.clone(), line(2, "pages", "other"), out.clone()]).unwrap();
    store.log_writer.append(&[line(1, "pages", "end")]).unwrap();
    store.log_writer.append(&[]).unwrap();
    let read = |filter| {
        let page = store.log_reader.lines(&filter, 0, 100).unwrap();
        assert_eq!((page.more, page.dropped), (false, 0));
        page.lines.into_iter().map(|numbered| numbered.line).collect::<Vec<_>>()
    };
    assert_eq!(read(of(1, None)), [system.clone(), out.clone(), line(1, "pages", "end")]);
    assert_eq!(read(of(1, Some("pages"))), [system, line(1, "pages", "end")]);
    assert_eq!(read(of(1, Some("fields[3]"))), [out]);
    assert_eq!(read(of(1, Some("fields"))), []);
    assert_eq!(read(of(3, None)), []);
}

#[allow(missing_docs)]
pub fn lines_come_in_pages(harness: &impl Harness) {
    let mut store = opened(harness);
    store.log_writer.append(&[1, 2, 3].map(|n| line(1, "a", n.to_string()))).unwrap();
    let first = store.log_reader.lines(&of(1, None), 0, 2).unwrap();
    assert_eq!((first.lines.len(), first.more), (2, true));
    let rest = store.log_reader.lines(&of(1, None), first.next_after, 2).unwrap();
    assert_eq!((rest.lines.len(), rest.more), (1, false));
    let none = store.log_reader.lines(&of(1, None), rest.next_after, 2).unwrap();
    assert_eq!((none.lines.len(), none.next_after), (0, rest.next_after));
    store.log_writer.append(&[line(1, "b", "later")]).unwrap();
    let later = store.log_reader.lines(&of(1, None), none.next_after, 2).unwrap();
    assert_eq!(later.lines[0].line, line(1, "b", "later"));
    assert!(later.lines[0].number > rest.lines[0].number);
}

#[allow(missing_docs)]
pub fn lines_of_a_run_are_bounded(harness: &impl Harness) {
    let mut store = opened(harness);
    let many: Vec<_> = (0..LOG_LINES_PER_RUN_MAX + 3).map(|n| line(1, "a", n.to_string())).collect();
    store.log_writer.append(&many[..10]).unwrap();
    store.log_writer.append(&many[10..]).unwrap();
    store.log_writer.append(&[line(1, "a", "too late"), line(2, "a", "another run")]).unwrap();
    let last = store.log_reader.lines(&of(1, None), LOG_LINES_PER_RUN_MAX - 1, 9).unwrap();
    assert_eq!((last.lines.len(), last.dropped, last.more), (1, 4, false));
    assert_eq!(last.lines[0].line.line, (LOG_LINES_PER_RUN_MAX - 1).to_string());
    assert_eq!(store.log_reader.lines(&of(2, None), 0, 9).unwrap().lines.len(), 1);
    let large: Vec<_> = (0..65).map(|_| line(3, "a", "x".repeat(1 << 20))).collect();
    store.log_writer.append(&large).unwrap();
    let page = store.log_reader.lines(&of(3, None), 0, 500).unwrap();
    assert_eq!((page.lines.len(), page.more, page.dropped), (16, true, 1));
}

#[allow(missing_docs)]
pub fn lines_are_forgotten_with_their_run(harness: &impl Harness) {
    let mut store = opened(harness);
    store.log_writer.append(&[line(1, "a", "x"), line(2, "a", "y")]).unwrap();
    store.log_writer.delete(run(1)).unwrap();
    store.log_writer.delete(run(9)).unwrap();
    assert_eq!(store.log_reader.lines(&of(1, None), 0, 9).unwrap().lines, []);
    assert_eq!(store.log_reader.lines(&of(2, None), 0, 9).unwrap().lines.len(), 1);
}
