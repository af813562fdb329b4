//! `Set`: a finite set. This module knows nothing of layers or nondeterminism.

use std::collections::{BTreeSet, btree_set};
use std::fmt;

/// A finite set. Elements are kept in order, so equal sets have equal representations.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Set<T>(BTreeSet<T>);

impl<T: Ord> Set<T> {
    /// Creates a set without elements.
    pub const fn new() -> Self {
        Set(BTreeSet::new())
    }

    /// Whether `element` is in the set.
    pub fn contains(&self, element: &T) -> bool {
        self.0.contains(element)
    }

    /// Adds `element`; returns whether it was new.
    pub fn insert(&mut self, element: T) -> bool {
        self.0.insert(element)
    }

    /// Removes `element`; returns whether it was there.
    pub fn remove(&mut self, element: &T) -> bool {
        self.0.remove(element)
    }

    /// The least element.
    pub fn first(&self) -> Option<&T> {
        self.0.first()
    }

    /// The greatest element.
    pub fn last(&self) -> Option<&T> {
        self.0.last()
    }

    /// Takes the least element.
    pub fn pop_first(&mut self) -> Option<T> {
        self.0.pop_first()
    }

    /// Takes the greatest element.
    pub fn pop_last(&mut self) -> Option<T> {
        self.0.pop_last()
    }

    /// Keeps the elements for which `keeps` is true.
    pub fn retain(&mut self, keeps: impl FnMut(&T) -> bool) {
        self.0.retain(keeps);
    }

    /// Removes every element, and keeps nothing.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether every element is also in `other`.
    pub fn is_subset(&self, other: &Set<T>) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The elements, in order.
    pub fn iter(&self) -> btree_set::Iter<'_, T> {
        self.0.iter()
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set has no element.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Ord> Default for Set<T> {
    fn default() -> Self {
        Set::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for Set<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Ord> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Set(elements.into_iter().collect())
    }
}

impl<T: Ord> Extend<T> for Set<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, elements: I) {
        self.0.extend(elements);
    }
}

impl<T: Ord, const N: usize> From<[T; N]> for Set<T> {
    fn from(elements: [T; N]) -> Self {
        elements.into_iter().collect()
    }
}

impl<T> IntoIterator for Set<T> {
    type Item = T;
    type IntoIter = btree_set::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Set<T> {
    type Item = &'a T;
    type IntoIter = btree_set::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
