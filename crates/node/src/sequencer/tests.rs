//! What comes in between a run's end in memory and its commit.

use super::*;
use crate::{catalog::Deployed, committer::After};
use consort_artifacts::Artifacts;
use consort_engine::{AttemptResult, Command, Reading, Start};
use consort_spec::{Folders, Texts};
use consort_store::{Batch, OpenRun, Reader, Writer, memory::MemoryStore};
use consort_types::{AttemptToken, Json, NameKind, Timestamp};
use std::collections::BTreeMap;
use std::path::Path;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_000)
    }
}

/// A sequencer whose commits are done by hand.
struct Desk {
    sequencer: Sequencer,
    units: mpsc::Receiver<Unit>,
    messages: mpsc::Receiver<Message>,
    writer: Box<dyn Writer>,
    store: Arc<dyn Reader>,
    catalog: Arc<Catalog>,
}

fn name(text: &str) -> Name {
    Name::new(text, NameKind::Kebab).unwrap()
}

fn run_id(number: u128) -> RunId {
    RunId::from_uuid(uuid::Uuid::from_u128(number))
}

fn desk(steps: &str) -> Desk {
    desk_of(&format!("steps: {steps}"))
}

fn deployed(workflow: &str) -> Deployed {
    let text = format!(
        "name: n\nservices: {{ s: {{ url: 'http://127.0.0.1:9', operations: {{ a: {{}} }} }} }}
workflows: {{ w: {{ {workflow} }} }}"
    );
    let checked = consort_spec::check(&Texts::new([("consort.yaml".to_owned(), text)], Folders::Assumed));
    Deployed {
        sequence: 1,
        project: checked.project.unwrap_or_else(|| panic!("{:?}", checked.problems)),
        files: Vec::new(),
        sources: BTreeMap::new(),
        workflows: BTreeMap::from([(name("w"), 1)]),
        services: BTreeMap::new(),
        rolled_out: BTreeMap::new(),
    }
}

fn desk_of(workflow: &str) -> Desk {
    let store = MemoryStore::default().open().unwrap();
    let catalog = Arc::new(Catalog::load(store.reader.clone()).unwrap());
    catalog.set(name("n"), deployed(workflow));
    let (committer, units) = mpsc::sync_channel(100);
    let runs = Arc::new(RunReader::new(store.reader.clone(), Artifacts::at(Path::new("no-such-folder"))));
    let (feed, permits) = (Arc::default(), Arc::new(Permits::default()));
    let admissions = Arc::new(Admissions::new(permits.clone(), Arc::new(Still)));
    let (inbox, messages) = Inbox::new();
    let mut sequencer = Sequencer::new(SequencerParts {
        committer,
        inbox,
        clock: Arc::new(Still),
        feed,
        admissions,
        permits,
        reader: runs,
        catalog: catalog.clone(),
    });
    sequencer.take_limits(&name("n"));
    Desk { sequencer, units, messages, writer: store.writer, store: store.reader, catalog }
}

fn commit(writer: &mut dyn Writer, unit: Unit) {
    let mut batch = Batch::default();
    batch.extend(unit.writes);
    if !batch.is_empty() {
        writer.commit(&batch).unwrap();
    }
    for after in unit.after {
        match after {
            After::Call(call) => call(),
            After::Effect(..) | After::Permits(_) | After::Over(_) => {}
        }
    }
}

impl Desk {
    fn start(&mut self, id: u128) -> oneshot::Receiver<Result<Started, StartError>> {
        self.start_of(id, Some("k"))
    }

    fn start_of(&mut self, id: u128, key: Option<&str>) -> oneshot::Receiver<Result<Started, StartError>> {
        let current = self.catalog.workflow("n", "w").unwrap();
        let start = Start {
            id: run_id(id),
            namespace: name("n"),
            workflow: current.workflow,
            revision: current.revision,
            input: Json::from(serde_json::json!({})),
            tags: BTreeMap::new(),
            key: key.map(str::to_owned),
            trigger: "api".to_owned(),
            copies: None,
            reading: Reading::Allowed,
            pools: BTreeMap::new(),
            limit_key: None,
            previous: None,
            queued: None,
            parent: None,
        };
        let (reply, answer) = oneshot::channel();
        let input_digest = Digest::of(b"{}");
        let _ = self.sequencer.take(Message::Start(Box::new(StartRequest { start, input_digest, reply })));
        answer
    }

    fn wait(&mut self, id: u128) -> oneshot::Receiver<()> {
        let (reply, ended) = oneshot::channel();
        let _ = self.sequencer.take(Message::Wait { run: run_id(id), reply });
        ended
    }

    fn commit_all(&mut self) {
        while let Ok(unit) = self.units.try_recv() {
            commit(&mut *self.writer, unit);
        }
        while let Ok(message) = self.messages.try_recv() {
            let _ = self.sequencer.take(message);
        }
    }
}

#[test]
fn a_key_has_one_run_even_before_the_end_of_that_run_is_committed() {
    let mut desk = desk("{ a: { value: 1 } }");
    let mut answers = [desk.start(1), desk.start(2)];
    desk.commit_all();
    let late = desk.start(3);
    desk.commit_all();
    let [first, second] = answers.each_mut().map(|answer| answer.try_recv().unwrap().unwrap());
    assert_eq!(first, Started { run: run_id(1), new: true });
    assert_eq!(second, Started { run: run_id(1), new: false });
    assert_eq!({ late }.try_recv().unwrap().unwrap(), Started { run: run_id(1), new: false });
    assert!(desk.sequencer.keys.is_empty(), "the store knows it now");
}

#[test]
fn a_command_for_a_run_that_has_just_ended_finds_it_as_it_ended() {
    let mut desk = desk("{ a: { value: 1 } }");
    let _started = desk.start(1);
    let (reply, mut answer) = oneshot::channel();
    let command = Command::Undo { only: Vec::new(), by: "ann".to_owned() };
    let _ = desk.sequencer.take(Message::Command { run: run_id(1), command, reply: Some(reply) });
    let refused = answer.try_recv().unwrap().unwrap_err().to_string();
    assert_eq!(refused, "there is nothing to undo");
}

#[test]
fn who_waits_for_a_run_that_has_just_ended_hears_of_it_after_the_commit() {
    let mut desk = desk("{ a: { value: 1 } }");
    let _started = desk.start(1);
    let mut ended = desk.wait(1);
    assert_eq!(ended.try_recv(), Err(oneshot::error::TryRecvError::Empty), "it is not committed yet");
    desk.commit_all();
    assert_eq!(ended.try_recv(), Ok(()));
}

#[test]
fn those_who_gave_up_waiting_do_not_pile_up() {
    let mut desk = desk("{ a: { call: s.a } }");
    let _started = desk.start(1);
    for _ in 0..100 {
        drop(desk.wait(1));
    }
    let _waits = desk.wait(1);
    assert_eq!(desk.sequencer.waiters[&run_id(1)].len(), 1);
}

const ONE_AT_A_TIME: &str = "concurrency: { limit: 1 }, steps: { go: { await: { signal: go } } }";

impl Desk {
    fn several(&mut self, ids: std::ops::RangeInclusive<u128>) {
        ids.for_each(|id| drop(self.start_of(id, None)));
        self.turn();
    }

    fn tell(&mut self, id: u128, command: Command) {
        let _ = self.sequencer.take(Message::Command { run: run_id(id), command, reply: None });
        self.turn();
    }

    fn turn(&mut self) {
        self.sequencer.let_in();
        self.commit_all();
    }

    fn state(&self, id: u128) -> String {
        let live = &self.sequencer.runs[&run_id(id)].run;
        let mut record = crate::record::RunRecord::new(live, live.view(&|_| None));
        self.sequencer.gates().tell(&mut record);
        match record.waiting_on.and_then(|on| on.ahead) {
            Some(ahead) => format!("{} behind {ahead}", record.state),
            None => record.state.to_string(),
        }
    }
}

fn signal() -> Command {
    Command::Signal { name: name("go"), body: Json::null(), by: "ann".to_owned() }
}

#[test]
fn runs_wait_in_line_and_go_on_by_themselves() {
    let mut desk = desk_of(ONE_AT_A_TIME);
    desk.several(1..=3);
    assert_eq!([1, 2, 3].map(|id| desk.state(id)), ["waiting", "queued behind 0", "queued behind 1"]);
    desk.tell(2, Command::Cancel { by: "ann".to_owned() });
    assert_eq!(desk.state(3), "queued behind 0");
    desk.tell(1, signal());
    assert_eq!(desk.state(3), "waiting");
    desk.tell(3, signal());
    assert!(desk.sequencer.runs.is_empty());
    assert_eq!(desk.sequencer.gates().lock().queued(), 0);
}

#[test]
fn another_limit_holds_at_once_also_for_what_lives_already() {
    let mut desk = desk_of("steps: { go: { await: { signal: go } } }");
    desk.several(1..=2);
    let apply = |desk: &mut Desk, text: &str| {
        desk.catalog.set(name("n"), deployed(text));
        let _ = desk.sequencer.take(Message::Applied(name("n")));
        desk.turn();
    };
    apply(&mut desk, ONE_AT_A_TIME);
    desk.several(3..=4);
    assert_eq!(
        [1, 2, 3, 4].map(|id| desk.state(id)),
        ["waiting", "waiting", "queued behind 0", "queued behind 1"]
    );
    desk.tell(1, signal());
    assert_eq!(desk.state(3), "queued behind 0", "two live where one may");
    apply(&mut desk, "concurrency: { limit: 2 }, steps: { go: { await: { signal: go } } }");
    assert_eq!([3, 4].map(|id| desk.state(id)), ["waiting", "queued behind 0"]);
    apply(&mut desk, "steps: { go: { await: { signal: go } } }");
    assert_eq!(desk.state(4), "waiting");
}

#[test]
fn a_full_limit_refuses_and_the_key_stays_free() {
    let mut desk =
        desk_of("concurrency: { limit: 1, when_full: reject }, steps: { go: { await: { signal: go } } }");
    let _first = desk.start_of(1, None);
    let refused = desk.start(2).try_recv().unwrap().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "1 run of `w` is live, and its `concurrency` allows 1; try again when one has ended"
    );
    desk.tell(1, signal());
    let mut again = desk.start(3);
    desk.turn();
    assert!(again.try_recv().unwrap().unwrap().new);
}

#[test]
fn the_newest_run_takes_the_place_of_the_oldest_once_that_is_undone() {
    let mut desk = desk_of(
        "concurrency: { limit: 1, when_full: cancel_oldest },
         steps: { a: { value: 1 }, go: { await: { signal: go } } }, finally: { t: { call: s.a } }",
    );
    desk.several(1..=3);
    // The second never began, so it had nothing to tidy up.
    assert!(!desk.sequencer.runs.contains_key(&run_id(2)));
    assert_eq!(desk.state(3), "queued behind 0");
    let answer = Command::AttemptFinished {
        token: AttemptToken { run: run_id(1), node: 3, number: 1 },
        started_at: Timestamp::from_millis(1_000),
        replica: None,
        revision: None,
        result: AttemptResult::Succeeded(Json::null()),
    };
    desk.tell(1, answer);
    assert!(!desk.sequencer.runs.contains_key(&run_id(1)));
    assert_eq!(desk.state(3), "waiting");
}

#[test]
fn the_line_is_the_same_after_a_restart() {
    let mut desk = desk_of(ONE_AT_A_TIME);
    // As with real ids of one millisecond, those who came later have smaller ones.
    [9, 5, 7, 3].into_iter().for_each(|id| desk.several(id..=id));
    let before = [9, 5, 7, 3].map(|id| desk.state(id));
    let Desk { sequencer, writer, catalog, .. } = desk;
    let reader = sequencer.reader.clone();
    let mut open: Vec<_> = sequencer.runs.keys().copied().collect();
    open.sort_unstable();
    let mut desk = desk_of(ONE_AT_A_TIME);
    desk.catalog = catalog.clone();
    desk.writer = writer;
    for id in open {
        let (run, next_seq) = reader.load(id, &catalog).unwrap().unwrap();
        let open = OpenRun {
            run: id,
            namespace: name("n"),
            workflow: name("w"),
            key: None,
            input_digest: Digest::of(b"{}"),
            created_at: run.created_at(),
        };
        desk.sequencer.adopt(&open, run, next_seq);
    }
    desk.turn();
    assert_eq!([9, 5, 7, 3].map(|id| desk.state(id)), before);
    desk.tell(9, signal());
    assert_eq!(desk.state(5), "waiting");
}

#[test]
fn equal_calls_of_several_runs_are_made_once_and_the_next_run_finds_the_result_in_the_store() {
    let mut desk = desk_of("steps: { a: { call: s.a, cache: { for: 1h } } }");
    let (lookups, questions) = mpsc::channel();
    desk.sequencer.lookups = lookups;
    let look = |desk: &mut Desk| {
        let (inbox, answers) = Inbox::new();
        let (sender, asked) = mpsc::channel();
        questions.try_iter().for_each(|question| sender.send(question).unwrap());
        drop(sender);
        crate::cache::run(&asked, &*desk.store, &inbox, &Still);
        let answers: Vec<Message> = answers.try_iter().collect();
        for answer in answers {
            let _ = desk.sequencer.take(answer);
        }
        desk.turn();
    };
    desk.several(1..=3);
    look(&mut desk);
    assert_eq!([1, 2, 3].map(|id| desk.state(id)), ["running", "waiting", "waiting"]);
    let answer = Command::AttemptFinished {
        token: AttemptToken { run: run_id(1), node: 1, number: 1 },
        started_at: Timestamp::from_millis(1_000),
        replica: None,
        revision: Some(0),
        result: AttemptResult::Succeeded(Json::of(&7)),
    };
    desk.tell(1, answer);
    assert!(desk.sequencer.runs.is_empty(), "all three have it");
    assert!(desk.sequencer.flights.is_empty());
    desk.several(4..=4);
    look(&mut desk);
    assert!(desk.sequencer.runs.is_empty(), "it was in the store");
}
