//! `Seq`: a finite sequence. This module knows nothing of layers or nondeterminism.

use std::fmt;
use std::ops::{Index, IndexMut};
use std::slice;
use std::vec;

/// A finite sequence of elements, counted from the front. It is Rust's `Vec` in a form that models enumerate.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq<T>(Vec<T>);

impl<T> Seq<T> {
    /// Creates a sequence without elements.
    pub const fn new() -> Self {
        Seq(Vec::new())
    }

    /// Adds `element` at the back.
    pub fn push(&mut self, element: T) {
        self.0.push(element);
    }

    /// Takes the element at the back.
    pub fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }

    /// Adds `element` at the back: another name of [`Seq::push`].
    pub fn push_back(&mut self, element: T) {
        self.push(element);
    }

    /// Adds `element` at the front.
    pub fn push_front(&mut self, element: T) {
        self.0.insert(0, element);
    }

    /// Takes the element at the back: another name of [`Seq::pop`].
    pub fn pop_back(&mut self) -> Option<T> {
        self.pop()
    }

    /// Takes the element at `index`, counted from the front.
    ///
    /// # Panics
    ///
    /// If there is no such element.
    pub fn remove(&mut self, index: usize) -> T {
        self.0.remove(index)
    }

    /// Puts `element` before the one at `index`, or at the back if `index` is the length.
    ///
    /// # Panics
    ///
    /// If `index` is greater than the length.
    pub fn insert(&mut self, index: usize, element: T) {
        self.0.insert(index, element);
    }

    /// Removes the elements from `length` on, if there are any.
    pub fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    /// Reverses the order of the elements.
    pub fn reverse(&mut self) {
        self.0.reverse();
    }

    /// Swaps two elements.
    ///
    /// # Panics
    ///
    /// If there is no such element.
    pub fn swap(&mut self, one: usize, other: usize) {
        self.0.swap(one, other);
    }

    /// Keeps the elements for which `keeps` is true.
    pub fn retain(&mut self, keeps: impl FnMut(&T) -> bool) {
        self.0.retain(keeps);
    }

    /// Takes the element at the front.
    pub fn pop_front(&mut self) -> Option<T> {
        if self.0.is_empty() { None } else { Some(self.0.remove(0)) }
    }

    /// Removes every element, and keeps nothing.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The element at the front.
    pub fn first(&self) -> Option<&T> {
        self.0.first()
    }

    /// The element at the back.
    pub fn last(&self) -> Option<&T> {
        self.0.last()
    }

    /// The element at the front: another name of [`Seq::first`].
    pub fn front(&self) -> Option<&T> {
        self.first()
    }

    /// The element at the back: another name of [`Seq::last`].
    pub fn back(&self) -> Option<&T> {
        self.last()
    }

    /// The elements, from front to back, to be changed in place.
    pub fn iter_mut(&mut self) -> slice::IterMut<'_, T> {
        self.0.iter_mut()
    }

    /// The element at `index`, counted from the front.
    pub fn get(&self, index: usize) -> Option<&T> {
        self.0.get(index)
    }

    /// The element at the front, to be changed in place.
    pub fn first_mut(&mut self) -> Option<&mut T> {
        self.0.first_mut()
    }

    /// The element at the back, to be changed in place.
    pub fn last_mut(&mut self) -> Option<&mut T> {
        self.0.last_mut()
    }

    /// The element at `index`, to be changed in place.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.0.get_mut(index)
    }

    /// Whether `element` occurs anywhere in the sequence.
    pub fn contains(&self, element: &T) -> bool
    where
        T: PartialEq,
    {
        self.0.contains(element)
    }

    /// The elements, from front to back.
    pub fn iter(&self) -> slice::Iter<'_, T> {
        self.0.iter()
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the sequence has no element.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> Default for Seq<T> {
    fn default() -> Self {
        Seq::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for Seq<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Panics, as in Rust, if there is no such element: in an operation, that is a failure.
impl<T> Index<usize> for Seq<T> {
    type Output = T;

    fn index(&self, index: usize) -> &T {
        &self.0[index]
    }
}

/// Panics if there is no such element.
impl<T> IndexMut<usize> for Seq<T> {
    fn index_mut(&mut self, index: usize) -> &mut T {
        &mut self.0[index]
    }
}

impl<T> FromIterator<T> for Seq<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Seq(elements.into_iter().collect())
    }
}

impl<T> Extend<T> for Seq<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, elements: I) {
        self.0.extend(elements);
    }
}

impl<T, const N: usize> From<[T; N]> for Seq<T> {
    fn from(elements: [T; N]) -> Self {
        Seq(elements.into())
    }
}

impl<T> IntoIterator for Seq<T> {
    type Item = T;
    type IntoIter = vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Seq<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut Seq<T> {
    type Item = &'a mut T;
    type IntoIter = slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}
