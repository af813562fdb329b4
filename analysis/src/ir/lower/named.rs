//! The meaning of names in the text, for tools that look at the text and not at the program.

use super::{
    declared::Declared,
    names::{Entry, Meaning, Namespace},
};
use crate::ir::{ImplementationId, LayerId};

/// A part of the program that is named in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Named {
    Layer(LayerId),
    Implementation(ImplementationId),
    /// A stack, by its number.
    Stack(usize),
}

impl Declared {
    /// The part of the program that a path refers to in a scope of a file, if any. The scope is given by its number there (see
    /// [`crate::index::FileIndex::scopes`]).
    pub fn named(&self, file: u32, scope: u32, path: &[String]) -> Option<Named> {
        match self.names.meaning(self.names.scope(file, scope), path, Namespace::Types) {
            Meaning::Item(Entry::Layer(item)) => Some(Named::Layer(self.layer_id(*self.layer_of.get(&item)?)?)),
            Meaning::Item(Entry::Implementation(item)) => self.parts.implementation(item).map(Named::Implementation),
            Meaning::Item(Entry::Stack(item)) => self.parts.stack(item).map(|it| Named::Stack(it as usize)),
            _ => None,
        }
    }
}
