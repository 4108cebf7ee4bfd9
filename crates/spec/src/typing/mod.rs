//! Types through the whole of a workflow: each expression is checked against what it sees, and each value
//! against what takes it.
//!
//! Two things come round to themselves: the `carry` of a loop, which the turn before made, and `previous`, which
//! is what an earlier run of the same workflow gave. Their types are found by going over the workflow until
//! nothing changes; only the last round reports what is wrong.

mod bind;
mod fits;
mod guess;
mod outputs;
mod warnings;
mod words;

pub(crate) use bind::{retry as bind_retry, template as bind_template};
pub(crate) use fits::judge;
pub(crate) use guess::names_previous;
pub(crate) use words::{event_of, event_type};

use crate::{
    definition::{Schema, ScopeId, StepId},
    diagnostics::Report,
    lower::{
        Moment,
        draft::{Assumed, Draft, Meaning, Role, Site, SiteValue},
    },
};
use consort_expr::{Type, TypeEnv};
use consort_types::Name;
use guess::Guess;
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

/// What a workflow is checked against.
pub(crate) struct Surroundings<'a> {
    /// What a start must bring.
    pub input: &'a Schema,
    /// What the workflows that it may run give.
    pub children: &'a BTreeMap<Name, Type>,
    /// The time of a whole run.
    pub timeout: Option<Duration>,
}

/// What is known of types so far.
pub(super) struct Types<'a> {
    input: Type,
    /// What workflows give that a step may run.
    children: &'a BTreeMap<Name, Type>,
    /// What is thought of all that comes round to itself.
    guess: &'a Guess,
    /// Whether the item of each step is a list of items.
    batched: Vec<bool>,
    /// The output of each step, as its own `output` sees it.
    pub(super) bodies: Vec<Type>,
    /// What one execution of each step gives.
    pub(super) gives: Vec<Type>,
    /// The output of each step, as others see it.
    pub(super) outputs: Vec<Type>,
    pub(super) sites: HashMap<(StepId, Role), Type>,
    /// The output of the workflow, where it has an `output`.
    result: Option<Type>,
}

/// Checks every site of a workflow, in an order in which types are known before they are used, and binds the
/// expressions of its steps. Gives the types of the names that the workflow's own expressions read, and the
/// type of what it gives.
pub(crate) fn check(
    report: &Report,
    draft: &mut Draft<'_>,
    order: &[Moment],
    around: &Surroundings<'_>,
) -> (TypeEnv, Type) {
    let guess = match guess::is_needed(draft) {
        true => report.quietly(|| {
            Guess::settled(|guess| guess.grown(draft, &round(report, draft, order, around, guess)))
        }),
        false => Guess::default(),
    };
    let types = round(report, draft, order, around, &guess);
    warnings::warn(report, draft, around.timeout);
    let result = types.result(draft);
    (bind::bind(draft, &types), result)
}

/// Goes over the workflow once.
fn round<'a>(
    report: &Report,
    draft: &Draft<'_>,
    order: &[Moment],
    around: &Surroundings<'a>,
    guess: &'a Guess,
) -> Types<'a> {
    let unknown = vec![Type::Any; draft.steps.len()];
    let batched = draft
        .steps
        .iter()
        .map(|step| step.for_each.as_ref().is_some_and(|each| each.batch.is_some()))
        .collect();
    let mut types = Types {
        input: around.input.seen_as().clone(),
        children: around.children,
        guess,
        batched,
        bodies: unknown.clone(),
        gives: unknown.clone(),
        outputs: unknown,
        sites: HashMap::new(),
        result: None,
    };
    let (starts, ends) = by_moment(draft);
    for moment in order {
        match moment {
            Moment::Start(step) => {
                starts[step.0 as usize].iter().for_each(|site| check_site(report, draft, &mut types, site));
            }
            Moment::End(step) => {
                types.bodies[step.0 as usize] = outputs::body(draft, &types, *step);
                ends[step.0 as usize].iter().for_each(|site| check_site(report, draft, &mut types, site));
                let gives = outputs::once(draft, &types, *step);
                types.outputs[step.0 as usize] = outputs::output(draft, gives.clone(), *step);
                types.gives[step.0 as usize] = gives;
            }
        }
    }
    for site in draft.sites.iter().filter(|site| site.step.is_none()) {
        check_site(report, draft, &mut types, site);
    }
    types
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

fn check_site(report: &Report, draft: &Draft<'_>, types: &mut Types<'_>, site: &Site<'_>) {
    let env = knowing(draft, site, environment(&TypeEnv::default(), types, site));
    let type_ = judge(report, &site.value, &env, &site.expects);
    match (site.step, site.role) {
        (_, Role::Other) => {}
        (Some(step), role) => {
            types.sites.insert((step, role), type_);
        }
        (None, _) => types.result = Some(type_),
    }
}

/// The types of the names that a site reads; no others, so that a thousand steps stay cheap.
fn environment(outer: &TypeEnv, types: &Types<'_>, site: &Site<'_>) -> TypeEnv {
    site.names.iter().fold(outer.clone(), |env, (name, meaning)| env.with(name, types.of(*meaning)))
}

/// The same by what is known not to be null: the `when` of the step, of the branch and of all around it held.
fn knowing(draft: &Draft<'_>, site: &Site<'_>, mut env: TypeEnv) -> TypeEnv {
    if site.names.is_empty() {
        return env;
    }
    let own =
        site.step.filter(|_| site.role != Role::When).and_then(|step| draft.notes[step.0 as usize].when);
    for assumed in site.assumes.iter().copied().chain(own) {
        env = learned(draft, site, assumed, env);
    }
    for scope in draft.enclosing(site.scope) {
        for assumed in of_scope(draft, scope) {
            env = learned(draft, site, assumed, env);
        }
    }
    env
}

/// What is known in a scope: its own conditions, and that of the step that opened it.
fn of_scope<'d>(draft: &'d Draft<'_>, scope: ScopeId) -> impl Iterator<Item = Assumed> + 'd {
    let owner = draft.scopes[scope.0 as usize].owner;
    let of_owner = owner.and_then(|owner| draft.notes[owner.0 as usize].when);
    draft.frame(scope).assumes.iter().copied().chain(of_owner)
}

/// Takes null out of the types of the places of which a condition says so. The names must mean the same there.
fn learned(draft: &Draft<'_>, site: &Site<'_>, assumed: Assumed, mut env: TypeEnv) -> TypeEnv {
    let condition = &draft.sites[assumed.site];
    let SiteValue::Condition(parsed) = &condition.value else { return env };
    let places = if assumed.truth { parsed.expr.not_null_if_true() } else { parsed.expr.not_null_if_false() };
    for place in &places {
        let Some((name, fields)) = place.split_first() else { continue };
        let same = site.meaning(name).is_some_and(|meaning| condition.meaning(name) == Some(meaning));
        if let (true, Some(type_)) = (same, env.get(name)) {
            let type_ = type_.clone().not_null_at(fields);
            env = env.with(name, type_);
        }
    }
    env
}

impl Types<'_> {
    fn of(&self, meaning: Meaning) -> Type {
        match meaning {
            Meaning::Step(step) => self.outputs[step.0 as usize].clone(),
            Meaning::PerhapsStep(step) => self.outputs[step.0 as usize].clone().nullable(),
            Meaning::Input => self.input.clone(),
            Meaning::Run => words::run_type(Type::String.nullable()),
            Meaning::EndedRun => words::run_type(Type::String),
            Meaning::Item(step) => self.item(step),
            Meaning::Index => Type::Integer,
            Meaning::Error(_) => words::error_type(),
            Meaning::PerhapsError(_) => words::error_type().nullable(),
            Meaning::Event => event_type(),
            Meaning::Shaped(step) => outputs::shaped(self, step),
            Meaning::Output(step) => self.bodies[step.0 as usize].clone(),
            Meaning::Key => Type::String,
            Meaning::Carry(step) => self.carry(step),
            Meaning::Previous => self.guess.previous.clone(),
            Meaning::Unknown => Type::Any,
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

    /// What a turn sees: what the loop begins with, or what any turn made of it.
    fn carry(&self, step: StepId) -> Type {
        let begun = self.sites.get(&(step, Role::Carry)).cloned().unwrap_or(Type::Null);
        match self.guess.carries.get(&step) {
            Some(turned) => begun.join(turned),
            None => begun,
        }
    }

    /// What the workflow gives.
    fn result(&self, draft: &Draft<'_>) -> Type {
        match &self.result {
            Some(type_) => type_.clone(),
            None => outputs::of_scope(draft, self, ScopeId(0)),
        }
    }
}
