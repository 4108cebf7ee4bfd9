//! Who may start, who waits in line, and who is let in.

use super::{COMMANDS_PER_TURN_MAX, Sequencer};
use crate::line::SharedGates;
use consort_engine::{
    Command, Run, Start,
    gates::{Arrival, GateKey, Rule, Turn},
};
use consort_spec::definition::Workflow;
use consort_types::{Name, RunId};

impl Sequencer {
    /// The gates, for those who tell how a run stands in line.
    pub fn gates(&self) -> &SharedGates {
        &self.gates
    }

    /// Takes the limits of what is deployed in a namespace. Runs that live already count from now on.
    pub fn take_limits(&mut self, namespace: &Name) {
        let Some(deployed) = self.catalog.deployed(namespace.as_str()) else { return };
        for (name, workflow) in &deployed.project.workflows {
            let rule = rule_of(workflow);
            let is_new = rule.is_some() && self.gates.lock().rule(namespace, name).is_none();
            self.gates.lock().set_rule(namespace, name, rule);
            if is_new {
                let of = |run: &Run| run.namespace() == namespace && run.workflow().name == *name;
                let live = self.runs.iter().filter(|(_, live)| of(&live.run));
                live.for_each(|(id, live)| self.take_place(*id, &live.run));
            }
        }
    }

    /// Puts a run that is there already where it belongs: to those that live, or into the line.
    pub(super) fn take_place(&self, id: RunId, run: &Run) {
        if run.is_ended() {
            return;
        }
        let (namespace, workflow) = (run.namespace(), run.workflow());
        let mut gates = self.gates.lock();
        // Of a workflow that is no longer deployed the limit holds that its runs know.
        if gates.rule(namespace, &workflow.name).is_none()
            && self.catalog.workflow(namespace.as_str(), workflow.name.as_str()).is_none()
        {
            gates.set_rule(namespace, &workflow.name, rule_of(workflow));
        }
        let gate = gate(namespace, workflow, run.limit_key());
        match run.number_in_line() {
            Some(number) => {
                let (priority, at) = (workflow.priority, run.created_at());
                gates.restore(Arrival { run: id, gate, priority, at }, number);
            }
            None if gates.rule(namespace, &workflow.name).is_some() => gates.hold(id, gate, run.created_at()),
            None => {}
        }
    }

    /// What becomes of a start.
    pub(super) fn arrive(&self, start: &Start) -> (GateKey, Turn) {
        let gate = gate(&start.namespace, &start.workflow, start.limit_key.as_deref());
        let (run, priority, at) = (start.id, start.workflow.priority, self.clock.now());
        let ends = |id: RunId| self.runs.get(&id).is_none_or(|live| live.run.is_ending());
        let is_ending = |id: RunId| self.replaced.contains(&id) || ends(id);
        let arrival = Arrival { run, gate: gate.clone(), priority, at };
        let turn = self.gates.lock().arrive(arrival, is_ending);
        (gate, turn)
    }

    /// Lets in who has a place now. Whether somebody more may come in: not all in one turn, so that others
    /// are heard in between.
    pub(super) fn let_in(&mut self) -> bool {
        while let Some(oldest) = self.replaced.pop() {
            self.make_room(oldest);
        }
        for _ in 0..COMMANDS_PER_TURN_MAX {
            let Some(id) = self.gates.lock().admit() else { return false };
            if let Some(live) = self.runs.get(&id) {
                let previous = self.previous_of(&live.run);
                self.apply(id, Command::Admit { previous }, Vec::new(), None);
            } else {
                self.gates.lock().leave(id);
            }
        }
        true
    }

    /// A newer run takes the place of this one.
    fn make_room(&mut self, oldest: RunId) {
        let Some(live) = self.runs.get(&oldest) else { return };
        let by = format!("the `concurrency` of `{}`, for a newer run", live.run.workflow().name);
        self.apply(oldest, Command::Cancel { by }, Vec::new(), None);
    }
}

fn gate(namespace: &Name, workflow: &Workflow, key: Option<&str>) -> GateKey {
    GateKey { namespace: namespace.clone(), workflow: workflow.name.clone(), key: key.map(Into::into) }
}

fn rule_of(workflow: &Workflow) -> Option<Rule> {
    let concurrency = workflow.concurrency.as_ref()?;
    Some(Rule { limit: concurrency.limit, when_full: concurrency.when_full })
}
