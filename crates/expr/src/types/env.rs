//! The types of the names in scope.

use super::Type;
use crate::nearest;
use std::sync::Arc;

/// Name → type. Extending one is cheap and leaves the original as it is.
#[derive(Debug, Clone, Default)]
pub struct TypeEnv(Option<Arc<Link>>);

#[derive(Debug)]
struct Link {
    name: String,
    type_: Type,
    outer: TypeEnv,
}

impl TypeEnv {
    /// An environment without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// This environment and one more name, which hides an earlier one.
    #[must_use]
    pub fn with(&self, name: impl Into<String>, type_: Type) -> Self {
        Self(Some(Arc::new(Link { name: name.into(), type_, outer: self.clone() })))
    }

    /// The type of a name.
    pub fn get(&self, name: &str) -> Option<&Type> {
        self.links().find(|link| link.name == name).map(|link| &link.type_)
    }

    /// Every name, the innermost first; a hidden one comes twice.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.links().map(|link| link.name.as_str())
    }

    /// The known name nearest to a misspelt one.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.names())
    }

    fn links(&self) -> impl Iterator<Item = &Link> {
        std::iter::successors(self.0.as_deref(), |link| link.outer.0.as_deref())
    }
}

/// A long chain would be dropped by as many calls inside each other: a workflow may have thousands of steps.
impl Drop for TypeEnv {
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(link) = next {
            next = Arc::into_inner(link).and_then(|mut link| link.outer.0.take());
        }
    }
}

impl<N: Into<String>> FromIterator<(N, Type)> for TypeEnv {
    fn from_iter<I: IntoIterator<Item = (N, Type)>>(names: I) -> Self {
        names.into_iter().fold(Self::new(), |env, (name, type_)| env.with(name, type_))
    }
}
