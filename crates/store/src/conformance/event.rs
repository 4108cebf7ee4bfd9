//! Events.

use super::{Harness, at, name, opened};
use crate::{Batch, Error, EventFilter, EventOrder, PageRequest, StoredEvent, Write};
use consort_types::{EventKey, Json, TypePattern};

fn event(seq: u64, event_type: &str) -> StoredEvent {
    let (namespace, source, id) = (name("lending"), "/shop".to_owned(), format!("id-{seq}"));
    StoredEvent {
        seq,
        key: EventKey::of(&namespace, &source, &id),
        namespace,
        id,
        source,
        event_type: event_type.to_owned(),
        subject: seq.is_multiple_of(2).then(|| "even".to_owned()),
        received_at: at(seq),
        document: Json::of(&serde_json::json!({ "type": event_type, "data": seq })),
    }
}

fn put(seq: u64, event_type: &str) -> Write {
    Write::PutEvent(Box::new(event(seq, event_type)))
}

/// An event is read as it was written, by its key and in lists.
pub fn events_are_kept_in_their_order(harness: &impl Harness) {
    let mut store = opened(harness);
    assert_eq!(store.reader.newest_event().unwrap(), 0);
    let all = [(1, "order.paid"), (2, "order.lost"), (3, "stock.low"), (4, "order.paid")];
    let writes: Vec<Write> = all.iter().map(|(seq, event_type)| put(*seq, event_type)).collect();
    store.writer.commit(&Batch::from(writes)).unwrap();
    assert_eq!(store.reader.newest_event().unwrap(), 4);
    let third = event(3, "stock.low");
    assert_eq!(store.reader.event(third.key).unwrap(), Some(third));
    assert_eq!(store.reader.event(EventKey::from_bytes([0; 16])).unwrap(), None);
    let of = EventFilter::of(name("lending"));
    let seqs = |filter: EventFilter, order| {
        let page = store.reader.events(&filter, order, &PageRequest::first(10)).unwrap();
        page.items.iter().map(|event| event.seq).collect::<Vec<_>>()
    };
    let types = |pattern| Some(TypePattern::new(pattern));
    assert_eq!(seqs(of.clone(), EventOrder::NewestFirst), [4, 3, 2, 1]);
    assert_eq!(seqs(of.clone(), EventOrder::OldestFirst), [1, 2, 3, 4]);
    let filtered = |change: &dyn Fn(&mut EventFilter)| {
        let mut filter = of.clone();
        change(&mut filter);
        seqs(filter, EventOrder::OldestFirst)
    };
    assert_eq!(filtered(&|filter| filter.types = types("order.paid")), [1, 4]);
    assert_eq!(filtered(&|filter| filter.types = types("order.*")), [1, 2, 4]);
    assert_eq!(filtered(&|filter| filter.subject = Some("even".to_owned())), [2, 4]);
    assert_eq!(filtered(&|filter| filter.id = Some("id-2".to_owned())), [2]);
    assert!(filtered(&|filter| filter.source = Some("/other".to_owned())).is_empty());
    assert_eq!(filtered(&|filter| filter.since = Some(at(3))), [3, 4]);
    assert!(filtered(&|filter| filter.since = Some(at(9))).is_empty());
    assert_eq!(filtered(&|filter| filter.until = Some(at(3))), [1, 2]);
    assert!(filtered(&|filter| filter.namespace = name("other")).is_empty());
}

/// An event is accepted once, by its number and by its key.
pub fn an_event_is_stored_once(harness: &impl Harness) {
    let mut store = opened(harness);
    store.writer.commit(&Batch::from(vec![put(1, "a")])).unwrap();
    let same_key = StoredEvent { seq: 2, ..event(1, "a") };
    for write in [put(1, "b"), Write::PutEvent(Box::new(same_key))] {
        let refused = store.writer.commit(&Batch::from(vec![put(7, "a"), write]));
        assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
    }
    assert_eq!(store.reader.newest_event().unwrap(), 1, "nothing of a refused batch is there");
}

/// Pages of events leave none out and show none twice, in both orders.
pub fn events_come_in_pages(harness: &impl Harness) {
    let mut store = opened(harness);
    let writes: Vec<Write> =
        (1..=25).map(|seq| put(seq, if seq % 3 == 0 { "third" } else { "other" })).collect();
    store.writer.commit(&Batch::from(writes)).unwrap();
    for (order, expected) in [
        (EventOrder::OldestFirst, (1..=8).map(|n| n * 3).collect::<Vec<u64>>()),
        (EventOrder::NewestFirst, (1..=8).rev().map(|n| n * 3).collect()),
    ] {
        for pattern in ["third", "thir*"] {
            let filter =
                EventFilter { types: Some(TypePattern::new(pattern)), ..EventFilter::of(name("lending")) };
            let (mut seqs, mut cursor) = (Vec::new(), None);
            loop {
                let request = PageRequest::at(3, cursor);
                let page = store.reader.events(&filter, order, &request).unwrap();
                assert!(page.items.len() <= 3);
                seqs.extend(page.items.iter().map(|event| event.seq));
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seqs, expected);
        }
    }
    let bad = PageRequest::at(3, Some("r1".to_owned()));
    let filter = EventFilter::of(name("lending"));
    let refused = store.reader.events(&filter, EventOrder::NewestFirst, &bad);
    assert!(matches!(refused, Err(Error::BadCursor)));
}

/// Old events are forgotten by number and by age; their keys are free again.
pub fn old_events_are_forgotten(harness: &impl Harness) {
    let mut store = opened(harness);
    let writes: Vec<Write> = (1..=6).map(|seq| put(seq, "a")).collect();
    store.writer.commit(&Batch::from(writes)).unwrap();
    let forget = |through, before| Batch::from(vec![Write::DropEvents { through, before: at(before) }]);
    store.writer.commit(&forget(2, 0)).unwrap();
    store.writer.commit(&forget(0, 5)).unwrap();
    let filter = EventFilter::of(name("lending"));
    let page = store.reader.events(&filter, EventOrder::OldestFirst, &PageRequest::first(10)).unwrap();
    assert_eq!(page.items.iter().map(|event| event.seq).collect::<Vec<_>>(), [5, 6]);
    assert_eq!(store.reader.event(event(1, "a").key).unwrap(), None);
    let again = StoredEvent { seq: 7, ..event(1, "a") };
    store.writer.commit(&Batch::from(vec![Write::PutEvent(Box::new(again))])).unwrap();
}
