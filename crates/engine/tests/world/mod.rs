//! A small world for the engine: services that answer as told, a clock that is turned by hand, and a store
//! that the run is rebuilt from after every single command.

#![allow(dead_code, clippy::print_stdout, clippy::needless_pass_by_value)]

use consort_engine::{
    AttemptResult, Command, Dispatch, Effect, EventOffer, Incident, Keep, NodeId, PermitWant, Question,
    Reading, Recall, Recalled, Record, Rejected, RerunError, Run, RunView, Start, StepRef, StepView,
    TimerKind, Transition,
};
use consort_spec::{
    Folders, Texts,
    definition::{Delivery, Project},
};
use consort_types::{
    Amount, AttemptState, AttemptToken, Digest, ErrorKind, EventKey, Json, Name, NameKind, RunError, RunId,
    RunState, StepState, Timestamp,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, collections::VecDeque, sync::Arc, time::Duration};

/// Services that every test project has: each operation takes and gives anything.
const SERVICES: &str = "
name: test
pools:
  gpu: 2
  spend: { budget: 100, when_empty: pause }
  tenant: { size: 3, key: '${input.who}' }
services:
  s:
    url: http://127.0.0.1:9
    operations:
      a: { input: { x?: any }, timeout: 10s }
      b: { input: { x?: any }, timeout: 10s }
      c: { input: { x?: any }, timeout: 10s }
      undo: { input: { x?: any } }
      paid: { input: { x?: any }, use: { gpu: 1, spend: { take: 40, settle: output.cost } } }
      typed: { input: { n: number }, output: { n: number } }
";

pub mod family;

pub fn project(workflow: &str) -> Arc<Project> {
    project_of(&format!("w:\n{}", workflow.lines().map(|line| format!("  {line}\n")).collect::<String>()))
}

/// A project with several workflows.
pub fn project_of(workflows: &str) -> Arc<Project> {
    let text = format!("{SERVICES}\nworkflows:\n{}", indent(workflows));
    let checked =
        consort_spec::check(&Texts::new([("consort.yaml".to_owned(), text.clone())], Folders::Assumed));
    match checked.project {
        Some(project) => project,
        None => panic!("{:#?}\n{text}", checked.problems),
    }
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// A call that was handed out.
#[derive(Debug, Clone)]
pub struct Sent {
    pub step: String,
    pub operation: String,
    pub input: Value,
    pub key: String,
    pub attempt: u32,
    pub token: AttemptToken,
    pub undoes: Option<String>,
    pub wants: Vec<PermitWant>,
}

/// One run and everything around it.
pub struct World {
    pub run: Run,
    pub now: Timestamp,
    pub records: Vec<Record>,
    /// Calls that were handed out and not answered.
    pub open: VecDeque<Sent>,
    /// Every call that was ever handed out.
    pub sent: Vec<Sent>,
    pub timers: BTreeMap<(NodeId, TimerKind), Timestamp>,
    /// Questions for earlier results that were not answered.
    pub asks: VecDeque<Recall>,
    pub kept: Vec<Keep>,
    pub dropped: Vec<Digest>,
    /// Calls that were answered 202.
    pub taken: Vec<AttemptToken>,
    pub ended: u32,
    /// What calls turned out to have taken of the pools.
    pub settled: Vec<(AttemptToken, Vec<Option<Amount>>)>,
    /// Whether a call that is cut is over at once; else its answer may still come.
    pub cuts: bool,
    /// Whether calls that may be made only once wait for room.
    pub holds: bool,
    /// Every event that was sent.
    pub emitted: Vec<consort_events::Event>,
    /// Nodes that asked for events.
    pub listening: Vec<NodeId>,
    project: Arc<Project>,
}

impl World {
    pub fn start(workflow: &str) -> Self {
        Self::start_with(workflow, json!({}))
    }

    pub fn start_with(workflow: &str, input: Value) -> Self {
        Self::of(project(workflow), input, 1)
    }

    pub fn of(project: Arc<Project>, input: Value, seed: u128) -> Self {
        Self::begun(project, input, seed, None)
    }

    /// A run that has to wait for a place.
    pub fn in_line(workflow: &str) -> Self {
        Self::begun(project(workflow), json!({}), 1, Some(1))
    }

    /// The same, and the last run before it gave this.
    pub fn in_line_after(workflow: &str, previous: Option<Json>) -> Self {
        let project = project(workflow);
        let start = Start { previous, ..start_of(&project, json!({}), 1, Some(1)) };
        Self::begin(project, start, begin_at())
    }

    pub fn begun(project: Arc<Project>, input: Value, seed: u128, queued: Option<u64>) -> Self {
        Self::reading(project, input, seed, queued, Reading::Allowed)
    }

    pub fn reading(
        project: Arc<Project>,
        input: Value,
        seed: u128,
        queued: Option<u64>,
        reading: Reading,
    ) -> Self {
        let start = Start { reading, ..start_of(&project, input, seed, queued) };
        Self::begin(project, start, begin_at())
    }

    /// A run that does this one again, by the same definition and with the same input.
    pub fn rerun(&self, from: Option<&str>) -> Result<Self, RerunError> {
        self.rerun_of(self.project.clone(), self.run.input().clone(), from)
    }

    /// The same by a newer definition and with another input.
    pub fn rerun_with(&self, workflow: &str, input: Value, from: Option<&str>) -> Result<Self, RerunError> {
        self.rerun_of(project(workflow), Json::from(input), from)
    }

    fn rerun_of(&self, project: Arc<Project>, input: Json, from: Option<&str>) -> Result<Self, RerunError> {
        let workflow = project.workflows["w"].clone();
        let copies = self.run.rerun(&workflow, from)?.copies;
        let start = Start {
            id: RunId::from_uuid(uuid::Uuid::from_u128(self.run.id().as_uuid().as_u128() + 1_000_000)),
            namespace: self.run.namespace().clone(),
            workflow,
            revision: 2,
            input,
            tags: BTreeMap::new(),
            key: None,
            reading: Reading::Allowed,
            trigger: format!("rerun:{}", self.run.id()),
            copies: Some(Box::new(copies)),
            parent: None,
            limit_key: None,
            pools: BTreeMap::new(),
            previous: None,
            queued: None,
        };
        Ok(Self::begin(project, start, self.now))
    }

    /// What a clean rerun undoes first.
    pub fn undoes(&self, from: Option<&str>) -> Vec<NodeId> {
        self.run.rerun(&self.project.workflows["w"], from).unwrap().undoes
    }

    fn begin(project: Arc<Project>, start: Start, now: Timestamp) -> Self {
        let (run, transition) = Run::start(start, now);
        let mut world = Self {
            run,
            now,
            records: Vec::new(),
            open: VecDeque::new(),
            sent: Vec::new(),
            timers: BTreeMap::new(),
            asks: VecDeque::new(),
            kept: Vec::new(),
            dropped: Vec::new(),
            taken: Vec::new(),
            ended: 0,
            settled: Vec::new(),
            cuts: true,
            holds: false,
            emitted: Vec::new(),
            listening: Vec::new(),
            project,
        };
        world.take(transition);
        world
    }

    fn take(&mut self, transition: Transition) {
        if !transition.is_empty() {
            // What is stored is what is read back.
            self.records.push(Record::decode(&transition.record.encode()).unwrap());
        }
        transition.effects.into_iter().for_each(|effect| self.carry_out(effect));
        self.check_replay();
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Dispatch(dispatch) => {
                let sent = sent(&dispatch);
                self.sent.push(sent.clone());
                let token = sent.token;
                self.open.push_back(sent);
                if dispatch.delivery == Delivery::AtMostOnce && !self.holds {
                    self.send(token);
                }
            }
            Effect::Recall(recall) => self.asks.push_back(*recall),
            Effect::Keep(keep) => self.kept.push(*keep),
            Effect::Drop(key) => self.dropped.push(key),
            Effect::Withdraw(_) => {}
            Effect::Settle { token, amounts } => self.settled.push((token, amounts)),
            Effect::Abort(token) => {
                if self.cuts && self.open.iter().any(|sent| sent.token == token) {
                    let error = RunError::new("E_CANCELLED", ErrorKind::Cancelled, "cut");
                    self.finish(token, failed(AttemptState::Cancelled, error));
                }
            }
            Effect::SetTimer { node, kind, at } => {
                self.timers.insert((node, kind), at);
            }
            Effect::Tell(run, command) if run == self.run.id() => match self.apply(*command) {
                Ok(()) | Err(Rejected::Stale) => {}
                Err(error) => panic!("{error}"),
            },
            Effect::Emit(event) => self.emitted.push(*event),
            Effect::Listen(node) => self.listening.push(node),
            // This world has one run; `family` has several.
            Effect::StartChild(_) | Effect::Tell(..) => {}
            Effect::Ended(_) => self.ended += 1,
        }
    }

    /// A run rebuilt from its history equals the one that lived, and would do the same next.
    pub fn check_replay(&self) {
        let workflow = self.project.workflows["w"].clone();
        let rebuilt = Run::replay(workflow, self.records.clone()).unwrap();
        let (lived, rebuilt) = (format!("{:?}", View::of(&self.run)), format!("{:?}", View::of(&rebuilt)));
        assert_eq!(lived, rebuilt, "a replay gives another run");
    }

    /// The server is killed and started again: what was not answered is handed out anew.
    pub fn crash(&mut self) {
        let workflow = self.project.workflows["w"].clone();
        self.run = Run::replay(workflow, self.records.clone()).unwrap();
        self.open.clear();
        self.asks.clear();
        self.timers.clear();
        let effects = self.run.pending_effects(self.now);
        effects.into_iter().for_each(|effect| self.carry_out(effect));
    }

    pub fn apply(&mut self, command: Command) -> Result<(), Rejected> {
        let transition = self.run.apply(command, self.now)?;
        self.take(transition);
        Ok(())
    }

    pub fn finish(&mut self, token: AttemptToken, result: AttemptResult) {
        self.open.retain(|sent| sent.token != token);
        let (started_at, replica) = (self.now, Some("s-1".to_owned()));
        let command = Command::AttemptFinished { token, started_at, replica, revision: Some(1), result };
        match self.apply(command) {
            Ok(()) | Err(Rejected::Stale) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// The oldest question for an earlier result is answered.
    pub fn recall(&mut self, answer: Recalled) -> &mut Self {
        let token = self.asks.pop_front().expect("nobody asks").token;
        match self.apply(Command::Recalled { token, answer }) {
            Ok(()) | Err(Rejected::Stale) => self,
            Err(error) => panic!("{error}"),
        }
    }

    /// A call that may be made only once has found room: that is recorded, then it is sent.
    pub fn send(&mut self, token: AttemptToken) {
        let (started_at, replica) = (self.now, Some("s-1".to_owned()));
        self.apply(Command::AttemptSending { token, started_at, replica, revision: Some(1) }).unwrap();
    }

    /// The open call of a step is lost on the way: its connection broke.
    pub fn broken(&mut self, step: &str) -> &mut Self {
        let token = self.open_call(step).token;
        let error = RunError::new("E_CONNECTION_BROKEN", ErrorKind::Unavailable, "broke").retryable();
        self.finish(token, failed(AttemptState::Failed, error));
        self
    }

    /// Nobody takes the open call of a step.
    pub fn refused(&mut self, step: &str) -> &mut Self {
        let token = self.open_call(step).token;
        let error = RunError::new("E_CONNECT", ErrorKind::Unavailable, "refused").retryable();
        self.finish(token, AttemptResult::Unsent { error });
        self
    }

    fn open_call(&self, step: &str) -> Sent {
        let found = self.open.iter().find(|sent| sent.step == step).cloned();
        found.unwrap_or_else(|| panic!("`{step}` is not in flight, only {:?}", self.in_flight()))
    }

    /// The budget that an open call wants is used up.
    pub fn poor(&mut self, step: &str) -> &mut Self {
        let token = self.open_call(step).token;
        let error = Box::new(RunError::new("E_BUDGET_EMPTY", ErrorKind::Limit, "used up"));
        let pool = Name::new("spend", NameKind::Kebab).unwrap();
        self.open.retain(|sent| sent.token != token);
        self.apply(Command::OutOfBudget { token, pool, error }).unwrap();
        self
    }

    /// The oldest open call of a step answers well.
    pub fn ok(&mut self, step: &str, output: Value) -> &mut Self {
        let token = self.open_call(step).token;
        self.finish(token, AttemptResult::Succeeded(Json::from(output)));
        self
    }

    /// The open call of a step fails in a way that another try may mend.
    pub fn busy(&mut self, step: &str) -> &mut Self {
        let error = RunError::new("BUSY", ErrorKind::Operation, "busy").retryable();
        let token = self.open_call(step).token;
        self.finish(token, failed(AttemptState::Failed, error));
        self
    }

    /// The open call of a step fails for good.
    pub fn bad(&mut self, step: &str) -> &mut Self {
        let token = self.open_call(step).token;
        let error = RunError::new("BAD", ErrorKind::Operation, "bad");
        self.finish(token, failed(AttemptState::Failed, error));
        self
    }

    /// The open call of a step is late.
    pub fn late(&mut self, step: &str) -> &mut Self {
        let token = self.open_call(step).token;
        let error = RunError::new("E_TIMEOUT", ErrorKind::Timeout, "late").retryable();
        self.finish(token, failed(AttemptState::TimedOut, error));
        self
    }

    /// The open call of a step is answered 202.
    pub fn accept(&mut self, step: &str) -> AttemptToken {
        let token = self.open_call(step).token;
        let (started_at, replica) = (self.now, Some("s-1".to_owned()));
        self.apply(Command::AttemptAccepted { token, started_at, replica, revision: Some(1) }).unwrap();
        self.open.retain(|sent| sent.token != token);
        self.taken.push(token);
        token
    }

    /// Turns the clock to the next timer and lets it fire. False when there is none.
    pub fn tick(&mut self) -> bool {
        let Some((&(node, kind), &at)) = self.timers.iter().min_by_key(|(_, at)| **at) else { return false };
        self.timers.remove(&(node, kind));
        self.now = self.now.max(at);
        self.apply(Command::TimerFired { node, kind }).unwrap();
        true
    }

    /// Lets time pass, and every timer that is due fire.
    pub fn pass(&mut self, time: Duration) -> &mut Self {
        let until = self.now.plus(time);
        while self.timers.values().min().is_some_and(|at| *at <= until) {
            self.tick();
        }
        self.now = until;
        self
    }

    /// Offers an event to a node that asked for one.
    pub fn offer_event(&mut self, node: NodeId, seq: u64, event_type: &str, data: Value) {
        let key = EventKey::of(&Name::new("test", NameKind::Kebab).unwrap(), "/s", &seq.to_string());
        let id = seq.to_string();
        let document = Json::of(&json!({"id": id, "source": "/s", "type": event_type, "data": data}));
        let offer = EventOffer { node, seq, key, event_type: event_type.to_owned(), document };
        self.apply(Command::Event(Box::new(offer))).unwrap();
    }

    pub fn in_flight(&self) -> Vec<&str> {
        let mut steps: Vec<&str> = self.open.iter().map(|sent| sent.step.as_str()).collect();
        steps.sort_unstable();
        steps
    }

    /// Every call in the order in which it was handed out: `step` or `step#2` for later tries.
    pub fn calls(&self) -> Vec<String> {
        let name = |sent: &Sent| match sent.attempt {
            1 => sent.step.clone(),
            attempt => format!("{}#{attempt}", sent.step),
        };
        self.sent.iter().map(name).collect()
    }

    /// The newest records as they are stored, newest first: for the message of a failing seed.
    pub fn last_records(&self, count: usize) -> Vec<String> {
        let records = self.records.iter().rev().take(count);
        records.map(|record| String::from_utf8(record.encode()).unwrap()).collect()
    }

    pub fn view(&self) -> RunView {
        self.run.view(&|_| None)
    }

    pub fn state(&self) -> RunState {
        self.view().state
    }

    pub fn output(&self) -> Value {
        self.view().output.expect("the run has no output").to_value()
    }

    pub fn step(&self, key: &str) -> StepView {
        self.run.step(key, &|_| None).unwrap_or_else(|| panic!("no step {key}"))
    }

    pub fn states(&self) -> BTreeMap<String, StepState> {
        self.run.steps(0, 10_000, &|_| None).into_iter().map(|step| (step.key, step.state)).collect()
    }

    pub fn by_hand(&mut self, command: impl FnOnce(String) -> Command) -> Result<(), Rejected> {
        self.apply(command("ann".to_owned()))
    }

    pub fn skip(&mut self, step: &str) -> Result<(), Rejected> {
        let step = StepRef::Key(step.to_owned());
        self.by_hand(|by| Command::Skip { step, by })
    }

    pub fn complete(&mut self, step: &str, output: Value) -> Result<(), Rejected> {
        let (step, output) = (StepRef::Key(step.to_owned()), Json::from(output));
        self.by_hand(|by| Command::Complete { step, output, by })
    }

    pub fn retry(&mut self, step: Option<&str>) -> Result<(), Rejected> {
        let step = step.map(|step| StepRef::Key(step.to_owned()));
        self.by_hand(|by| Command::Retry { step, by })
    }
}

pub fn kebab(text: &str) -> Name {
    Name::new(text, NameKind::Kebab).unwrap()
}

fn failed(state: AttemptState, error: RunError) -> AttemptResult {
    AttemptResult::Failed { state, error, retry_after: None }
}

fn sent(dispatch: &Dispatch) -> Sent {
    Sent {
        step: dispatch.step.clone(),
        operation: dispatch.operation.name.operation.to_string(),
        input: dispatch.input.to_value(),
        key: dispatch.idempotency_key.clone(),
        attempt: dispatch.attempt,
        token: dispatch.token,
        undoes: dispatch.undoes.clone(),
        wants: dispatch.wants.clone(),
    }
}

/// Everything that shows of a run.
#[derive(Debug)]
struct View {
    run: RunView,
    steps: Vec<StepView>,
    people: (Vec<Question>, Vec<Incident>),
    pending: Vec<String>,
}

impl View {
    fn of(run: &Run) -> Self {
        let pending = run.pending_effects(Timestamp::from_millis(0));
        let mut pending: Vec<String> = pending.iter().map(|effect| format!("{effect:?}")).collect();
        pending.sort();
        let people = (run.questions(), run.incidents());
        Self { run: run.view(&|_| None), steps: run.steps(0, 100_000, &|_| None), people, pending }
    }
}

fn begin_at() -> Timestamp {
    Timestamp::from_millis(1_000_000)
}

fn start_of(project: &Project, input: Value, seed: u128, queued: Option<u64>) -> Start {
    let workflow = project.workflows["w"].clone();
    Start {
        id: RunId::from_uuid(uuid::Uuid::from_u128(seed)),
        namespace: Name::new("test", NameKind::Kebab).unwrap(),
        workflow,
        revision: 1,
        input: Json::from(input),
        tags: BTreeMap::new(),
        key: None,
        trigger: "api".to_owned(),
        copies: None,
        reading: Reading::Allowed,
        pools: BTreeMap::new(),
        limit_key: None,
        previous: None,
        queued,
        parent: None,
    }
}
