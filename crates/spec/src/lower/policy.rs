//! `retry` and `use`, where they are not part of a workflow.

use super::{context::Context, expression::Condition, expression::Located, fields::Fields};
use crate::{
    codes,
    definition::{CleanFrom, Retry, Use},
    diagnostics::Span,
    features::Feature,
    keys,
    yaml::{Key, Node, Plain},
};
use consort_types::{Name, NameKind};

/// The most tries: more is an endless loop by another name.
const ATTEMPTS_MAX: i64 = 1_000_000;

/// A `retry` with the place of its condition.
pub(crate) struct LocatedRetry<'a> {
    pub retry: Retry,
    pub when: Option<Condition<'a>>,
}

/// Reads `retry`.
pub(crate) fn retry<'a>(context: &Context<'a>, owner: Span, node: &'a Node) -> Option<LocatedRetry<'a>> {
    let fields = Fields::open(context.report, owner, node, &keys::RETRY)?;
    let default = Retry::default();
    let when = fields.get("when").and_then(|node| Condition::read(context, node));
    let retry = Retry {
        attempts: fields.integer("attempts", 1..=ATTEMPTS_MAX).map_or(default.attempts, |value| value as u32),
        delay: fields.duration("delay").unwrap_or(default.delay),
        backoff: fields.number("backoff", 1.0..=1000.0).unwrap_or(default.backoff),
        max_delay: fields.duration("max_delay").unwrap_or(default.max_delay),
        jitter: fields.number("jitter", 0.0..=1.0).unwrap_or(default.jitter),
        when: when.as_ref().map(|when| when.expr.clone()),
        clean: clean(context, &fields),
    };
    Some(LocatedRetry { retry, when })
}

fn clean(context: &Context<'_>, fields: &Fields<'_>) -> CleanFrom {
    let Some(node) = fields.get("clean") else { return CleanFrom::Never };
    match node.scalar().map(|scalar| scalar.value) {
        Some(Plain::Boolean(false)) => CleanFrom::Never,
        Some(Plain::Boolean(true)) => CleanFrom::Try(1),
        Some(Plain::Integer(from)) if (1..=ATTEMPTS_MAX).contains(&from) => CleanFrom::Try(from as u32),
        _ => {
            let message = "`clean` is true, false, or the number of the new try from which on";
            context.report.error(node.span, codes::E_VALUE, message, None);
            CleanFrom::Never
        }
    }
}

/// The `retry` of an operation.
pub(crate) fn retry_of_operation(context: &Context<'_>, fields: &Fields<'_>) -> Option<Retry> {
    let located = retry(context, fields.place("retry"), fields.get("retry")?)?;
    if let Some(when) = &located.when {
        super::resolve::check_alone(context, when, &["error"]);
    }
    Some(located.retry)
}

/// One entry of `use`, with the places of its expressions.
pub(crate) struct LocatedUse<'a> {
    pub pool: Name,
    pub key: &'a Key,
    pub take: Located<'a>,
    pub settle: Option<Condition<'a>>,
}

impl LocatedUse<'_> {
    /// Without the places.
    pub(crate) fn definition(&self) -> Use {
        Use {
            pool: self.pool.clone(),
            take: self.take.template(),
            settle: self.settle.as_ref().map(|settle| settle.expr.clone()),
        }
    }
}

/// Reads `use`.
pub(crate) fn uses<'a>(context: &Context<'a>, fields: &Fields<'a>) -> Vec<LocatedUse<'a>> {
    let Some(node) = fields.get("use") else { return Vec::new() };
    context.uses(Feature::Use, fields.place("use"));
    let entries = super::fields::named(context.report, node, "`use`", NameKind::Kebab);
    let read = entries.into_iter().filter_map(|(pool, key, node)| {
        if node.entries().is_none() {
            return Some(LocatedUse { pool, key, take: Located::read(context, node), settle: None });
        }
        let fields = Fields::open(context.report, key.span, node, &keys::USE)?;
        let take = Located::read(context, fields.require("take")?);
        let settle = fields.get("settle").and_then(|node| Condition::read(context, node));
        Some(LocatedUse { pool, key, take, settle })
    });
    read.collect()
}

/// The `use` of an operation: its numbers are plain, since no step is in scope.
pub(crate) fn uses_of_operation(context: &Context<'_>, fields: &Fields<'_>) -> Vec<Use> {
    let uses = uses(context, fields);
    for used in &uses {
        if let Some(settle) = &used.settle {
            super::resolve::check_alone(context, settle, &["output"]);
        }
    }
    uses.iter().map(LocatedUse::definition).collect()
}
