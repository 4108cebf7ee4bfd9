//! What goes on between runs, and between runs and events, when the server is killed at any commit.

use super::*;
use crate::{
    catalog::Deployed,
    committer::{After, Unit},
};
use consort_artifacts::Artifacts;
use consort_engine::{Command, Effect, Reading, Start};
use consort_events::{Draft, Event};
use consort_spec::{Folders, Texts};
use consort_store::{
    Batch, EventFilter, EventOrder, PageRequest, Reader, Write, Writer, memory::MemoryStore,
};
use consort_types::{Json, NameKind, RunState, Timestamp};
use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
};
use tokio::sync::oneshot;

mod previous;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_000)
    }
}

fn name(text: &str) -> Name {
    Name::new(text, NameKind::Kebab).unwrap()
}

fn run_id(number: u128) -> RunId {
    RunId::from_uuid(uuid::Uuid::from_u128(number))
}

/// A sequencer whose commits are done one by one, and which can be killed between two.
struct Room {
    sequencer: Sequencer,
    units: mpsc::Receiver<Unit>,
    messages: mpsc::Receiver<Message>,
    writer: Box<dyn Writer>,
    reader: Arc<dyn Reader>,
    catalog: Arc<Catalog>,
}

type Parts = (Sequencer, mpsc::Receiver<Unit>, mpsc::Receiver<Message>);

/// Nothing here is large enough to be kept as one.
fn no_artifacts() -> Artifacts {
    Artifacts::at(Path::new("no-such-folder"))
}

fn sequencer(reader: &Arc<dyn Reader>, catalog: &Arc<Catalog>) -> Parts {
    let (committer, units) = mpsc::sync_channel(10_000);
    let (inbox, messages) = Inbox::new();
    let runs = Arc::new(RunReader::new(reader.clone(), no_artifacts()));
    let (feed, permits) = (Arc::default(), Arc::new(Permits::default()));
    let admissions = Arc::new(Admissions::new(permits.clone(), Arc::new(Still)));
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
    sequencer.number_events_after(reader.newest_event().unwrap());
    (sequencer, units, messages)
}

/// Puts workflows in the place of those that are deployed.
fn deploy(catalog: &Catalog, workflows: &str, revision: u64) {
    let text = format!("name: n\nworkflows:\n{workflows}");
    let checked = consort_spec::check(&Texts::new([("consort.yaml".to_owned(), text)], Folders::Assumed));
    let project = checked.project.unwrap_or_else(|| panic!("{:?}", checked.problems));
    let numbers: BTreeMap<Name, u64> =
        project.workflows.keys().map(|name| (name.clone(), revision)).collect();
    let deployed = Deployed {
        sequence: revision,
        project,
        files: Vec::new(),
        sources: BTreeMap::new(),
        workflows: numbers,
        services: BTreeMap::new(),
        rolled_out: BTreeMap::new(),
    };
    catalog.set(name("n"), deployed);
}

fn room(workflows: &str) -> Room {
    let store = MemoryStore::default().open().unwrap();
    let catalog = Arc::new(Catalog::load(store.reader.clone()).unwrap());
    deploy(&catalog, workflows, 1);
    let (mut sequencer, units, messages) = sequencer(&store.reader, &catalog);
    sequencer.take_limits(&name("n"));
    Room { sequencer, units, messages, writer: store.writer, reader: store.reader, catalog }
}

impl Room {
    fn start(&mut self, id: u128, workflow: &str) {
        self.start_with(id, workflow, serde_json::json!({}));
    }

    fn start_with(&mut self, id: u128, workflow: &str, input: serde_json::Value) {
        let current = self.catalog.workflow("n", workflow).unwrap();
        let input = current.workflow.input.check(&Json::from(input)).unwrap();
        let limit_key = crate::starts::limit_key(&current.workflow, &input).unwrap();
        let start = Start {
            id: run_id(id),
            namespace: name("n"),
            workflow: current.workflow,
            revision: current.revision,
            input,
            tags: BTreeMap::new(),
            key: None,
            trigger: "api".to_owned(),
            limit_key,
            previous: None,
            queued: None,
            parent: None,
            copies: None,
            reading: Reading::Allowed,
            pools: BTreeMap::new(),
        };
        let (reply, _) = oneshot::channel();
        let input_digest = Digest::of(b"{}");
        let _ = self.sequencer.take(Message::Start(Box::new(StartRequest { start, input_digest, reply })));
    }

    fn post(&mut self, event_type: &str, id: &str, n: u32) -> oneshot::Receiver<PostAnswer> {
        let event = Event::of(Draft {
            id: id.to_owned(),
            source: "/shop".to_owned(),
            event_type: event_type.to_owned(),
            subject: None,
            time: Timestamp::from_millis(0),
            data: Json::from(serde_json::json!({ "n": n })),
        });
        let (reply, answer) = oneshot::channel();
        let post = PostEvents { namespace: name("n"), events: vec![event], reply };
        let _ = self.sequencer.take(Message::PostEvents(post));
        answer
    }

    /// Does one commit and what follows it. False when there is none.
    fn commit_one(&mut self) -> bool {
        let Ok(unit) = self.units.try_recv() else { return false };
        let mut batch = Batch::default();
        batch.extend(unit.writes);
        if !batch.is_empty() {
            self.writer.commit(&batch).unwrap();
        }
        let mut after = VecDeque::from(unit.after);
        while let Some(one) = after.pop_front() {
            self.follow(one);
        }
        while let Ok(message) = self.messages.try_recv() {
            let _ = self.sequencer.take(message);
        }
        true
    }

    fn follow(&mut self, after: After) {
        let message = match after {
            After::Call(call) => return call(),
            After::Effect(namespace, _, Effect::StartChild(start)) => Message::StartChild(namespace, start),
            After::Effect(_, _, Effect::Tell(run, command)) => {
                Message::Command { run, command: *command, reply: None }
            }
            After::Effect(_, run, Effect::Listen(node)) => Message::Listen(run, node),
            After::Effect(..) | After::Permits(_) | After::Over(_) => return,
        };
        let _ = self.sequencer.take(message);
    }

    fn settle(&mut self) {
        while self.commit_one() {}
    }

    /// What is not committed is lost; the next server finds what is.
    fn kill(&mut self) {
        (self.sequencer, self.units, self.messages) = sequencer(&self.reader, &self.catalog);
        self.sequencer.take_limits(&name("n"));
        let runs = RunReader::new(self.reader.clone(), no_artifacts());
        let mut after = Vec::new();
        for open in self.reader.open_runs().unwrap() {
            let (run, next_seq) = runs.load(open.run, &self.catalog).unwrap().unwrap();
            after.extend(self.sequencer.adopt(&open, run, next_seq));
        }
        after.into_iter().for_each(|one| self.follow(one));
    }

    fn state(&self, id: RunId) -> RunState {
        let runs = RunReader::new(self.reader.clone(), no_artifacts());
        let (run, _) = runs.load(id, &self.catalog).unwrap().unwrap();
        run.view(&|_| None).state
    }

    fn output(&self, id: u128) -> serde_json::Value {
        let runs = RunReader::new(self.reader.clone(), no_artifacts());
        let (run, _) = runs.load(run_id(id), &self.catalog).unwrap().unwrap();
        run.view(&|_| None).output.map_or(serde_json::Value::Null, |output| output.to_value())
    }

    fn events(&self) -> Vec<String> {
        let filter = EventFilter::of(name("n"));
        let page = self.reader.events(&filter, EventOrder::OldestFirst, &PageRequest::first(100)).unwrap();
        page.items.into_iter().map(|event| format!("{} {}", event.event_type, event.id)).collect()
    }

    fn all_runs(&self) -> usize {
        let mut known = std::collections::BTreeSet::new();
        known.extend(self.reader.open_runs().unwrap().into_iter().map(|open| open.run));
        known.extend(self.reader.closed_before(Timestamp::from_millis(i64::MAX), 1_000).unwrap());
        known.len()
    }
}

type PostAnswer = Result<Vec<PostedEvent>, consort_store::Error>;

const FAMILY: &str = "
  w: { steps: { each: { for_each: '${[1, 2, 3]}', run: mid, with: { n: '${item}' } }, free: { run: leaf, detach: true } }, output: '${each}' }
  mid: { input: { n: integer }, steps: { deep: { run: leaf }, own: { value: '${input.n * 10}' } }, output: '${own}' }
  leaf: { steps: { v: { value: 1 } } }
";

#[test]
fn the_start_of_a_child_is_in_the_commit_of_its_parent() {
    let mut room = room(FAMILY);
    room.start(1, "w");
    let first = room.units.try_recv().unwrap();
    let opened = first.writes.iter().filter(|write| matches!(write, Write::OpenRun(_))).count();
    assert_eq!(opened, 1 + 4, "the parent, three items and the detached one");
}

#[test]
fn a_kill_at_any_commit_makes_no_child_twice_and_loses_none() {
    let mut commits = 0;
    for kill_at in 0.. {
        let mut room = room(FAMILY);
        room.start(1, "w");
        room.commit_one();
        let done = (0..kill_at).take_while(|_| room.commit_one()).count();
        room.kill();
        room.settle();
        assert_eq!(room.state(run_id(1)), RunState::Succeeded, "killed after {kill_at}");
        assert_eq!(room.output(1), serde_json::json!([10, 20, 30]));
        assert_eq!(room.all_runs(), 1 + 3 + 3 + 1, "killed after {kill_at}");
        commits = done;
        if done < kill_at {
            break;
        }
    }
    assert!(commits > 5, "{commits}");
}

const EVENTS: &str = "
  w:
    steps:
      sent: { emit: { type: order.made, data: { n: 3 } } }
      own: { await: { event: 'order.*', where: event.data.n == 3 } }
      paid: { await: { event: order.paid, where: event.data.n == 7 }, after: [own] }
    output: '${[own.type, paid.id]}'
";

#[test]
fn a_kill_at_any_commit_loses_no_event_and_takes_none_twice() {
    for kill_at in 0.. {
        let mut room = room(EVENTS);
        room.start(1, "w");
        room.commit_one();
        let before = (0..kill_at).take_while(|_| room.commit_one()).count();
        let mut answers = [room.post("order.paid", "a", 6), room.post("order.paid", "b", 7)];
        let done = before + (before..kill_at).take_while(|_| room.commit_one()).count();
        let acknowledged = answers.each_mut().map(|answer| answer.try_recv().is_ok());
        room.kill();
        room.settle();
        // Whoever was not answered sends again.
        for (id, n, known) in [("a", 6, acknowledged[0]), ("b", 7, acknowledged[1])] {
            if !known {
                drop(room.post("order.paid", id, n));
                room.settle();
            }
        }
        assert_eq!(room.state(run_id(1)), RunState::Succeeded, "killed after {kill_at}");
        assert_eq!(room.output(1), serde_json::json!(["order.made", "b"]));
        let sent = format!("order.made {}-1", run_id(1));
        let mut events = room.events();
        events.sort();
        assert_eq!(events, [sent, "order.paid a".to_owned(), "order.paid b".to_owned()]);
        if done < kill_at {
            break;
        }
    }
}

#[test]
fn an_event_that_is_sent_twice_is_accepted_once() {
    let mut room = room(EVENTS);
    let mut answers = [room.post("t", "a", 1), room.post("t", "a", 1)];
    room.settle();
    let mut late = room.post("t", "a", 1);
    room.settle();
    let new = |answer: &mut oneshot::Receiver<PostAnswer>| answer.try_recv().unwrap().unwrap()[0].new;
    assert_eq!(answers.each_mut().map(new), [true, false]);
    assert!(!new(&mut late));
    assert_eq!(room.events(), ["t a"]);
    assert!(room.sequencer.events.is_quiet(), "nothing is remembered that is stored");
}

#[test]
fn posts_that_wait_share_no_answer_before_their_commit() {
    let mut room = room(EVENTS);
    let mut first = room.post("t", "a", 1);
    assert!(first.try_recv().is_err(), "it is not committed yet");
    room.commit_one();
    assert!(first.try_recv().is_ok());
}

#[test]
fn what_becomes_of_a_run_is_an_event_while_somebody_may_wait_for_it() {
    let mut room = room(
        "
  quiet: { steps: { v: { value: 1 } } }
  watcher: { steps: { other: { await: { event: 'consort.run.*', where: 'true' } } }, output: '${other.subject}' }
",
    );
    room.start(1, "quiet");
    room.settle();
    assert_eq!(room.events(), Vec::<String>::new(), "nobody listens");
    room.start(2, "watcher");
    room.settle();
    assert_eq!(room.state(run_id(2)), RunState::Waiting, "its own start is no news to it");
    room.start(3, "quiet");
    room.settle();
    assert_eq!(room.state(run_id(2)), RunState::Succeeded);
    assert_eq!(room.output(2), "quiet");
    room.start(4, "quiet");
    room.settle();
    let of_fourth = format!("{}", run_id(4));
    assert!(!room.events().iter().any(|event| event.contains(&of_fourth)), "nobody listens any more");
}

#[test]
fn a_run_that_ends_leaves_nothing_in_the_index() {
    let mut room = room(EVENTS);
    room.start(1, "w");
    room.settle();
    assert_eq!(room.state(run_id(1)), RunState::Waiting);
    let command = Command::Cancel { by: "ann".to_owned() };
    let _ = room.sequencer.take(Message::Command { run: run_id(1), command, reply: None });
    room.settle();
    assert_eq!(room.state(run_id(1)), RunState::Cancelled);
    assert!(room.sequencer.events.is_quiet());
}
