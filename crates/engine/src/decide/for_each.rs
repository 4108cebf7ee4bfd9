//! `for_each`: items begin as room allows, and their outputs stand in the order of the list.

use super::Decider;
use crate::{
    Entry, NodeId, Outcome, TimerKind, UndoPurpose,
    run::{Items, Names, Role, Run},
};
use consort_spec::definition::{Body, Tolerate};
use consort_types::{ErrorKind, Json, RunError, StepState};

/// Items of one `for_each`; the contract's limit.
const ITEMS_MAX: usize = 100_000;

impl Decider<'_> {
    /// Cuts the list into items and begins as many as may run at once.
    pub(crate) fn begin_items(&mut self, id: NodeId) {
        match self.run.plan_items(id) {
            Ok(plan) => {
                self.record(Entry::Counted { n: id, count: plan.values.len() as u32 });
                if let Some(items) = self.run.node_mut(id).items.as_deref_mut() {
                    items.plan = Some(Box::new(plan));
                }
                self.go_on_with_items(id);
            }
            Err(mut error) => {
                error.step.get_or_insert_with(|| self.run.key_of(id));
                self.conclude(id, Outcome::Failed { error: Box::new(error) });
            }
        }
    }

    /// Begins items while there is room, and ends the whole when all have ended.
    pub(crate) fn go_on_with_items(&mut self, id: NodeId) {
        self.ask_race(id);
        self.start_items(id);
        let node = self.run.node(id);
        let Some(items) = node.items.as_deref() else { return };
        if node.active > 0 || node.ending.is_some() || node.state.is_terminal() {
            return;
        }
        if node.has_enough {
            let output = self.run.outputs_of_items(id);
            return self.conclude(id, Outcome::Succeeded { output });
        }
        let all_ended = items.ended == items.count;
        let failure = self.run.failure_inside(id);
        match failure {
            Some(error) => self.conclude(id, Outcome::Failed { error }),
            None if all_ended
                && self.run.first_of(id).is_none()
                && !node.closing
                && !(self.run.is_cut_off(id) && self.run.has_cancelled_child(id)) =>
            {
                let output = self.run.outputs_of_items(id);
                self.conclude(id, Outcome::Succeeded { output });
            }
            None if self.run.is_cut_off(id) => self.conclude(id, Outcome::Cancelled),
            None => {}
        }
    }

    fn start_items(&mut self, id: NodeId) {
        let max_parallel = self.run.step_of(id).for_each.as_ref().map_or(1, |each| each.max_parallel);
        while self.run.node(id).active < max_parallel && self.run.may_start(id) {
            let Some(index) = self.run.node(id).items.as_deref().and_then(Items::next_item) else { return };
            let step = self.run.step_of(id);
            let is_call = matches!(step.body, Body::Call(_));
            let timeout_at = step.timeout.filter(|_| !is_call).map(|timeout| self.now.plus(timeout));
            let item = NodeId(self.run.nodes.len() as u32);
            self.record(Entry::ItemStarted { n: id, i: index, timeout_at });
            if let Some(at) = timeout_at {
                self.set_timer(item, TimerKind::Timeout, at);
            }
            self.begin_body(item);
        }
    }

    /// An item has ended: one that failed is tolerated or closes the whole.
    pub(crate) fn item_ended(&mut self, whole: NodeId, item: NodeId) {
        if self.run.node(item).state == StepState::Failed && self.run.tolerates_failures(whole) {
            self.fail_behind(whole, item);
        }
        if let Some(first) = self.run.first_of(whole) {
            self.contender_ended(whole, item, first);
        } else if self.run.node(item).state == StepState::Failed && !self.run.node(whole).closing {
            if self.run.tolerates(whole) {
                if self.run.has_undo_within(item) {
                    self.begin_undo(item, UndoPurpose::Tolerated, None);
                }
            } else {
                self.close(whole, Some(item));
            }
        }
        self.go_on_with_items(whole);
    }
}

impl Decider<'_> {
    /// Items that come after one that failed do not begin: they have failed with it.
    fn fail_behind(&mut self, whole: NodeId, failed: NodeId) {
        let Role::Item(index) = self.run.node(failed).role else { return };
        let behind = self.run.node(whole).items.as_deref().map(|items| items.waiting_behind(index));
        for i in behind.unwrap_or_default() {
            let item = NodeId(self.run.nodes.len() as u32);
            self.record(Entry::ItemStarted { n: whole, i, timeout_at: None });
            let message = format!("`{}` has failed, and this comes after it", self.run.key_of(failed));
            let error = RunError::new("E_ITEM_BEFORE_FAILED", ErrorKind::Failed, message)
                .at_step(self.run.key_of(item));
            self.conclude(item, Outcome::Failed { error: Box::new(error) });
        }
    }
}

/// Lists of at most so many items each.
fn batches(values: &[Json], batch: usize) -> Vec<Json> {
    values.chunks(batch.max(1)).map(Json::of).collect()
}

impl Run {
    /// The list of a `for_each`, cut into its items.
    ///
    /// # Errors
    /// When it cannot be evaluated, is no list, or is too long.
    pub(crate) fn list_of(&self, id: NodeId) -> Result<Vec<Json>, RunError> {
        let for_each = self.step_of(id).for_each.as_ref();
        let Some(for_each) = for_each else { return Ok(Vec::new()) };
        let list =
            for_each.list.evaluate(&Names::at(self, id)).map_err(|error| super::expression_error(&error))?;
        let values: Vec<Json> = list.read().map_err(|_| {
            RunError::new(
                "E_NOT_A_LIST",
                ErrorKind::Expression,
                "`for_each` needs a list and was given another value",
            )
        })?;
        let values = match for_each.batch {
            Some(batch) => batches(&values, batch as usize),
            None => values,
        };
        if values.len() > ITEMS_MAX {
            let message =
                format!("`for_each` takes at most {ITEMS_MAX} items, the list has {}", values.len());
            return Err(RunError::new("E_TOO_MANY_ITEMS", ErrorKind::Limit, message));
        }
        Ok(values)
    }

    /// Evaluates the lists of a rebuilt run anew: they follow from its facts and are not stored.
    pub(crate) fn restore_items(&mut self) {
        for id in (0..self.nodes.len() as u32).map(NodeId) {
            if self.node(id).items.as_ref().is_none_or(|items| items.plan.is_some()) {
                continue;
            }
            let Ok(plan) = self.plan_items(id) else { continue };
            let Some(mut items) = self.node_mut(id).items.take() else { continue };
            let is_done =
                |state| matches!(state, StepState::Succeeded | StepState::Skipped | StepState::Undone);
            items.restore(plan, |item| is_done(self.node(item).state));
            self.node_mut(id).items = Some(items);
        }
    }

    /// Whether no more items of a `for_each` have failed than it tolerates.
    pub(crate) fn tolerates(&self, whole: NodeId) -> bool {
        let Some(items) = self.node(whole).items.as_deref() else { return false };
        let each = self.step_of(whole).for_each.as_ref();
        let limit = match each.and_then(|each| each.tolerate) {
            // In a race only the successes count.
            None if each.is_some_and(|each| each.first.is_some()) => items.count,
            None => 0,
            Some(Tolerate::Count(count)) => count,
            Some(Tolerate::Percent(percent)) => (f64::from(items.count) * percent / 100.0).floor() as u32,
        };
        items.failed <= limit
    }

    fn outputs_of_items(&self, id: NodeId) -> Json {
        let nodes = self.node(id).items.as_deref().map_or(&[][..], |items| &items.nodes);
        let mut text = String::from("[");
        for (position, node) in nodes.iter().enumerate() {
            if position > 0 {
                text.push(',');
            }
            let output = node.and_then(|node| self.node(node).output.as_ref());
            text.push_str(output.map_or("null", Json::text));
        }
        text.push(']');
        Json::from_text(text).expect("JSON joined from JSON")
    }
}
