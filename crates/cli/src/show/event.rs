//! Events in words.

use super::{Screen, printable, table::Table, time};
use consort_types::Timestamp;
use consort_wire::Event;

/// Events as a table.
pub fn table(events: &[Event], now: Timestamp, screen: Screen) -> String {
    let mut table = Table::new(["EVENT", "TYPE", "SOURCE", "SUBJECT", "RECEIVED", "DATA"]);
    for event in events {
        let text = |attribute| printable(event.text(attribute).unwrap_or_default());
        let data = event.attributes.get("data").map(ToString::to_string).unwrap_or_default();
        table.row([
            event.key.to_string().into(),
            text("type").into(),
            text("source").into(),
            text("subject").into(),
            time::ago(event.received_at, now).into(),
            printable(&data).into(),
        ]);
    }
    table.render(screen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::run::tests::{PIPE, at};
    use serde_json::{Value, json};

    #[test]
    fn events_stand_in_a_table() {
        let Value::Object(attributes) =
            json!({"type": "order.paid", "source": "/shop", "id": "7", "data": {"n": 1}})
        else {
            panic!()
        };
        let key = "evt_00000000000000000000000000000007".parse().unwrap();
        let event = Event { attributes, key, received_at: at(0) };
        let text = table(&[event], at(10_000), PIPE);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("EVENT "), "{text}");
        assert!(lines[1].contains("order.paid") && lines[1].ends_with("{\"n\":1}"), "{text}");
    }
}
