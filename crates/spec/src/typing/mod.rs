//! Types through the whole of a workflow: each expression is checked against what it sees, and each value
//! against what takes it.

mod bind;
mod fits;
mod outputs;
mod words;

pub(crate) use bind::{retry as bind_retry, template as bind_template};
pub(crate) use fits::judge;
pub(crate) use words::event_type;

use crate::{
    definition::{Schema, StepId},
    diagnostics::Report,
    lower::{
        Moment,
        draft::{Draft, Meaning, Role, Site},
    },
};
use consort_expr::{Type, TypeEnv};
use std::{collections::HashMap, time::Duration};

/// What is known of types so far.
pub(super) struct Types {
    input: Type,
    /// Whether the item of each step is a list of items.
    batched: Vec<bool>,
    /// The output of each step, as its own `output` sees it.
    pub(super) bodies: Vec<Type>,
    /// What one execution of each step gives.
    pub(super) gives: Vec<Type>,
    /// The output of each step, as others see it.
    pub(super) outputs: Vec<Type>,
    pub(super) sites: HashMap<(StepId, Role), Type>,
}

/// Checks every site of a workflow, in an order in which types are known before they are used, and binds the
/// expressions of its steps. Gives the types of the names that the workflow's own expressions read.
pub(crate) fn check(
    report: &Report,
    draft: &mut Draft<'_>,
    order: &[Moment],
    input: &Schema,
    timeout: Option<Duration>,
) -> TypeEnv {
    let unknown = vec![Type::Any; draft.steps.len()];
    let input = input.seen_as().clone();
    let batched = draft
        .steps
        .iter()
        .map(|step| step.for_each.as_ref().is_some_and(|each| each.batch.is_some()))
        .collect();
    let (bodies, gives, outputs) = (unknown.clone(), unknown.clone(), unknown);
    let mut types = Types { input, batched, bodies, gives, outputs, sites: HashMap::new() };
    let (starts, ends) = by_moment(draft);
    for moment in order {
        match moment {
            Moment::Start(step) => {
                starts[step.0 as usize].iter().for_each(|site| check_site(report, &mut types, site));
            }
            Moment::End(step) => {
                types.bodies[step.0 as usize] = outputs::body(draft, &types, *step);
                ends[step.0 as usize].iter().for_each(|site| check_site(report, &mut types, site));
                let gives = outputs::once(draft, &types, *step);
                types.outputs[step.0 as usize] = outputs::output(draft, gives.clone(), *step);
                types.gives[step.0 as usize] = gives;
            }
        }
    }
    for site in draft.sites.iter().filter(|site| site.step.is_none()) {
        check_site(report, &mut types, site);
    }
    outputs::warn(report, draft, timeout);
    bind::bind(draft, &types)
}

type BySite<'d, 'a> = Vec<Vec<&'d Site<'a>>>;

/// The sites of each step: those that are evaluated when it starts, and those that need its output.
fn by_moment<'d, 'a>(draft: &'d Draft<'a>) -> (BySite<'d, 'a>, BySite<'d, 'a>) {
    let mut starts = vec![Vec::new(); draft.steps.len()];
    let mut ends = starts.clone();
    for site in &draft.sites {
        let Some(step) = site.step else { continue };
        let late = site.inner.is_some() || site.sees.contains(&"output");
        let moments = if late { &mut ends } else { &mut starts };
        // The list and the output come first: the others may see items and what the output was shaped to.
        let sites: &mut Vec<&Site<'a>> = &mut moments[step.0 as usize];
        if matches!(site.role, Role::List | Role::Output) { sites.insert(0, site) } else { sites.push(site) }
    }
    (starts, ends)
}

fn check_site(report: &Report, types: &mut Types, site: &Site<'_>) {
    let env = environment(&TypeEnv::default(), types, site);
    let type_ = judge(report, &site.value, &env, &site.expects);
    if let (Some(step), true) = (site.step, site.role != Role::Other) {
        types.sites.insert((step, site.role), type_);
    }
}

/// The types of the names that a site reads; no others, so that a thousand steps stay cheap.
fn environment(outer: &TypeEnv, types: &Types, site: &Site<'_>) -> TypeEnv {
    site.names.iter().fold(outer.clone(), |env, (name, meaning)| env.with(name, types.of(*meaning)))
}

impl Types {
    fn of(&self, meaning: Meaning) -> Type {
        match meaning {
            Meaning::Step(step) => self.outputs[step.0 as usize].clone(),
            Meaning::PerhapsStep(step) => self.outputs[step.0 as usize].clone().nullable(),
            Meaning::Input => self.input.clone(),
            Meaning::Run => words::run_type(),
            Meaning::Item(step) => self.item(step),
            Meaning::Index => Type::Integer,
            Meaning::Error => words::error_type(),
            Meaning::Event => event_type(),
            Meaning::Shaped(step) => outputs::shaped(self, step),
            Meaning::Output(step) => self.bodies[step.0 as usize].clone(),
            Meaning::Key => Type::String,
            // What the first turn brings, the next may change; what the last run gave may be of an older
            // revision.
            Meaning::Carry | Meaning::Previous | Meaning::Unknown => Type::Any,
        }
    }

    fn item(&self, step: StepId) -> Type {
        match self.sites.get(&(step, Role::List)) {
            // A batch is a list like the whole.
            Some(list @ Type::List(_)) if self.batched[step.0 as usize] => list.clone(),
            Some(Type::List(item)) => (**item).clone(),
            _ => Type::Any,
        }
    }
}
