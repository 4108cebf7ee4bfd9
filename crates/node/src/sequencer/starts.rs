//! Runs begin, and come back after a restart.

use super::{Live, Sequencer, StartError, StartRequest, Started, events::Age};
use crate::committer::{After, Unit};
use consort_engine::{Effect, Run, Start, gates::Turn};
use consort_store::{OpenRun, Write};
use consort_types::{Digest, RunId};

impl Sequencer {
    /// Takes over a run that was open when the server ended; returns what must be done again.
    pub fn adopt(&mut self, open: &OpenRun, run: Run, next_seq: u64) -> Vec<After> {
        if let Some(key) = &open.key {
            let key = (open.namespace.clone(), open.workflow.clone(), key.clone());
            self.keys.insert(key, (open.run, open.input_digest));
        }
        let now = self.clock.now();
        self.permits.begin_run(&run, now);
        self.permits.adopt(&run, now);
        let effects = run.pending_effects(now);
        let namespace = run.namespace().clone();
        self.events.watch(&run, Age::Old);
        self.dirty.insert(open.run);
        self.take_place(open.run, &run);
        self.runs.insert(open.run, Live::loaded(run, next_seq));
        let mut after = Vec::with_capacity(effects.len());
        for effect in effects {
            match effect {
                Effect::Recall(recall) => {
                    self.asked_before.push((namespace.clone(), *recall));
                    continue;
                }
                Effect::Dispatch(ref dispatch) => {
                    if let Some(key) = dispatch.cache {
                        self.flights.claim(&namespace, key, dispatch.token);
                    }
                }
                _ => {}
            }
            after.push(After::Effect(namespace.clone(), open.run, effect));
        }
        after
    }

    pub(super) fn start(&mut self, request: StartRequest) {
        let StartRequest { mut start, input_digest, reply } = request;
        match self.known_key(&start) {
            Ok(Some((run, digest))) => {
                let same = digest == input_digest;
                let answer =
                    if same { Ok(Started { run, new: false }) } else { Err(StartError::KeyTaken(run)) };
                // The first start may not be committed yet: the answer goes the same way behind it.
                let after = vec![After::Call(Box::new(move || drop(reply.send(answer))))];
                return self.hand_on(Unit::of(Vec::new(), after));
            }
            Err(error) => return drop(reply.send(Err(error.into()))),
            Ok(None) => {}
        }
        match self.previous(&start.namespace, &start.workflow, start.limit_key.as_deref()) {
            Ok(previous) => start.previous = previous,
            Err(error) => return drop(reply.send(Err(error.into()))),
        }
        match self.arrive(&start) {
            (_, Turn::Free) => {}
            (_, Turn::Queued { number, cancel }) => {
                start.queued = Some(number);
                self.replaced.extend(cancel);
            }
            (gate, Turn::Full(rule)) => {
                return drop(reply.send(Err(StartError::Full(Box::new(gate), rule))));
            }
        }
        let id = start.id;
        if let Some(key) = &start.key {
            let key = (start.namespace.clone(), start.workflow.name.clone(), key.clone());
            self.keys.insert(key, (id, input_digest));
        }
        let now = self.clock.now();
        let (run, transition) = Run::start(start, now);
        let open = Write::OpenRun(OpenRun {
            run: id,
            namespace: run.namespace().clone(),
            workflow: run.workflow().name.clone(),
            key: run.key().map(str::to_owned),
            input_digest,
            created_at: now,
        });
        self.permits.begin_run(&run, now);
        self.runs.insert(id, Live::begun(run));
        let answer = After::Call(Box::new(move || drop(reply.send(Ok(Started { run: id, new: true })))));
        self.commit(id, transition, vec![open], vec![answer]);
    }

    pub(super) fn known_key(&self, start: &Start) -> Result<Option<(RunId, Digest)>, consort_store::Error> {
        let Some(key) = &start.key else { return Ok(None) };
        let full = (start.namespace.clone(), start.workflow.name.clone(), key.clone());
        if let Some(known) = self.keys.get(&full) {
            return Ok(Some(*known));
        }
        let stored = self.reader.run_by_key(&full.0, &full.1, key)?;
        Ok(stored.map(|stored| (stored.run, stored.input_digest)))
    }
}
