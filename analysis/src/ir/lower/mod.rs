//! From trees to the IR: names are resolved, types inferred, everything outside the subset reported and replaced.
//!
//! [`package`] holds what the package declares, [`layers`] and [`implementations`] put together what attributes say, and [`body`] lowers
//! the functions they reach, one at a time. What nothing of a layer reaches is not looked at: the rest of a crate may be any Rust.

mod body;
mod finish;
mod implementations;
mod layers;
mod lift;
mod names;
mod package;
mod partition;
mod report;
mod signature;
mod ty;
mod types;
mod words;

use std::sync::Arc;

use super::{Program, SourceMap};
use crate::{diagnostics::Diagnostic, index::Indexed, syntax::Parse};

/// A package, lowered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lowered {
    /// What the package declares.
    pub program: Arc<Program>,
    /// Where it stands.
    pub source_map: Arc<SourceMap>,
    /// What is wrong with it, in source order.
    pub diagnostics: Vec<Diagnostic>,
}

/// One file of the package to lower.
#[derive(Clone, Copy)]
pub struct File<'a> {
    /// Its tree.
    pub parse: &'a Parse,
    /// What it declares.
    pub indexed: &'a Indexed,
    /// The `mod name;` that it is the text of: a file, and an index into its modules. `None` for the root.
    pub parent: Option<(u32, u32)>,
}

/// Lowers a package.
pub fn lower(files: &[File<'_>]) -> Lowered {
    let mut package = package::Package::new(files);
    layers::resolve(&mut package);
    layers::request_functions(&mut package);
    implementations::resolve(&mut package);
    body::lower_requested(&mut package);
    let mut lowered = package.into_lowered();
    for (number, file) in files.iter().enumerate() {
        let number = number as u32;
        lowered.diagnostics.extend(file.parse.diagnostics(number));
        lowered.diagnostics.extend(file.indexed.diagnostics.iter().cloned().map(|mut it| {
            it.span.file = number;
            it
        }));
    }
    lowered
        .diagnostics
        .sort_by(|left, right| (left.span, left.code, &left.message).cmp(&(right.span, right.code, &right.message)));
    lowered.diagnostics.dedup();
    lowered
}
