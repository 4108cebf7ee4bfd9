//! Events in memory.

use super::{Handle, Tables};
use crate::{Error, EventFilter, EventOrder, EventPlace, Page, PageRequest, StoredEvent, page_of_events};
use consort_types::{EventKey, Timestamp};

impl Tables {
    pub(super) fn put_event(&mut self, event: &StoredEvent) -> Result<(), Error> {
        if self.events.contains_key(&event.seq) || self.event_keys.contains_key(&event.key) {
            return Err(Error::Conflict { what: format!("event {}", event.key) });
        }
        self.event_keys.put(event.key, event.seq);
        self.events.put(event.seq, event.clone());
        Ok(())
    }

    pub(super) fn drop_events(&mut self, through: u64, before: Timestamp) {
        let due = |(seq, event): (&u64, &StoredEvent)| {
            (*seq <= through || event.received_at < before).then_some((*seq, event.key))
        };
        let due: Vec<(u64, EventKey)> = self.events.iter().filter_map(due).collect();
        for (seq, key) in due {
            self.events.delete(&seq);
            self.event_keys.delete(&key);
        }
    }
}

impl Handle {
    pub(super) fn find_event(&self, key: EventKey) -> Option<StoredEvent> {
        let tables = self.shared.read();
        tables.event_keys.get(&key).and_then(|seq| tables.events.get(seq)).cloned()
    }

    pub(super) fn newest_event(&self) -> u64 {
        self.shared.read().events.keys().next_back().copied().unwrap_or(0)
    }

    pub(super) fn page_of_events(
        &self,
        filter: &EventFilter,
        order: EventOrder,
        page: &PageRequest,
    ) -> Result<Page<StoredEvent>, Error> {
        let place: Option<EventPlace> = page.place()?;
        let tables = self.shared.read();
        let rows: Box<dyn Iterator<Item = &StoredEvent>> = match (order, place) {
            (EventOrder::NewestFirst, None) => Box::new(tables.events.values().rev()),
            (EventOrder::NewestFirst, Some(place)) => {
                Box::new(tables.events.range(..place.0).map(|(_, event)| event).rev())
            }
            (EventOrder::OldestFirst, place) => {
                let from = place.map_or(0, |place| place.0 + 1);
                Box::new(tables.events.range(from..).map(|(_, event)| event))
            }
        };
        page_of_events(rows.map(|event| Ok(event.clone())), filter, page.limit())
    }
}
