//! `retry`, where it is not part of a workflow.

use super::{context::Context, expression::Condition, fields::Fields};
use crate::{
    codes,
    definition::{CleanFrom, Retry},
    diagnostics::Span,
    keys,
    yaml::{Node, Plain},
};

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
