//! Pools, and what is taken of them.

use super::{
    context::Context,
    expression::{Condition, Located},
    fields::{self, Fields},
    services::amount,
};
use crate::{
    codes,
    definition::{Pool, PoolBudget, PoolOf, PoolRate, Reset, Use, WhenEmpty},
    diagnostics::Span,
    keys,
    yaml::{Key, Node},
};
use consort_expr::{Template, nearest};
use consort_types::{Amount, Name, NameKind, parse_duration};
use std::collections::BTreeMap;

/// Pools of which one call may take at most.
const USES_MAX: usize = 16;

/// The pools of a section, by name. `None`: it is defined, and could not be read.
pub(crate) type Pools = BTreeMap<Name, Option<Pool>>;

/// A pool: a number, or a map.
pub(crate) fn pool(context: &Context<'_>, key: &Key, node: &Node) -> Option<Pool> {
    let report = context.report;
    if node.entries().is_none() {
        let size = amount(node).and_then(|size| Amount::from_number(size).ok());
        if size.is_none() {
            let message = "a pool is a number of permits over 0, a size, or a map";
            report.error(node.span, codes::E_QUANTITY, message, None);
        }
        return Some(Pool { size: Some(size?), ..Pool::default() });
    }
    let fields = Fields::open(report, key.span, node, &keys::POOL)?;
    if !["size", "rate", "budget"].iter().any(|key| fields.has(key)) {
        let message = "a pool needs `size`, `rate` or `budget`";
        let hint = "write `size: 20`, `rate: 600/1m` or `budget: 1000000`".to_owned();
        report.error(key.span, codes::E_MISSING_KEY, message, Some(hint));
    }
    let size = quantity(context, &fields, "size");
    let rate = fields.get("rate").and_then(|node| rate(context, node));
    let words = [("wait", WhenEmpty::Wait), ("pause", WhenEmpty::Pause), ("fail", WhenEmpty::Fail)];
    let when_empty = fields.word("when_empty", &words).unwrap_or_default();
    let words = [
        ("hourly", Reset::Hourly),
        ("daily", Reset::Daily),
        ("weekly", Reset::Weekly),
        ("monthly", Reset::Monthly),
    ];
    let reset = fields.word("reset", &words);
    for key in ["when_empty", "reset"].into_iter().filter(|key| fields.has(key) && !fields.has("budget")) {
        let message = format!("`{key}` means something beside `budget` only");
        report.error(fields.place(key), codes::E_KEY_NOT_HERE, message, None);
    }
    let budget = quantity(context, &fields, "budget").map(|amount| PoolBudget { amount, when_empty, reset });
    let key = fields.get("key").map(|node| key_of(context, node));
    Some(Pool { size, rate, budget, key })
}

fn quantity(context: &Context<'_>, fields: &Fields<'_>, key: &str) -> Option<Amount> {
    let node = fields.get(key)?;
    let quantity = amount(node).and_then(|number| Amount::from_number(number).ok());
    if quantity.is_none() {
        let message = format!("`{key}` is a number over 0 (up to {}), or a size", Amount::MAX);
        context.report.error(node.span, codes::E_QUANTITY, message, None);
    }
    quantity
}

/// `600/1m`.
pub(crate) fn rate(context: &Context<'_>, node: &Node) -> Option<PoolRate> {
    let text = node.scalar().map_or("", |scalar| scalar.text.as_str());
    let rate = text.split_once('/').and_then(|(count, per)| {
        let count = count.trim().parse::<f64>().ok().filter(|count| *count > 0.0)?;
        let per = parse_duration(per.trim()).ok().filter(|per| !per.is_zero())?;
        Some(PoolRate { count: Amount::from_number(count).ok()?, per })
    });
    if rate.is_none() {
        let message = format!("`{text}` is not a rate");
        context.report.error(node.span, codes::E_QUANTITY, message, Some("write `600/1m`".to_owned()));
    }
    rate
}

/// One pool for each value: it is looked up for runs of any workflow, so that only what each has is known.
fn key_of(context: &Context<'_>, node: &Node) -> Template {
    let key = Located::read(context, node);
    super::resolve::check_value_alone(context, &key, &["input", "run"]);
    key.template()
}

/// The pools of a section that is a map from names.
pub(crate) fn section(context: &Context<'_>, node: &Node, what: &str) -> Pools {
    let named = fields::named(context.report, node, what, NameKind::Kebab);
    named.into_iter().map(|(name, key, node)| (name, pool(context, key, node))).collect()
}

/// What a `use` may name.
pub(crate) struct KnownPools<'k> {
    /// Those of the project.
    pub project: &'k Pools,
    /// Those that each run has for itself.
    pub run: &'k Pools,
    /// Names of those that some other workflow has, which may run this one.
    pub inherited: &'k std::collections::BTreeSet<Name>,
}

/// One entry of `use`, with the places of its expressions.
pub(crate) struct LocatedUse<'a> {
    pub take: Located<'a>,
    pub settle: Option<Condition<'a>>,
    pub definition: Use,
    /// A pool that only a workflow that runs this one can bring; where it is named.
    pub inherited: Option<Span>,
}

/// Reads `use`.
pub(crate) fn uses<'a>(
    context: &Context<'a>,
    fields: &Fields<'a>,
    known: &KnownPools<'_>,
) -> Vec<LocatedUse<'a>> {
    let Some(node) = fields.get("use") else { return Vec::new() };
    let entries = fields::named(context.report, node, "`use`", NameKind::Kebab);
    if entries.len() > USES_MAX {
        let message = format!("a call takes permits of at most {USES_MAX} pools");
        context.report.error(fields.place("use"), codes::E_LIMIT, message, None);
    }
    entries.into_iter().filter_map(|(pool, key, node)| used(context, pool, key, node, known)).collect()
}

fn used<'a>(
    context: &Context<'a>,
    pool: Name,
    key: &'a Key,
    node: &'a Node,
    known: &KnownPools<'_>,
) -> Option<LocatedUse<'a>> {
    let (take, settle) = if node.entries().is_none() {
        (node, None)
    } else {
        let fields = Fields::open(context.report, key.span, node, &keys::USE)?;
        let take = fields.require("take")?;
        (take, fields.get("settle").and_then(|node| Condition::read(context, node)))
    };
    let (of, definition, inherited) = match (known.run.get(&pool), known.project.get(&pool)) {
        (Some(own), _) => (PoolOf::Run, own.as_ref(), None),
        (None, Some(shared)) => (PoolOf::Project, shared.as_ref(), None),
        (None, None) if known.inherited.contains(&pool) => (PoolOf::Run, None, Some(key.span)),
        (None, None) => {
            let all = known.project.keys().chain(known.run.keys()).map(Name::as_str);
            let hint = nearest(pool.as_str(), all).map(|name| format!("did you mean `{name}`?"));
            let message = format!("there is no pool `{pool}`");
            context.report.error(key.span, codes::E_UNKNOWN_POOL, message, hint);
            return None;
        }
    };
    let take = Located::read(context, take);
    let template = taken(context, &pool, &take, definition);
    if settle.is_some() && definition.is_some_and(|pool| pool.rate.is_none() && pool.budget.is_none()) {
        let message = format!("`settle` corrects a rate or a budget, and the pool `{pool}` has neither");
        context.report.error(key.span, codes::E_KEY_CONFLICT, message, None);
    }
    let definition = Use {
        pool,
        of,
        key: definition.and_then(|pool| pool.key.clone()),
        take: template,
        settle: settle.as_ref().map(|settle| settle.expr.clone()),
    };
    Some(LocatedUse { take, settle, definition, inherited })
}

/// How much is taken; a number that stands there is held against what the pool has.
fn taken(context: &Context<'_>, pool: &Name, take: &Located<'_>, definition: Option<&Pool>) -> Template {
    let Located::Literal(node) = take else { return take.template() };
    let number =
        amount(node).and_then(|number| Amount::from_number(number).ok().map(|amount| (number, amount)));
    let Some((number, wanted)) = number else {
        let message = format!("what is taken of `{pool}` is a number over 0, or a size");
        context.report.error(node.span, codes::E_QUANTITY, message, None);
        return take.template();
    };
    if let Some(most) = definition.and_then(Pool::most).filter(|most| wanted > *most) {
        let message = format!("a call wants more of `{pool}` than the pool ever has ({most})");
        context.report.error(node.span, codes::E_RESOURCES, message, None);
    }
    Template::literal(serde_json::json!(number))
}

/// The `use` of an operation: no step is in scope, so that its numbers are plain.
pub(crate) fn uses_of_operation(context: &Context<'_>, fields: &Fields<'_>) -> Vec<Use> {
    let none = Pools::new();
    let pools = context.pools();
    let known = KnownPools { project: pools, run: &none, inherited: &Default::default() };
    let uses = uses(context, fields, &known);
    for used in &uses {
        super::resolve::check_value_alone(context, &used.take, &[]);
        if let Some(settle) = &used.settle {
            super::resolve::check_alone(context, settle, &["output"]);
        }
    }
    uses.into_iter().map(|used| used.definition).collect()
}

/// The pools that each run of a workflow has for itself.
pub(crate) fn of_workflow(context: &Context<'_>, fields: &Fields<'_>) -> Pools {
    let Some(node) = fields.get("pools") else { return Pools::new() };
    let pools = section(context, node, "`pools`");
    let shared = context.pools();
    for entry in node.entries().unwrap_or(&[]) {
        if shared.keys().any(|name| *name.as_str() == *entry.key.text) {
            let message = format!("`{}` hides the pool of that name of the project", entry.key.text);
            let hint = "give the pool of the workflow another name".to_owned();
            context.report.error(entry.key.span, codes::E_HIDDEN_NAME, message, Some(hint));
        }
    }
    if pools.values().flatten().any(|pool| pool.key.is_some()) {
        let message = "each run has these pools for itself: a `key` means nothing here";
        context.report.error(fields.place("pools"), codes::E_KEY_NOT_HERE, message, None);
    }
    pools
}
