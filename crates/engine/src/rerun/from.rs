//! The step that a rerun begins from, as users name it, in the words of the definition.

use super::RerunError;
use consort_expr::nearest;
use consort_spec::definition::{Body, KeyPart, ScopeId, StepId, Workflow};

/// One step on the way from the top to the step that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// The step.
    pub step: StepId,
    /// The item of its `for_each` that is meant, as it stands between the brackets.
    pub item: Option<String>,
    /// The turn of its loop that is meant.
    pub turn: Option<u32>,
}

/// One part of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'k> {
    Name(&'k str),
    Bracket(&'k str),
}

/// The way to a step.
///
/// # Errors
/// When no step of the workflow bears this key, with the nearest that does.
pub(super) fn links(workflow: &Workflow, key: &str) -> Result<Vec<Link>, RerunError> {
    let parts = parts(key).ok_or_else(|| unknown(workflow, key))?;
    let mut parts = parts.as_slice();
    let mut scopes = vec![workflow.top];
    let mut links = Vec::new();
    loop {
        let step = take_step(workflow, &scopes, &mut parts).ok_or_else(|| unknown(workflow, key))?;
        let definition = workflow.step(step);
        let mut link = Link { step, item: None, turn: None };
        if definition.for_each.is_some()
            && let [Part::Bracket(item), rest @ ..] = parts
        {
            (link.item, parts) = (Some((*item).to_owned()), rest);
        }
        if parts.is_empty() {
            links.push(link);
            return Ok(links);
        }
        // What stands in a `for_each` stands in one of its items.
        if definition.for_each.is_some() && link.item.is_none() {
            return Err(unknown(workflow, key));
        }
        if let [Part::Name(word @ ("undo" | "catch" | "finally")), ..] = parts {
            let owner = &definition.path;
            let message = format!("a rerun cannot begin from the `{word}` of a step: begin from `{owner}`");
            return Err(RerunError::NotHere(message));
        }
        scopes = match &definition.body {
            Body::Group { scope, .. } => vec![*scope],
            Body::Switch(branches) => branches.iter().map(|branch| branch.scope).collect(),
            Body::Loop(turns) => {
                let [Part::Bracket(turn), rest @ ..] = parts else { return Err(unknown(workflow, key)) };
                (link.turn, parts) = (turn.parse().ok(), rest);
                if link.turn.is_none() || parts.is_empty() {
                    return Err(unknown(workflow, key));
                }
                vec![turns.scope]
            }
            _ => return Err(unknown(workflow, key)),
        };
        links.push(link);
    }
}

fn take_step(workflow: &Workflow, scopes: &[ScopeId], parts: &mut &[Part<'_>]) -> Option<StepId> {
    let (first, rest) = parts.split_first()?;
    let is_meant = |step: &&StepId| match (&workflow.step(**step).key_part, first) {
        (KeyPart::Name(name), Part::Name(part)) => name.as_str() == *part,
        (KeyPart::Index(index), Part::Bracket(part)) => index.to_string() == *part,
        _ => false,
    };
    let steps = scopes.iter().flat_map(|scope| &workflow.scope(*scope).steps);
    let found = { steps }.find(is_meant)?;
    *parts = rest;
    Some(*found)
}

/// `fields[3].parse` as `fields`, `3`, `parse`.
fn parts(key: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = key;
    while !rest.is_empty() {
        if let Some(bracket) = rest.strip_prefix('[') {
            let (inner, after) = bracket.split_once(']')?;
            parts.push(Part::Bracket(inner));
            rest = after;
            continue;
        }
        let name = if parts.is_empty() { rest } else { rest.strip_prefix('.')? };
        let end = name.find(['.', '[']).unwrap_or(name.len());
        if end == 0 {
            return None;
        }
        parts.push(Part::Name(&name[..end]));
        rest = &name[end..];
    }
    (!parts.is_empty()).then_some(parts)
}

/// A step that there is not, with the one that was probably meant.
pub(super) fn unknown(workflow: &Workflow, key: &str) -> RerunError {
    let top = workflow.scope(workflow.top).steps.iter().map(|step| workflow.step(*step).path.as_str());
    let paths = workflow.steps.iter().map(|step| step.path.as_str());
    let meant = nearest(key, paths).or_else(|| nearest(key.split(['.', '[']).next()?, top.clone()));
    let known: Vec<&str> = top.collect();
    let hint = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it has {}", known.join(", ")),
    };
    RerunError::NoSuchStep { key: key.to_owned(), workflow: workflow.name.clone(), hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_falls_into_names_and_brackets() {
        use Part::{Bracket, Name};
        let of = |key| parts(key);
        assert_eq!(of("a"), Some(vec![Name("a")]));
        assert_eq!(
            of("each[3].inner[0].x"),
            Some(vec![Name("each"), Bracket("3"), Name("inner"), Bracket("0"), Name("x")])
        );
        assert_eq!(of("each[a.b]"), Some(vec![Name("each"), Bracket("a.b")]));
        for bad in ["", ".a", "a.", "a..b", "a[", "a[1]b"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
