//! `for_each` and what stands beside it.

use super::{
    draft::{Expects, Role},
    fields::Fields,
    step::Reading,
};
use crate::{
    codes,
    definition::{ForEach, Tolerate},
    yaml::{Node, Plain},
};
use consort_expr::{Expr, Template, Type};
use consort_types::{Name, NameKind};

/// Items at once, without `max_parallel`.
const MAX_PARALLEL: u32 = 64;

/// Reads `for_each` of a step, if it has one.
pub(crate) fn for_each<'a>(read: &mut Reading<'_, 'a>, fields: &Fields<'a>) {
    if !fields.has("for_each") {
        return;
    }
    if fields.require("for_each").is_none() {
        return;
    }
    let Some(list) = read.value(fields, "for_each", Role::List, &[], Expects::List) else { return };
    // From here on the item is in scope; `item_after` and `key` are evaluated once an item.
    let (key, item_after) = item_keys(read, fields);
    read.step().for_each = Some(ForEach {
        list,
        max_parallel: fields.count("max_parallel", 1).unwrap_or(MAX_PARALLEL),
        tolerate: fields.get("tolerate").and_then(|node| tolerate(read, node)),
        batch: fields.count("batch", 1),
        first: fields.count("first", 1),
        key,
        item_after,
        as_name: as_name(read, fields),
    });
}

fn item_keys<'a>(read: &mut Reading<'_, 'a>, fields: &Fields<'a>) -> (Option<Template>, Option<Expr>) {
    let key = read.value(fields, "key", Role::Other, &[], Expects::Anything);
    if fields.has("item_after") && key.is_none() {
        let message = "`item_after` needs a `key` that names the items";
        let hint = "add `key: \"${item.name}\"`".to_owned();
        read.around.context.report.error(
            fields.place("item_after"),
            codes::E_MISSING_KEY,
            message,
            Some(hint),
        );
    }
    let keys = Type::list(Type::Any);
    let after =
        fields.get("item_after").and_then(|node| read.condition(node, &[], None, Expects::Type(keys)));
    (key, after)
}

fn tolerate(read: &Reading<'_, '_>, node: &Node) -> Option<Tolerate> {
    let scalar = node.scalar()?;
    match scalar.value {
        Plain::Integer(count) if (0..=i64::from(u32::MAX)).contains(&count) => {
            Some(Tolerate::Count(count as u32))
        }
        _ => super::services::percent(node).map(Tolerate::Percent).or_else(|| {
            let message = "`tolerate` is a number of items or a share like 5%";
            read.around.context.report.error(node.span, codes::E_QUANTITY, message, None);
            None
        }),
    }
}

fn as_name(read: &Reading<'_, '_>, fields: &Fields<'_>) -> Option<Name> {
    let name = fields.name("as", NameKind::Step)?;
    let hides = |name: &str| {
        read.draft.enclosing(read.scope).any(|scope| read.draft.frame(scope).names.contains_key(name))
    };
    if hides(name.as_str()) {
        let message = format!("`{name}` hides the step of that name");
        let hint = "choose another name for the item".to_owned();
        read.around.context.report.error(fields.get("as")?.span, codes::E_HIDDEN_NAME, message, Some(hint));
    }
    Some(name)
}
