//! Spots: places relative to the item that contains them, so that they stay equal when the item moves.

use crate::{index::Indexed, ir::Span};

/// A range of text, relative to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spot {
    /// A name in the index of a file.
    Name {
        /// Index into the files of the package.
        file: u32,
        /// Index into [`crate::index::Positions`] of the file.
        at: u32,
    },
    /// A part of an item.
    Part {
        /// Index into the files of the package.
        file: u32,
        /// Number of the declaration.
        declaration: u32,
        /// The first byte, relative to the item's tree.
        start: u32,
        /// One past the last byte, relative to the item's tree.
        end: u32,
    },
}

impl Spot {
    /// The span of this spot in these files.
    pub(super) fn span(self, files: &[&Indexed]) -> Span {
        let nowhere = |file| Span { file, start: 0, end: 0 };
        match self {
            Spot::Name { file, at } => {
                files.get(file as usize).map_or(nowhere(file), |it| it.positions.span_at(file, at))
            }
            Spot::Part { file, declaration, start, end } => {
                let begin = files.get(file as usize).and_then(|it| it.starts.get(declaration as usize));
                begin.map_or(nowhere(file), |it| Span { file, start: it + start, end: it + end })
            }
        }
    }
}
