//! For whom an event is: an index by type and by one equality test.

use consort_types::{Json, TypePattern};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
};

/// What somebody waits for.
#[derive(Debug, Clone, PartialEq)]
pub struct Interest {
    /// Of which types.
    pub types: TypePattern,
    /// Places of the event and the values that must stand there. What is true of an event beyond them is not
    /// known here.
    pub tests: Vec<(Vec<String>, Json)>,
}

/// Who waits for what. Each is filed under its type and its first test.
#[derive(Debug)]
pub struct Index<K> {
    /// Those who name one type.
    exact: HashMap<String, Bucket<K>>,
    /// Those whose type has a wildcard; there are few such patterns.
    wild: BTreeMap<String, Bucket<K>>,
    filed: BTreeMap<K, Interest>,
}

#[derive(Debug)]
struct Bucket<K> {
    /// Without a test.
    open: BTreeSet<K>,
    /// By the place that they look at, and the value that must stand there.
    tested: BTreeMap<Vec<String>, HashMap<String, BTreeSet<K>>>,
}

impl<K> Default for Bucket<K> {
    fn default() -> Self {
        Self { open: BTreeSet::new(), tested: BTreeMap::new() }
    }
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self { exact: HashMap::new(), wild: BTreeMap::new(), filed: BTreeMap::new() }
    }
}

impl<K: Ord + Clone + Hash> Index<K> {
    /// Files somebody; takes the place of what was filed before.
    pub fn add(&mut self, who: K, interest: Interest) {
        self.remove(&who);
        let bucket = self.bucket(&interest.types);
        match first_test(&interest) {
            None => drop(bucket.open.insert(who.clone())),
            Some((path, value)) => {
                let by_value = bucket.tested.entry(path.to_vec()).or_default();
                by_value.entry(value).or_default().insert(who.clone());
            }
        }
        self.filed.insert(who, interest);
    }

    /// Forgets somebody.
    pub fn remove(&mut self, who: &K) {
        let Some(interest) = self.filed.remove(who) else { return };
        let bucket = self.bucket(&interest.types);
        match first_test(&interest) {
            None => drop(bucket.open.remove(who)),
            Some((path, value)) => {
                if let Some(by_value) = bucket.tested.get_mut(path) {
                    if let Some(all) = by_value.get_mut(&value) {
                        all.remove(who);
                        if all.is_empty() {
                            by_value.remove(&value);
                        }
                    }
                    if by_value.is_empty() {
                        bucket.tested.remove(path);
                    }
                }
            }
        }
        if bucket.open.is_empty() && bucket.tested.is_empty() {
            let pattern = interest.types.as_str();
            self.exact.remove(pattern);
            self.wild.remove(pattern);
        }
    }

    /// Those whom an event may be for, each once, in their order. Some may find that it is not.
    pub fn candidates(&self, event_type: &str, document: &Json) -> Vec<K> {
        let wild = self.wild.iter().filter(|(pattern, _)| TypePattern::new(pattern).matches(event_type));
        let buckets: Vec<&Bucket<K>> =
            self.exact.get(event_type).into_iter().chain(wild.map(|(_, bucket)| bucket)).collect();
        let mut found = BTreeSet::new();
        // Parsed once, and only when somebody looks into it.
        let mut event = None;
        for bucket in buckets {
            found.extend(bucket.open.iter().cloned());
            for (path, by_value) in &bucket.tested {
                let event = event.get_or_insert_with(|| document.to_value());
                let all = at(event, path).and_then(key_of).and_then(|value| by_value.get(&value));
                found.extend(all.into_iter().flatten().cloned());
            }
        }
        found.into_iter().collect()
    }

    /// Whether anybody waits for a type.
    pub fn wants(&self, event_type: &str) -> bool {
        self.exact.contains_key(event_type)
            || self.wild.keys().any(|pattern| TypePattern::new(pattern).matches(event_type))
    }

    /// Those who are filed, between two keys.
    pub fn filed(&self, range: std::ops::RangeInclusive<K>) -> Vec<K> {
        self.filed.range(range).map(|(who, _)| who.clone()).collect()
    }

    /// Whether nobody waits for anything.
    pub fn is_empty(&self) -> bool {
        self.filed.is_empty()
    }

    fn bucket(&mut self, types: &TypePattern) -> &mut Bucket<K> {
        let pattern = types.as_str().to_owned();
        if types.is_exact() {
            self.exact.entry(pattern).or_default()
        } else {
            self.wild.entry(pattern).or_default()
        }
    }
}

impl Interest {
    /// Whether an event passes the tests. More may be asked of it.
    pub fn may_match(&self, event_type: &str, document: &Json) -> bool {
        if !self.types.matches(event_type) {
            return false;
        }
        if self.tests.is_empty() {
            return true;
        }
        let event = document.to_value();
        self.tests.iter().all(|(path, value)| {
            let wanted = key_of(&value.to_value());
            wanted.is_some() && at(&event, path).and_then(key_of) == wanted
        })
    }
}

/// The first test that tells one value from another.
fn first_test(interest: &Interest) -> Option<(&[String], String)> {
    interest.tests.iter().find_map(|(path, value)| Some((path.as_slice(), key_of(&value.to_value())?)))
}

fn at<'v>(event: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(event, |value, field| value.get(field))
}

/// One spelling for values that are equal: JSON has one kind of number. Two large integers may share a
/// spelling; that makes a candidate too many, never one too few.
fn key_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(format!("\"{text}")),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => {
            // Minus zero is zero.
            number.as_f64().map(|number| (if number == 0.0 { 0.0 } else { number }).to_string())
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn interest(types: &str, tests: &[(&str, Value)]) -> Interest {
        let test = |(path, value): &(&str, Value)| {
            (path.split('.').map(str::to_owned).collect(), Json::from(value.clone()))
        };
        Interest { types: TypePattern::new(types), tests: tests.iter().map(test).collect() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "a literal reads better without a reference")]
    fn found(index: &Index<u32>, event_type: &str, data: Value) -> Vec<u32> {
        index.candidates(event_type, &Json::of(&json!({ "data": data })))
    }

    #[test]
    fn an_event_finds_those_who_wait_for_it_and_no_others() {
        let mut index = Index::default();
        index.add(1, interest("order.paid", &[]));
        index.add(2, interest("order.paid", &[("data.id", json!("a"))]));
        index.add(3, interest("order.paid", &[("data.id", json!("b"))]));
        index.add(4, interest("order.*", &[("data.n", json!(3))]));
        index.add(5, interest("*", &[]));
        index.add(6, interest("stock.low", &[]));
        assert_eq!(found(&index, "order.paid", json!({"id": "a"})), [1, 2, 5]);
        assert_eq!(found(&index, "order.paid", json!({"id": "b", "n": 3.0})), [1, 3, 4, 5]);
        assert_eq!(found(&index, "order.lost", json!({"n": 3})), [4, 5]);
        assert_eq!(found(&index, "order.lost", json!(null)), [5]);
        index.remove(&5);
        index.remove(&1);
        index.add(2, interest("order.paid", &[("data.id", json!("c"))]));
        assert!(found(&index, "order.paid", json!({"id": "a"})).is_empty());
        assert_eq!(found(&index, "order.paid", json!({"id": "c"})), [2]);
        assert!(index.wants("order.anything") && !index.wants("other"));
        for who in [2, 3, 4, 6] {
            index.remove(&who);
        }
        assert!(index.is_empty() && index.exact.is_empty() && index.wild.is_empty());
    }

    #[test]
    fn equal_numbers_are_equal_however_they_are_written() {
        let mut index = Index::default();
        index.add(1, interest("t", &[("data.n", json!(1))]));
        index.add(2, interest("t", &[("data.n", json!("1"))]));
        assert_eq!(found(&index, "t", json!({"n": 1.0})), [1]);
        assert_eq!(found(&index, "t", json!({"n": "1"})), [2]);
        assert!(found(&index, "t", json!({"n": true})).is_empty());
    }

    #[test]
    fn ten_thousand_who_wait_cost_one_look_up() {
        let mut index = Index::default();
        for who in 0..10_000 {
            index.add(who, interest("t", &[("data.id", json!(who))]));
        }
        assert_eq!(found(&index, "t", json!({"id": 77})), [77]);
        assert_eq!(index.exact["t"].tested.len(), 1, "one place is looked at");
    }
}
