//! `Total`: a function defined everywhere that has its default value almost everywhere. This module knows nothing of layers or
//! nondeterminism.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Index, IndexMut};

use crate::Set;

/// A total function: `t[k]` is `V::default()` unless another value was stored there.
///
/// `t[k] = v` returns a place before `v` is known, so an entry may hold the default. Such an entry is equivalent to none: comparing,
/// hashing and `support` skip it, and the next `t[k] = v` removes it.
#[derive(Clone)]
pub struct Total<K, V> {
    entries: BTreeMap<K, V>,
    default: V,
    /// The key of the last place returned: the only entry that may hold the default.
    touched: Option<K>,
}

impl<K: Ord, V: Default + PartialEq> Total<K, V> {
    /// The function that is the default everywhere.
    pub fn new() -> Self {
        Total { entries: BTreeMap::new(), default: V::default(), touched: None }
    }

    /// Whether this is the default everywhere.
    pub fn is_default(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The keys whose value is not the default.
    pub fn support(&self) -> Set<K>
    where
        K: Clone,
    {
        self.iter().map(|(key, _)| key.clone()).collect()
    }

    /// The entries whose value is not the default, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().filter(|(_, value)| **value != self.default)
    }

    fn tidy(&mut self) {
        if let Some(key) = self.touched.take()
            && self.entries.get(&key) == Some(&self.default)
        {
            self.entries.remove(&key);
        }
    }
}

impl<K: Ord, V: Default + PartialEq> Default for Total<K, V> {
    fn default() -> Self {
        Total::new()
    }
}

impl<K: Ord, V> Index<K> for Total<K, V> {
    type Output = V;

    fn index(&self, key: K) -> &V {
        self.entries.get(&key).unwrap_or(&self.default)
    }
}

impl<K: Ord + Clone, V: Default + PartialEq> IndexMut<K> for Total<K, V> {
    fn index_mut(&mut self, key: K) -> &mut V {
        self.tidy();
        self.touched = Some(key.clone());
        self.entries.entry(key).or_default()
    }
}

impl<K: Ord, V: Default + PartialEq> PartialEq for Total<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<K: Ord, V: Default + Eq> Eq for Total<K, V> {}

impl<K: Ord, V: Default + Ord> PartialOrd for Total<K, V> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Ord, V: Default + Ord> Ord for Total<K, V> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl<K: Ord + Hash, V: Default + PartialEq + Hash> Hash for Total<K, V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.iter().for_each(|entry| entry.hash(state));
    }
}

impl<K: Ord + fmt::Debug, V: Default + PartialEq + fmt::Debug> fmt::Debug for Total<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Ord + Clone, V: Default + PartialEq> FromIterator<(K, V)> for Total<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut total = Total::new();
        for (key, value) in entries {
            total[key] = value;
        }
        total
    }
}

impl<K: Ord + Clone, V: Default + PartialEq, const N: usize> From<[(K, V); N]> for Total<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::hash_map::DefaultHasher;

    use super::*;

    fn hash(value: &impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn storing_the_default_is_storing_nothing() {
        let mut total: Total<u64, u64> = Total::new();
        total[1] = 5;
        total[1] = 0;
        let fresh = Total::new();
        assert_eq!(total, fresh);
        assert_eq!(total.cmp(&fresh), Ordering::Equal);
        assert_eq!(hash(&total), hash(&fresh));
        assert!(total.is_default() && total.support().is_empty());
        assert_eq!(format!("{total:?}"), "{}");
    }

    #[test]
    fn entries_that_became_default_do_not_pile_up() {
        let mut total: Total<u64, u64> = Total::new();
        for key in 0..100 {
            total[key] = 0;
        }
        assert!(total.entries.len() <= 1);
    }

    #[test]
    fn order_looks_at_what_differs() {
        let low: Total<u64, u64> = Total::from([(1, 1)]);
        let high = Total::from([(1, 2)]);
        assert!(low < high);
        assert_eq!(low[7], 0);
    }
}
