//! What names mean while an expression runs.

use consort_types::Json;

/// The values in scope.
pub trait Scope {
    /// The value of a name; `None` when there is no such name. Called once for each place that names it.
    fn get(&self, name: &str) -> Option<Json>;
}

/// A handful of names: tests, and expressions that see little.
impl<const N: usize> Scope for [(&str, Json); N] {
    fn get(&self, name: &str) -> Option<Json> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }
}

impl Scope for std::collections::BTreeMap<String, Json> {
    fn get(&self, name: &str) -> Option<Json> {
        std::collections::BTreeMap::get(self, name).cloned()
    }
}
