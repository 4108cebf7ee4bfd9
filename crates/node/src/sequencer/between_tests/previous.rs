//! What runs see of the one before them.

use super::*;

const WATERMARK: &str = "
  w:
    concurrency: { limit: 1, key: '${input.of}' }
    input: { of: string, fails?: boolean }
    steps:
      n: { value: '${default(previous.n, 0) + 1}' }
      bad: { when: 'default(input.fails, false)', fail: { message: no }, after: [n] }
    output: { n: '${n}' }
";

impl Room {
    fn counts(&mut self, id: u128, input: serde_json::Value) -> serde_json::Value {
        self.start_with(id, "w", input);
        self.settle();
        self.output(id)["n"].clone()
    }
}

#[test]
fn a_run_sees_what_the_last_one_of_its_key_gave_else_the_last_of_all() {
    let mut room = room(WATERMARK);
    let of = |of: &str| serde_json::json!({ "of": of });
    assert_eq!(room.counts(1, of("a")), 1);
    assert_eq!(room.counts(2, of("a")), 2);
    assert_eq!(room.counts(3, of("b")), 3, "none of its key: the last of all");
    assert_eq!(room.counts(4, of("a")), 3, "of its key, though another one was later");
    room.counts(5, serde_json::json!({ "of": "a", "fails": true }));
    assert_eq!(room.state(run_id(5)), RunState::Failed);
    room.kill();
    assert_eq!(room.counts(6, of("a")), 4, "one that failed does not count; a restart loses nothing");
    let runs = (1..=6).map(|id| Write::DeleteRun { run: run_id(id) }).collect::<Vec<_>>();
    room.writer.commit(&Batch::from(runs)).unwrap();
    assert_eq!(room.counts(7, of("b")), 4, "what it gave outlives the run");
}

#[test]
fn runs_in_line_see_the_one_before_them_also_when_nothing_is_stored_yet() {
    let mut room = room(WATERMARK);
    for id in 1..=3 {
        room.start_with(id, "w", serde_json::json!({ "of": "a" }));
        // Nothing is committed, and the place is free again.
        while room.sequencer.let_in() {}
    }
    room.settle();
    assert_eq!([1, 2, 3].map(|id| room.output(id)["n"].clone()), [1, 2, 3]);
}

#[test]
fn a_kill_at_any_commit_counts_every_run_once() {
    for kill_at in 0.. {
        let mut room = room(WATERMARK);
        let mut done = 0;
        for id in 1..=3 {
            room.start_with(id, "w", serde_json::json!({ "of": "a" }));
            while done < kill_at && room.commit_one() {
                done += 1;
            }
        }
        room.kill();
        let of_all = room.all_runs() as u64;
        room.settle();
        while room.sequencer.let_in() {
            room.settle();
        }
        room.settle();
        assert_eq!(room.counts(9, serde_json::json!({ "of": "a" })), of_all + 1, "killed after {kill_at}");
        if done < kill_at {
            break;
        }
    }
}

#[test]
fn a_workflow_that_asks_for_the_first_time_sees_what_stands_in_the_lists() {
    let mut room = room("  w: { steps: { n: { value: 41 } }, output: { n: '${n}' } }\n");
    room.start(1, "w");
    room.settle();
    assert!(room.reader.last_output("n", "w", None).unwrap().is_none(), "nobody asked: nothing is paid");
    deploy(&room.catalog, WATERMARK, 2);
    assert_eq!(room.counts(2, serde_json::json!({ "of": "a" })), 42);
}
