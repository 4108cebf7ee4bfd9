//! What comes in between a run's end in memory and its commit.

use super::*;
use crate::{catalog::Deployed, committer::After};
use consort_engine::{Command, Start};
use consort_spec::{Folders, Texts};
use consort_store::{Batch, Writer, memory::MemoryStore};
use consort_types::{Json, NameKind, Timestamp};
use std::collections::BTreeMap;

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
    catalog: Arc<Catalog>,
}

fn name(text: &str) -> Name {
    Name::new(text, NameKind::Kebab).unwrap()
}

fn run_id(number: u128) -> RunId {
    RunId::from_uuid(uuid::Uuid::from_u128(number))
}

fn desk(steps: &str) -> Desk {
    let text = format!(
        "name: n\nservices: {{ s: {{ url: 'http://127.0.0.1:9', operations: {{ a: {{}} }} }} }}
workflows: {{ w: {{ steps: {steps} }} }}"
    );
    let checked = consort_spec::check(&Texts::new([("consort.yaml".to_owned(), text)], Folders::Assumed));
    let project = checked.project.unwrap_or_else(|| panic!("{:?}", checked.problems));
    let store = MemoryStore::default().open().unwrap();
    let catalog = Arc::new(Catalog::load(store.reader.clone()).unwrap());
    let deployed = Deployed {
        sequence: 1,
        project,
        files: Vec::new(),
        sources: BTreeMap::new(),
        workflows: BTreeMap::from([(name("w"), 1)]),
        services: BTreeMap::new(),
    };
    catalog.set(name("n"), deployed);
    let (committer, units) = mpsc::sync_channel(100);
    let runs = Arc::new(RunReader::new(store.reader));
    let (feed, admissions) = (Arc::default(), Arc::default());
    let (inbox, messages) = Inbox::new();
    let sequencer =
        Sequencer::new(committer, inbox, Arc::new(Still), feed, admissions, runs, catalog.clone());
    Desk { sequencer, units, messages, writer: store.writer, catalog }
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
        let current = self.catalog.workflow("n", "w").unwrap();
        let start = Start {
            id: run_id(id),
            namespace: name("n"),
            workflow: current.workflow,
            revision: current.revision,
            input: Json::from(serde_json::json!({})),
            tags: BTreeMap::new(),
            key: Some("k".to_owned()),
            trigger: "api".to_owned(),
            pools: BTreeMap::new(),
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
    let command = Command::Undo { by: "ann".to_owned() };
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
