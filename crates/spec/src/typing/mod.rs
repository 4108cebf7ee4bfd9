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
    definition::{Body, Schema, ScopeId, StepId},
    diagnostics::Report,
    lower::{
        Moment,
        draft::{Draft, Meaning, Role, Site},
    },
};
use consort_expr::{Type, TypeEnv};
use consort_types::Name;
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

/// What is known of a workflow once it is checked.
pub(crate) struct Checked {
    /// The types of the names that the workflow's own expressions read.
    pub env: TypeEnv,
    /// What it gives.
    pub output: Type,
}

/// What is known of types so far.
pub(super) struct Types {
    /// What the workflows give that a step may run.
    pub(super) children: BTreeMap<Name, Type>,
    /// What the workflow's own `output` gives.
    output: Option<Type>,
    input: Type,
    /// Whether the item of each step is a list of items.
    batched: Vec<bool>,
    /// The output of each step, as its own `output` sees it.
    pub(super) bodies: Vec<Type>,
    /// The output of each step, as others see it.
    pub(super) outputs: Vec<Type>,
    pub(super) sites: HashMap<(StepId, Role), Type>,
}

/// Checks every site of a workflow, in an order in which types are known before they are used, and binds the
/// expressions of its steps.
pub(crate) fn check(
    report: &Report,
    draft: &mut Draft<'_>,
    order: &[Moment],
    input: &Schema,
    given: &BTreeMap<Name, Type>,
    timeout: Option<Duration>,
) -> Checked {
    let unknown = vec![Type::Any; draft.steps.len()];
    let input = input.seen_as().clone();
    let batched = draft
        .steps
        .iter()
        .map(|step| step.for_each.as_ref().is_some_and(|each| each.batch.is_some()))
        .collect();
    let known = |workflow: &Name| Some((workflow.clone(), given.get(workflow)?.clone()));
    let children = draft.steps.iter().filter_map(|step| match &step.body {
        Body::Run { workflow, .. } => known(workflow),
        _ => None,
    });
    let mut types = Types {
        children: children.collect(),
        output: None,
        input,
        batched,
        bodies: unknown.clone(),
        outputs: unknown,
        sites: HashMap::new(),
    };
    let (starts, ends) = by_moment(draft);
    for moment in order {
        match moment {
            Moment::Start(step) => {
                starts[step.0 as usize].iter().for_each(|site| check_site(report, &mut types, site));
            }
            Moment::End(step) => {
                types.bodies[step.0 as usize] = outputs::body(draft, &types, *step);
                ends[step.0 as usize].iter().for_each(|site| check_site(report, &mut types, site));
                types.outputs[step.0 as usize] = outputs::output(draft, &types, *step);
            }
        }
    }
    for site in draft.sites.iter().filter(|site| site.step.is_none()) {
        check_site(report, &mut types, site);
    }
    outputs::warn(report, draft, timeout);
    let top = ScopeId(0);
    let output = types.output.clone().unwrap_or_else(|| outputs::of_scope(draft, &types, top));
    Checked { env: bind::bind(draft, &types), output }
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
    match site.step {
        Some(step) if site.role != Role::Other => drop(types.sites.insert((step, site.role), type_)),
        None if site.role == Role::Output => types.output = Some(type_),
        Some(_) | None => {}
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
