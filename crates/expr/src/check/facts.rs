//! What a condition tells about null.

use crate::ast::{Kind, Link, Node, Operator, Path, Presence, Root, SegmentKind};

/// Places that are known not to be null where we are.
#[derive(Debug, Default)]
pub(crate) struct Facts(Vec<String>);

impl Facts {
    pub fn mark(&self) -> usize {
        self.0.len()
    }

    pub fn forget(&mut self, mark: usize) {
        self.0.truncate(mark);
    }

    pub fn holds(&self, place: &str) -> bool {
        self.0.iter().any(|known| known == place)
    }

    /// What is known since a mark about the fields of a variable: their paths.
    pub fn of_local(&self, since: usize, local: usize) -> impl Iterator<Item = &str> {
        let prefix = format!("{}.", local_key(local));
        self.0[since..].iter().filter_map(move |known| known.strip_prefix(&prefix))
    }

    /// The places below names of the scope: the name and the fields behind it.
    pub fn of_free(&self) -> Vec<Vec<String>> {
        let places = self.0.iter().filter(|known| !known.starts_with('#'));
        let read = places.filter_map(|known| {
            let (root, path) = known.split_once('.').unwrap_or((known, ""));
            let fields = names(path)?.into_iter().map(str::to_owned);
            Some(std::iter::once(root.to_owned()).chain(fields).collect())
        });
        read.collect()
    }

    /// Learns from a condition that it is true, or false.
    pub fn learn(&mut self, condition: &Node, truth: bool) {
        match &condition.kind {
            Kind::Not(inner) => self.learn(inner, !truth),
            Kind::All(terms) if truth => terms.iter().for_each(|term| self.learn(term, true)),
            Kind::Any(terms) if !truth => terms.iter().for_each(|term| self.learn(term, false)),
            Kind::Has(path) if truth => self.learn_place(path),
            Kind::Chain(first, links) => {
                if let [link] = links.as_slice() {
                    self.learn_comparison(first, link, truth);
                }
            }
            _ => {}
        }
    }

    /// `x != null` when true; `x == null` when false; `x == 'text'` when true.
    fn learn_comparison(&mut self, first: &Node, link: &Link, truth: bool) {
        let equal = match link.operator {
            Operator::Equal => truth,
            Operator::NotEqual => !truth,
            _ => return,
        };
        let (place, other) = match (&first.kind, &link.right.kind) {
            (Kind::Path(path), other) => (path, other),
            (other, Kind::Path(path)) => (path, other),
            _ => return,
        };
        let not_null = match other {
            Kind::Null => !equal,
            Kind::Text(_) | Kind::Int(_) | Kind::Double(_) | Kind::Bool(_) => equal,
            _ => false,
        };
        if not_null {
            self.learn_place(place);
        }
    }

    /// A place that is not null is reached through places that are not null.
    fn learn_place(&mut self, path: &Path) {
        let Some(mut key) = root_key(&path.root) else { return };
        let mut keys = vec![key.clone()];
        for segment in &path.segments {
            let SegmentKind::Field(name, Presence::Required) = &segment.kind else { return };
            key = field_key(&key, name);
            keys.push(key.clone());
        }
        self.0.extend(keys);
    }
}

/// The name of a place. Names of fields may hold any sign, so each carries its length.
pub(super) fn root_key(root: &Root) -> Option<String> {
    match root {
        Root::Free(name, _) => Some(name.to_string()),
        Root::Local(place) => Some(local_key(*place)),
        Root::Value(_) => None,
    }
}

fn local_key(place: usize) -> String {
    format!("#{place}")
}

pub(super) fn field_key(outer: &str, name: &str) -> String {
    format!("{outer}.{}:{name}", name.len())
}

/// The names of a path of fields, as `field_key` wrote them.
pub(super) fn names(mut path: &str) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    while !path.is_empty() {
        let (len, rest) = path.split_once(':')?;
        let len: usize = len.parse().ok()?;
        names.push(rest.get(..len)?);
        path = rest.get(len..)?.trim_start_matches('.');
    }
    Some(names)
}
