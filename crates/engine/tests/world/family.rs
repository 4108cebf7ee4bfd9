//! A world of several runs: what they say to each other is carried like calls are, and lost in a crash.

use super::{Sent, failed, project_of, sent};
use consort_engine::{
    AttemptResult, ChildStart, ChildWord, Command, Effect, FromChild, FromParent, NodeId, ParentWord, Record,
    Rejected, Run, RunView, Start, StepView, TimerKind, Transition,
};
use consort_spec::definition::{Project, Workflow};
use consort_types::{
    AttemptState, AttemptToken, ErrorKind, Json, Name, NameKind, RunError, RunId, StepState, Timestamp,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// What is on its way from one run to another.
enum Word {
    Start(Box<ChildStart>),
    Tell(RunId, Box<Command>),
}

pub struct Member {
    pub run: Run,
    records: Vec<Record>,
    workflow: Arc<Workflow>,
    pub ended: u32,
}

/// Runs of one project, and everything around them.
pub struct Family {
    pub runs: BTreeMap<RunId, Member>,
    pub top: RunId,
    pub now: Timestamp,
    /// Calls that were handed out and not answered, with the run whose they are.
    pub open: VecDeque<(RunId, Sent)>,
    /// Every call, in order: `workflow:step`.
    pub calls: Vec<String>,
    timers: BTreeMap<(RunId, NodeId, TimerKind), Timestamp>,
    words: VecDeque<Word>,
    project: Arc<Project>,
}

impl Family {
    /// Starts the workflow `w` of some workflows.
    pub fn start(workflows: &str) -> Self {
        Self::of(project_of(workflows), Value::Object(serde_json::Map::new()), 1)
    }

    pub fn of(project: Arc<Project>, input: Value, seed: u128) -> Self {
        let top = RunId::from_uuid(uuid::Uuid::from_u128(seed));
        let now = Timestamp::from_millis(1_000_000);
        let mut family = Self {
            runs: BTreeMap::new(),
            top,
            now,
            open: VecDeque::new(),
            calls: Vec::new(),
            timers: BTreeMap::new(),
            words: VecDeque::new(),
            project,
        };
        family.begin(top, "w", Json::from(input), None, BTreeMap::new());
        family
    }

    fn begin(
        &mut self,
        id: RunId,
        workflow: &str,
        input: Json,
        parent: Option<consort_engine::Parent>,
        pools: BTreeMap<Name, RunId>,
    ) {
        let workflow = self.project.workflows[workflow].clone();
        let trigger =
            parent.as_ref().map_or_else(|| "api".to_owned(), |parent| format!("run:{}", parent.run));
        let start = Start {
            id,
            namespace: Name::new("test", NameKind::Kebab).unwrap(),
            workflow: workflow.clone(),
            revision: 1,
            input,
            tags: BTreeMap::new(),
            key: None,
            trigger,
            parent,
            copies: None,
            reading: consort_engine::Reading::Allowed,
            pools,
            limit_key: None,
            previous: None,
            queued: None,
        };
        let (run, transition) = Run::start(start, self.now);
        self.runs.insert(id, Member { run, records: Vec::new(), workflow, ended: 0 });
        self.take(id, transition);
    }

    fn take(&mut self, id: RunId, transition: Transition) {
        let member = self.runs.get_mut(&id).unwrap();
        if !transition.is_empty() {
            member.records.push(Record::decode(&transition.record.encode()).unwrap());
        }
        let rebuilt = Run::replay(member.workflow.clone(), member.records.clone()).unwrap();
        let show = |run: &Run| {
            (format!("{:?}", run.view(&|_| None)), format!("{:?}", run.steps(0, 100_000, &|_| None)))
        };
        assert_eq!(show(&member.run), show(&rebuilt), "a replay gives another run");
        transition.effects.into_iter().for_each(|effect| self.carry_out(id, effect));
    }

    fn carry_out(&mut self, id: RunId, effect: Effect) {
        match effect {
            Effect::Dispatch(dispatch) => {
                let sent = sent(&dispatch);
                self.calls.push(format!("{}:{}", self.runs[&id].workflow.name, sent.step));
                self.open.push_back((id, sent));
            }
            Effect::Abort(token) => {
                if self.open.iter().any(|(_, sent)| sent.token == token) {
                    let error = RunError::new("E_CANCELLED", ErrorKind::Cancelled, "cut");
                    self.finish(token, failed(AttemptState::Cancelled, error));
                }
            }
            Effect::SetTimer { node, kind, at } => {
                self.timers.insert((id, node, kind), at);
            }
            Effect::Recall(_) | Effect::Keep(_) | Effect::Drop(_) => {}
            Effect::StartChild(start) => self.words.push_back(Word::Start(start)),
            Effect::Tell(run, command) => self.words.push_back(Word::Tell(run, command)),
            Effect::Ended(_) => self.runs.get_mut(&id).unwrap().ended += 1,
            Effect::Settle { .. } => {}
            Effect::Withdraw(_) | Effect::Emit(_) | Effect::Listen(_) => {}
        }
    }

    /// Delivers the oldest word between two runs. False when there is none.
    pub fn deliver(&mut self) -> bool {
        match self.words.pop_front() {
            None => return false,
            Some(Word::Start(start)) => self.start_child(*start),
            Some(Word::Tell(run, command)) => match self.apply(run, *command) {
                Ok(()) | Err(Rejected::Stale | Rejected::Ended(_) | Rejected::NotNow(_)) => {}
                Err(error) => panic!("{error}"),
            },
        }
        true
    }

    /// Lets the runs talk until nobody has anything to say.
    pub fn talk(&mut self) -> &mut Self {
        while self.deliver() {}
        self
    }

    /// As the sequencer does it: known runs report, others are checked and begin.
    fn start_child(&mut self, start: ChildStart) {
        let ChildStart { id, workflow, input, parent, pools } = start;
        let detached = parent.detached;
        let (of, node) = (parent.run, parent.node);
        if self.runs.contains_key(&id) {
            let report = FromParent { parent: of, node, word: ParentWord::Report };
            return self.words.push_back(Word::Tell(id, Box::new(Command::FromParent(report))));
        }
        let word = match self.project.workflows[workflow.as_str()].input.check(&input) {
            Ok(input) => {
                self.begin(id, workflow.as_str(), input, Some(parent), pools);
                detached.then_some(ChildWord::Began)
            }
            Err(_) => {
                let error = RunError::new("E_INVALID_INPUT", ErrorKind::InvalidInput, "does not fit");
                Some(ChildWord::Refused(Box::new(error)))
            }
        };
        if let Some(word) = word {
            let from = Command::FromChild(Box::new(FromChild { child: id, node, word }));
            self.words.push_back(Word::Tell(of, Box::new(from)));
        }
    }

    /// The server is killed and started again: words and calls are lost, the records are not.
    pub fn crash(&mut self) {
        (self.open, self.timers, self.words) = Default::default();
        let ids: Vec<RunId> = self.runs.keys().copied().collect();
        for id in &ids {
            let member = self.runs.get_mut(id).unwrap();
            member.run = Run::replay(member.workflow.clone(), member.records.clone()).unwrap();
        }
        for id in ids {
            let effects = self.runs[&id].run.pending_effects(self.now);
            effects.into_iter().for_each(|effect| self.carry_out(id, effect));
        }
    }

    pub fn apply(&mut self, id: RunId, command: Command) -> Result<(), Rejected> {
        let member = self.runs.get_mut(&id).ok_or(Rejected::Stale)?;
        let transition = member.run.apply(command, self.now)?;
        self.take(id, transition);
        Ok(())
    }

    pub fn finish(&mut self, token: AttemptToken, result: AttemptResult) {
        self.open.retain(|(_, sent)| sent.token != token);
        let (started_at, replica) = (self.now, Some("s-1".to_owned()));
        let command = Command::AttemptFinished { token, started_at, replica, revision: Some(1), result };
        match self.apply(token.run, command) {
            Ok(()) | Err(Rejected::Stale) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn open_call(&self, step: &str) -> AttemptToken {
        let found = self.open.iter().find(|(_, sent)| sent.step == step);
        found.unwrap_or_else(|| panic!("`{step}` is not in flight, only {:?}", self.in_flight())).1.token
    }

    pub fn in_flight(&self) -> Vec<&str> {
        let mut steps: Vec<&str> = self.open.iter().map(|(_, sent)| sent.step.as_str()).collect();
        steps.sort_unstable();
        steps
    }

    /// The oldest open call of a step answers well; then the runs talk.
    pub fn ok(&mut self, step: &str, output: Value) -> &mut Self {
        self.finish(self.open_call(step), AttemptResult::Succeeded(Json::from(output)));
        self.talk()
    }

    /// The open call of a step fails for good.
    pub fn bad(&mut self, step: &str) -> &mut Self {
        let error = RunError::new("BAD", ErrorKind::Operation, "bad");
        self.finish(self.open_call(step), failed(AttemptState::Failed, error));
        self.talk()
    }

    /// Turns the clock to the next timer and lets it fire. False when there is none.
    pub fn tick(&mut self) -> bool {
        let Some((&key, &at)) = self.timers.iter().min_by_key(|(_, at)| **at) else { return false };
        self.timers.remove(&key);
        self.now = self.now.max(at);
        let (run, node, kind) = key;
        self.apply(run, Command::TimerFired { node, kind }).unwrap();
        true
    }

    pub fn pass(&mut self, time: Duration) -> &mut Self {
        let until = self.now.plus(time);
        while self.timers.values().min().is_some_and(|at| *at <= until) {
            self.tick();
            self.talk();
        }
        self.now = until;
        self
    }

    pub fn by_hand(&mut self, run: RunId, command: impl FnOnce(String) -> Command) -> Result<(), Rejected> {
        self.apply(run, command("ann".to_owned()))?;
        self.talk();
        Ok(())
    }

    pub fn view(&self, run: RunId) -> RunView {
        self.runs[&run].run.view(&|_| None)
    }

    pub fn top_view(&self) -> RunView {
        self.view(self.top)
    }

    pub fn step(&self, key: &str) -> StepView {
        self.runs[&self.top].run.step(key, &|_| None).unwrap_or_else(|| panic!("no step {key}"))
    }

    pub fn states(&self, run: RunId) -> BTreeMap<String, StepState> {
        let steps = self.runs[&run].run.steps(0, 10_000, &|_| None);
        steps.into_iter().map(|step| (step.key, step.state)).collect()
    }

    /// The runs that were started, the oldest first, but for the top.
    pub fn children(&self) -> Vec<RunId> {
        self.runs.keys().copied().filter(|id| *id != self.top).collect()
    }

    pub fn last_records(&self, run: RunId, count: usize) -> Vec<String> {
        let records = self.runs[&run].records.iter().rev().take(count);
        records.map(|record| String::from_utf8(record.encode()).unwrap()).collect()
    }
}
