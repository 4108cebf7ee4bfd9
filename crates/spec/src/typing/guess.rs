//! The types of what comes round to itself: `carry` and `previous`.

use super::Types;
use crate::{
    definition::{Body, StepId},
    lower::draft::{Draft, Meaning, Role},
};
use consort_expr::{Field, ObjectType, Type};
use std::{collections::HashMap, sync::Arc};

/// Rounds until a type that still grows counts as anything: `{n: 0}` needs two, a list that is put into itself
/// would never end.
const ROUNDS_MAX: usize = 6;

/// What is thought of them so far: too little at first, never too much.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Guess {
    /// What the last succeeded run gave; null when there was none.
    pub previous: Type,
    /// What the turns of each loop made of `carry`.
    pub carries: HashMap<StepId, Type>,
}

/// Whether anything comes round to itself here.
pub(super) fn is_needed(draft: &Draft<'_>) -> bool {
    let next =
        |step: &crate::definition::Step| matches!(&step.body, Body::Loop(turns) if turns.next.is_some());
    names_previous(draft) || draft.steps.iter().any(next)
}

/// Whether an expression of the workflow names `previous`.
pub(crate) fn names_previous(draft: &Draft<'_>) -> bool {
    draft.sites.iter().any(|site| site.names.iter().any(|(_, meaning)| *meaning == Meaning::Previous))
}

impl Guess {
    /// Goes over the workflow until nothing changes: each round makes of a guess the next one.
    pub fn settled(round: impl Fn(&Self) -> Self) -> Self {
        let mut guess = Self { previous: Type::Null, carries: HashMap::new() };
        for _ in 0..ROUNDS_MAX {
            let next = round(&guess);
            if next == guess {
                return guess;
            }
            guess = next;
        }
        // What still grows counts as anything, and so in turn what is made of it.
        for _ in 0..ROUNDS_MAX {
            let next = round(&guess);
            if next == guess {
                return guess;
            }
            guess = guess.given_up(next, Self::where_equal);
        }
        let everything = guess.clone();
        guess.given_up(everything, |_, _| Type::Any)
    }

    /// What a round that went by this guess found.
    pub fn grown(&self, draft: &Draft<'_>, types: &Types<'_>) -> Self {
        let previous = match names_previous(draft) {
            true => self.previous.join(&types.result(draft)).nullable(),
            false => Type::Null,
        };
        let turned = draft.steps.iter().filter_map(|step| {
            let next = types.sites.get(&(step.id, Role::Next))?;
            let turned = merged(&types.carry(step.id), next);
            Some((step.id, self.carries.get(&step.id).map_or(turned.clone(), |known| known.join(&turned))))
        });
        Self { previous, carries: turned.collect() }
    }

    fn where_equal(old: &Type, new: &Type) -> Type {
        if old == new { new.clone() } else { Type::Any }
    }

    fn given_up(&self, next: Self, keep: fn(&Type, &Type) -> Type) -> Self {
        let carry = |(step, new): (StepId, Type)| {
            let old = self.carries.get(&step).unwrap_or(&new);
            (step, keep(old, &new))
        };
        Self {
            previous: keep(&self.previous, &next.previous),
            carries: next.carries.into_iter().map(carry).collect(),
        }
    }
}

/// `next` leaves the fields that it does not name as they are; what is no object takes the place of the whole.
fn merged(carry: &Type, next: &Type) -> Type {
    match (carry, next) {
        (Type::Any, Type::Object(_) | Type::Map(_) | Type::Nullable(_)) => Type::Any,
        (carry, Type::Nullable(next)) => merged(carry, next).nullable(),
        (Type::Nullable(carry), next) => merged(carry, next).join(next),
        (Type::Object(carry), Type::Object(next)) => Type::Object(Arc::new(fields_of_both(carry, next))),
        (Type::Object(_) | Type::Map(_), Type::Object(_) | Type::Map(_)) => carry.join(next),
        _ => next.clone(),
    }
}

fn fields_of_both(carry: &ObjectType, next: &ObjectType) -> ObjectType {
    let kept = carry.fields.iter().filter(|field| next.field(&field.name).is_none_or(|new| !new.required));
    let mut fields: Vec<Field> = Vec::with_capacity(carry.fields.len());
    for field in kept {
        fields.push(match next.field(&field.name) {
            Some(new) => Field { type_: field.type_.join(&new.type_), ..field.clone() },
            None => field.clone(),
        });
    }
    let added = next.fields.iter().filter(|new| new.required || carry.field(&new.name).is_none());
    fields.extend(added.cloned());
    ObjectType { fields }
}
