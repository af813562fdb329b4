//! `Map`: a finite map, compared by its entries. This module knows nothing of layers or nondeterminism.

use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::ops::{Index, IndexMut};

use crate::Set;

/// A finite map. Keys are kept in order, so equal maps have equal representations.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Map<K, V>(BTreeMap<K, V>);

impl<K: Ord, V> Map<K, V> {
    /// Creates a map without entries.
    pub const fn new() -> Self {
        Map(BTreeMap::new())
    }

    /// The value at `key`, if there is one.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    /// The value at `key`, to be changed in place.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    /// Whether there is an entry at `key`.
    pub fn contains(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// Whether there is an entry at `key`: another name of [`Map::contains`].
    pub fn contains_key(&self, key: &K) -> bool {
        self.contains(key)
    }

    /// Sets the entry at `key`; returns the old value, if there was one.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    /// Removes the entry at `key`; returns its value.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.0.remove(key)
    }

    /// The entry at `key`, to be changed or filled in place.
    pub fn entry(&mut self, key: K) -> btree_map::Entry<'_, K, V> {
        self.0.entry(key)
    }

    /// The entry with the least key.
    pub fn first_key_value(&self) -> Option<(&K, &V)> {
        self.0.first_key_value()
    }

    /// The entry with the greatest key.
    pub fn last_key_value(&self) -> Option<(&K, &V)> {
        self.0.last_key_value()
    }

    /// Takes the entry with the least key.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        self.0.pop_first()
    }

    /// Takes the entry with the greatest key.
    pub fn pop_last(&mut self) -> Option<(K, V)> {
        self.0.pop_last()
    }

    /// Keeps the entries for which `keeps` is true.
    pub fn retain(&mut self, keeps: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain(keeps);
    }

    /// The entries, in the order of their keys, with values to be changed in place.
    pub fn iter_mut(&mut self) -> btree_map::IterMut<'_, K, V> {
        self.0.iter_mut()
    }

    /// The values, in the order of their keys, to be changed in place.
    pub fn values_mut(&mut self) -> btree_map::ValuesMut<'_, K, V> {
        self.0.values_mut()
    }

    /// Removes every entry, and keeps nothing.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The keys that have an entry.
    pub fn keys(&self) -> Set<K>
    where
        K: Clone,
    {
        self.0.keys().cloned().collect()
    }

    /// The values, in the order of their keys.
    pub fn values(&self) -> btree_map::Values<'_, K, V> {
        self.0.values()
    }

    /// The entries, in the order of their keys.
    pub fn iter(&self) -> btree_map::Iter<'_, K, V> {
        self.0.iter()
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the map has no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Ord, V> Default for Map<K, V> {
    fn default() -> Self {
        Map::new()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Panics, as in Rust, if there is no entry: in an operation, that is a failure.
impl<K: Ord, V> Index<&K> for Map<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        self.0.get(key).expect("no entry for this key")
    }
}

/// Panics if there is no entry.
impl<K: Ord, V> IndexMut<&K> for Map<K, V> {
    fn index_mut(&mut self, key: &K) -> &mut V {
        self.0.get_mut(key).expect("no entry for this key")
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Map(entries.into_iter().collect())
    }
}

impl<K: Ord, V> Extend<(K, V)> for Map<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        self.0.extend(entries);
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for Map<K, V> {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = btree_map::IntoIter<K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, K, V> IntoIterator for &'a Map<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = btree_map::Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a, K, V> IntoIterator for &'a mut Map<K, V> {
    type Item = (&'a K, &'a mut V);
    type IntoIter = btree_map::IterMut<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}
