//! When a line of cron fires.

use consort_calendar::{Cron, Zone};
use consort_types::Timestamp;
use proptest::prelude::*;

fn slots(line: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let cron = Cron::parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let zone = Zone::named(zone).unwrap();
    let mut at: Timestamp = after.parse().unwrap();
    let mut found = Vec::new();
    while found.len() < count {
        let Some(next) = cron.next_after(at, &zone) else { break };
        assert!(next > at, "{line}");
        at = next;
        found.push(at.to_string().replace(".000Z", "Z"));
    }
    found
}

#[test]
fn fields_say_when() {
    for (line, after, expected) in [
        ("30 9 * * *", "2026-11-27T09:30:00Z", "2026-11-28T09:30:00Z"),
        ("30 9 * * *", "2026-11-27T09:29:59.999Z", "2026-11-27T09:30:00Z"),
        ("*/15 * * * *", "2026-11-27T09:31:00Z", "2026-11-27T09:45:00Z"),
        ("5/20 * * * *", "2026-11-27T09:31:00Z", "2026-11-27T09:45:00Z"),
        ("0,30 8-10/2 * * *", "2026-11-27T08:30:00Z", "2026-11-27T10:00:00Z"),
        ("*/10 0 0 * * *", "2026-11-27T00:00:00Z", "2026-11-27T00:00:10Z"),
        ("0 0 * * MON-FRI", "2026-11-27T00:00:00Z", "2026-11-30T00:00:00Z"),
        ("0 0 * * 7", "2026-11-27T00:00:00Z", "2026-11-29T00:00:00Z"),
        ("0 0 * * 5-7", "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"),
        ("0 0 1 jan ?", "2026-11-27T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("0 0 29 2 *", "2026-11-27T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 0 31 * *", "2026-11-27T00:00:00Z", "2026-12-31T00:00:00Z"),
        ("0 0 L * *", "2027-02-01T00:00:00Z", "2027-02-28T00:00:00Z"),
        ("0 0 L-2 * *", "2027-02-01T00:00:00Z", "2027-02-26T00:00:00Z"),
        // The 15th of November 2026 is a Sunday, the 1st of August a Saturday, the 31st of January a Sunday.
        ("0 0 15W * *", "2026-11-01T00:00:00Z", "2026-11-16T00:00:00Z"),
        ("0 0 1W 8 *", "2026-07-01T00:00:00Z", "2026-08-03T00:00:00Z"),
        ("0 0 31W 1 *", "2027-01-01T00:00:00Z", "2027-01-29T00:00:00Z"),
        ("0 0 LW * *", "2027-01-01T00:00:00Z", "2027-01-29T00:00:00Z"),
        ("0 0 ? * FRI#2", "2026-11-01T00:00:00Z", "2026-11-13T00:00:00Z"),
        ("0 0 ? * 5L", "2026-11-01T00:00:00Z", "2026-11-27T00:00:00Z"),
        ("0 0 * * MON#5", "2026-12-01T00:00:00Z", "2027-03-29T00:00:00Z"),
        // Either field of days is enough.
        ("0 0 13 * FRI", "2026-11-12T00:00:00Z", "2026-11-13T00:00:00Z"),
        ("0 0 14 * FRI", "2026-11-13T00:00:00Z", "2026-11-14T00:00:00Z"),
        ("@hourly", "2026-11-27T09:30:00Z", "2026-11-27T10:00:00Z"),
        ("@weekly", "2026-11-27T09:30:00Z", "2026-11-29T00:00:00Z"),
    ] {
        assert_eq!(slots(line, "UTC", after, 1), [expected], "{line}");
    }
}

#[test]
fn what_never_comes_is_known() {
    for line in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31W 2 *", "0 0 L-30 2 *"] {
        assert!(!Cron::parse(line).unwrap().ever_fires(), "{line}");
        assert_eq!(slots(line, "UTC", "2026-01-01T00:00:00Z", 1), [""; 0], "{line}");
    }
    for line in ["0 0 29 2 *", "0 0 30 2 MON", "* * * * *", "0 0 ? 2 MON#5"] {
        assert!(Cron::parse(line).unwrap().ever_fires(), "{line}");
    }
}

/// In Paris the clock goes from 02:00 to 03:00 on 29 March 2026, and back from 03:00 to 02:00 on 25 October.
#[test]
fn where_the_clock_is_changed_nothing_is_lost_or_doubled() {
    let paris = "Europe/Paris";
    assert_eq!(
        slots("30 2 * * *", paris, "2026-03-28T12:00:00Z", 2),
        ["2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"],
        "a slot in the gap"
    );
    assert_eq!(
        slots("30 2 * * *", paris, "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        "a slot that the clock shows twice"
    );
    assert_eq!(
        slots("30 * * * *", paris, "2026-10-25T00:00:00Z", 3),
        ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"],
        "every hour is every hour"
    );
    assert_eq!(
        slots("0 * * * *", paris, "2026-03-29T00:30:00Z", 2),
        ["2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"]
    );
    assert_eq!(
        slots("*/30 * * * *", paris, "2026-10-24T23:45:00Z", 5),
        [
            "2026-10-25T00:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-25T02:00:00Z"
        ]
    );
}

#[test]
fn what_is_no_line_is_told_with_its_place() {
    for (line, offset, says) in [
        ("", 0, "five fields"),
        ("* * * *", 0, "five fields"),
        ("* * * * * * *", 0, "five fields"),
        ("60 * * * *", 0, "`60` is no minute (from 0 to 59)"),
        ("0 24 * * *", 2, "`24` is no hour"),
        ("0 0 0 * *", 4, "`0` is no day of month"),
        ("0 0 * 13 *", 6, "`13` is no month"),
        ("0 0 * FOO *", 6, "`FOO` is no month"),
        ("0 0 * * 8", 8, "`8` is no day of week"),
        ("0 0 * * FRI#6", 12, "no place in a month"),
        ("5-1 * * * *", 0, "goes backwards"),
        ("*/0 * * * *", 2, "no step"),
        ("1, * * * *", 2, "`` is no minute"),
        ("+5 * * * *", 0, "`+5` is no minute"),
        ("@noon", 0, "not a schedule"),
    ] {
        let error = Cron::parse(line).expect_err(line);
        assert!(error.message.contains(says), "{line}: {}", error.message);
        assert_eq!(error.offset, offset, "{line}: {}", error.message);
    }
    assert!(Cron::parse(&"* ".repeat(100_000)).is_err());
    assert!(Zone::named("Europe/Pariss").is_err());
    assert!(Zone::names().iter().any(|name| name == "Europe/Paris"));
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(20_261_129), failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn any_text_is_read_or_refused(line in "([0-9*?/,#LW@A-Z-]{1,5} ){4,6}[0-9*?L#A-Z]{1,4}", any in any::<String>()) {
        for text in [&line, &any] {
            if let Ok(cron) = Cron::parse(text) {
                let _ = (cron.ever_fires(), cron.next_after(Timestamp::from_millis(0), &Zone::utc()));
            }
        }
    }

    /// The next slot is the first second that fits: no slot lies between a time and what comes after it.
    #[test]
    fn slots_come_in_order_and_none_is_left_out(minute in 0_u8..60, step in 1_u8..30, hour in 0_u8..24, start in 1_700_000_000_000_i64..1_900_000_000_000, ahead in 1_i64..100_000_000) {
        for zone in ["UTC", "Europe/Paris", "Australia/Lord_Howe", "America/St_Johns"] {
            let zone = Zone::named(zone).unwrap();
            for line in [format!("{minute} {hour} * * *"), format!("*/{step} * * * *"), format!("{minute} */3 * * MON-FRI")] {
                let cron = Cron::parse(&line).unwrap();
                let start = Timestamp::from_millis(start);
                let first = cron.next_after(start, &zone).unwrap();
                prop_assert!(first > start);
                let between = Timestamp::from_millis(start.as_millis() + ahead);
                if between < first {
                    prop_assert_eq!(cron.next_after(between, &zone), Some(first), "{}", line);
                }
            }
        }
    }
}
